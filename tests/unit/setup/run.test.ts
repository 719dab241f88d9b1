import { cp, mkdir, mkdtemp, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { spawn } from 'node-pty';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

const PROJECT = resolve(import.meta.dirname, '../../..');

/** In place of the server: what needs no engine. */
const SERVER = join(import.meta.dirname, 'run-server.ts');

/** A project that starts its server as ours does. */
let project: string;
beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'quayside-run-'));
  for (const file of [
    ...['setup/run.mjs', 'setup/preload.mjs', 'setup/early.mjs'],
    'server/engine/debian.mjs',
  ]) {
    await cp(join(PROJECT, file), join(project, file));
  }
  const { scripts } = JSON.parse(await readFile(join(PROJECT, 'package.json'), 'utf8'));
  await writeFile(join(project, 'package.json'), JSON.stringify({ type: 'module', scripts }));
  await writeFile(join(project, 'package-lock.json'), '{}');
  await writeFile(join(project, 'server/main.ts'), `await import('${SERVER}');`);
  await mkdir(join(project, 'node_modules/.bin'), { recursive: true });
  await symlink(process.execPath, join(project, 'node_modules/.bin/node'));
  await writeFile(join(project, 'node_modules/.package-lock.json'), '{}');
});
afterAll(() => rm(project, { recursive: true }));

/** `npm start` as a program starts it: without a terminal. */
async function npmStart(...args: readonly string[]) {
  const child = execa('npm', ['start', '--', ...args], {
    cwd: project,
    stdin: 'ignore',
    reject: false,
    detached: true,
  });
  const lines = child.iterable();
  const until = async (pattern: RegExp) => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done) throw new Error(`ended before ${pattern}`);
      const found = pattern.exec(String(value));
      if (found) return found;
    }
  };
  const [, pid] = await until(/^ready (\d+)$/);
  if (child.pid === undefined) throw new Error('npm has not started');
  return {
    child,
    npm: child.pid,
    pid: Number(pid),
    until,
    [Symbol.asyncDispose]: async () => {
      if (isAlive(Number(pid))) process.kill(Number(pid), 'SIGKILL');
      await child;
    },
  };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('npm start, started by a program', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('ends the server in good order at %s', async (signal) => {
    await using started = await npmStart();
    const { child, npm, pid } = started;
    process.kill(npm, signal);
    const { exitCode, stdout } = await child;
    expect(stdout.split('\n').slice(-3)).toEqual([`heard ${signal}`, 'stopping', 'stopped']);
    expect(exitCode).toBe(0);
    expect(isAlive(pid)).toBe(false);
  });

  it('takes a signal to each process of its group as the one request that it is', async () => {
    await using started = await npmStart();
    const { child, npm, pid } = started;
    process.kill(-npm, 'SIGTERM');
    const { stdout } = await child;
    // Only the server itself can say it: npm does not wait for it.
    expect(stdout).toMatch(/stopped$/);
    expect(isAlive(pid)).toBe(false);
  });

  it('ends at once at a second request, and says so in its status', async () => {
    await using started = await npmStart('--hang');
    const { child, npm, until, pid } = started;
    process.kill(npm, 'SIGTERM');
    await until(/^stopping$/);
    // Once more, until it is no copy of the first.
    while (isAlive(pid)) {
      process.kill(npm, 'SIGTERM');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect((await child).exitCode).toBe(143);
  });
});

it('npm start in a terminal ends the server at Ctrl-C, which it hears once', async () => {
  const terminal = spawn('npm', ['start'], { cwd: project, env: process.env });
  let screen = '';
  terminal.onData((text) => {
    screen += text;
    if (/ready \d+\r\n$/.test(screen)) terminal.write('\u0003');
  });
  const { exitCode } = await new Promise<{ exitCode: number }>((ended) => {
    terminal.onExit(ended);
  });
  expect(screen.match(/heard \w+/g)).toEqual(['heard SIGINT']);
  expect(screen).toContain('stopped');
  expect(exitCode).toBe(0);
});

it('a program’s own status is that of the command', async () => {
  await writeFile(join(project, 'setup/check.ts'), 'process.exit(7);');
  const { exitCode } = await execa('npm', ['run', 'check'], { cwd: project, reject: false });
  expect(exitCode).toBe(7);
  await writeFile(join(project, 'setup/check.ts'), "process.kill(process.pid, 'SIGKILL');");
  const killed = await execa('npm', ['run', 'check'], { cwd: project, reject: false });
  expect(killed.exitCode).toBe(137);
});

describe('the project’s packages', () => {
  let bin: string;
  let asked: string;
  const devPackage = () => join(project, 'node_modules', 'a-tester');
  beforeEach(async () => {
    bin = await mkdtemp(join(tmpdir(), 'quayside-bin-'));
    asked = join(bin, 'asked');
    const { scripts } = JSON.parse(await readFile(join(PROJECT, 'package.json'), 'utf8'));
    const wants = { type: 'module', scripts, devDependencies: { 'a-tester': '1.0.0' } };
    await writeFile(join(project, 'package.json'), JSON.stringify(wants));
    await writeFile(join(project, 'setup/check.ts'), '');
    await mkdir(join(project, 'server/cli'), { recursive: true });
    await writeFile(join(project, 'server/cli/clean.ts'), '');
    // In npm's place: notes what it was asked, and installs that.
    const npm = `#!/bin/sh
echo "$*" >> ${asked}
case "$*" in *--include=dev*) mkdir -p ${devPackage()};; esac
touch ${join(project, 'node_modules/.package-lock.json')}
`;
    await writeFile(join(bin, 'npm'), npm, { mode: 0o755 });
  });
  afterEach(async () => {
    await rm(bin, { recursive: true });
    await rm(devPackage(), { recursive: true, force: true });
  });

  /** One of the project's commands, with that npm. @returns how npm was asked, in turns */
  async function run(program: string): Promise<readonly string[]> {
    const env = { PATH: `${bin}:${process.env.PATH}` };
    await execa(process.execPath, ['setup/run.mjs', program], { cwd: project, env });
    const lines = await readFile(asked, 'utf8').catch(() => '');
    return lines.split('\n').flatMap((line) => /--(omit|include)=dev/.exec(line)?.[1] ?? []);
  }
  /** The list of packages is newer than what is installed. */
  const change = () => utimes(join(project, 'node_modules/.package-lock.json'), 0, 0);

  it('are installed without what only developers need, where a learner’s machine starts', async () => {
    await change();
    expect(await run('server/cli/clean.ts')).toEqual(['omit']);
    expect(await run('server/cli/clean.ts'), 'once').toEqual(['omit']);
  });

  it('get the rest with the first program of developers, and keep it', async () => {
    expect(await run('setup/check.ts')).toEqual(['include']);
    expect(await run('setup/check.ts'), 'once').toEqual(['include']);
    await change();
    expect(await run('server/cli/clean.ts')).toEqual(['include', 'include']);
  });
});

describe('npm that fails on a fresh machine', () => {
  let bin: string;
  beforeEach(async () => {
    bin = await mkdtemp(join(tmpdir(), 'quayside-bin-'));
    // npm fails once the other installation has begun; that one ends when it is told to, and not before.
    const npm = `#!/bin/sh
while [ ! -e ${bin}/begun ]; do sleep 0.1; done
echo 'npm error 404 Not Found' >&2
exit 1
`;
    await writeFile(join(bin, 'npm'), npm, { mode: 0o755 });
    await writeFile(
      join(project, 'setup/early.mjs'),
      `import { writeFileSync } from 'node:fs';
export const isFresh = () => true;
if (process.argv[1]?.endsWith('early.mjs')) {
  process.on('SIGTERM', () => {
    console.error('apt came to its end');
    process.exit();
  });
  writeFileSync('${bin}/begun', '');
  setInterval(() => undefined, 1_000);
}
`,
    );
    await utimes(join(project, 'node_modules/.package-lock.json'), 0, 0);
  });
  afterEach(async () => {
    await rm(bin, { recursive: true });
    await cp(join(PROJECT, 'setup/early.mjs'), join(project, 'setup/early.mjs'));
    await writeFile(join(project, 'node_modules/.package-lock.json'), '{}');
  });

  it('is told last, after the engine’s installation has come to its end', async () => {
    const env = { PATH: `${bin}:${process.env.PATH}` };
    const { exitCode, stderr } = await execa(
      process.execPath,
      ['setup/run.mjs', 'server/main.ts'],
      {
        ...{ cwd: project, env, reject: false },
      },
    );
    expect(exitCode).toBe(1);
    expect(stderr.split('\n').filter((line) => line !== '')).toEqual([
      'Installing the project’s packages (about a minute) …',
      'npm error 404 Not Found',
      'Waiting for the installation of the Docker Engine to come to its end …',
      'apt came to its end',
      'The packages could not be installed; npm says why above.',
      '→ Try it by hand: npm install',
    ]);
  });
});
