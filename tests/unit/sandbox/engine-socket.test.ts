import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer, type Server } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { untilEngineAnswersAt } from '../../../server/sandbox/engine-socket.ts';

let directory: string;
let socket: string;
let mark: string;
const open: { close(): unknown }[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'engine-'));
  socket = join(directory, 'docker.sock');
  mark = join(directory, 'asleep');
});

afterEach(async () => {
  for (const server of open.splice(0)) server.close();
  await rm(directory, { recursive: true });
});

const PATIENCE = () => AbortSignal.timeout(20_000);

/** An engine's first words at the socket. */
function listen(status = 200): Promise<Server> {
  const server = createHttpServer((_, answer) => answer.writeHead(status).end('OK'));
  open.push(server);
  return new Promise((resolve) => server.listen(socket, () => resolve(server)));
}

test('an engine that answers already is not waited for', async () => {
  await listen();
  await expect(untilEngineAnswersAt(socket, mark, PATIENCE())).resolves.toBe('awake');
});

test('one that is marked as asleep is asked nothing', async () => {
  const server = await listen();
  let asked = 0;
  server.on('request', () => asked++);
  await writeFile(mark, '');
  await expect(untilEngineAnswersAt(socket, mark, PATIENCE())).resolves.toBe('asleep');
  expect(asked).toBe(0);
});

test('a mark that points nowhere, or is a folder, is one', async () => {
  await symlink('/nowhere/at/all', mark);
  await expect(untilEngineAnswersAt(socket, mark, PATIENCE())).resolves.toBe('asleep');
  await rm(mark);
  await mkdir(mark);
  await expect(untilEngineAnswersAt(socket, mark, PATIENCE())).resolves.toBe('asleep');
});

test('an engine that makes its socket later is heard when it does', async () => {
  const waiting = untilEngineAnswersAt(socket, mark, PATIENCE());
  let settled = false;
  void waiting.then(() => {
    settled = true;
  });
  await new Promise(setImmediate);
  expect(settled).toBe(false);
  await listen();
  await expect(waiting).resolves.toBe('awake');
});

test('one that listens but does not serve yet is asked once, and answers when it serves', async () => {
  const questions: Socket[] = [];
  const asked = Promise.withResolvers<void>();
  const server = createServer((connection) => {
    questions.push(connection);
    connection.once('data', () => asked.resolve());
  });
  open.push(server);
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  const waiting = untilEngineAnswersAt(socket, mark, PATIENCE());
  await asked.promise;
  questions[0]?.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nOK');
  await waiting;
  expect(questions).toHaveLength(1);
});

test('a socket that an engine left behind, or one that refuses, is no answer', async () => {
  const first = await listen(503);
  const stopped = new AbortController();
  const waiting = untilEngineAnswersAt(socket, mark, stopped.signal);
  const refused = Promise.withResolvers<void>();
  first.on('request', () => refused.resolve());
  await refused.promise;
  first.close();
  await rm(socket, { force: true });
  await listen();
  await expect(waiting).resolves.toBe('awake');
});

test('waiting ends with the signal, and says its reason', async () => {
  const stopped = new AbortController();
  const waiting = untilEngineAnswersAt(socket, mark, stopped.signal);
  stopped.abort(new Error('the lab was ended'));
  await expect(waiting).rejects.toThrow('the lab was ended');
});

test.each([
  ['an answer without end', 'HTTP/1.1 200 OK\r\n\r\n', true],
  ['heads without an answer', '', false],
])('of %s no more than the head is read', async (_, head, isAnswer) => {
  const piece = Buffer.from('HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(2_000));
  let sent = 0;
  const looked = Promise.withResolvers<void>();
  const server = createServer((connection) => {
    connection.on('error', () => undefined);
    connection.once('close', () => looked.resolve());
    connection.write(head);
    const pump = (): void => {
      do sent += piece.length;
      while (connection.write(piece));
    };
    connection.on('drain', pump);
    connection.once('data', pump);
  });
  open.push(server);
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  const stopped = new AbortController();
  const waiting = untilEngineAnswersAt(socket, mark, stopped.signal);
  await looked.promise;
  expect(sent).toBeLessThan(4 * 1024 ** 2);
  stopped.abort(new Error('not there'));
  if (isAnswer) await waiting;
  else await expect(waiting).rejects.toThrow('not there');
});
