import { once } from 'node:events';
import { WebSocket } from 'ws';
import {
  type ClientFrame,
  decodeServerFrame,
  encodeClientFrame,
  TERMINAL_PROTOCOL_VERSION,
} from '#protocol';
import { terminalText } from '../server/labs/screen-text.ts';
import { ExpectationFailed } from './expectation-failed.ts';

/** Wide enough that no line of a lab's output is broken by it. */
const SIZE = { cols: 240, rows: 50 } as const;
/** The slowest command of a lab, on a busy machine; past this it hangs. */
const COMMAND_MS = 60_000;
/** The shell's mark that a command's output begins, and the one that it has ended, with its status (OSC 633). */
const BEGINS = '\u001b]633;C\u0007';
const ENDED = /\]633;D;(\d+)/g;
/** The line editor asks for pastes in brackets whenever it waits for a line: the prompt is there. */
const PROMPTED = '\u001b[?2004h';

/** What a command left behind. */
export interface Ran {
  /** Exit status; of the last one where several were pasted together. */
  readonly status: number;
  /** What it printed, as it reads on the screen. */
  readonly screen: string;
}

/** One terminal, over the real socket: types commands and knows from the shell's own marks when they have ended. */
export class Shell implements Disposable {
  readonly #socket: WebSocket;
  readonly #host: string;
  readonly #changed = new EventTarget();
  #output = '';
  #typed = 0;
  #closed: string | undefined;

  private constructor(socket: WebSocket, host: string) {
    this.#socket = socket;
    this.#host = host;
    const decoder = new TextDecoder();
    socket.on('message', (data: Buffer) => {
      const frame = decodeServerFrame(data);
      if (frame.type === 'output') {
        this.#output += decoder.decode(frame.bytes, { stream: true });
        this.#send({ type: 'ack', offset: frame.offset + frame.bytes.byteLength });
      } else if (frame.type === 'reset') {
        this.#output = decoder.decode(frame.preamble);
      }
      this.#changed.dispatchEvent(new Event('change'));
    });
    socket.on('close', (code, reason) => {
      this.#closed = `the terminal's socket closed: ${code} ${reason}`;
      this.#changed.dispatchEvent(new Event('change'));
    });
  }

  static async open(url: string, headers: Record<string, string>, host: string): Promise<Shell> {
    const socket = new WebSocket(url, { headers });
    const shell = new Shell(socket, host);
    await once(socket, 'open');
    const client = crypto.getRandomValues(new BigUint64Array(1))[0] ?? 1n;
    const version = TERMINAL_PROTOCOL_VERSION;
    shell.#send({ type: 'hello', version, client, epoch: 0n, offset: 0, attention: 'active' });
    shell.#send({ type: 'resize', ...SIZE });
    return shell;
  }

  /** Types a command and Enter, and waits for its end. Several lines go in one paste, as the page's Run does it. */
  async run(command: string): Promise<Ran> {
    await this.#until(
      () => this.#output.includes(PROMPTED),
      `a prompt on ${this.#host} before “${command}”`,
    );
    const from = this.#output.length;
    this.#type(command.includes('\n') ? `\u001b[200~${command}\u001b[201~\r` : `${command}\r`);
    const ended = () => {
      const last = [...this.#output.slice(from).matchAll(ENDED)].at(-1);
      if (!last) return undefined;
      const end = from + last.index;
      return this.#output.includes(PROMPTED, end) ? { end, status: Number(last[1]) } : undefined;
    };
    const { end, status } = await this.#until(ended, `“${command}” on ${this.#host} to end`);
    const begins = this.#output.indexOf(BEGINS, from);
    return { status, screen: terminalText(this.#output.slice(begins + BEGINS.length, end)) };
  }

  [Symbol.dispose](): void {
    this.#socket.terminate();
  }

  #type(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.#send({ type: 'input', offset: this.#typed, bytes });
    this.#typed += bytes.byteLength;
  }

  #send(frame: ClientFrame): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(encodeClientFrame(frame));
  }

  async #until<T>(look: () => T | false | undefined, what: string): Promise<T> {
    const late = AbortSignal.timeout(COMMAND_MS);
    for (;;) {
      const found = look();
      if (found !== undefined && found !== false) return found;
      if (this.#closed !== undefined) throw new ExpectationFailed(what, this.#closed);
      await once(this.#changed, 'change', { signal: late }).catch(() => {
        const screen = terminalText(this.#output).trimEnd().split('\n').slice(-3).join(' ⏎ ');
        throw new ExpectationFailed(
          `${what} within ${COMMAND_MS / 1000} s`,
          `the screen says “${screen}”`,
        );
      });
    }
  }
}
