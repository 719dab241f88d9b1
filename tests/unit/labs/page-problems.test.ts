import { mkdtempDisposableSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { COMPONENTS, pageProblems } from '../../../server/labs/page-problems.ts';

const PROJECT = resolve(import.meta.dirname, '../../..');
const TITLE = '---\ntitle: One\n---\n';
const IMPORT = "import { Check } from '#components';\n";

/** What is wrong with a page, named by its file alone. */
function problems(page: string): readonly string[] {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'quayside-page-'));
  writeFileSync(join(folder.path, 'one.mdx'), page);
  return pageProblems(folder.path).map((problem) =>
    problem.slice(problem.indexOf(basename(folder.path)) + basename(folder.path).length + 1),
  );
}

describe.each<[string, string, readonly string[]]>([
  [
    '< before a digit',
    'with <4 hosts',
    ['6:6: < begins a tag in MDX, and this is none. Write &lt; or put it in code marks.'],
  ],
  [
    'a placeholder in angle brackets',
    'The image is <none>:<none>.',
    [
      '6:21: <none> is not closed. Write &lt;none> where it is text, <none /> where it holds nothing, or </none> behind what it holds: both tags in one line, or each alone in a line.',
    ],
  ],
  [
    'a component that is not closed',
    '<Check id="web-runs">',
    [
      '6:1: <Check> is not closed. Write &lt;Check> where it is text, <Check /> where it holds nothing, or </Check> behind what it holds.',
    ],
  ],
  [
    'a tag that closes nothing',
    'so </Check>',
    ['6:4: </Check> closes what nothing has opened. Take it out.'],
  ],
  [
    'a component that is opened under a wrong name',
    '<Hnt>a</Hint>',
    ['6:7: <Hnt> of 6:1 is no component, and </Hint> closes it. Did you mean <Hint>?'],
  ],
  [
    'a component that is closed under a wrong name',
    '<Hint>a</Hnit>',
    ['6:8: </Hnit> is no component, and closes <Hint> of 6:1. Did you mean </Hint>?'],
  ],
  [
    'another tag than the one that is open',
    'a <b>x</i>',
    ['6:7: </i> stands where <b> of 6:3 has to be closed. Write </b> before it.'],
  ],
  [
    'a closing tag inside of what began later',
    '<div>\n- b</div>',
    [
      '7:4: </div> stands in a paragraph or a list that begins after its opening tag. Put it on a line of its own, with an empty line above.',
    ],
  ],
  [
    'a value without quotes',
    '<Check id=web-runs />',
    [
      '6:1: this tag cannot be read. Write its values in quotes, as in <Check id="…" />, or &lt; where it is text.',
    ],
  ],
  [
    'a link in angle brackets',
    '<https://x.test>',
    ['6:1: this is no link in MDX. Write [text](address).'],
  ],
  [
    'a comment of HTML',
    '<!-- later -->',
    ['6:1: <! begins no comment in MDX. Write {/* … */}, or &lt;! where it is text.'],
  ],
  ['a brace alone', 'a { b', ['6:3: { begins code, and no } ends it. Write \\{ where it is text.']],
  [
    'a template of Docker’s in braces',
    'with {{.Names}}',
    ['6:8: what stands in braces is code in MDX, and this is none. Write \\{ where it is text.'],
  ],
  [
    'a sentence that begins with import',
    'import is a word',
    [
      "6:11: a line that begins with import or export is code, and this cannot be read (Expected `from` but found `Identifier`). Write import { Check } from '#components'; or begin the line with another word.",
    ],
  ],
  [
    'a value’s id in braces',
    'Port {web-port}.',
    [
      '6:7: {web-port} is code, and nothing on this page is named web. Write \\{web-port} where it is text, or <Value id="web-port" /> for the lab’s value.',
    ],
  ],
  [
    'code in braces',
    '{[1].map((n) => n + gone)}',
    [
      '6:21: {[1].map((n) => n + gone)} is code, and nothing on this page is named gone. Write \\{[1].map((n) => n + gone)} where it is text.',
    ],
  ],
  [
    'a name for a text in an attribute',
    '<Check id={webruns} />',
    [
      '6:12: id={webruns} is code, and nothing on this page is named webruns. Write a text in quotes: id="webruns".',
    ],
  ],
  [
    'attributes that are nowhere',
    '<Check {...all} />',
    ['6:12: nothing on this page is named all. Import it, or take it out.'],
  ],
  [
    'a component that is not imported',
    '<Hint>a</Hint>',
    [
      "6:2: <Hint> is not imported. Write below the page’s title: import { Hint } from '#components';",
    ],
  ],
  [
    'a component that is not imported, in code',
    '{[1].map(() => <Hint>a</Hint>)}',
    [
      "6:17: <Hint> is not imported. Write below the page’s title: import { Hint } from '#components';",
    ],
  ],
  [
    'a component that there is not',
    '<Chek id="web-runs" />',
    [
      '6:2: <Chek> is no component of this page. Did you mean "Check"? There are: Answer, Browser, Check, Edit, Hint, Instructor, Interrupt, Terminal, Value, Visit. Write &lt;Chek> where it is text.',
    ],
  ],
  [
    'files that are not there',
    "import way from './way.svg';\n\n![a way](way.png)",
    [
      '6:20: there is no file ./way.svg. A path begins at the page’s own folder.',
      '8:10: there is no file ./way.png. A path begins at the page’s own folder.',
    ],
  ],
])('%s', (_what, body, expected) => {
  const page = `${TITLE}${body.includes('<Check') ? IMPORT : '\n'}\n${body}\n`;
  const told = expected.map((each) => `one.mdx:${each}`);

  it('is told with its page, line and column, and what to write instead', () => {
    expect(problems(page)).toEqual(told);
  });

  it('is told at the same place where lines end as on Windows, and the file begins with a mark', () => {
    expect(problems(`\uFEFF${page.replaceAll('\n', '\r\n')}`)).toEqual(told);
  });
});

describe.each<[string, string, string]>([
  [
    'without a title',
    'Hello.\n',
    '1:1: the page has no title. Begin it with three lines: ---, title: "…", ---.',
  ],
  [
    'whose title is a number',
    '---\ntitle: 1984\n---\n',
    '1:1: the title is no text. Write it in quotes: title: "…".',
  ],
  [
    'whose title has a colon',
    '---\ntitle: Step 1: a bridge\n---\n',
    '2:14: the lines between --- and --- cannot be read: bad indentation of a mapping entry. Write a text with a colon in quotes: title: "Step 1: a bridge".',
  ],
])('a page %s', (_what, page, expected) => {
  it('is told so', () => {
    expect(problems(page)).toEqual([`one.mdx:${expected}`]);
  });
});

describe.each<[string, string]>([
  [
    'imports and what they bring',
    "import * as All from './one.mdx';\nimport One, { two as three } from 'package';\n\n<All.Part id={three} /> <One {...three} />",
  ],
  [
    'exports',
    'export const count = 3;\nexport function twice({ of }) { return 2 * of }\n\n{twice({ of: count })}',
  ],
  [
    'what every page has',
    '{frontmatter.title} {props.name} <Fragment>a</Fragment> {import.meta.env.MODE}',
  ],
  [
    'JavaScript’s own names',
    '{Math.max(1, 2)} {[1].map((n, index) => { const at = index; return n + at })}',
  ],
  ['asides with attributes', ':::tip[Two of them]{icon="heart" .a #b}\nAt 12:30 a:b is text.\n:::'],
  ['arguments of a function', 'export function many() { return arguments.length }\n\n{many(1)}'],
  ['an image whose name is escaped', '![a](./%6fne.mdx)'],
  ['literals and comments', '{"a"} {`b`} {3} {/* later */}'],
  ['HTML', '<div class="a">a</div> <my-element /> <svg:rect />'],
  [
    'braces that are escaped or in code',
    '\\{a} &lt;4 `{a} <4`\n\n```sh host=server01\ndocker ps --format {{.Names}} <4\n```',
  ],
  [
    'images of this folder and of elsewhere',
    '![a](one.mdx) ![b](/b.png) ![c](https://c.test/c.png)',
  ],
  [
    'an import without its ending',
    "import text from './one';\nimport raw from './one.mdx?raw';\n\n{text}",
  ],
])('%s', (_what, body) => {
  it('are no problem', () => {
    expect(problems(`${TITLE}\n${body}\n`)).toEqual([]);
  });
});

it('asks no title of a part that pages import', () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'quayside-page-'));
  writeFileSync(join(folder.path, '_part.mdx'), 'Shared.');
  expect(pageProblems(folder.path)).toEqual([]);
});

it('knows the components that pages import', () => {
  const exports = readFileSync(join(PROJECT, 'src/components/index.ts'), 'utf8');
  expect(exports.match(/(?<=default as )\w+/g)).toEqual(COMPONENTS);
});

it.each(['labs/components', 'labs/docker-networking', 'authors', '.'])(
  'has nothing to say of the pages in %s',
  (folder) => {
    expect(pageProblems(join(PROJECT, 'src/content/docs', folder))).toEqual([]);
  },
);
