import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Dockerode from 'dockerode';
import { expect, test } from 'vitest';
import { defineLab } from '#lab';
import type { Engine } from '../../../server/engine/engine.ts';
import { Host } from '../../../server/sandbox/host.ts';
import { hostView } from '../../../server/sandbox/host-view.ts';

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
  const nested: Pick<Engine, 'nested'> = { nested: () => new Dockerode({ socketPath }) };
  if (!SPEC) throw new Error('the lab has a host');
  const host = new Host(nested as Engine, SPEC, 'c1', undefined);
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
