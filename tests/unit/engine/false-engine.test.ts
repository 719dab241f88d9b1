import { mkdtemp, rm } from 'node:fs/promises';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Engine } from '../../../server/engine/engine.ts';
import { readOnlyDocker } from '../../../server/sandbox/read-only-docker.ts';

const MIB = 1024 ** 2;

let directory: string;
let path: string;
const servers: Server[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'false-'));
  path = join(directory, 'docker.sock');
});

afterEach(async () => {
  for (const server of servers.splice(0)) server.close();
  await rm(directory, { recursive: true });
});

async function listening<T extends Server>(server: T, at: string | number): Promise<T> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(at, resolve));
  return server;
}

/** A learner's program at the engine's socket: answers every request with `head`, then with `piece` without end. */
async function endless(head: string, piece: Buffer) {
  const counted = { sent: 0, connections: 0 };
  await listening(
    createServer((socket: Socket) => {
      counted.connections++;
      socket.on('error', () => undefined);
      socket.once('data', () => {
        socket.write(head);
        const pump = (): void => {
          do counted.sent += piece.length;
          while (socket.write(piece));
        };
        socket.on('drain', pump);
        pump();
      });
    }),
    path,
  );
  return counted;
}

async function answering(listener: RequestListener): Promise<void> {
  await listening(createHttpServer(listener), path);
}

const nested = () => new Engine('unix:///nowhere').nested('c', path);

/** What a socket and its kernel buffers hold beside what was read. */
const BUFFERED = 4 * MIB;

describe('an engine that a learner has put in the place of the host’s', () => {
  const JSON_HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n';
  test.each([
    ['an answer without end', `${JSON_HEAD}\r\n`, '['.repeat(64 * 1024)],
    [
      'an answer in pieces of one byte',
      `${JSON_HEAD}Transfer-Encoding: chunked\r\n\r\n`,
      '1\r\n[\r\n'.repeat(8_000),
    ],
    [
      'pieces that are all wrapping',
      `${JSON_HEAD}Transfer-Encoding: chunked\r\n\r\n`,
      `1;${'x'.repeat(8_000)}\r\n[\r\n`.repeat(8),
    ],
    ['an error without end', 'HTTP/1.1 500 Oh\r\n\r\n', 'x'.repeat(64 * 1024)],
    ['heads without an answer', '', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(2_000)],
  ])('gives up %s', async (_, head, piece) => {
    const counted = await endless(head, Buffer.from(piece));
    const docker = nested();
    await expect(docker.listContainers({ all: true })).rejects.toThrow();
    expect(counted.sent).toBeLessThan(8 * MIB + BUFFERED);
    // The next question does not even reach it.
    const { connections } = counted;
    await expect(docker.listContainers({ all: true })).rejects.toThrow(/more than .* of output/);
    expect(counted.connections).toBe(connections);
  });

  test('gives up an error without end where a stream was asked for', async () => {
    const counted = await endless('HTTP/1.1 500 Oh\r\n\r\n', Buffer.alloc(64 * 1024, 'x'));
    await expect(nested().getEvents({})).rejects.toThrow(/more than .* of output/);
    expect(counted.sent).toBeLessThan(8 * MIB + BUFFERED);
  });

  test('gives up events that are all wrapping', async () => {
    const head = `${JSON_HEAD}Transfer-Encoding: chunked\r\n\r\n`;
    const piece = `1;${'x'.repeat(8_000)}\r\n\n\r\n`.repeat(8);
    const counted = await endless(head, Buffer.from(piece));
    const events = await nested().getEvents({});
    const read = async () => {
      for await (const _ of events);
    };
    await expect(read()).rejects.toThrow();
    expect(counted.sent).toBeLessThan(8 * MIB + BUFFERED);
  });

  test('cannot send this machine elsewhere', async () => {
    const asked: (string | undefined)[] = [];
    const elsewhere = await listening(
      createHttpServer(({ url }, answer) => {
        asked.push(url);
        answer.end('[]');
      }),
      0,
    );
    const { port } = elsewhere.address() as { readonly port: number };
    const origin = `http://127.0.0.1:${port}`;
    await answering((_, answer) => {
      answer.writeHead(302, { Location: `${origin}/elsewhere` }).end();
    });
    await expect(nested().listContainers()).rejects.toThrow(/HTTP code 302/);
    // Whatever had been on its way before would be there first.
    await fetch(`${origin}/asked-by-the-test`);
    expect(asked).toEqual(['/asked-by-the-test']);
  });

  test('does not end the server with an answer that is nested without end', async () => {
    await answering((_, answer) => answer.end('['.repeat(100_000) + ']'.repeat(100_000)));
    const docker = readOnlyDocker(nested(), new AbortController().signal, async (error) => error);
    expect(await docker.listContainers()).toHaveLength(1);
  });
});

describe('a request', () => {
  test('says what the engine said of it', async () => {
    await answering((_, answer) => {
      answer.writeHead(404).end(JSON.stringify({ message: 'No such container: x' }));
    });
    await expect(nested().getContainer('x').inspect()).rejects.toMatchObject({
      statusCode: 404,
      reason: 'no such container',
      message: '(HTTP code 404) no such container - No such container: x ',
    });
  });

  test('ends with its signal, before and in the middle of the answer', async () => {
    const asked = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let requests = 0;
    await answering((_, answer) => {
      if (requests === 1) answer.writeHead(200).write('[');
      asked[requests++]?.resolve();
    });
    const docker = nested();
    for (const { promise } of asked) {
      const given = new AbortController();
      const answer = docker.listContainers({ abortSignal: given.signal });
      await promise;
      await new Promise(setImmediate);
      given.abort(new Error('the check has taken too long'));
      await expect(answer).rejects.toThrow('the check has taken too long');
    }
  });

  test('uses a connection again', async () => {
    const sockets = new Set<Socket>();
    await answering((request, answer) => {
      sockets.add(request.socket);
      answer.end('[]');
    });
    const docker = nested();
    for (let i = 0; i < 5; i++) expect(await docker.listContainers()).toEqual([]);
    expect(sockets.size).toBe(1);
  });
});
