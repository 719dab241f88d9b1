import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { deflateRawSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { encodeServerFrame, TERMINAL_CLOSE } from '#protocol';
import {
  type ConnectionState,
  type Standing,
  TerminalConnection,
} from '../../../src/client/terminal/connection.ts';

/** A server that has no terminal for anybody: it refuses the upgrade, or closes the socket with `code`. */
async function unwelcoming(code?: number): Promise<{ url: string; asked(): number } & Disposable> {
  let asked = 0;
  const server = createServer().listen(0, '127.0.0.1');
  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    asked += 1;
    // A client that has gone may reset it.
    socket.on('error', () => undefined);
    if (code === undefined) socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n');
    else sockets.handleUpgrade(request, socket, head, (open) => open.close(code));
  });
  await new Promise((listening) => server.once('listening', listening));
  const { port } = server.address() as AddressInfo;
  return {
    url: `ws://127.0.0.1:${port}/`,
    asked: () => asked,
    [Symbol.dispose]: () => {
      for (const socket of sockets.clients) socket.terminate();
      server.close();
    },
  };
}

function connect(url: string, ask?: () => Promise<Standing>) {
  const states: ConnectionState[] = [];
  const connection = new TerminalConnection(
    url,
    'active',
    {
      state: (state) => states.push(state),
      attached: () => undefined,
      output: () => undefined,
      reset: () => undefined,
      size: () => undefined,
      givenUp: () => undefined,
    },
    ask,
  );
  return { connection, states };
}

test.each(['closed', 'signed-out'] as const)(
  'a socket that is refused is asked about, and not tried for ever: %s',
  async (standing) => {
    using server = await unwelcoming();
    const { connection, states } = connect(server.url, async () => standing);
    using _ = connection;
    await expect.poll(() => states.at(-1)).toEqual({ state: 'gone', why: standing });
    expect(server.asked()).toBe(1);
    expect(connection.type('x')).toBe(false);
  },
);

test('a browser that was signed out comes back when it is looked at again; a closed terminal does not', async () => {
  using server = await unwelcoming();
  let standing: Standing = 'signed-out';
  const { connection, states } = connect(server.url, async () => standing);
  using _ = connection;
  await expect.poll(() => states.at(-1)).toEqual({ state: 'gone', why: 'signed-out' });
  standing = 'closed';
  connection.hurry();
  await expect.poll(() => states.at(-1)).toEqual({ state: 'gone', why: 'closed' });
  connection.hurry();
  expect(server.asked()).toBe(2);
});

test('where the server can say nothing of it, the terminal is tried again', async () => {
  using server = await unwelcoming();
  const { connection } = connect(server.url, () => Promise.reject(new Error('no server')));
  using _ = connection;
  await expect.poll(() => server.asked()).toBeGreaterThan(2);
  expect(connection.state).toEqual({ state: 'connecting' });
});

test.each([
  ['gone', 'closed'],
  ['crowded', 'crowded'],
  ['version', 'version'],
] as const)('a close with the code %s is final', async (code, why) => {
  using server = await unwelcoming(TERMINAL_CLOSE[code]);
  const { connection, states } = connect(server.url);
  using _ = connection;
  await expect.poll(() => states.at(-1)).toEqual({ state: 'gone', why });
  expect(server.asked()).toBe(1);
});

test('older output that comes packed is handed on as it was printed', async () => {
  const bytes = new TextEncoder().encode('a line\r\n'.repeat(100));
  const preamble = new Uint8Array();
  const sockets = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  sockets.on('connection', (socket) => {
    const packed = { bytes: deflateRawSync(bytes), preamble, packed: true } as const;
    socket.send(encodeServerFrame({ type: 'older', offset: 7, ...packed }));
  });
  await new Promise((listening) => sockets.once('listening', listening));
  const { port } = sockets.address() as AddressInfo;
  const older = Promise.withResolvers<{ readonly bytes: Uint8Array; readonly offset: number }>();
  const nothing = () => undefined;
  using _ = new TerminalConnection(`ws://127.0.0.1:${port}/`, 'active', {
    state: nothing,
    attached: nothing,
    output: nothing,
    reset: nothing,
    older: older.resolve,
    size: nothing,
    givenUp: nothing,
  });
  expect(await older.promise).toMatchObject({ offset: 7, bytes });
  sockets.close();
});
