import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HELP, readCommandLine } from '../../../server/cli/args.ts';
import { readConfig } from '../../../server/cli/config.ts';

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
  for (const line of lines) {
    const [, name = '', takes] = /^ {2}--(\S+)(?: <(\w+)>)? +\S/.exec(line) ?? [];
    const argv = takes === undefined ? [`--${name}`] : [`--${name}`, 'x'];
    expect(readCommandLine(argv)).toHaveProperty(name);
  }
});

test('a class is named on the command line', () => {
  expect(read(['--class', 'Docker 101', '--new-secret']).classroom).toEqual({
    name: 'Docker 101',
    learnersMost: 100,
    newSecret: true,
    newCode: false,
  });
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

describe('what has no meaning is refused, with the nearest that has', () => {
  test.each([
    [{ clas: 'A' }, 'there is no setting clas; did you mean class?'],
    [{ class: 'A', sandbox: 3 }, 'did you mean sandboxes?'],
    [{ class: 'A', port: 'x' }, 'port:'],
    [{ class: 'A', origins: 'https://a.example' }, 'origins:'],
    ['{ class: A }', 'is no JSON'],
  ])('in the file: %j', (content, says) => {
    expect(() => read(['--config', file(content)])).toThrow(says);
  });

  test.each([
    [['--clas', 'A'], 'Did you mean --class?'],
    [['--class'], 'not understood'],
    [['--class', ' '], 'A class needs a name'],
    [['--new-secret'], 'are a class’s'],
    [['--class', 'A', '--cert', 'x'], 'goes with its key'],
    [['--class', 'A', '--cert', '/nowhere', '--key', '/nowhere'], 'cannot be read'],
    [['--config', '/nowhere'], 'cannot be read'],
    [['extra'], 'not understood'],
  ])('on the command line: %j', (argv, says) => {
    expect(() => read(argv)).toThrow(says);
  });
});
