import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CheckDefinition, type Lab, type Mistake, notYet, on } from '#lab';
import { failureLine } from '../../lab-test/failure.ts';
import { type Kind, runLabTest } from '../../lab-test/run-lab-test.ts';
import { openTestServer } from '../../lab-test/test-server.ts';
import { labSource } from '../../server/labs/lab-source.ts';
import { lab as template } from '../../setup/new-lab/lab.ts';

const PROJECT = resolve(import.meta.dirname, '../..');
/** What is wrong stays wrong. */
const PATIENCE_MS = 4_000;
const STEP = 'web-runs';
const TOLD_MS = 240_000;

let directory: string;
beforeAll(async () => {
  directory = join(await mkdtemp(join(tmpdir(), 'quayside-told-')), 'my-lab');
  await cp(join(PROJECT, 'setup/new-lab'), directory, { recursive: true });
});
afterAll(() => rm(resolve(directory, '..'), { recursive: true }));

/** The template as a lab of that folder, its first mistake changed. */
function labWith(change: (mistake: Mistake) => Mistake): Lab {
  return labOf((check) =>
    check.id === STEP ? { ...check, mistakes: check.mistakes?.map(change) ?? [] } : check,
  );
}

/** The template as a lab of that folder, its checks changed. */
function labOf(change: (check: CheckDefinition) => CheckDefinition): Lab {
  const sections = template.sections.map((section) => ({
    ...section,
    checks: section.checks.map(change),
  }));
  const checks = sections.flatMap((section) => section.checks);
  return { ...template, sections, checks, source: labSource(directory) };
}

/** Tries the mistakes of the first step, or as much of another, and gives the lines that say what failed. */
async function tried(
  lab: Lab,
  keep?: (title: string, ways: ReadonlyMap<string, string>) => void,
  { step = STEP, kinds = ['wrong'] }: { step?: string; kinds?: readonly Kind[] } = {},
) {
  await using server = await openTestServer(PROJECT, new Map([['told', lab]]), () => undefined);
  const { report } = await runLabTest({
    ...{
      server,
      name: 'told',
      lab,
      directory,
      step,
      kinds,
      patience: PATIENCE_MS,
    },
    ...(keep && { keep: async (title, sandbox) => keep(title, await server.keep(sandbox)) }),
  });
  return { lines: report.failures.map(failureLine), removal: server.removal };
}

test(
  'a mistake that was not undone is named, with its place, by what fails after it',
  async () => {
    const lab = labWith(({ undo: _, ...mistake }) => mistake);
    const { lines, removal } = await tried(lab);
    const page = relative('.', join(directory, 'first-steps.mdx'));
    expect(lines).toEqual([
      expect.stringMatching(
        /: expected “docker run .*” to succeed; seen: exit status 125, “docker: Error response.*Conflict/,
      ),
    ]);
    expect(lines[0]).toContain(`${page}:12 ${STEP} (on the way): `);
    expect(lines[0]).toContain(
      `; before it, “no port published” (${relative('.', directory)}/lab.ts:28) was done, and has no undo`,
    );
    expect(removal).toBeUndefined();
  },
  TOLD_MS,
);

test(
  'what fails is named at its own line, and leaves its hosts up where that is wished',
  async () => {
    const lab = labWith((mistake) => ({ ...mistake, says: 'never said' }));
    const kept = new Map<string, ReadonlyMap<string, string>>();
    const { lines, removal = '' } = await tried(lab, (title, ways) => kept.set(title, ways));
    expect(lines).toEqual([
      expect.stringMatching(
        /my-lab\/lab\.ts:28 web-runs \(wrong ways: no port published\): expected web-runs to say “never said”/,
      ),
    ]);
    const ways = kept.get('wrong ways, first-steps') ?? new Map<string, string>();
    expect([...ways.keys()]).toEqual(['client', 'server01']);
    // The container of the mistake is there still.
    const look = `${ways.get('server01')?.replace(' -it ', ' ')} -c 'docker ps --format {{.Names}}'`;
    expect((await execa(look, { shell: true })).stdout).toBe('web');
    const [, data = ''] = /^QUAYSIDE_DATA=(\S+) npm run clean && rm -r \1$/.exec(removal) ?? [];
    const clean = await execa(process.execPath, [join(PROJECT, 'server/cli/clean.ts')], {
      env: { QUAYSIDE_DATA: data },
    });
    expect(clean.stdout).toContain('Removed 1 sandbox.');
    await rm(data, { recursive: true });
    expect((await execa(look, { shell: true, reject: false })).exitCode).not.toBe(0);
  },
  TOLD_MS,
);

test(
  'a command of a mistake that failed is told by the mistake that does not get its reason',
  async () => {
    const actions = [on('server01', 'docker rm nobody')];
    const { lines } = await tried(labWith((mistake) => ({ ...mistake, actions, says: 'never' })));
    expect(lines).toEqual([
      expect.stringMatching(/to say “never”; .*; “docker rm nobody” had exit status 1, “.*nobody”/),
    ]);
  },
  TOLD_MS,
);

test(
  'an answer that is not taken is told with the line that it was read from, and no earlier answer is blamed',
  async () => {
    const test = () => notYet('It is the number behind the last colon.');
    const lab = labOf((check) => (check.id === 'web-port-read' ? { ...check, test } : check));
    const kinds = ['written', 'wrong'] as const;
    const { lines } = await tried(lab, undefined, { step: 'web-port-read', kinds });
    const asWritten = lines.find((line) => line.includes('(as written)'));
    expect(asWritten).toMatch(/ to pass; seen: .*; answered “(\d{5})”, read from “[^”]*:\1”$/);
    expect(lines.join('\n')).not.toContain('before it');
  },
  TOLD_MS,
);

test(
  'a step that is asked for is tried although one before it fails, which is told by what fails then',
  async () => {
    const never = () => notYet('Never.');
    const lab = labOf((check) => (check.id === STEP ? { ...check, test: never } : check));
    const one = { step: 'web-port-read', kinds: ['written'] } as const;
    expect((await tried(lab, undefined, one)).lines).toEqual([]);
    const both = labOf((check) => ({ ...check, test: never }));
    expect((await tried(both, undefined, one)).lines).toEqual([
      expect.stringMatching(/web-port-read .*; before it, the step web-runs \(.*mdx:12\) failed/),
    ]);
  },
  TOLD_MS,
);
