import { mkdirSync, mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { answer, check, defineLab, type Lab, LabError, passed, value } from '#lab';
import { labProblems } from '../../../server/labs/lab-problems.ts';
import { problemsOf } from '../../../server/labs/source-location.ts';

const CODE = `import { check } from '#lab';
check('web-runs', {});
answer('web-port', {});
images: { 'web:1': 'web' },
`;
const INDEX = '---\ntitle: Here\n---\n\n';
const PAGE = `---
title: One
---

import { Answer, Check, Terminal, Value } from '#components';

Do it on <Terminal host="server01" />:

\`\`\`sh host=agent01
docker ps
\`\`\`

<Check id="web-runs" />

It is <Value id="port" />.

<Answer id="web-port" />
`;

const LAB = {
  title: 'T',
  hosts: {
    server01: { address: '10.1.10.11/24', aliases: ['agent01'], engine: true, images: ['web:1'] },
  },
  images: { 'web:1': 'web' },
  browser: 'server01',
  values: { port: value('the port', async () => undefined) },
  sections: [
    {
      page: 'one',
      title: 'One',
      checks: [
        check('web-runs', { title: 't', test: passed }),
        answer('web-port', { title: 't', question: 'q', judge: passed }),
      ],
    },
  ],
} as const;

/** What is wrong with a project that has the given files (below the lab's folder) in place of the sound ones. */
function problems(change: Readonly<Record<string, string>>, lab: Lab = defineLab(LAB)) {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'quayside-problems-'));
  const directory = join(folder.path, 'labs/my-lab');
  const files: Record<string, string> = {
    'lab.ts': CODE,
    'index.mdx': INDEX,
    'one.mdx': PAGE,
    '../../images/web/Dockerfile': 'FROM scratch\n',
    ...change,
  };
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    if (text !== '') writeFileSync(join(directory, name), text);
  }
  return labProblems(directory, lab, folder.path).map((problem) =>
    problem.slice(problem.indexOf('my-lab/') + 'my-lab/'.length),
  );
}

const page = (from: string, to: string) => ({ 'one.mdx': PAGE.replace(from, to) });

describe('a lab whose pages fit its code', () => {
  it('has no problems', () => {
    expect(problems({})).toEqual([]);
  });
});

describe.each<[string, Readonly<Record<string, string>>, readonly RegExp[]]>([
  [
    'an unknown check',
    page('<Check id="web-runs"', '<Check id="web-run"'),
    [
      /^one\.mdx:13: <Check> names the check "web-run".*Did you mean "web-runs"/,
      /^lab\.ts:2: no page shows the check "web-runs"\. Put <Check id="web-runs" \/>/,
    ],
  ],
  [
    'a check that no page shows',
    page('<Answer id="web-port" />', ''),
    [/^lab\.ts:3: no page shows the check "web-port"\. Put <Answer id="web-port" \/>/],
  ],
  [
    'a check that is shown twice',
    page('It is', '<Check id="web-runs" />\n\nIt is'),
    [/^one\.mdx:15: the check "web-runs" is shown already, at .*one\.mdx:13/],
  ],
  [
    'a check on another section’s page',
    {
      'index.mdx': `${INDEX}import { Check } from '#components';\n\n<Check id="web-runs" />\n`,
      ...page('<Check id="web-runs" />', ''),
    },
    [/^index\.mdx:7: the check "web-runs" belongs to the section "one"/],
  ],
  [
    'an unknown host of a block',
    page('host=agent01', 'host=agent02'),
    [
      /^one\.mdx:9: the block names the host "agent02".*Did you mean "agent01"\? There are: server01/,
    ],
  ],
  [
    'an unknown host of a terminal',
    page('host="server01"', 'host="sever01"'),
    [/^one\.mdx:7: <Terminal> names the host "sever01".*Did you mean "server01"/],
  ],
  [
    'an unknown value',
    page('<Value id="port"', '<Value id="prot"'),
    [/^one\.mdx:15: <Value> names the value "prot".*Did you mean "port"/],
  ],
  [
    'an answer for a check without a question',
    page('<Check id="web-runs"', '<Answer id="web-runs"'),
    [/^one\.mdx:13: <Answer id="web-runs" \/> names a check that asks no question\. Use <Check/],
  ],
  [
    'a check for a question',
    page('<Answer id="web-port"', '<Check id="web-port"'),
    [/^one\.mdx:17: <Check id="web-port" \/> names a question.*Use <Answer id="web-port" \/>/],
  ],
  [
    'a section without a page, and a page without a section',
    { 'one.mdx': '', 'on.mdx': INDEX },
    [
      /^lab\.ts: there is a section "one", but no one\.mdx beside lab\.ts\. Did you mean "on"/,
      /^on\.mdx:1: the page "on" is no section.*Did you mean "one"/,
    ],
  ],
  [
    'an image without a folder',
    { '../../images/web/Dockerfile': '', '../../images/webs/Dockerfile': 'FROM scratch\n' },
    [/^lab\.ts:4: the image "web:1" is built from images\/web, which has no Dockerfile/],
  ],
])('%s', (_what, change, expected) => {
  it('is named with its file, its line and the nearest right name', () => {
    expect(problems(change)).toEqual(expected.map((each) => expect.stringMatching(each)));
  });
});

describe('an image of a lab’s own', () => {
  const lab = defineLab({ ...LAB, images: { 'web:1': './web' } });
  const code = { 'lab.ts': CODE.replace("'web' }", "'./web' }") };

  it('is built from a folder beside lab.ts', () => {
    expect(problems({ ...code, 'web/Dockerfile': 'FROM scratch\n' }, lab)).toEqual([]);
  });

  it('without a folder is named with its line and the nearest right name', () => {
    expect(problems({ ...code, 'webs/Dockerfile': 'FROM scratch\n' }, lab)).toEqual([
      'lab.ts:4: the image "web:1" is built from ./web, which has no Dockerfile. Did you mean "./webs"? There are: ./webs.',
    ]);
  });
});

it('a host’s own image without a Dockerfile is named with its line', () => {
  const lab = defineLab({
    ...LAB,
    hosts: { server01: { address: '10.0.0.1/24', image: './hsot' } },
    images: {},
    browser: 'server01',
  });
  const code = { 'lab.ts': CODE.replace("'web' }", "'web' }, host: './hsot'") };
  expect(problems({ ...code, 'host/Dockerfile': '' }, lab)).toContain(
    'lab.ts:4: the image of host server01 is built from ./hsot, which has no Dockerfile. Did you mean "./host"? There are: ./host.',
  );
});

describe('a part of a page', () => {
  const PART = `import { Check } from '#components';\n\n<Check id="web-runs" />\n`;
  const whole = PAGE.replace('<Check id="web-runs" />', '<Run />').replace(
    '\nimport {',
    "\nimport Run from './_run.mdx';\nimport {",
  );

  it('shows what it shows, and is no page itself', () => {
    expect(problems({ 'one.mdx': whole, '_run.mdx': PART })).toEqual([]);
  });

  it('names what does not fit in its own file, at its own line', () => {
    const wrong = PART.replace('web-runs', 'web-run');
    expect(problems({ 'one.mdx': whole, '_run.mdx': wrong })).toContainEqual(
      expect.stringMatching(/^_run\.mdx:3: <Check> names the check "web-run".*"web-runs"/),
    );
  });
});

describe('a note for the instructor', () => {
  const noted = (text: string) => ({
    'one.mdx': `${PAGE.replace('Answer, Check,', 'Answer, Check, Hint, Instructor,')}\n<Instructor>\n${text}\n</Instructor>\n`,
  });

  it('has text, headings, folded help and blocks without a host', () => {
    const text = '## Timing\n\n<Hint>\n- Ten minutes.\n</Hint>\n\n```sh\ndocker ps\n```';
    expect(problems(noted(text))).toEqual([]);
  });

  it.each([
    ['<Value id="port" />', /^one\.mdx:20: <Value> stands in <Instructor>/],
    ['<Hint>\n<Terminal host="client" />\n</Hint>', /^one\.mdx:21: <Terminal> stands in/],
    ['```sh host=server01\nls\n```', /^one\.mdx:20: this block names a host/],
    ['![A picture](https://example.org/a.png)', /^one\.mdx:20: a picture in <Instructor>/],
    ['<Instructor>\nMore.\n</Instructor>', /^one\.mdx:20: <Instructor> stands in <Instructor>/],
  ])('cannot hold %j, and the place is told', (text, says) => {
    expect(problems(noted(text))).toContainEqual(expect.stringMatching(says));
  });

  it('cannot hold a check, which no learner would see', () => {
    const source = noted('<Check id="web-runs" />')['one.mdx'];
    const moved = source.replace('<Check id="web-runs" />\n\nIt is', 'It is');
    expect(problems({ 'one.mdx': moved })).toContainEqual(
      expect.stringMatching(/^one\.mdx:18: <Check> stands in <Instructor>/),
    );
  });
});

describe('a page that cannot be read', () => {
  it('is all that is told of the pages: what it would show is not missing', () => {
    expect(problems(page('It is', 'It is <4'))).toEqual([
      'one.mdx:15:7: < begins a tag in MDX, and this is none. Write &lt; or put it in code marks.',
    ]);
  });
});

describe('a lab.ts that cannot be read', () => {
  it('has each of its problems at the line that names it', () => {
    using folder = mkdtempDisposableSync(join(tmpdir(), 'quayside-problems-'));
    writeFileSync(
      join(folder.path, 'lab.ts'),
      "check('a', {});\ncheck('b', {});\ncheck('a', {});\n",
    );
    const error = new LabError(['check id "a" stands twice', 'something else']);
    expect(problemsOf(error, folder.path)).toEqual([
      expect.stringMatching(/\/lab\.ts:3: check id "a" stands twice$/),
      expect.stringMatching(/\/lab\.ts: something else$/),
    ]);
  });

  it('has the line where its code failed', () => {
    const error = new Error('x is not a function');
    error.stack =
      'Error: x\n    at run (node:internal/x:1:1)\n    at file:///labs/a/checks/b.ts?v=2:7:3';
    expect(problemsOf(error, '/labs/a')).toEqual([
      expect.stringMatching(/labs\/a\/checks\/b\.ts:7: x is not a function$/),
    ]);
  });
});
