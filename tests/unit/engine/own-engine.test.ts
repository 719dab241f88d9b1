import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFile,
  copyFile,
  mkdir,
  mkdtemp,
  open,
  readFile,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Engine } from '../../../server/engine/engine.ts';
import {
  assertPossible,
  boundEngineLog,
  ownEngineAddress,
  stopOwnEngine,
} from '../../../server/engine/own-engine.ts';

const MIB = 1024 ** 2;

let home: string;
let log: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'quayside-engine-'));
  log = join(home, 'engine.log');
});
afterEach(() => rm(home, { recursive: true }));

const own = () => new Engine(ownEngineAddress(home));
const size = async (path: string) => (await stat(path)).size;

describe('the log of an engine of our own', () => {
  it('begins anew once it is long, and what came last is kept; the daemon goes on writing', async () => {
    await using daemon = await open(log, 'a');
    await daemon.write('x'.repeat(17 * MIB));
    await daemon.write('last words');
    await boundEngineLog(own(), home);
    await daemon.write('next');
    expect(await readFile(log, 'utf8')).toBe('next');
    expect((await readFile(`${log}.1`, 'utf8')).endsWith('xlast words')).toBe(true);
    await daemon.write('y'.repeat(17 * MIB));
    await boundEngineLog(own(), home);
    expect(await size(log)).toBe(0);
    expect(await size(`${log}.1`), 'as much as it may have itself').toBe(16 * MIB);
  });

  it('is left alone while it is short, and where another engine is used', async () => {
    await boundEngineLog(own(), home);
    await appendFile(log, 'x'.repeat(MIB));
    await boundEngineLog(own(), home);
    expect(await size(log)).toBe(MIB);
    await appendFile(log, 'x'.repeat(17 * MIB));
    await boundEngineLog(new Engine('unix:///var/run/docker.sock'), home);
    expect(await size(log)).toBe(18 * MIB);
  });
});

describe('an engine of our own that is to stop', () => {
  /** A process by an engine's name that does not end when it is told to. */
  async function stubborn() {
    await mkdir(join(home, 'run'));
    await copyFile('/bin/bash', join(home, 'dockerd'), 0);
    const script = 'trap "" TERM; echo there; while read -r line; do :; done';
    const daemon = spawn(join(home, 'dockerd'), ['-c', script]);
    const ended = once(daemon, 'exit');
    await once(daemon.stdout, 'data');
    await writeFile(join(home, 'run/engine.pid'), String(daemon.pid));
    return {
      pid: daemon.pid,
      [Symbol.asyncDispose]: async () => {
        daemon.stdin.end();
        await ended;
      },
    };
  }
  afterEach(() => vi.restoreAllMocks());

  it('and does not end is named, with where it says why', async () => {
    await using daemon = await stubborn();
    await expect(stopOwnEngine(home, 1)).rejects.toMatchObject({
      code: 'ENGINE_REFUSES',
      message: expect.stringContaining(`(process ${daemon.pid})`),
      remedy: expect.stringContaining(`tail ${log}`),
    });
  });

  it('is root’s to stop', async () => {
    await using _ = await stubborn();
    vi.spyOn(process, 'kill').mockImplementation(() => {
      throw Object.assign(new Error('kill EPERM'), { code: 'EPERM' });
    });
    await expect(stopOwnEngine(home)).rejects.toMatchObject({
      code: 'ENGINE_REFUSES',
      remedy: 'Stop it as root: sudo npm run engine -- stop',
    });
  });

  it('is none where it has never run', async () => {
    expect(await stopOwnEngine(home)).toBe(false);
  });
});

describe('where the engine is installed and does not run', () => {
  const user = process as Required<Pick<NodeJS.Process, 'getuid'>>;
  beforeEach(async () => {
    await appendFile(join(home, 'dockerd'), '');
    vi.stubEnv('PATH', home);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  });

  it('somebody who is not root is told how it is started, and not to install it', async () => {
    vi.spyOn(user, 'getuid').mockReturnValue(1000);
    await expect(assertPossible()).rejects.toMatchObject({
      code: 'ENGINE_MISSING',
      remedy: expect.stringMatching(
        /^Start it: sudo (systemctl start docker|service docker start)$/,
      ),
    });
  });

  it('root may start one, whatever distribution it is', async () => {
    vi.spyOn(user, 'getuid').mockReturnValue(0);
    await expect(assertPossible()).resolves.toBeUndefined();
  });
});
