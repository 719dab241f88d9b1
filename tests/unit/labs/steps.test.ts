import { mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { answer, answering, check, choice, defineLab, on, open, passed, value } from '#lab';
import { loadSteps, stepsOf } from '#steps';
import { lab } from '../../../src/content/docs/labs/docker-networking/lab.ts';

const DIRECTORY = join(import.meta.dirname, '../../../src/content/docs/labs/docker-networking');

const SMALL_DEFINITION = {
  title: 'Small',
  hosts: {
    server01: { address: '10.1.10.11/24', aliases: ['agent01'], engine: true },
    client: { address: '10.1.10.100/24' },
  },
  browser: 'client',
} as const;

const SMALL = defineLab({
  ...SMALL_DEFINITION,
  values: {
    'web-url': value('http://10.1.10.11:<port>', async () => undefined),
    'web-port': value('the port', async () => undefined),
  },
  sections: [
    {
      page: 'one',
      title: 'One',
      checks: [
        check('ready', { title: 't', test: passed }),
        check('steady', { title: 't', test: passed }),
        answer('how-many', { title: 't', question: 'q', judge: passed }),
      ],
    },
  ],
});

const read = (source: string) =>
  stepsOf(source, { page: 'one', title: 'One', file: 'labs/small/one.mdx' }, SMALL);

it('a block says that its last command stays or is to fail, and that it is for a second terminal', () => {
  const [step] = read(
    [
      '```sh host=agent01 stays title="second"',
      'tcpdump',
      '```',
      '```sh second host=client',
      'ping 10.1.10.11',
      '```',
      '```sh host=client fails',
      'false',
      '```',
      'End it with <Interrupt host="agent01" />.',
      '',
      '<Check id="ready" />',
    ].join('\n'),
  );
  expect(step?.actions).toEqual([
    { kind: 'run', host: 'server01', command: 'tcpdump', stays: true, line: 1 },
    { kind: 'run', host: 'client', command: 'ping 10.1.10.11', second: true, line: 4 },
    { kind: 'run', host: 'client', command: 'false', fails: true, line: 7 },
    { kind: 'interrupt', host: 'server01', line: 10 },
  ]);
});

it('what stands in a note for the instructor is no step, and no heading of one', () => {
  const [step, ...others] = read(
    [
      '<Instructor>',
      '## Timing',
      '```sh host=agent01',
      'reboot',
      '```',
      '</Instructor>',
      '<Check id="ready" />',
    ].join('\n'),
  );
  expect([step?.heading, step?.actions, others]).toEqual(['One', [], []]);
});

describe('where a page shows nothing to do for a check', () => {
  const CHALLENGE = defineLab({
    ...SMALL_DEFINITION,
    sections: [
      {
        page: 'one',
        title: 'One',
        checks: [
          check('proof', {
            title: 't',
            test: passed,
            solution: [on('agent01', 'docker run proof'), open('http://10.1.10.11')],
          }),
          answer('known', { title: 't', question: 'q', judge: passed, solution: [answering('b')] }),
          choice('chosen', {
            title: 't',
            question: 'q',
            options: { a: 'A', b: 'B' },
            right: 'b',
            because: { a: 'No.' },
          }),
        ],
      },
    ],
  });
  const actionsOn = (...lines: string[]) =>
    stepsOf(lines.join('\n'), { page: 'one', title: 'One', file: 'one.mdx' }, CHALLENGE).map(
      ({ actions }) => actions,
    );

  it('its solution is what is done, on the host’s own name', () => {
    expect(actionsOn('<Check id="proof" />', '', '## Next', '', '<Answer id="known" />')).toEqual([
      [
        { kind: 'run', host: 'server01', command: 'docker run proof', line: 1 },
        { kind: 'open', url: 'http://10.1.10.11', line: 1 },
      ],
      [{ kind: 'answer', check: 'known', text: 'b', line: 5 }],
    ]);
  });

  it('a question with choices is answered by its right ones', () => {
    expect(actionsOn('<Answer id="chosen" />')).toEqual([
      [{ kind: 'answer', check: 'chosen', text: 'b', line: 1 }],
    ]);
  });

  it('and where it shows something, that is done', () => {
    const block = ['```sh host=client', 'true', '```'];
    expect(actionsOn(...block, '<Check id="proof" />')).toEqual([
      [{ kind: 'run', host: 'client', command: 'true', line: 1 }],
    ]);
  });

  it('the solution’s hosts are the lab’s', () => {
    const lost = check('x', { title: 't', test: passed, solution: [on('server9', 'true')] });
    expect(() =>
      defineLab({ ...SMALL_DEFINITION, sections: [{ page: 'one', title: 'One', checks: [lost] }] }),
    ).toThrow('the host "server9"');
  });
});

describe('the steps of a page', () => {
  it.each([
    ['web/Dockerfile', `mkdir -p ~/'web' && cat >~/'web/Dockerfile'`],
    ['~/notes', `cat >~/'notes'`],
    ['/etc/motd', `mkdir -p '/etc' && cat >'/etc/motd'`],
    [`"it's here"`, String.raw`cat >~/'it'\''s here'`],
  ])('write a file that a page shows: %s', (file, command) => {
    const [step] = read(`\`\`\`sh host=agent01 file=${file}\na $b\n\`\`\`\n\n<Check id="ready" />`);
    expect(step?.actions).toMatchObject([
      {
        kind: 'run',
        host: 'server01',
        command: `${command} <<'END-OF-FILE'\na $b\nEND-OF-FILE`,
      },
    ]);
  });

  it('are what it asks for between its checks, with the lines that ask', () => {
    const steps = read(
      [
        '---',
        'title: One',
        '---',
        "import { Check } from '#components';",
        '',
        '## Get ready',
        '',
        '```sh host=agent01',
        'docker ps',
        'docker images',
        '```',
        '',
        '<Check id="ready" />',
        '',
        'Open <Value id="web-url" />, at the port <Value id="web-port" />.',
        '',
        '<Answer id="how-many" />',
      ].join('\n'),
    );
    expect(steps).toEqual([
      {
        id: 'ready',
        page: 'one',
        heading: 'Get ready',
        file: 'labs/small/one.mdx',
        line: 8,
        actions: [{ kind: 'run', host: 'server01', command: 'docker ps\ndocker images', line: 8 }],
        checks: ['ready'],
      },
      {
        id: 'how-many',
        page: 'one',
        heading: 'Get ready',
        file: 'labs/small/one.mdx',
        line: 15,
        actions: [
          { kind: 'open', url: '{web-url}', line: 15 },
          { kind: 'answer', check: 'how-many', line: 17 },
        ],
        checks: ['how-many'],
      },
    ]);
  });

  it('take in every check that follows the same actions', () => {
    const [step, ...others] = read(
      '```sh host=client\nip route\n```\n\n<Check id="ready" />\n\nAnd so:\n\n<Check id="steady" />',
    );
    expect(step).toMatchObject({ id: 'ready', checks: ['ready', 'steady'] });
    expect(others).toEqual([]);
  });

  it('leave hints out, which are other ways to the same', () => {
    const [step] = read(
      '<Hint>\n\n```sh host=client\nip route\n```\n\n</Hint>\n\n<Check id="ready" />',
    );
    expect(step).toMatchObject({ id: 'ready', actions: [] });
  });

  it('take in what is folded up, if it is no hint', () => {
    const [step] = read(
      '<details>\n<summary>On the client</summary>\n\n```sh host=client\nip route\n```\n\n</details>\n\n<Check id="ready" />',
    );
    expect(step?.actions).toMatchObject([{ host: 'client', command: 'ip route' }]);
  });

  it('are called the rest after the last check', () => {
    const steps = read(
      '<Check id="ready" />\n\n## Tidy up\n\n<Visit url="http://10.1.10.11">It</Visit>',
    );
    expect(steps.at(-1)).toMatchObject({
      id: 'one-rest',
      heading: 'Tidy up',
      actions: [{ kind: 'open', url: 'http://10.1.10.11' }],
      checks: [],
    });
  });

  it('have no part of what the lab does not know; the site’s build reports that', () => {
    const steps = read(
      '```sh host=server09\nls\n```\n\n<Check id="raedy" />\n\n<Check id="ready" />',
    );
    expect(steps).toMatchObject([{ id: 'ready', actions: [] }]);
  });

  it('may be none, as on a page that is not there', async () => {
    expect(await loadSteps('/nowhere', SMALL)).toEqual([]);
  });
});

describe('the Docker Networking lab', () => {
  it('has each of its checks in exactly one step, in the order of its pages', async () => {
    const steps = await loadSteps(DIRECTORY, lab);
    expect(steps.flatMap((step) => step.checks)).toEqual(lab.checks.map(({ id }) => id));
    expect(new Set(steps.map((step) => step.page))).toEqual(
      new Set(lab.sections.map((section) => section.page)),
    );
  });

  it('asks for something to be done at each of its steps, where its page says so', async () => {
    for (const { id, file, actions } of await loadSteps(DIRECTORY, lab)) {
      expect(actions, id).not.toEqual([]);
      const lines = (await readFile(file, 'utf8')).split('\n');
      for (const action of actions) {
        const line = lines[action.line - 1];
        if (action.kind === 'run') expect(line).toMatch(/^```sh host=/);
        else if (action.kind === 'open') expect(line).toMatch(/<(Value|Visit) /);
        else if (action.kind === 'answer') expect(line).toBe(`<Answer id="${action.check}" />`);
        else expect(line).toMatch(/<Interrupt /);
      }
    }
  });

  it('says of each question where its answer stands', async () => {
    const questions = lab.checks.filter(({ question }) => question !== undefined);
    expect(questions.filter(({ reads }) => reads === undefined)).toEqual([]);
    const steps = await loadSteps(DIRECTORY, lab);
    const asked = steps.flatMap(({ actions }) => actions.filter(({ kind }) => kind === 'answer'));
    expect(asked).toHaveLength(questions.length);
  });
});

describe('a part of a page', () => {
  const folder = mkdtempDisposableSync(join(tmpdir(), 'quayside-parts-'));
  afterAll(() => folder.remove());
  writeFileSync(
    join(folder.path, '_look.mdx'),
    [
      "import Again from './_look.mdx';",
      '',
      '## Look',
      '',
      '```sh host=agent01',
      'docker ps',
      '```',
      '',
      '<Again />',
    ].join('\n'),
  );
  const one = join(folder.path, 'one.mdx');
  const page = [
    "import Look from './_look.mdx';",
    "import Gone from './_gone.mdx';",
    '',
    '<Look />',
    '',
    '```sh host=client',
    'ip route',
    '```',
    '',
    '<Gone />',
    '<Check id="ready" />',
  ].join('\n');

  it('is read where the page has it, and each action keeps its own file and line', () => {
    const [step] = stepsOf(page, { page: 'one', title: 'One', file: one }, SMALL);
    expect(step).toMatchObject({ file: join(folder.path, '_look.mdx'), line: 5, heading: 'Look' });
    expect(step?.actions).toEqual([
      { kind: 'run', host: 'server01', command: 'docker ps', line: 5 },
      { kind: 'run', host: 'client', command: 'ip route', line: 6, file: one },
    ]);
  });
});
