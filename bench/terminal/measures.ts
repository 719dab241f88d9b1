import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from './clients.ts';
import type { Running } from './contenders.ts';
import { openFiles, proportionalKiB, residentKiB, treeOf } from './processes.ts';
import { Renderer } from './renderer.ts';
import { medianOf } from './table.ts';

const KEYS = 400;
/** The keys of somebody who types at once, on a server that has just started. */
const FIRST_KEYS = 300;
const OPENINGS = 10;
/** Between two keys (ms), longer than any batching delay, so that each is a first one. */
const BETWEEN_KEYS = [3, 4, 5, 6, 7] as const;
/** Lines of 16 bytes; 48 MiB in all. */
const BULK_LINES = 3 * 1024 * 1024;
const BULK_FILE = '/tmp/quayside-bench.txt';
const STALL_MS = 10_000;
const IDLE_TERMINALS = 10;
/** What a browser on an ordinary machine draws (bytes per second). */
const SLOW_RENDERER = 5 * 1024 * 1024;
const FLOOD = 'yes 0123456789012345678901234567890123456789012345678901234567890123456789012';

/** Name of a figure to its value; smaller is better but for `bulk MiB/s`. */
export type Figures = Record<string, number>;

/** A terminal with a plain prompt, ready for commands. */
async function ready(server: Running, renderer: Renderer): Promise<Client> {
  const client = await server.connect(renderer);
  const prompted = renderer.until('BENCH-READY');
  // What is typed before a shell reads waits in its terminal.
  client.type(
    "PS0=; PROMPT_COMMAND=; PS1='$ '; bind 'set enable-bracketed-paste off'; echo BENCH-'READY'\r",
  );
  await prompted;
  await delay(50);
  return client;
}

/** Every key that is typed comes back at once. */
async function raw(client: Client, renderer: Renderer): Promise<void> {
  const started = renderer.until('RAW');
  client.type("stty raw -echo; echo R'A'W; cat\r");
  await started;
  await delay(100);
}

async function echoes(
  client: Client,
  renderer: Renderer,
  keys = KEYS,
): Promise<{ p50: number; p99: number }> {
  const times: number[] = [];
  for (let key = 0; key < keys; key++) {
    const letter = String.fromCharCode(97 + (key % 26));
    const shown = renderer.until(letter);
    const at = performance.now();
    client.type(letter);
    await shown;
    times.push(performance.now() - at);
    await delay(BETWEEN_KEYS[key % BETWEEN_KEYS.length]);
  }
  times.sort((a, b) => a - b);
  return { p50: times[Math.floor(keys * 0.5)] ?? 0, p99: times[Math.floor(keys * 0.99)] ?? 0 };
}

export async function measureEcho(server: Running): Promise<Figures> {
  using renderer = new Renderer();
  const client = await ready(server, renderer);
  await raw(client, renderer);
  const first = await echoes(client, renderer, FIRST_KEYS);
  const { p50, p99 } = await echoes(client, renderer);
  await client.close();
  return {
    'first 300 keys p50 ms': first.p50,
    'first 300 keys p99 ms': first.p99,
    'echo p50 ms': p50,
    'echo p99 ms': p99,
  };
}

/** From the request for a terminal to its prompt on the screen; the first one of a server is left out. */
export async function measureOpening(server: Running): Promise<Figures> {
  const times: number[] = [];
  for (let opening = 0; opening <= OPENINGS; opening++) {
    using renderer = new Renderer();
    const prompted = renderer.untilPrompt();
    const at = performance.now();
    const client = await server.connect(renderer);
    await prompted;
    if (opening > 0) times.push(performance.now() - at);
    await client.close();
  }
  return { 'a terminal opens, ms': medianOf(times) ?? 0 };
}

/** What a server costs before anybody comes. */
export async function measureStart({ measureStart: measure }: Running): Promise<Figures> {
  if (!measure) return {};
  const { ms, residentKiB: resident } = await measure();
  return { 'ready line after, ms': ms, 'before the first learner, MiB': resident / 1024 };
}

export async function measureEchoBesideFlood(server: Running): Promise<Figures> {
  using flooded = new Renderer();
  const neighbour = await ready(server, flooded);
  using renderer = new Renderer();
  const client = await ready(server, renderer);
  await raw(client, renderer);
  neighbour.type(`${FLOOD}\r`);
  const { p50, p99 } = await echoes(client, renderer);
  await neighbour.close();
  await client.close();
  return { 'echo beside flood p50 ms': p50, 'echo beside flood p99 ms': p99 };
}

/** A large file through the terminal, every byte compared with what it has to be. */
export async function measureBulk(server: Running): Promise<Figures> {
  using renderer = new Renderer();
  const client = await ready(server, renderer);
  const made = renderer.until('MADE');
  client.type(
    `test -s ${BULK_FILE} || seq -f %015.0f 1 ${BULK_LINES} > ${BULK_FILE}; echo M'AD'E\r`,
  );
  await made;
  await delay(50);
  const expected = bulk();
  const begun = renderer.until('GO!');
  client.type(`stty raw -echo; echo 'G''O!'; sleep 0.3; cat ${BULK_FILE}; sleep 0.1; stty sane\r`);
  await begun;
  await delay(100);
  let at = 0;
  let wrong = 0;
  let first = 0;
  await new Promise<void>((resolve) => {
    const watching = renderer.watch((bytes) => {
      // The rest of the line that said GO.
      const from = at === 0 ? Math.max(0, bytes.indexOf('0000')) : 0;
      const piece = bytes.subarray(from, from + expected.byteLength - at);
      if (at === 0) {
        if (bytes.indexOf('0000') < 0) return;
        first = performance.now();
      }
      if (expected.compare(piece, 0, piece.byteLength, at, at + piece.byteLength) !== 0) wrong += 1;
      at += piece.byteLength;
      if (at < expected.byteLength) return;
      watching[Symbol.dispose]();
      resolve();
    });
  });
  const seconds = (performance.now() - first) / 1000;
  await client.close();
  return { 'bulk MiB/s': at / 2 ** 20 / seconds, 'bulk pieces wrong': wrong };
}

let expectedBulk: Buffer | undefined;
function bulk(): Buffer {
  if (expectedBulk) return expectedBulk;
  expectedBulk = Buffer.alloc(BULK_LINES * 16);
  for (let line = 0; line < BULK_LINES; line++) {
    expectedBulk.write(`${String(line + 1).padStart(15, '0')}\n`, line * 16, 'latin1');
  }
  return expectedBulk;
}

/** From Ctrl-C to its `^C` on the screen, in the middle of a flood. */
export async function measureInterrupt(server: Running, kind: 'fast' | 'slow'): Promise<Figures> {
  using renderer = new Renderer(kind === 'slow' ? SLOW_RENDERER : undefined);
  const client = await ready(server, renderer);
  const flooding = renderer.until('0123456789\r\n0123');
  client.type(`yes 0123456789012345678901234567890123456789\r`);
  await Promise.race([flooding, delay(500)]);
  await delay(1_000);
  const ended = renderer.until('^C');
  const at = performance.now();
  client.type('\x03');
  await ended;
  const took = performance.now() - at;
  await client.close();
  return { [`Ctrl-C under flood, ${kind} renderer, ms`]: took };
}

export async function measureStalled(server: Running): Promise<Figures> {
  if (server.pid === undefined) return {};
  using renderer = new Renderer();
  const client = await ready(server, renderer);
  const before = residentKiB(server.pid);
  client.stall();
  client.type(`${FLOOD}\r`);
  let most = before;
  for (let waited = 0; waited < STALL_MS; waited += 250) {
    await delay(250);
    most = Math.max(most, residentKiB(server.pid));
  }
  await client.close();
  return { 'memory with a stalled reader, MiB more': (most - before) / 1024 };
}

export async function measureIdle(server: Running): Promise<Figures> {
  if (server.pid === undefined) return {};
  using renderer = new Renderer();
  const first = await ready(server, renderer);
  const before = treeOf(server.pid);
  const memory = proportionalKiB(before);
  const files = openFiles(before.slice(0, 1));
  const clients: Client[] = [];
  for (let count = 0; count < IDLE_TERMINALS; count++) clients.push(await ready(server, renderer));
  await delay(500);
  const after = treeOf(server.pid);
  const figures = {
    'one idle terminal, KiB': (proportionalKiB(after) - memory) / IDLE_TERMINALS,
    'one idle terminal, descriptors of the server':
      (openFiles(after.slice(0, 1)) - files) / IDLE_TERMINALS,
  };
  for (const client of [first, ...clients]) await client.close();
  return figures;
}
