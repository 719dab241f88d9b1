import {
  cpSync,
  mkdirSync,
  mkdtempDisposableSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { labFolders } from '../../server/labs/folders.ts';
import { ensureSite } from '../../server/site/build.ts';
import { makeLab } from '../../setup/lab-new.ts';

const PROJECT = join(import.meta.dirname, '../..');
/** Labs that are there already. */
const SKETCHES = join(PROJECT, 'tests/labs');
/** A build, and perhaps another's before it. */
const BUILD_MS = 180_000;

const COURSE = `import { defineCourse } from '#lab';
export const course = defineCourse({
  title: 'Step by step',
  parts: [
    { title: 'First', labs: [{ lab: 'web', minutes: 20 }] },
    { title: 'Then', labs: [{ lab: 'linked', needs: ['web'] }] },
  ],
});
`;
const PICTURE =
  '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><path d="M0 0h9v9z"/></svg>';

it(
  'labs of another folder have their pages, pictures and course on the site, links among them',
  async () => {
    using folder = mkdtempDisposableSync(join(tmpdir(), 'quayside-elsewhere-'));
    const labs = join(folder.path, 'my-labs');
    const web = await makeLab('web', labs);
    cpSync(web, join(folder.path, 'real'), { recursive: true });
    symlinkSync('../real', join(labs, 'linked'));
    mkdirSync(join(web, 'pictures'));
    writeFileSync(join(web, 'pictures', 'wire.svg'), PICTURE);
    const index = readFileSync(join(web, 'index.mdx'), 'utf8');
    writeFileSync(join(web, 'index.mdx'), `${index}\n![A wire](./pictures/wire.svg)\n`);
    writeFileSync(join(labs, 'course.ts'), COURSE);

    using site = await ensureSite(PROJECT, () => undefined, {
      labs: labFolders(PROJECT, [labs, SKETCHES]),
    });
    const page = (path: string) => readFileSync(join(site.directory, path, 'index.html'), 'utf8');
    for (const lab of ['web', 'linked']) {
      const steps = page(`labs/${lab}/first-steps`);
      expect(steps).toContain('data-check-id="web-runs"');
      expect(steps).toContain('data-host-block="server01"');
      expect(page(`labs/${lab}`)).toContain(`href="/labs/${lab}/first-steps/"`);
    }
    expect(page('labs/web')).toMatch(
      /<img[^>]* src="\/_astro\/wire\.[^"]+\.svg"[^>]* alt="A wire"|<img[^>]* alt="A wire"[^>]* src="\/_astro\/wire\./,
    );
    const home = page('');
    const course = home.slice(home.indexOf('>Step by step<'));
    const [, first = '', then = ''] = course.split('data-course-part');
    expect(first).toMatch(/>First<.*data-lab="web".*About 20 minutes/s);
    expect(then).toMatch(/>Then<.*data-lab="linked".*Builds on Web/s);
    // A page that opens after a check, and the way to it.
    const challenge = page('labs/quiz/challenge');
    expect(challenge).toMatch(/opens when a step before it is done: “You know the networks/);
    expect(challenge).toMatch(/<div data-opens-after="always-there"[^>]* hidden/);
    const [, link = ''] = /<a ([^>]*data-section="challenge"[^>]*)>/.exec(page('labs/quiz')) ?? [];
    expect(link).toContain('data-closed');
    // A part of a page, with a block and a check.
    const basics = page('labs/linux-basics/basics');
    expect(basics.indexOf('data-check-id="notes"')).toBeGreaterThan(basics.indexOf('Her notes'));
    expect(basics.match(/data-host-block="server01"/g)).toHaveLength(4);
    expect(page('authors')).toMatch(/href="\/labs\/web\/".*href="\/labs\/linked\/"/s);
  },
  BUILD_MS,
);
