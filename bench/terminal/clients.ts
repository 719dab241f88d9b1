import { once } from 'node:events';
import { type IPty, spawn } from 'node-pty';
import { type RawData, WebSocket } from 'ws';
import { ACKNOWLEDGE_EVERY, decodeServerFrame, encodeClientFrame } from '#protocol';
import type { Renderer } from './renderer.ts';

/** One terminal as its page sees it. Each does what the real page of its server does. */
export interface Client {
  type(text: string): void;
  /** Reads nothing any more, as a browser that hangs. */
  stall(): void;
  close(): Promise<void>;
}

const COLS = 80;
const ROWS = 24;

/** A terminal of our-server.ts. */
export async function ourClient(url: string, renderer: Renderer): Promise<Client> {
  const headers = { connection: 'close' };
  const opened = await fetch(`${url}/terminals`, { method: 'POST', headers });
  const id = await opened.text();
  const socket = new WebSocket(`${url.replace('http', 'ws')}/terminals/${id}`);
  return quaysideClient(socket, renderer, async () => {
    await fetch(`${url}/terminals/${id}`, { method: 'DELETE', headers });
  });
}

/** Ours: every byte drawn is acknowledged, in steps. @param end closes the terminal itself */
export async function quaysideClient(
  socket: WebSocket,
  renderer: Renderer,
  end: () => Promise<void>,
): Promise<Client> {
  await once(socket, 'open');
  const send = (frame: Parameters<typeof encodeClientFrame>[0]) =>
    socket.send(encodeClientFrame(frame));
  let typed = 0;
  let acked = 0;
  let pending = 0;
  socket.on('message', (data: Buffer) => {
    const frame = decodeServerFrame(data);
    if (frame.type !== 'output') return;
    const end = frame.offset + frame.bytes.byteLength;
    pending += 1;
    renderer.take(
      Buffer.from(frame.bytes.buffer, frame.bytes.byteOffset, frame.bytes.byteLength),
      () => {
        pending -= 1;
        if (pending > 0 && end - acked < ACKNOWLEDGE_EVERY) return;
        acked = end;
        send({ type: 'ack', offset: end });
      },
    );
  });
  send({ type: 'hello', version: 1, client: 1n, epoch: 0n, offset: 0, attention: 'active' });
  send({ type: 'resize', cols: COLS, rows: ROWS });
  return {
    type: (text) => {
      const bytes = Buffer.from(text);
      send({ type: 'input', offset: typed, bytes });
      typed += bytes.byteLength;
    },
    stall: () => socket.pause(),
    close: async () => {
      socket.terminate();
      await end();
    },
  };
}

/**
 * ttyd's page: it counts what it has written, and says pause and resume by these marks. Unlike the real one, ours
 * resumes only what it has paused: a resume too many makes ttyd 1.7 lose output.
 */
const TTYD = { limit: 100_000, highWater: 10, lowWater: 4 } as const;

export async function ttydClient(url: string, renderer: Renderer): Promise<Client> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, ['tty']);
  await once(socket, 'open');
  let written = 0;
  let pending = 0;
  let paused = false;
  socket.on('message', (data: Buffer) => {
    if (data[0] !== 0x30) return;
    const bytes = data.subarray(1);
    written += bytes.byteLength;
    if (written <= TTYD.limit) {
      renderer.take(bytes, () => undefined);
      return;
    }
    written = 0;
    pending += 1;
    renderer.take(bytes, () => {
      pending -= 1;
      if (!paused || pending >= TTYD.lowWater) return;
      paused = false;
      socket.send(Buffer.from('3'));
    });
    if (paused || pending <= TTYD.highWater) return;
    paused = true;
    socket.send(Buffer.from('2'));
  });
  socket.send(Buffer.from(JSON.stringify({ AuthToken: '', columns: COLS, rows: ROWS })));
  return {
    type: (text) => socket.send(Buffer.from(`0${text}`)),
    stall: () => socket.pause(),
    close: async () => {
      socket.terminate();
    },
  };
}

/** wetty's page: it acknowledges every so many characters drawn. */
const WETTY_COMMIT = 262_144;

export async function wettyClient(url: string, renderer: Renderer): Promise<Client> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
  let drawn = 0;
  // Listening before the socket is open: the server speaks first.
  const prompted = new Promise<void>((resolve) => {
    socket.on('message', (data: RawData) => {
      const text = data.toString();
      if (text.startsWith('0')) socket.send('40');
      else if (text === '2') socket.send('3');
      else if (text.startsWith('42["data",')) {
        // What is typed before the first prompt, wetty drops.
        resolve();
        const output = (JSON.parse(text.slice(2)) as [string, string])[1];
        renderer.take(Buffer.from(output), () => {
          drawn += output.length;
          if (drawn < WETTY_COMMIT) return;
          socket.send(`42["commit",${drawn}]`);
          drawn = 0;
        });
      }
    });
  });
  await prompted;
  socket.send(`42["resize",{"cols":${COLS},"rows":${ROWS}}]`);
  return {
    type: (text) => socket.send(`42${JSON.stringify(['input', text])}`),
    stall: () => socket.pause(),
    close: async () => {
      socket.terminate();
    },
  };
}

/** The floor: node-pty in this process, no socket at all. */
export async function ptyClient(command: readonly string[], renderer: Renderer): Promise<Client> {
  const [file = '', ...args] = command;
  const pty: IPty = spawn(file, [...args], {
    cols: COLS,
    rows: ROWS,
    encoding: null,
    name: 'xterm-256color',
  });
  pty.onData((data) => renderer.take(data as unknown as Buffer, () => undefined));
  return {
    type: (text) => pty.write(text),
    stall: () => pty.pause(),
    close: async () => {
      pty.resume();
      try {
        process.kill(-pty.pid, 'SIGKILL');
      } catch {
        // Gone already.
      }
    },
  };
}
