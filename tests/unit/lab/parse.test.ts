import { describe, expect, test } from 'vitest';
import {
  all,
  answer,
  check,
  container,
  defineLab,
  type EngineSettings,
  hostNamed,
  type LabError,
  passed,
  passOf,
  restartOf,
  type SandboxView,
  visited,
} from '#lab';

const site = container('site').on('server01');

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

  test('refuses a rhythm that is none, or costs the hosts too much', () => {
    const beats = (every: `${number}s`) =>
      problemsOf({
        ...GOOD,
        sections: [
          { page: 'p', title: 'P', checks: [check('beats', { title: 't', every, test: passed })] },
        ],
      });
    for (const right of ['1s', '2.5s', '60s'] as const) expect(beats(right)).toEqual([]);
    for (const wrong of ['0.5s', '61s', '-2s', '1e1s'] as const) {
      expect(beats(wrong)).toEqual([
        `check "beats": every "${wrong}" is no number of seconds from 1 to 60, such as 2s`,
      ]);
    }
  });

  test('refuses a question about the pass of what is no check before it', () => {
    const asks = (id: string) =>
      check('seen', {
        title: 't',
        test: all(visited('http://10.1.10.11').after(restartOf(site).after(passOf(id))), passed),
      });
    const labWith = (id: string) =>
      problemsOf({
        ...GOOD,
        sections: [
          {
            page: 'p',
            title: 'P',
            checks: [check('built', { title: 't', test: passed }), asks(id)],
          },
        ],
      });
    expect(labWith('built')).toEqual([]);
    expect(labWith('bulit')).toEqual([
      'check "seen" needs "bulit", which is no check before it. Did you mean "built"? There are: built, seen.',
    ]);
  });

  test('refuses a check that needs what is no check before it', () => {
    const later = check('later', { title: 't', test: passed });
    const first = check('first', { title: 't', needs: ['latr'], test: passed });
    expect(
      problemsOf({ ...GOOD, sections: [{ page: 'p', title: 'P', checks: [first, later] }] }),
    ).toEqual([
      expect.stringContaining('check "first" needs "latr", which is no check before it.'),
    ]);
  });

  test.each(['256.1.1.1/24', '10.1.10.11/31', '10.1.10.11/0', '10.1.10/24', ''])(
    'refuses the address %j',
    (address) => {
      expect(problemsOf({ ...GOOD, hosts: { client: { address } } })[0]).toContain('IPv4');
    },
  );

  test.each([
    [
      '10.0.0.0/24',
      'host client: "10.0.0.0/24" is the address of the network itself; hosts have those from 10.0.0.1 to 10.0.0.254',
    ],
    [
      '192.168.7.255/24',
      'host client: "192.168.7.255/24" is the network’s broadcast address; hosts have those from 192.168.7.1 to 192.168.7.254',
    ],
    [
      '10.1.3.255/22',
      'host client: "10.1.3.255/22" is the network’s broadcast address; hosts have those from 10.1.0.1 to 10.1.3.254',
    ],
    ['127.0.0.5/24', 'host client: "127.0.0.5/24" is no address for a host: it is a loopback one'],
    ['224.0.0.5/24', 'host client: "224.0.0.5/24" is no address for a host: it is a multicast one'],
  ])('refuses a host at %s', (address, problem) => {
    expect(problemsOf({ ...GOOD, hosts: { client: { address } } })).toEqual([problem]);
  });

  test('takes an address that ends in 255 or 0 in the middle of its network', () => {
    const hosts = { client: { address: '10.1.2.255/22' }, other: { address: '10.1.1.0/22' } };
    expect(problemsOf({ ...GOOD, hosts })).toEqual([]);
  });

  test('may have several wires, which hosts with several interfaces join', () => {
    const lab = defineLab({
      ...GOOD,
      hosts: {
        client: { address: '10.1.10.100/24' },
        router: { address: '10.1.10.1/24', interfaces: ['10.1.20.1/24'], router: true },
        server: { address: '10.1.20.11/24' },
      },
    });
    expect(hostNamed(lab, 'router')).toMatchObject({
      address: '10.1.10.1',
      isRouter: true,
      interfaces: [
        { address: '10.1.10.1', prefixLength: 24, network: '10.1.10.0/24' },
        { address: '10.1.20.1', prefixLength: 24, network: '10.1.20.0/24' },
      ],
    });
  });

  test('has an engine sleep until it is used, unless it has settings or is said to be awake', () => {
    const engines = {
      plain: true,
      settings: { icc: false },
      said: { awake: true, version: '28' },
      lazy: { awake: false, icc: false },
      none: false,
    };
    const hosts = Object.entries(engines).map(
      ([name, engine], at) => [name, { address: `10.1.10.${at + 1}/24`, engine }] as const,
    );
    const lab = defineLab({ ...GOOD, hosts: { ...GOOD.hosts, ...Object.fromEntries(hosts) } });
    const awake = lab.hosts.filter(({ isAwake }) => isAwake).map(({ name }) => name);
    expect(awake).toEqual(['settings', 'said']);
    expect(hostNamed(lab, 'said')?.engineSettings).toBe('');
    const wrong = { one: { address: '10.1.10.50/24', engine: { awake: 'yes' } } } as never;
    expect(problemsOf({ ...GOOD, hosts: { ...GOOD.hosts, ...(wrong as object) } })).toEqual([
      'host one: its engine’s awake is true or false, not "yes"',
    ]);
  });

  test('may ask for the internet for a host, unless a network of it lies where the internet’s gateway is', () => {
    const hosts = (address: string, internet: boolean) => ({
      client: { address, internet },
      other: { address: address.replace(/1\//, '2/') },
    });
    const lab = defineLab({ ...GOOD, hosts: hosts('10.1.10.1/24', true) });
    expect(lab.hosts.map(({ hasInternet }) => hasInternet)).toEqual([true, false]);
    expect(problemsOf({ ...GOOD, hosts: hosts('198.18.5.1/24', false) })).toEqual([]);
    for (const address of ['198.18.5.1/24', '198.19.0.1/16', '198.1.0.1/8']) {
      const [problem, ...others] = problemsOf({ ...GOOD, hosts: hosts(address, true) });
      expect(problem).toContain(`host client: "${address}" is on a network that overlaps 198.18`);
      expect(others).toHaveLength(1);
    }
  });

  test('refuses hosts that no way could lead to', () => {
    const hosts = {
      client: { address: '10.0.0.1/24' },
      router: { address: '10.0.1.1/24', interfaces: ['10.0.2.1/24'] },
      there: { address: '10.0.2.2/24' },
    };
    const apart = (network: string) =>
      `is on the network ${network}, and no host joins that to 10.0.0.0/24, on which client is; mend the address, or give a host interfaces on both`;
    expect(problemsOf({ ...GOOD, hosts })).toEqual([
      `host router: "10.0.1.1/24" ${apart('10.0.1.0/24')}`,
      `host router: "10.0.2.1/24" ${apart('10.0.2.0/24')}`,
      `host there: "10.0.2.2/24" ${apart('10.0.2.0/24')}`,
    ]);
  });

  test('refuses networks that overlap, two interfaces on one wire, and a router that is one already', () => {
    const hosts = {
      client: { address: '10.0.0.1/24', interfaces: ['10.0.0.9/24', '10.0.5.1'] },
      wider: { address: '10.0.0.2/16' },
      server01: { address: '10.0.0.3/24', engine: true, router: true },
    };
    expect(problemsOf({ ...GOOD, hosts })).toEqual([
      'host client: address "10.0.5.1" is no IPv4 address with a prefix length (10.1.10.11/24)',
      'host client: an interface on "10.0.0.0/24" stands twice',
      'host server01 is a router by its engine already; take out router: true',
      'host wider: "10.0.0.2/16" is on the network 10.0.0.0/16, which overlaps 10.0.0.0/24, on which client is; hosts on one wire have one prefix length',
    ]);
  });

  test('gives a host files, which are the learner’s below their home and root’s elsewhere', () => {
    const files = [
      { from: 'starter', to: '/home/learner/web' },
      { from: 'motd', to: '/etc/motd', mode: '600' },
      { from: 'page.html', to: '/srv/page.html', owner: 'www-data' },
    ];
    const { hosts } = defineLab({ ...GOOD, hosts: { client: { address: '10.0.0.1/24', files } } });
    expect(hosts[0]?.files).toEqual([
      { from: 'starter', to: '/home/learner/web', owner: 'learner:learner', mode: undefined },
      { from: 'motd', to: '/etc/motd', owner: 'root:root', mode: '600' },
      { from: 'page.html', to: '/srv/page.html', owner: 'www-data', mode: undefined },
    ]);
  });

  test.each([
    [{ from: '/etc/passwd', to: '/a' }, 'file "/etc/passwd" is no path of a file or folder'],
    [{ from: '../other/lab.ts', to: '/a' }, 'file "../other/lab.ts" is no path'],
    [{ from: 'a/../../b', to: '/a' }, 'file "a/../../b" is no path'],
    [{ from: '', to: '/a' }, 'file "" is no path'],
    [{ from: 'a', to: 'home/a' }, '"home/a" is no full path on the host'],
    [{ from: 'a', to: '/home/../etc' }, '"/home/../etc" is no full path'],
    [{ from: 'a', to: '/' }, '"/" is no full path'],
    [{ from: 'a', to: '/run/a' }, '"/run/a" is no place for a file: /run is the host’s own'],
    [{ from: 'a', to: '/a', owner: 'x;reboot' }, 'owner "x;reboot" is no user'],
    [{ from: 'a', to: '/a', mode: 'rw-' }, 'mode "rw-" is not one in octal'],
  ])('refuses the files %j', (files, problem) => {
    const hosts = { client: { address: '10.0.0.1/24', files: [files] } };
    expect(problemsOf({ ...GOOD, hosts })).toEqual([
      expect.stringContaining(`host client: ${problem}`),
    ]);
  });

  test('puts one thing at one place, and does no empty command', () => {
    const files = [
      { from: 'a', to: '/a' },
      { from: 'b', to: '/a' },
    ];
    const hosts = { client: { address: '10.0.0.1/24', files, setup: ['true', ' '] } };
    expect(problemsOf({ ...GOOD, hosts })).toEqual([
      'host client: file "/a" stands twice',
      'host client: a line of setup is empty; take it out',
    ]);
  });

  test('sets a host’s engine, and keeps services running', () => {
    const { hosts } = defineLab({
      ...GOOD,
      hosts: {
        server01: {
          address: '10.1.10.11/24',
          engine: { 'userland-proxy': false },
          services: { beat: 'date >> /tmp/beat; sleep 1' },
        },
        client: { address: '10.1.10.100/24', engine: {} },
      },
    });
    expect(hosts[0]).toMatchObject({
      hasEngine: true,
      engineSettings: '{"userland-proxy":false}',
      services: [['beat', 'date >> /tmp/beat; sleep 1']],
    });
    expect(hosts[1]).toMatchObject({ hasEngine: true, engineSettings: '', services: [] });
  });

  test('gives a host another engine, beside settings, and tells a version that is none', () => {
    const engineOf = (engine: EngineSettings) =>
      defineLab({ ...GOOD, hosts: { client: { address: '10.0.0.1/24', engine } }, images: {} })
        .hosts[0];
    expect(engineOf({ version: '28' })).toMatchObject({ engineVersion: '28', engineSettings: '' });
    expect(engineOf({ version: '28.5.2', icc: false })).toMatchObject({
      hasEngine: true,
      engineVersion: '28.5.2',
      engineSettings: '{"icc":false}',
    });
    expect(engineOf({})?.engineVersion).toBeUndefined();
    const client = { address: '10.0.0.1/24', engine: { version: 'newest' } };
    expect(problemsOf({ ...GOOD, hosts: { client } })).toEqual([
      `host client: its engine’s version "newest" is no text such as '28' or '28.5.2'`,
    ]);
  });

  test('refuses settings that would cost a host its engine, and services that cannot be one', () => {
    const client = {
      address: '10.0.0.1/24',
      engine: { hosts: ['fd://'], 'default-runtime': 'kata', debug: true },
      services: { 'a/b': 'true', docker: 'dockerd', empty: ' ', two: 'a\nb' },
    };
    expect(problemsOf({ ...GOOD, hosts: { client } })).toEqual([
      expect.stringContaining('service "a/b" is no name'),
      'host client: service "docker" is a service that every host with an engine has',
      'host client: service "empty" has no command',
      'host client: service "two" is more than one command line; put it into a file, and run that',
      expect.stringContaining('setting "hosts" is the host’s own'),
      expect.stringContaining('setting "default-runtime" is the host’s own'),
    ]);
  });

  test('takes an image without a tag for its latest, as Docker does', () => {
    const lab = defineLab({
      ...GOOD,
      hosts: {
        client: { address: '10.0.0.1/24', engine: true, images: ['mycontainer', 'r.io:5000/a/b'] },
      },
      images: { mycontainer: 'mycontainer', 'r.io:5000/a/b': 'b' },
    });
    expect(lab.hosts[0]?.images).toEqual(['mycontainer:latest', 'r.io:5000/a/b:latest']);
    expect(lab.images).toEqual({
      'mycontainer:latest': 'mycontainer',
      'r.io:5000/a/b:latest': 'b',
    });
  });

  test.each(['My:1', 'a:', 'a:b:c', 'a@sha256:0123', ' a', 'a/'])(
    'refuses the image %j',
    (image) => {
      expect(problemsOf({ ...GOOD, images: { 'i:1': 'i', [image]: 'x' } })).toEqual([
        `image "${image}" is no name with a tag, such as my-image:1.0`,
      ]);
    },
  );

  test.each([
    ['i:1', `"i:1" is an image for its engine; write images: ['i:1']`],
    ['host of mine', `image "host of mine" is no folder with a Dockerfile`],
  ])('tells who has a host made from %j what that is', (image, said) => {
    const hosts = { ...GOOD.hosts, client: { ...GOOD.hosts.client, image } };
    expect(problemsOf({ ...GOOD, hosts })).toEqual([expect.stringContaining(said)]);
  });

  test('names an image once', () => {
    expect(problemsOf({ ...GOOD, images: { 'i:1': 'i', a: 'a', 'a:latest': 'a' } })).toEqual([
      'image "a:latest" stands twice',
    ]);
  });
});

describe('a section', () => {
  const step = (id: string) => check(id, { title: id, test: passed });
  const sections = [
    { page: 'one', title: 'One', checks: [step('first')] },
    { page: 'more', title: 'More', optional: true, after: 'first', checks: [step('bonus')] },
  ] as const;

  test('that is optional has no check that counts', () => {
    const { checks } = defineLab({ ...GOOD, sections });
    expect(checks.map(({ id, optional }) => [id, optional])).toEqual([
      ['first', undefined],
      ['bonus', true],
    ]);
  });

  test('opens after a check that stands before it', () => {
    const [one, more] = sections;
    expect(problemsOf({ ...GOOD, sections: [one, { ...more, after: 'frist' }] })).toEqual([
      'section "more" opens after "frist", which is no check of a section before it. Did you mean "first"? There are: first.',
    ]);
    expect(problemsOf({ ...GOOD, sections: [one, { ...more, after: 'bonus' }] })).toHaveLength(1);
  });
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
