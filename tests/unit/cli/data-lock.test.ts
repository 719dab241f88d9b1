import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DataLock } from '../../../server/cli/data-lock.ts';

const PROJECT = resolve(import.meta.dirname, '../../..');

let data: string;
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'quayside-data-'));
});
afterEach(() => rmSync(data, { recursive: true }));

/** One of the project's programs, on the data folder. It gets no engine: it must not come so far. */
async function run(program: string) {
  const { exitCode, stderr } = await execa(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', program],
    {
      cwd: PROJECT,
      reject: false,
      env: { QUAYSIDE_DATA: data, PORT: '0', DOCKER_HOST: 'unix:///nowhere/docker.sock' },
    },
  );
  return { exitCode, stderr: stderr.trim() };
}

const SINCE = String.raw`\(since \d+ \w+ \d{4}, [\d:]+\)`;

describe('while a server has the data folder', () => {
  it('another server refuses to start, and says who has it and what to type', async () => {
    using lock = DataLock.take(data, 'serve');
    lock.servedAt('http://127.0.0.1:4321');
    const { exitCode, stderr } = await run('server/main.ts');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      new RegExp(
        `^The data folder ${data} is in use: process ${process.pid} serves it at http://127.0.0.1:4321 ${SINCE}\\.
→ Use that server; or stop that process \\(kill ${process.pid}\\); or give this one a folder of its own: QUAYSIDE_DATA=<folder> npm start$`,
      ),
    );
  });

  it('npm run clean refuses as well, also before the server listens', async () => {
    using _lock = DataLock.take(data, 'serve');
    const { exitCode, stderr } = await run('server/cli/clean.ts');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      new RegExp(
        `^The data folder ${data} is in use: process ${process.pid} starts a server on it ${SINCE}\\.
→ To remove its hosts, stop that process \\(kill ${process.pid}\\) and type npm run clean again\\.$`,
      ),
    );
  });

  it('neither has touched anything in it', async () => {
    using lock = DataLock.take(data, 'serve');
    await Promise.all([run('server/main.ts'), run('server/cli/clean.ts')]);
    expect(existsSync(join(data, 'quayside.sqlite'))).toBe(false);
    expect(() => DataLock.take(data, 'serve')).toThrow(`process ${process.pid} starts a server`);
    lock[Symbol.dispose]();
  });
});

it('while npm run clean is at work, a server refuses to start', () => {
  using _lock = DataLock.take(data, 'clean');
  expect(() => DataLock.take(data, 'serve')).toThrow(
    `process ${process.pid} removes its sandboxes (npm run clean, since`,
  );
});

it('what a killed server has left in the folder does not hinder the next one', () => {
  writeFileSync(join(data, 'server.lock'), '');
  writeFileSync(
    join(data, 'server.json'),
    JSON.stringify({ does: 'serve', pid: 1, machine: hostname(), since: 0, url: 'http://old' }),
  );
  using lock = DataLock.take(data, 'serve');
  lock.servedAt('http://new');
  expect(() => DataLock.take(data, 'clean')).toThrow(
    `process ${process.pid} serves it at http://new`,
  );
});

it('a process of another machine or container is named with it, and no kill is advised', () => {
  using _lock = DataLock.take(data, 'serve');
  const holder = { does: 'serve', pid: 7, machine: '3f2a1b', since: 0, url: 'http://0.0.0.0:4321' };
  writeFileSync(join(data, 'server.json'), JSON.stringify(holder));
  expect(() => DataLock.take(data, 'serve')).toThrow('process 7 on 3f2a1b serves it at');
  expect(() => DataLock.take(data, 'clean')).toThrow(
    expect.objectContaining({
      code: 'DATA_IN_USE',
      remedy: 'To remove its hosts, stop that process and type npm run clean again.',
    }),
  );
});

it('a holder whose note cannot be read is a holder all the same', () => {
  using _lock = DataLock.take(data, 'serve');
  writeFileSync(join(data, 'server.json'), '{');
  expect(() => DataLock.take(data, 'serve')).toThrow(`${data} is in use: another process has it.`);
});

it('once it is let go of, it is the next one’s, and letting go again takes nothing from that one', () => {
  const first = DataLock.take(data, 'serve');
  first[Symbol.dispose]();
  using second = DataLock.take(data, 'serve');
  second.servedAt('http://second');
  first[Symbol.dispose]();
  expect(() => DataLock.take(data, 'serve')).toThrow('http://second');
});

it('a folder that cannot be used is refused with its reason', () => {
  writeFileSync(join(data, 'file'), '');
  expect(() => DataLock.take(join(data, 'file', 'data'), 'serve')).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID' }),
  );
});
