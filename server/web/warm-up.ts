import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket, WebSocketServer } from 'ws';
import { decodeServerFrame, encodeClientFrame } from '#protocol';
import type { Background } from '../base/background.ts';
import { DtachSocket, PACKET_BYTES, PUSH } from '../terminal/dtach-socket.ts';
import type { Shell } from '../terminal/shell-transport.ts';
import { Terminal } from '../terminal/terminal.ts';
import { linkTerminal } from './sockets/terminal-socket.ts';

/** With these, the first keys of a learner come back as soon as later ones; more of them change nothing that can be measured. */
const KEYS = 100;
/** A machine that takes longer has more to do than this. */
const LONGEST_MS = 1_000;
const SIZE = { cols: 80, rows: 24 };
const KEY = new TextEncoder().encode('k');

/**
 * Types into a terminal that nobody has, over the sockets and through the code that a learner's keys will take: the first
 * of them would otherwise wait while Node compiles it. A page and a shell of its own, in this process, are at the ends;
 * nothing is left of them.
 */
export async function warmUp(background: Background): Promise<void> {
  await using opened = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'quayside-'));
  opened.defer(() => rm(directory, { recursive: true, force: true }));
  const dtach = join(directory, 'shell');
  await listening(createServer(echoTo(new Set())), dtach, opened);
  const identity = { id: 'warm-up', host: 'none', title: 'none' };
  const shell: Shell = {
    join: (...how) => DtachSocket.attach(identity.id, dtach, ...how),
    state: async () => ({ kind: 'gone' }),
    end: async () => undefined,
    tidy: async () => undefined,
  };
  const terminal = await Terminal.on(identity, shell, SIZE, { background });
  opened.defer(() => terminal.detach());
  const web = createHttpServer();
  new WebSocketServer({ server: web }).on('connection', (socket) => {
    linkTerminal(socket, terminal, background);
  });
  const page = join(directory, 'page');
  await listening(web, page, opened);
  await type(new WebSocket(`ws+unix:${page}:/`));
}

async function listening(server: Server, path: string, opened: AsyncDisposableStack) {
  opened.use(server);
  await once(server.listen(path), 'listening');
}

/** Presses one key after the other, each when the one before has come back. Settles when the socket is closed. */
async function type(socket: WebSocket): Promise<void> {
  const timer = setTimeout(() => socket.terminate(), LONGEST_MS);
  const send = (frame: Parameters<typeof encodeClientFrame>[0]) =>
    socket.send(encodeClientFrame(frame));
  let keys = 0;
  const press = (): void => {
    send({ type: 'input', offset: keys, bytes: KEY });
    keys += 1;
  };
  socket.on('error', () => undefined);
  socket.on('open', () => {
    send({ type: 'hello', version: 1, client: 1n, epoch: 0n, offset: 0, attention: 'active' });
    send({ type: 'resize', ...SIZE });
    press();
  });
  socket.on('message', (data: Buffer) => {
    const frame = decodeServerFrame(data);
    if (frame.type !== 'output') return;
    send({ type: 'ack', offset: frame.offset + frame.bytes.byteLength });
    if (keys < KEYS) press();
    else socket.close();
  });
  await once(socket, 'close');
  clearTimeout(timer);
}

/** As dtach does it for a program that prints what is typed: input of one connection is printed on all. */
function echoTo(all: Set<Socket>): (socket: Socket) => void {
  return (socket) => {
    all.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => all.delete(socket));
    let rest = Buffer.alloc(0);
    socket.on('data', (bytes: Buffer) => {
      rest = Buffer.concat([rest, bytes]);
      for (; rest.byteLength >= PACKET_BYTES; rest = rest.subarray(PACKET_BYTES)) {
        if (rest[0] !== PUSH) continue;
        const typed = rest.subarray(2, 2 + (rest[1] ?? 0));
        for (const each of all) each.write(typed);
      }
    });
  };
}
