import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readConfig } from '../../../server/cli/config.ts';
import { HELP, OPTIONS, SETTINGS, VARIABLES } from '../../../server/cli/settings.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'quayside-config-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

function file(content: unknown): string {
  const path = join(directory, 'class.json');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

const read = (argv: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  readConfig('/project', argv, env);

test('with nothing said, a single user is served on this machine alone', () => {
  expect(read([])).toMatchObject({
    host: '127.0.0.1',
    port: 4321,
    origins: [],
    trustProxy: [],
    tls: undefined,
    classroom: undefined,
    clean: false,
    data: '/project/.quayside',
  });
});

test('the help names every option with what it does, each on a line of its own', () => {
  const lines = HELP.split('\n').filter((line) => line.startsWith('  --'));
  expect(lines).toContain('  --class <name>   serve a class: learners join with a code');
  const said = lines.map((line) => /^ {2}--(\S+)(?: (<\w+>))? {2,}(\S.*)$/.exec(line)?.slice(1));
  const known = Object.entries(OPTIONS).map(([name, { takes, does }]) => [
    name,
    takes === '' ? undefined : takes,
    does,
  ]);
  expect(said).toEqual(known);
});

test('a class is named on the command line', () => {
  expect(read(['--class', 'Docker 101', '--new-secret']).classroom).toEqual({
    name: 'Docker 101',
    learnersMost: 100,
    newSecret: true,
    newCode: false,
  });
});

test('idle hosts of a class are stopped, where stopped hosts are kept; one learner’s only if that is said', () => {
  expect(read([]).idleMinutes).toBe(0);
  expect(read(['--class', 'A']).idleMinutes).toBe(120);
  expect(read(['--class', 'A', '--config', file({ keepDays: 0 })]).idleMinutes).toBe(0);
  expect(read(['--config', file({ keepDays: 0, idleMinutes: 30 })]).idleMinutes).toBe(30);
});

test('the labs that there are, are named with commas between them, or as a list in the file', () => {
  expect(read(['--labs', 'storage, networking']).labs).toEqual(['storage', 'networking']);
  expect(read(['--config', file({ labs: ['networking'] })]).labs).toEqual(['networking']);
  expect(read([]).labs).toEqual([]);
});

test('a lab with a slash is a folder, from where it is said: the command’s, npm’s or the file’s', () => {
  const there = { INIT_CWD: '/home/ada/quayside' };
  expect(read(['--labs', '../my-labs,storage', '--labs', '/srv/labs'], there).labs).toEqual([
    ...['/home/ada/my-labs', 'storage', '/srv/labs'],
  ]);
  expect(read(['--labs', '.'], there).labs).toEqual(['/home/ada/quayside']);
  expect(read([], { ...there, QUAYSIDE_LABS: './labs,storage' }).labs).toEqual([
    ...['/home/ada/quayside/labs', 'storage'],
  ]);
  const config = file({ labs: ['./labs', 'storage'] });
  expect(read(['--config', config], there).labs).toEqual([join(directory, 'labs'), 'storage']);
});

test('the command line goes before the environment, and that before the file', () => {
  const config = file({ class: 'From the file', port: 5001, host: '10.0.0.1', learners: 7 });
  expect(read(['--config', config, '--class', 'Typed'], { PORT: '5002' })).toMatchObject({
    port: 5002,
    host: '10.0.0.1',
    classroom: { name: 'Typed', learnersMost: 7 },
  });
});

test('paths in the file are taken from where it lies', () => {
  writeFileSync(join(directory, 'c.pem'), 'CERT');
  writeFileSync(join(directory, 'k.pem'), 'KEY');
  const config = file({ class: 'A', cert: 'c.pem', key: 'k.pem', data: 'store' });
  expect(read(['--config', config])).toMatchObject({
    tls: { cert: 'CERT', key: 'KEY' },
    data: join(directory, 'store'),
  });
});

test.each([
  ['/quayside', '/quayside'],
  ['/quayside/', '/quayside'],
  ['/courses/docker_2.0', '/courses/docker_2.0'],
  ['/', ''],
])('the path of another site: %s', (said, basePath) => {
  expect(read([], { QUAYSIDE_BASE_PATH: said }).basePath).toBe(basePath);
  expect(read(['--config', file({ basePath: said })]).basePath).toBe(basePath);
});

test.each([
  ['quayside', 'must be a path such as /quayside'],
  ['/a/../b', 'must be a path such as /quayside'],
  ['/a b', 'must be a path such as /quayside'],
  ['https://school.example/quayside', 'must be a path such as /quayside'],
  ['/labs', 'may not begin with a name of Quayside’s own: api, '],
])('no path of another site: %s', (said, why) => {
  expect(() => read([], { QUAYSIDE_BASE_PATH: said })).toThrow(why);
});

test('a path in QUAYSIDE_BASE, which names an image, is told where it goes', () => {
  expect(() => read([], { QUAYSIDE_BASE: '/quayside' })).toThrow(
    expect.objectContaining({
      remedy: 'For a path of another site: QUAYSIDE_BASE_PATH=/quayside',
    }),
  );
  expect(read([], { QUAYSIDE_BASE: 'quayside/base:trixie' }).basePath).toBe('');
});

test('what is said by two places is judged by the one that has the last word', () => {
  const config = file({ port: 'x', sandboxes: 7 });
  expect(read(['--config', config], { PORT: '5002' })).toMatchObject({
    port: 5002,
    sandboxes: 7,
  });
});

test.each([
  [['--internet'], {}, undefined, true],
  [[], { QUAYSIDE_INTERNET: '1' }, undefined, true],
  [[], {}, true, true],
  [[], { QUAYSIDE_INTERNET: '0' }, true, false],
  [['--internet'], { QUAYSIDE_INTERNET: '0' }, false, true],
  [[], {}, undefined, false],
])('the internet by %j, %j and %j in the file: %s', (argv, env, said, internet) => {
  const config = said === undefined ? [] : ['--config', file({ internet: said })];
  expect(read([...argv, ...config], env).internet).toBe(internet);
});

test('no answer to whether there is internet, and nobody to ask for names', () => {
  expect(() => read([], { QUAYSIDE_INTERNET: 'maybe' })).toThrow(
    'QUAYSIDE_INTERNET=maybe must be true or false (1 or 0 in the environment).',
  );
  expect(() => read(['--config', file({ internet: 'yes' })])).toThrow('must be true or false');
  expect(() => read([], { QUAYSIDE_RESOLVER: 'dns.example' })).toThrow('must be an IPv4 address.');
  expect(read([], { QUAYSIDE_RESOLVER: '9.9.9.9' }).resolver).toBe('9.9.9.9');
});

test('a variable that is set to nothing says nothing', () => {
  expect(read([], { PORT: '', HOST: '', QUAYSIDE_POOL: '' })).toMatchObject({
    port: 4321,
    host: '127.0.0.1',
    pool: 0,
  });
});

describe('a bound holds wherever the value is said', () => {
  const outside = {
    port: [-1, 65_536],
    sandboxes: [0, 1_001],
    pool: [-1, 101],
    diskMib: [63, 1024 ** 2 + 1],
    idleMinutes: [-1, 10_081],
    totalMinutes: [-1, 10_081],
    keepDays: [-1, 366],
    keepFill: [0, 101],
  } as const;

  test.each(Object.entries(outside))('%s', (key, values) => {
    const variable = VARIABLES[key as keyof typeof outside];
    for (const value of values) {
      const config = file({ [key]: value });
      const must = /must be a whole number from \d+ to \d+\.$/;
      expect(() => read(['--config', config])).toThrow(`${key} in ${config} must be`);
      expect(() => read(['--config', config])).toThrow(must);
      expect(() => read([], { [variable]: String(value) })).toThrow(`${variable}=${value} must be`);
      expect(() => read([], { [variable]: String(value) })).toThrow(must);
    }
  });

  test('a version of an engine as well', () => {
    expect(read([], { QUAYSIDE_HOST_ENGINE: '28.5.2' }).hostEngine).toBe('28.5.2');
    expect(read([]).hostEngine).toBeUndefined();
    expect(() => read([], { QUAYSIDE_HOST_ENGINE: 'newest' })).toThrow(
      'QUAYSIDE_HOST_ENGINE=newest must be a version of Docker’s as a text, such as "28"',
    );
    expect(() => read(['--config', file({ hostEngine: 28 })])).toThrow('hostEngine in');
  });

  test('a text as well, and a secret is not repeated', () => {
    expect(() => read([], { QUAYSIDE_METRICS_TOKEN: 'too-short' })).toThrow(
      /^QUAYSIDE_METRICS_TOKEN must be a text of 16 to 1024 characters\.$/,
    );
    expect(() => read(['--class', 'x'.repeat(61)])).toThrow('--class must be a text of 1 to 60');
    expect(() => read(['--class', 'a\u0007b'])).toThrow('--class must have no control characters');
  });
});

test('everything that is wrong is said at once, each with its place', () => {
  const config = file({ sandbox: 3, learners: 0 });
  expect(() => read(['--config', config], { PORT: 'x' })).toThrow(
    [
      `learners in ${config} must be a whole number from 1 to 1000.`,
      'PORT=x must be a whole number from 0 to 65535.',
      `sandbox in ${config} is no setting. Did you mean sandboxes?`,
    ].join('\n'),
  );
});

describe('what has no meaning is refused, with the nearest that has', () => {
  test.each([
    [{ clas: 'A' }, 'is no setting. Did you mean class?'],
    [{ class: 'A', sandbox: 3 }, 'Did you mean sandboxes?'],
    [{ class: 'A', port: 'x' }, 'port in '],
    [{ class: 'A', origins: 'https://a.example' }, 'must be a list of texts'],
    [[], 'is no JSON object'],
    ['{ class: A }', 'is no JSON'],
  ])('in the file: %j', (content, says) => {
    expect(() => read(['--config', file(content)])).toThrow(says);
  });

  test.each([
    [['--clas', 'A'], 'Did you mean --class?'],
    [['--foo'], /^There is no option --foo\.$/],
    [['--class'], 'not understood'],
    [['--class', ' '], '--class must be a text of 1 to 60 characters'],
    [['--constructor'], 'There is no option --constructor'],
    [['--new-secret'], 'are a class’s'],
    [['--class', 'A', '--cert', 'x'], 'goes with its key'],
    [['--class', 'A', '--cert', '/nowhere', '--key', '/nowhere'], 'cannot be read'],
    [['--config', '/nowhere'], 'cannot be read'],
    [['extra'], 'not understood'],
  ])('on the command line: %j', (argv, says) => {
    expect(() => read(argv)).toThrow(says);
  });
});

describe('the documents list', () => {
  const DOCS = join(import.meta.dirname, '../../../docs');
  /** The rows of the table under this heading, as cells without back-quotes. */
  const rows = (document: string, heading: string) => {
    const lines = readFileSync(join(DOCS, document), 'utf8').split('\n');
    const first = lines.findIndex((line) => line.startsWith(`| ${heading} `));
    const table = lines.slice(first + 2, lines.indexOf('', first));
    return table.map((line) => line.split('|').map((cell) => cell.replaceAll('`', '').trim()));
  };
  const words = (cell: string | undefined) =>
    cell?.split(/,? /).filter((word) => word !== '') ?? [];
  const defaultOf = (key: keyof typeof SETTINGS.shape): unknown => SETTINGS.parse({})[key];

  test('every setting in operating.md, with its option and its variable', () => {
    const table = rows('operating.md', 'In the file');
    const listed = (column: number) => table.flatMap((cells) => words(cells[column])).sort();
    expect(listed(1)).toEqual(Object.keys(SETTINGS.shape).sort());
    expect(listed(2)).toEqual(
      Object.keys(OPTIONS)
        .filter((name) => name !== 'help' && name !== 'config')
        .map((name) => `--${name}`)
        .sort(),
    );
    expect(listed(3)).toEqual(Object.values(VARIABLES).sort());
    for (const [, keys, , variables] of table) {
      const named = words(keys).flatMap((key) => VARIABLES[key as keyof typeof VARIABLES] ?? []);
      expect(named).toEqual(words(variables));
    }
  });

  test('in operating.md the default of each number', () => {
    for (const [, key = '', , , meaning] of rows('operating.md', 'In the file')) {
      const value =
        key in SETTINGS.shape ? defaultOf(key as keyof typeof SETTINGS.shape) : undefined;
      if (typeof value === 'number') expect(meaning).toContain(value === 0 ? 'never' : `${value}`);
    }
  });

  test('every variable but the metrics’ in automation.md, with the same default', () => {
    const table = new Map(
      rows('automation.md', 'Variable').map(([, name, , value]) => [name, value]),
    );
    for (const [key, variable] of Object.entries(VARIABLES)) {
      const value = defaultOf(key as keyof typeof VARIABLES);
      expect(table.has(variable) || key === 'metricsToken').toBe(true);
      if (typeof value === 'number' || typeof value === 'string') {
        expect(table.get(variable)).toBe(`${value}` || 'none');
      }
    }
  });
});
