import { once } from 'node:events';
import { WebSocket } from 'ws';
import {
  ACKNOWLEDGE_EVERY,
  type ClientFrame,
  decodeServerFrame,
  encodeClientFrame,
  TERMINAL_PROTOCOL_VERSION,
} from '#protocol';
import { terminalText } from '../../server/labs/screen-text.ts';

const SIZE = { cols: 200, rows: 50 } as const;
/** The slowest command of a lab on a machine full of learners. */
const COMMAND_MS = 120_000;
/** An echo that takes this long is lost, and counts as this long. */
const ECHO_MS = 5_000;
/** The shell's marks (OSC 633): output begins, and it has ended, with its status. */
const ESCAPE = '\u001b';
const BELL = '\u0007';
const BEGINS = `${ESCAPE}]633;C`;
const ENDED = /\]633;D;(\d+)/g;
/** The line editor waits for a line. */
const PROMPTED = '\u001b[?2004h';
/** As much output as is worth looking through; a flood is dropped from its beginning. */
const KEPT = 256 * 1024;

/** One terminal over the real socket, as a page has it. */
export class ScriptedTerminal {
  readonly #socket: WebSocket;
  readonly #bell = new EventTarget();
  #output = '';
  #typed = 0;
  #head = 0;
  #acked = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    const decoder = new TextDecoder();
    socket.on('message', (data: Buffer) => {
      const frame = decodeServerFrame(data);
      if (frame.type !== 'output') return;
      this.#head = frame.offset + frame.bytes.byteLength;
      this.#output = (this.#output + decoder.decode(frame.bytes, { stream: true })).slice(-KEPT);
      if (this.#head - this.#acked >= ACKNOWLEDGE_EVERY) {
        this.#acked = this.#head;
        this.#send({ type: 'ack', offset: this.#head });
      }
      this.#bell.dispatchEvent(new Event('output'));
    });
  }

  /** Settles at the first prompt. */
  static async open(url: string, headers: Record<string, string>): Promise<ScriptedTerminal> {
    const socket = new WebSocket(url, { headers });
    const terminal = new ScriptedTerminal(socket);
    await once(socket, 'open');
    const client = crypto.getRandomValues(new BigUint64Array(1))[0] ?? 1n;
    const version = TERMINAL_PROTOCOL_VERSION;
    terminal.#send({ type: 'hello', version, client, epoch: 0n, offset: 0, attention: 'active' });
    terminal.#send({ type: 'resize', ...SIZE });
    await terminal.until(() => terminal.#output.includes(PROMPTED), COMMAND_MS);
    return terminal;
  }

  /** Bytes that have come so far. */
  get received(): number {
    return this.#head;
  }

  /** Milliseconds from a key to its echo. */
  async echo(key: string): Promise<number> {
    const before = this.#head;
    const from = performance.now();
    this.type(key);
    await this.until(() => this.#head > before, ECHO_MS).catch(() => undefined);
    return performance.now() - from;
  }

  type(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.#send({ type: 'input', offset: this.#typed, bytes });
    this.#typed += bytes.byteLength;
  }

  /** Types a command, waits for its end and returns what it printed. */
  async run(command: string): Promise<string> {
    this.#output = '';
    this.type(command.includes('\n') ? `\u001b[200~${command}\u001b[201~\r` : `${command}\r`);
    await this.until(() => {
      const last = [...this.#output.matchAll(ENDED)].at(-1);
      return last !== undefined && this.#output.includes(PROMPTED, last.index);
    }, COMMAND_MS);
    const end = [...this.#output.matchAll(ENDED)].at(-1)?.index ?? this.#output.length;
    const begin = this.#output.indexOf(BELL, this.#output.indexOf(BEGINS)) + BELL.length;
    return terminalText(this.#output.slice(begin, end - ESCAPE.length));
  }

  close(): void {
    this.#socket.terminate();
  }

  #send(frame: ClientFrame): void {
    this.#socket.send(encodeClientFrame(frame));
  }

  /** Settles as soon as `look` is true of what has come. */
  async until(look: () => boolean, milliseconds = COMMAND_MS): Promise<void> {
    const signal = AbortSignal.timeout(milliseconds);
    while (!look()) await once(this.#bell, 'output', { signal });
  }
}
