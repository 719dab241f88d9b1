import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempDisposableSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';

/*
 * Mistakes that an author makes in a new lab, one in each. What is said of it names the file, the line and what to write
 * instead. `npm run dev`, `npm start` and `npm run lab:test` all say what the loader says.
 */

const TEMPLATE = join(import.meta.dirname, '../../../setup/new-lab');
const READER = join(import.meta.dirname, 'provoked-reader.ts');
/** A Node of its own takes a second to start, and more on a busy machine. */
const OTHER_NODE_MS = 60_000;

const PAGE = 'first-steps.mdx';
const LAB = 'lab.ts';
const RUN = 'docker run -d --name web -p :80';

/** A mistake: in which file, what stands there, what is written in its place, and what is said. */
type Mistake = readonly [
  what: string,
  file: string,
  from: string,
  to: string,
  ...said: readonly RegExp[],
];

const MISTAKES: readonly Mistake[] = [
  ['nothing', PAGE, 'It is', 'It was'],
  [
    'a version that is no number',
    LAB,
    "  title: 'My new lab',\n",
    "  title: 'My new lab',\n  version: 1.5,\n",
    /^lab\.ts:9: "version" is a whole number from 1 on, and not 1\.5$/,
  ],
  [
    'a check with another name',
    PAGE,
    '<Check id="web-runs"',
    '<Check id="web-run"',
    /^first-steps\.mdx:16: <Check> names the check "web-run".*Did you mean "web-runs"/,
    /^lab\.ts:23: no page shows the check "web-runs"\. Put <Check id="web-runs" \/>/,
  ],
  [
    'a check without a name',
    PAGE,
    '<Answer id=',
    '<Answer name=',
    /^first-steps\.mdx:30: <Answer> has no id\. Write <Answer id="…" \/>/,
    /^lab\.ts:41: no page shows the check "web-port-read"/,
  ],
  [
    'a section without a page',
    LAB,
    "page: 'first-steps'",
    "page: 'second-steps'",
    /^lab\.ts:20: there is a section "second-steps".*Did you mean "first-steps"/,
    /^first-steps\.mdx:1: the page "first-steps" is no section/,
    /^first-steps\.mdx:16: /,
    /^first-steps\.mdx:30: /,
  ],
  [
    'a host of a block with another name',
    PAGE,
    'host=server01',
    'host=server02',
    /^first-steps\.mdx:12: the block names the host "server02".*Did you mean "server01"/,
  ],
  [
    'a word of a block with a letter too many',
    PAGE,
    '```sh host=',
    '```sh hosts=',
    /^first-steps\.mdx:12:1: "hosts" is no word of a block\. Did you mean "host"\?/,
  ],
  [
    'a block without a host',
    PAGE,
    '```sh host=server01',
    '```sh',
    /^first-steps\.mdx:12: this block names no host, so the step of "web-runs" has nothing to run\. Begin it with ```sh host=server01/,
  ],
  [
    'a prompt before a command',
    PAGE,
    RUN,
    `$ ${RUN}`,
    /^first-steps\.mdx:13:1: .*begins with a prompt\. Leave out the "\$"\.$/,
  ],
  [
    'an address without a prefix',
    LAB,
    '10.1.10.11/24',
    '10.1.10.11',
    /^lab\.ts:10: host server01: address "10\.1\.10\.11" is no IPv4 address.*\(10\.1\.10\.11\/24\)/,
  ],
  [
    'hosts that cannot reach each other',
    LAB,
    '10.1.10.100',
    '10.1.20.100',
    /^lab\.ts:11: host client: "10\.1\.20\.100\/24".*mend the address/,
  ],
  [
    'an image with another tag',
    LAB,
    'images: [IMAGE]',
    "images: ['mycontainer:5.7']",
    /^lab\.ts:10: .*"mycontainer:5\.7" is not among the lab’s images\. Did you mean "mycontainer:5\.6"\?/,
  ],
  [
    'an image from a folder that is not there',
    LAB,
    "[IMAGE]: 'mycontainer'",
    "[IMAGE]: 'mycontaner'",
    /^lab\.ts:13: .*images\/mycontaner, which has no Dockerfile\. Did you mean "mycontainer"/,
  ],
  [
    'an image from a folder beside lab.ts that is not there',
    LAB,
    "[IMAGE]: 'mycontainer'",
    "[IMAGE]: './image'",
    /^lab\.ts:13: .*built from \.\/image, which has no Dockerfile/,
  ],
  [
    'a host’s own image that is not there',
    LAB,
    'engine: true, ',
    "engine: true, image: './hsot', ",
    /^lab\.ts:10: the image of host server01 is built from \.\/hsot, which has no Dockerfile/,
  ],
  [
    'images on a host without an engine',
    LAB,
    'engine: true, ',
    '',
    /^lab\.ts:10: host server01 has images but no engine; add engine: true/,
    /^lab\.ts:23: check "web-runs" asks the Docker Engine of server01, which has none; give it engine: true/,
    /^lab\.ts:41: check "web-port-read" asks/,
    /^lab\.ts:16: value "web-port" asks/,
  ],
  [
    'a container on a host without an engine',
    LAB,
    "container('web').on('server01')",
    "container('web').on('client')",
    /^lab\.ts:23: check "web-runs" asks the Docker Engine of client, which has none; give it engine: true, or ask another host: server01$/,
    /^lab\.ts:41: check "web-port-read" asks the Docker Engine of client/,
    /^lab\.ts:16: value "web-port" asks the Docker Engine of client/,
  ],
  [
    'an id twice',
    LAB,
    "answer('web-port-read'",
    "answer('web-runs'",
    /^lab\.ts:41: check id "web-runs" stands twice/,
  ],
  [
    'a check that is shown twice',
    PAGE,
    '## Find',
    '<Check id="web-runs" />\n\n## Find',
    /^first-steps\.mdx:22: the check "web-runs" is shown already, at .*first-steps\.mdx:16/,
  ],
  ['a comma that is missing', LAB, "'First steps',", "'First steps'", /^lab\.ts:22: Expected ','/],
  [
    'a word that a helper does not have',
    LAB,
    '.publishes(80)',
    '.publish(80)',
    /^lab\.ts:5: .*\.publish is not a function\. Did you mean publishes\?$/,
  ],
  [
    'a helper that does not exist',
    LAB,
    "= container('web')",
    "= contaner('web')",
    /^lab\.ts:5: contaner is not defined\. Import it: import \{ container \} from '#lab';$/,
  ],
  [
    'an import that is forgotten',
    LAB,
    'theNumber, value',
    'value',
    /^lab\.ts:46: theNumber is not defined\. Import it: import \{ theNumber \} from '#lab';$/,
  ],
  [
    'an import of what the kit does not have',
    LAB,
    'import { answer, ',
    'import { anwser, answer, ',
    /^lab\.ts:1: the kit has nothing named "anwser"\. Did you mean "answer"\?$/,
  ],
  [
    'another name of the kit',
    LAB,
    "from '#lab'",
    "from '#lba'",
    /^lab\.ts:1: there is no #lba\. The kit is imported from '#lab'\.$/,
  ],
  [
    'a file beside it that is not there',
    LAB,
    'const IMAGE',
    "import './checks.ts';\n\nconst IMAGE",
    /^lab\.ts:3: there is no \.\/checks\.ts\. A path begins at the file’s own folder/,
  ],
  [
    'no lab',
    LAB,
    'export const lab',
    'const lab',
    /^lab\.ts:7: it exports no "lab"; write export const lab/,
  ],
  [
    'a lab without a title',
    LAB,
    "  title: 'My new lab',\n",
    '',
    /^lab\.ts:7: the lab has no title; write title: …$/,
  ],
  [
    'a word that a lab does not have',
    LAB,
    '  hosts: {',
    '  hostz: {',
    /^lab\.ts:9: "hostz" is no word of the lab\. Did you mean "hosts"\?/,
  ],
  [
    'a word that a check does not have',
    LAB,
    'test: web,',
    'tests: web,',
    /^lab\.ts:25: "tests" is no word of check "web-runs"\. Did you mean "test"\?/,
  ],
  [
    'a check without a test',
    LAB,
    '          test: web,\n',
    '',
    /^lab\.ts:23: check "web-runs" has no test; write test: …$/,
  ],
  [
    'a mistake without a reason',
    LAB,
    "              says: 'publishes no port',\n",
    '',
    /^lab\.ts:28: mistake "no port published" of check "web-runs" has no says/,
  ],
  [
    'a tag in the text',
    PAGE,
    'Docker picked',
    'Docker picked <none>',
    /^first-steps\.mdx:24:15: <none> is not closed\. Write &lt;none>/,
  ],
  [
    'braces in the text',
    PAGE,
    'Docker picked',
    'Docker picked {{.Names}}',
    /^first-steps\.mdx:24:17: what stands in braces is code.*Write \\\{ where it is text/,
  ],
  [
    'a hint that is not closed',
    PAGE,
    '</Hint>',
    '',
    /^first-steps\.mdx:18:1: <Hint> is not closed/,
  ],
  [
    'a component that is not imported',
    PAGE,
    'Check, Hint,',
    'Check,',
    /^first-steps\.mdx:18:2: <Hint> is not imported\. Write below the page’s title: import \{ Hint \} from '#components';/,
  ],
  [
    'a title with a colon',
    PAGE,
    'title: First steps',
    'title: First steps: a container',
    /^first-steps\.mdx:2:19: .*Write a text with a colon in quotes/,
  ],
];

const said = new Map<string, readonly string[]>();

beforeAll(() => {
  using folder = mkdtempDisposableSync(join(realpathSync(tmpdir()), 'quayside-provoked-'));
  for (const [index, [, file, from, to]] of MISTAKES.entries()) {
    const lab = join(folder.path, `lab-${index}`);
    cpSync(TEMPLATE, lab, { recursive: true });
    const text = readFileSync(join(lab, file), 'utf8');
    expect(text).toContain(from);
    writeFileSync(
      join(lab, file),
      text.replace(from, () => to),
    );
  }
  const printed = execFileSync(process.execPath, [READER, folder.path], { encoding: 'utf8' });
  const all: Readonly<Record<string, string>> = JSON.parse(printed);
  for (const [index, [what]] of MISTAKES.entries()) {
    const [, ...lines] = (all[`lab-${index}`] ?? 'not read').split('\n');
    // Each line begins with a path, which ends with the lab's folder and the file.
    said.set(
      what,
      lines.map((line) => line.replace(/^\S*?lab-\d+\//, '')),
    );
  }
}, OTHER_NODE_MS);

const TRIED = MISTAKES.map(([what, , , , ...lines]) => ({ what, lines }));

test.each(TRIED)('$what is named with its file, its line and what to write', ({ what, lines }) => {
  expect(said.get(what)).toEqual(lines.map((line) => expect.stringMatching(line)));
});
