import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { CouldNotCheck, defineLab } from '#lab';
import { createClient } from '../../../server/engine/client.ts';
import type { Engine } from '../../../server/engine/engine.ts';
import { Host } from '../../../server/sandbox/host.ts';
import { hostView } from '../../../server/sandbox/host-view.ts';
import { WakeTurns } from '../../../server/sandbox/wake-turns.ts';

const [SPEC] = defineLab({
  title: 'T',
  hosts: { server01: { address: '10.0.0.1/24', engine: true } },
  browser: 'server01',
  sections: [],
}).hosts;

/** A host whose engine is a false one: it answers what it likes. */
async function falseEngine(answers: Readonly<Record<string, unknown>>) {
  const directory = await mkdtemp(join(tmpdir(), 'host-view-'));
  const asked: string[] = [];
  const server = createServer(({ url = '' }, response) => {
    const path = url.replace(/\?.*/, '');
    asked.push(path);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(answers[path] ?? {}));
  });
  const socketPath = join(directory, 'docker.sock');
  await new Promise<void>((listening) => server.listen(socketPath, listening));
  const nested: Pick<Engine, 'nested'> = { nested: () => createClient({ socketPath }) };
  if (!SPEC) throw new Error('the lab has a host');
  const host = new Host(nested as Engine, SPEC, 'c1', undefined, new WakeTurns(2));
  return {
    view: hostView(host, new AbortController().signal),
    asked,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await rm(directory, { recursive: true });
    },
  };
}

test.each([
  ['containers', '/containers/json'],
  ['networks', '/networks'],
] as const)('an engine that lists %s without end is not asked about each', async (what, path) => {
  const all = Array.from({ length: 10_000 }, (_, at) => ({ Id: `${at}` }));
  await using engine = await falseEngine({ [path]: all });
  await expect(engine.view[what]()).rejects.toThrow(
    `server01 has 10000 ${what}; checks look at 256 at most. Remove those that you do not need.`,
  );
  expect(engine.asked).toEqual([path]);
});

test.each(['28.5.2', '28.5.2+dfsg4', '28.5.2-0ubuntu1~24.04.1'])(
  'an engine that says %s is version 28.5.2',
  async (Version) => {
    await using engine = await falseEngine({ '/version': { Version } });
    expect(await engine.view.engineVersion()).toBe('28.5.2');
  },
);

test('a command that prints without end could not be checked, and the reason says why', async () => {
  let isAsked = false;
  const stream: Duplex = new Duplex({
    read: () => void (isAsked && stream.push(Buffer.alloc(64 * 1024, 'y\n'))),
    write: (_chunk, _encoding, done) => {
      isAsked = true;
      stream.push('y\n');
      done();
    },
  });
  const dial = async () => ({ stream, [Symbol.asyncDispose]: async () => void stream.destroy() });
  if (!SPEC) throw new Error('the lab has a host');
  const host = new Host({ dial } as unknown as Engine, SPEC, 'c1', undefined, new WakeTurns(2));
  const view = hostView(host, new AbortController().signal);
  await expect(view.routes()).rejects.toThrow(
    new CouldNotCheck('server01 said more than 256 KiB.'),
  );
  expect(stream.destroyed).toBe(true);
});

test('a host whose shell does not come up in time could not be checked, and no defect of the check is told', async () => {
  const late = new DOMException('no answer within 20 s', 'TimeoutError');
  if (!SPEC) throw new Error('the lab has a host');
  const dial = () => Promise.reject(late);
  const host = new Host({ dial } as unknown as Engine, SPEC, 'c1', undefined, new WakeTurns(2));
  const view = hostView(host, new AbortController().signal);
  const busy = new CouldNotCheck('server01 did not answer in time; it may be busy.');
  await expect(view.routes()).rejects.toThrow(busy);
  await expect(view.script('true')).rejects.toThrow(busy);
});
