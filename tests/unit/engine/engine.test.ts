import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Engine } from '../../../server/engine/engine.ts';
import { OutputLimitError } from '../../../server/engine/output-limit.ts';

let directory: string;
let engine: Engine;
let server: ReturnType<typeof createServer>;
/** What was asked, and the connections that were given to processes. */
let asked: string[];
let given: Duplex[];
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let onProcess: (connection: Duplex) => void;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'engine-'));
  const path = join(directory, 'docker.sock');
  asked = [];
  given = [];
  onProcess = () => undefined;
  answer = ({ url }, response) => {
    if (url?.endsWith('/exec')) response.writeHead(201).end('{"Id":"e1"}');
    else if (url?.endsWith('/json')) response.end('{"ExitCode":3}');
    else response.writeHead(404).end('{"message":"no"}');
  };
  server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    answer(request, response);
  });
  server.on('upgrade', (request: IncomingMessage, connection: Duplex) => {
    asked.push(`${request.method} ${request.url}`);
    connection.on('error', () => undefined);
    given.push(connection);
    connection.write('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n');
    connection.resume();
    onProcess(connection);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  engine = new Engine(`unix://${path}`);
});

afterEach(async () => {
  vi.useRealTimers();
  for (const connection of given) connection.destroy();
  server.closeAllConnections();
  server.close();
  await rm(directory, { recursive: true });
});

function printed(text: string | Buffer): Buffer {
  const data = Buffer.from(text);
  const head = Buffer.alloc(8);
  head[0] = 1;
  head.writeUInt32BE(data.length, 4);
  return Buffer.concat([head, data]);
}

const ended = new AbortController();
ended.abort(new Error('the session was ended'));

test('a process is run to its end, and asked how it ended only then', async () => {
  onProcess = (connection) => connection.end(printed('hello'));
  expect(await engine.run('c1', ['x'])).toEqual({ status: 3, stdout: 'hello', stderr: '' });
  expect(asked).toEqual(['POST /containers/c1/exec', 'POST /exec/e1/start', 'GET /exec/e1/json']);
});

test('one whose end nobody asks for costs no further question', async () => {
  const { stream } = await engine.dial('c1', ['x']);
  stream.destroy();
  await new Promise((resolve) => given[0]?.once('end', resolve));
  expect(asked).toEqual(['POST /containers/c1/exec', 'POST /exec/e1/start']);
});

test('nothing is asked for a signal that was aborted before', async () => {
  const { signal } = ended;
  await expect(engine.dial('c1', ['x'], { signal })).rejects.toThrow('the session was ended');
  expect(asked).toEqual([]);
});

test.each(['/exec', '/start'])(
  'an abort is heard while the engine does not answer %s',
  async (to) => {
    const hanging = Promise.withResolvers<void>();
    const before = answer;
    answer = (request, response) =>
      request.url?.endsWith(to) ? hanging.resolve() : before(request, response);
    if (to === '/start') {
      server.removeAllListeners('upgrade').on('upgrade', (_, connection: Duplex) => {
        given.push(connection);
        hanging.resolve();
      });
    }
    const stopped = new AbortController();
    const dialing = engine.dial('c1', ['x'], { signal: stopped.signal });
    await hanging.promise;
    stopped.abort(new Error('the session was ended'));
    await expect(dialing).rejects.toThrow('the session was ended');
  },
);

test('where a process takes long to start, it is not begun again and again, though its line is there', async () => {
  let pid = 0;
  answer = ({ url }, response) => {
    if (url?.endsWith('/exec')) response.writeHead(201).end('{"Id":"e1"}');
    else response.end(`{"Pid":${pid},"Running":true,"ExitCode":null}`);
  };
  const starts = () => asked.filter((each) => each.endsWith('/start')).length;
  for (let attempt = 0; attempt < 8; attempt++) {
    const { stream } = await engine.dial('c1', ['x']);
    stream.destroy();
  }
  const next = engine.dial('c1', ['x']);
  await vi.waitFor(() =>
    expect(asked.filter((each) => each.endsWith('/json')).length).toBeGreaterThan(16),
  );
  expect(starts()).toBe(8);
  pid = 41;
  const { started } = await next;
  await started;
  expect(starts()).toBe(9);
});

test('an abort ends the process’s stream, and what is done leaves nothing at the signal', async () => {
  const stopped = new AbortController();
  const added = vi.spyOn(stopped.signal, 'addEventListener');
  const removed = vi.spyOn(stopped.signal, 'removeEventListener');
  const one = await engine.dial('c1', ['x'], { signal: stopped.signal });
  await one[Symbol.asyncDispose]();
  expect(removed.mock.calls.length).toBe(added.mock.calls.length);
  const { stream } = await engine.dial('c1', ['x'], { signal: stopped.signal });
  const closed = new Promise((resolve) => stream.once('close', resolve));
  stopped.abort();
  await closed;
});

test('what a process prints is read up to a MiB', async () => {
  let written = 0;
  onProcess = (connection) => {
    const flood = printed(Buffer.alloc(32 * 1024));
    const pump = (): void => {
      do written += flood.length;
      while (connection.write(flood));
    };
    connection.on('drain', pump);
    pump();
  };
  await expect(engine.run('c1', ['yes'])).rejects.toThrow(OutputLimitError);
  expect(written).toBeLessThan(8 * 1024 ** 2);
});

test('an engine that takes the question and never answers is away after some seconds', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const pinged = Promise.withResolvers<void>();
  answer = () => pinged.resolve();
  const isAway = engine.isAway();
  await pinged.promise;
  await vi.advanceTimersByTimeAsync(5_000);
  expect(await isAway).toBe(true);
});

test('a request that the engine never answers ends by itself, and says so', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const reached = Promise.withResolvers<void>();
  answer = () => reached.resolve();
  const told = expect(engine.docker.listContainers()).rejects.toThrow(
    'The Docker Engine has not answered for 60 s.',
  );
  await reached.promise;
  await vi.advanceTimersByTimeAsync(60_000);
  await told;
});

test('whether it is away is not waited for longer than the signal', async () => {
  const pinged = Promise.withResolvers<void>();
  answer = () => pinged.resolve();
  const stopped = new AbortController();
  const isAway = engine.isAway(stopped.signal);
  await pinged.promise;
  stopped.abort(new Error('the session was ended'));
  await expect(isAway).rejects.toThrow('the session was ended');
});

test('a container that could not be started is removed', async () => {
  answer = ({ url, method }, response) => {
    if (url?.startsWith('/containers/create')) response.writeHead(201).end('{"Id":"c9"}');
    else if (method === 'DELETE') response.writeHead(204).end();
    else response.writeHead(500).end('{"message":"no room"}');
  };
  await expect(engine.attend({ Image: 'i' })).rejects.toThrow('no room');
  expect(asked.at(-1)).toBe('DELETE /containers/c9?force=true');
});
