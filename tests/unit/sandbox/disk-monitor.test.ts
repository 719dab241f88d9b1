import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Engine } from '../../../server/engine/engine.ts';
import { measure } from '../../../server/sandbox/disk-monitor.ts';

const MIB = 1024 ** 2;
const NEVER = new AbortController().signal;
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'disk-'));
  await writeFile(join(directory, 'big'), Buffer.alloc(3 * MIB, 1));
});

afterEach(() => rm(directory, { recursive: true }));

/** An engine of one host, which is as `inspect` says. */
function engineOf(inspect: (options: { size?: boolean }) => unknown) {
  const Labels = { 'quayside.sandbox': 's', 'quayside.host': 'server01' };
  return {
    docker: {
      listContainers: async () => [{ Id: 'c1', Labels }],
      getContainer: () => ({ inspect: async (options: object) => inspect(options) }),
    },
  } as unknown as Engine;
}

test('a host holds its own layer and its volumes', async () => {
  const Mounts = [
    { Type: 'volume', Source: join(directory, 'volume') },
    { Type: 'bind', Source: '/' },
  ];
  const layer = join(directory, 'big');
  const engine = engineOf(() => ({ GraphDriver: { Data: { UpperDir: layer } }, Mounts }));
  const [disk] = await measure(engine, 'i', NEVER);
  expect(disk).toMatchObject({ sandbox: 's', host: 'server01' });
  expect(disk?.bytes).toBeGreaterThanOrEqual(3 * MIB);
  expect(disk?.bytes).toBeLessThan(4 * MIB);
});

test('where the engine keeps no layer that can be looked at, it says itself how much there is', async () => {
  const engine = engineOf(({ size }) => ({
    Mounts: [{ Type: 'volume', Source: directory }],
    ...(size ? { SizeRw: 500 * MIB } : {}),
  }));
  const [disk] = await measure(engine, 'i', NEVER);
  expect(disk?.bytes).toBeGreaterThanOrEqual(503 * MIB);
});

test('a host that goes away meanwhile holds nothing', async () => {
  const engine = engineOf(() => {
    throw new Error('no such container');
  });
  expect(await measure(engine, 'i', NEVER)).toMatchObject([{ bytes: 0 }]);
});

test('measuring ends with its signal', async () => {
  const engine = engineOf(() => new Promise(() => undefined));
  const stopped = new AbortController();
  const measured = measure(engine, 'i', stopped.signal);
  stopped.abort(new Error('the server stops'));
  await expect(measured).rejects.toThrow('the server stops');
});
