import { describe, expect, test } from 'vitest';
import { type CheckDefinition, choice, defineLab, LabError } from '#lab';
import { stepsOf } from '#steps';
import { World } from './docker-networking-world.ts';

const ONE = choice('one', {
  title: 't',
  question: 'Who gives a container its address?',
  options: { dhcp: 'a DHCP server', engine: 'the engine', kernel: 'the kernel' },
  right: 'engine',
  because: { dhcp: 'No DHCP here.', kernel: 'The kernel takes it.' },
});
const SEVERAL = choice('several', {
  title: 't',
  question: 'Which?',
  options: { bridge: '`bridge`', host: '`host`', mynet: '`mynet`', none: '`none`' },
  right: ['bridge', 'host', 'none'],
  because: { mynet: 'Somebody made mynet.' },
});
const ORDER = choice('order', {
  title: 't',
  question: 'In which order?',
  options: { start: 'start', remove: 'remove', stop: 'stop', create: 'create' },
  order: ['create', 'start', 'stop', 'remove'],
  because: { start: 'Nothing to start yet.' },
});

async function said(check: CheckDefinition, text: string): Promise<string> {
  const verdict = await check.test(new World().answer(check.id, text).view());
  return verdict.kind === 'passed' ? 'passed' : verdict.reason;
}

function labWith(...checks: CheckDefinition[]) {
  return defineLab({
    title: 'T',
    hosts: { server01: { address: '10.0.0.1/24' } },
    browser: 'server01',
    sections: [{ page: 'p', title: 'P', checks }],
  });
}

function problemsOf(check: CheckDefinition): string {
  try {
    labWith(check);
    return 'none';
  } catch (error) {
    return error instanceof LabError ? error.problems.join('\n') : String(error);
  }
}

test.each([
  [ONE, '', 'Not answered yet.'],
  [ONE, 'engine', 'passed'],
  [ONE, 'dhcp', 'No DHCP here.'],
  [ONE, 'kernel', 'The kernel takes it.'],
  [ONE, 'engine dhcp', 'Reload the page'],
  [ONE, 'gone', 'Reload the page'],
  [ONE, 'constructor', 'Reload the page'],
  [SEVERAL, 'none host bridge', 'passed'],
  [SEVERAL, 'bridge host mynet none', 'Somebody made mynet.'],
  [SEVERAL, 'mynet', 'Somebody made mynet.'],
  [SEVERAL, 'bridge', 'there is more'],
  [SEVERAL, 'bridge bridge bridge', 'there is more'],
  [ORDER, 'create start stop remove', 'passed'],
  [ORDER, 'start create stop remove', 'Nothing to start yet.'],
  [ORDER, 'stop create start remove', 'Something else comes first.'],
  [ORDER, 'create stop start remove', 'The first is right.'],
  [ORDER, 'create start remove stop', 'The first 2 are right.'],
  [ORDER, 'create start', 'Reload the page'],
] as const)(
  '%$: an answer is judged by its keys, with the reason that fits',
  async (check, text, expected) => {
    expect(await said(check, text)).toContain(expected);
  },
);

test('an author’s words stand in for the general reason', async () => {
  const check = choice('x', {
    title: 't',
    question: 'q',
    options: { a: 'a', b: 'b', c: 'c' },
    right: ['a', 'b'],
    because: { c: 'Not c.' },
    otherwise: 'Both of them.',
  });
  expect(await said(check, 'a')).toBe('Both of them.');
});

describe('the lab’s test', () => {
  const read = (check: CheckDefinition) =>
    stepsOf(
      `<Answer id="${check.id}" />`,
      { page: 'p', title: 'P', file: 'p.mdx' },
      labWith(check),
    );

  test.each([ONE, SEVERAL, ORDER])(
    'gives the right answer of $id, and it passes',
    async (check) => {
      const [action] = read(check)[0]?.actions ?? [];
      expect(action).toMatchObject({ kind: 'answer', check: check.id });
      if (action?.kind !== 'answer') throw new Error('no answer');
      expect(await said(check, String(action.text))).toBe('passed');
    },
  );

  test.each([
    [ONE, ['No DHCP here.', 'The kernel takes it.']],
    [SEVERAL, ['Somebody made mynet.', 'there is more']],
    [ORDER, ['Nothing to start yet.']],
  ] as const)('%$: gives each wrong answer, with its own reason', async (check, reasons) => {
    const given = (check.mistakes ?? []).flatMap(({ actions }) => actions);
    const heard = given.map((action) =>
      said(check, action.kind === 'answer' ? String(action.text) : ''),
    );
    expect(await Promise.all(heard)).toEqual(
      reasons.map((reason) => expect.stringContaining(reason)),
    );
  });
});

describe('a question with choices that cannot work is told when the lab is read', () => {
  const base = { title: 't', question: 'q', options: { a: 'A', b: 'B' } } as const;

  test.each([
    [
      'another key is right',
      choice('x', { ...base, right: 'a', because: { a: 'Not a.' } }),
      /reason against "a", which is right.*\n.*no reason against "b"/,
    ],
    [
      'a wrong one without a reason',
      choice('x', { ...base, right: 'a', because: {} }),
      /no reason against "b"/,
    ],
    [
      'nothing right',
      choice('x', { ...base, right: [], because: { a: 'No.', b: 'Not so.' } }),
      /no right option/,
    ],
    [
      'the right order on the page',
      choice('x', { ...base, order: ['a', 'b'] }),
      /in the right order; write them in another/,
    ],
    ['an order without all', choice('x', { ...base, order: ['b'] }), /stand in no place/],
    [
      'the first of an order too early',
      choice('x', { ...base, order: ['b', 'a'], because: { b: 'No.' } }),
      /"b", which comes first/,
    ],
    [
      'one reason for two',
      choice('x', {
        ...base,
        options: { a: 'A', b: 'B', c: 'C' },
        right: 'a',
        because: { b: 'No.', c: 'No.' },
      }),
      /“No\.” of two options/,
    ],
    [
      'a key of another case',
      choice('x', { ...base, options: { Aa: 'A', b: 'B' }, right: 'b', because: { Aa: 'No.' } }),
      /option "Aa": use/,
    ],
    [
      'one option',
      choice('x', { ...base, options: { a: 'A' }, right: 'a', because: {} }),
      /1 options; give it 2 to 10/,
    ],
  ])('%s', (_, check, says) => {
    expect(problemsOf(check)).toMatch(says);
  });

  test('a key that is no option, with the nearest', () => {
    const right: string = 'engin';
    const options: Record<string, string> = { engine: 'E', kernel: 'K' };
    expect(
      problemsOf(
        choice('x', { ...base, options, right, because: { kernel: 'No.', engine: 'Nor.' } }),
      ),
    ).toMatch(/speaks of "engin", which is none of its options\. Did you mean "engine"/);
  });
});
