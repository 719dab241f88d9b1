import { once } from 'node:events';
import { createServer, get, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { DialAgent, dialed } from '../../../server/engine/dial-agent.ts';

/** As many as a check may use, and the one for events. */
const MOST = 5;

let undo: AsyncDisposableStack;
beforeEach(() => {
  undo = new AsyncDisposableStack();
});
afterEach(() => undo.disposeAsync());

/** A host's engine, and how a connection to it is made. */
async function engine() {
  const server = createServer((request, response) => response.end(`you asked ${request.url}`));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  undo.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return async (): Promise<Duplex> => {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return socket;
  };
}

function agentFor(dial: () => Promise<Duplex>): DialAgent {
  const agent = new DialAgent(dialed(dial));
  undo.defer(() => agent.destroy());
  return agent;
}

async function ask(agent: DialAgent, path: string): Promise<string> {
  const [response] = (await once(get({ agent, path }), 'response')) as [IncomingMessage];
  return await text(response);
}

test('requests share the connections, of which there are never more', async () => {
  const dial = vi.fn(await engine());
  const agent = agentFor(dial);
  const paths = Array.from({ length: 30 }, (_, index) => `/${index}`);
  expect(await Promise.all(paths.map((path) => ask(agent, path)))).toEqual(
    paths.map((path) => `you asked ${path}`),
  );
  expect(dial.mock.calls.length).toBeLessThanOrEqual(MOST);
});

test('where dialing takes longer than anybody waits, it is not begun again and again', async () => {
  const dialEngine = await engine();
  const slow = Promise.withResolvers<void>();
  const dial = vi.fn(async () => {
    await slow.promise;
    return await dialEngine();
  });
  const agent = agentFor(dial);
  for (let round = 0; round < 20; round += 1) {
    const requests = Array.from({ length: MOST }, () => get({ agent, path: '/given-up' }));
    const ended = requests.map((request) => once(request, 'error'));
    await new Promise(setImmediate);
    for (const request of requests) request.destroy(new Error('it took too long'));
    await Promise.all(ended);
  }
  expect(dial).toHaveBeenCalledTimes(MOST);
  slow.resolve();
  expect(await ask(agent, '/later')).toBe('you asked /later');
});

test('a dial that fails is the error of its request, and the next request dials anew', async () => {
  const dial = vi.fn(await engine());
  const refusal = new Error('no such container');
  dial.mockRejectedValueOnce(refusal);
  const agent = agentFor(dial);
  await expect(ask(agent, '/one')).rejects.toMatchObject({
    message: 'no connection',
    cause: refusal,
  });
  expect(await ask(agent, '/two')).toBe('you asked /two');
});

test('a connection that comes when nobody wants it any more is closed', async () => {
  const dialEngine = await engine();
  const slow = Promise.withResolvers<void>();
  let made: Duplex | undefined;
  const begun = Promise.withResolvers<void>();
  const connection = dialed(async () => {
    begun.resolve();
    await slow.promise;
    made = await dialEngine();
    return made;
  })();
  await begun.promise;
  connection.destroy();
  slow.resolve();
  await expect.poll(() => made?.destroyed).toBe(true);
});
