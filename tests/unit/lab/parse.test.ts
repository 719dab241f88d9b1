import { describe, expect, test } from 'vitest';
import { answer, defineLab, hostNamed, type LabError, passed, type SandboxView } from '#lab';

const GOOD = {
  title: 'T',
  hosts: {
    server01: { address: '10.1.10.11/24', aliases: ['agent01'], engine: true, images: ['i:1'] },
    client: { address: '10.1.10.100/24' },
  },
  images: { 'i:1': 'i' },
  browser: 'client',
  sections: [],
} as const;

const problemsOf = (definition: Parameters<typeof defineLab>[0]): readonly string[] => {
  try {
    defineLab(definition);
    return [];
  } catch (error) {
    return (error as LabError).problems;
  }
};

describe('a lab', () => {
  test('is read into hosts with addresses, found by name and by alias', () => {
    const lab = defineLab(GOOD);
    expect(hostNamed(lab, 'agent01')).toMatchObject({
      name: 'server01',
      address: '10.1.10.11',
      prefixLength: 24,
    });
    expect(hostNamed(lab, 'agent02')).toBeUndefined();
  });

  test('with several mistakes is refused with every one of them named', () => {
    const same = answer('twice', { title: 't', question: 'q', judge: () => passed() });
    const problems = problemsOf({
      ...GOOD,
      hosts: {
        Server: { address: '10.1.10.11' },
        other: { address: '10.1.10.12/24', aliases: ['other'], images: ['j:1'] },
        third: { address: '10.1.10.12/24' },
      },
      browser: 'nobody' as 'third',
      sections: [{ page: 'p', title: 'P', checks: [same, same] }],
    });
    expect(problems).toEqual([
      expect.stringContaining('host "Server"'),
      expect.stringContaining('"10.1.10.11" is no IPv4 address with a prefix length'),
      expect.stringContaining('image "j:1" is not among'),
      expect.stringContaining('add engine: true'),
      'host name "other" stands twice',
      'address "10.1.10.12" stands twice',
      expect.stringContaining('browser: "nobody" is no host'),
      'check id "twice" stands twice',
    ]);
  });

  test.each(['256.1.1.1/24', '10.1.10.11/31', '10.1.10.11/0', '10.1.10/24', ''])(
    'refuses the address %j',
    (address) => {
      expect(problemsOf({ ...GOOD, hosts: { client: { address } } })[0]).toContain('IPv4');
    },
  );
});

test('a question is not answered until the learner answers it, and the newest answer counts', async () => {
  const given: string[] = [];
  const { test: ask } = answer('port', {
    title: 't',
    question: 'Which?',
    judge: (text) => {
      given.push(text);
      return passed();
    },
  });
  const view = (text?: string) =>
    ({
      journal: { last: () => (text === undefined ? undefined : { text }) },
    }) as unknown as SandboxView;
  expect(await ask(view())).toMatchObject({ kind: 'not-yet', reason: 'Not answered yet.' });
  expect(await ask(view('  '))).toMatchObject({ kind: 'not-yet' });
  expect(await ask(view(' 32768 '))).toEqual({ kind: 'passed' });
  expect(given).toEqual(['32768']);
});
