import type { WebSocket } from 'ws';
import {
  ACKNOWLEDGE_EVERY,
  type ClientFrame,
  decodeServerFrame,
  encodeClientFrame,
  MAX_CLIENT_FRAME,
  type ServerFrame,
  TERMINAL_PROTOCOL_VERSION,
} from '#protocol';
import { QUIET_MS, questionIn, terminalText } from '../server/labs/screen-text.ts';
import { type Awaited, Changes, type Patience } from './changes.ts';
import { CommandFollower, type CommandResult } from './command-follower.ts';
import { ExpectationFailed } from './expectation-failed.ts';
import { type HttpClient, opened } from './http.ts';

/** Wide enough that no line of a lab's output is broken by it. */
const SIZE = { cols: 240, rows: 50 } as const;
/** The slowest command of a lab, on a machine full of learners; past this it hangs. */
const COMMAND_MS = 120_000;
/** A command that stays and has printed nothing by then says nothing. */
const SILENT_MS = 5_000;
/** A program that ends with Ctrl-C tidies up for a second or two; a container's has ten before it is killed. */
const INTERRUPT_MS = 20_000;
const INTERRUPT = '\u0003';
/** An echo that takes this long is lost. */
const ECHO_MS = 5_000;
/** Kept of what has come (characters), for errors: some screens. */
const TAIL_KEPT = 16 * 1024;
/** Lines of the screen that an error shows. */
const LINES_SHOWN = 3;
/** An input frame's own bytes (docs/terminal-protocol.md). */
const INPUT_HEAD = 9;
/** Several lines go in as one paste, as the page's Run does it: no line runs before the last is there. */
const PASTE = { begin: '\u001b[200~', end: '\u001b[201~' } as const;

/** Programs such as editors switch to a screen of their own, and back. */
const OWN_SCREEN = { begin: '\u001b[?1049h', end: '\u001b[?1049l' } as const;
/** What to write of a command that is not meant to end. */
const IF_IT_STAYS = 'One that is meant to run on is marked “stays” in its block’s first line';

/** One terminal over its real socket: types, and knows from the shell's own marks when a command has ended. */
export class TerminalClient implements Disposable {
  readonly #socket: WebSocket;
  readonly #name: string;
  readonly #changes = new Changes();
  readonly #follower = new CommandFollower();
  #decoder = new TextDecoder();
  #tail = '';
  #typed = 0;
  #received = 0;
  /** When output came last (ms, of `performance.now`). */
  #printedAt = 0;
  #acknowledged = 0;
  #size = { cols: 0, rows: 0 };
  #exit: { readonly status: number | undefined } | undefined;

  private constructor(socket: WebSocket, name: string) {
    this.#socket = socket;
    this.#name = name;
    socket.on('message', (data: Buffer) => this.#take(decodeServerFrame(data)));
    socket.on('close', (code, reason) =>
      this.#changes.close(`the terminal’s socket closed: ${code} ${reason}`),
    );
  }

  /**
   * Settles when the terminal has answered.
   *
   * @param name what errors call it: its host
   */
  static async open(
    http: HttpClient,
    path: string,
    name: string,
    patience: Patience = { ms: COMMAND_MS },
  ): Promise<TerminalClient> {
    const socket = http.socket(path);
    const terminal = new TerminalClient(socket, name);
    await opened(socket, patience);
    terminal.#send({
      type: 'hello',
      version: TERMINAL_PROTOCOL_VERSION,
      client: crypto.getRandomValues(new BigUint64Array(1))[0] ?? 1n,
      epoch: 0n,
      offset: 0,
      attention: 'active',
    });
    terminal.resize(SIZE.cols, SIZE.rows);
    await terminal.until({
      ...patience,
      what: `the terminal on ${name} to answer`,
      look: () => terminal.#size.cols > 0,
      seen: () => 'nothing',
    });
    return terminal;
  }

  /** Bytes of output that have come so far. */
  get received(): number {
    return this.#received;
  }

  /** The shell's size, as the server has told it last. */
  get size(): { readonly cols: number; readonly rows: number } {
    return this.#size;
  }

  /** How the shell ended, once it has. */
  get exit(): { readonly status: number | undefined } | undefined {
    return this.#exit;
  }

  /** Why the socket is closed, once it is. */
  get closed(): string | undefined {
    return this.#changes.closed;
  }

  /** The last of what has come, as it reads on the screen. */
  get screen(): string {
    return terminalText(this.#tail);
  }

  /** Types, as keys or as a paste would come. */
  type(text: string): void {
    const bytes = new TextEncoder().encode(text);
    const most = MAX_CLIENT_FRAME - INPUT_HEAD;
    for (let from = 0; from < bytes.byteLength; from += most) {
      const piece = bytes.subarray(from, from + most);
      this.#send({ type: 'input', offset: this.#typed, bytes: piece });
      this.#typed += piece.byteLength;
    }
  }

  /** Asks for another size. */
  resize(cols: number, rows: number): void {
    this.#send({ type: 'resize', cols, rows });
  }

  /** Settles when the shell waits for a line. */
  async prompt(patience: Patience = { ms: COMMAND_MS }): Promise<void> {
    await this.until({
      ...patience,
      what: `a prompt on ${this.#name}`,
      look: () => this.#follower.isPrompted,
      seen: () => this.#shown(),
    });
  }

  /**
   * Types a command at the prompt, and Enter, and waits for its end.
   *
   * @throws ExpectationFailed where it takes too long, and soon where it asks something
   */
  async run(command: string, patience: Patience = { ms: COMMAND_MS }): Promise<CommandResult> {
    await this.#enter(command, patience);
    const what = `“${command}” on ${this.#name} to end`;
    const silence = setInterval(() => this.#changes.emit(), QUIET_MS / 4);
    try {
      return await this.until({
        ...patience,
        what,
        look: () => this.#follower.result ?? this.#refuseToAnswer(what),
        seen: () => `${this.#shown()}. ${IF_IT_STAYS}`,
      });
    } finally {
      clearInterval(silence);
    }
  }

  /** A command runs in it. */
  get isBusy(): boolean {
    return this.#follower.isRunning;
  }

  /**
   * Types a command that stays, and waits until it has printed something, or has run in silence for a while.
   *
   * @returns what it has printed so far
   * @throws ExpectationFailed where it ends
   */
  async stay(command: string, patience: Patience = { ms: COMMAND_MS }): Promise<string> {
    await this.#enter(command, patience);
    const silent = performance.now() + SILENT_MS;
    const silence = setInterval(() => this.#changes.emit(), QUIET_MS / 4);
    const what = `“${command}” on ${this.#name} to stay`;
    try {
      return await this.until({
        ...patience,
        what,
        look: () => {
          const ended = this.#follower.result;
          if (ended) throw new ExpectationFailed(what, `it ended: ${this.#shown()}`);
          const isUp = this.isBusy && this.#follower.printed !== '';
          return isUp || performance.now() > silent
            ? { screen: this.#follower.printed }
            : undefined;
        },
        seen: () => this.#shown(),
      }).then(({ screen }) => screen);
    } finally {
      clearInterval(silence);
    }
  }

  /** Presses Ctrl-C, and waits for the prompt. */
  async interrupt(patience: Patience = { ms: INTERRUPT_MS }): Promise<void> {
    this.type(INTERRUPT);
    await this.until({
      ...patience,
      what: `what runs on ${this.#name} to end with Ctrl-C`,
      look: () => !this.isBusy && this.#follower.isPrompted,
      seen: () => this.#shown(),
    });
  }

  async #enter(command: string, patience: Patience): Promise<void> {
    await this.prompt(patience);
    this.#follower.begin();
    const line = command.includes('\n') ? PASTE.begin + command + PASTE.end : command;
    this.type(`${line}\r`);
  }

  /** Nobody is there to answer what a command asks. */
  #refuseToAnswer(what: string): undefined {
    if (performance.now() - this.#printedAt < QUIET_MS) return;
    if (this.#follower.isRunning && fillsScreen(this.#tail)) {
      throw new ExpectationFailed(
        what,
        'it fills the screen, and nobody is there to use it. A file is written by a block with file=…, and a list is printed by another command',
      );
    }
    const question = this.#follower.isRunning ? questionIn(this.#tail) : undefined;
    if (question === undefined) return;
    throw new ExpectationFailed(
      what,
      `it asks “${question}” and waits. Give it the answer in the block, as with -f or -y`,
    );
  }

  /** Milliseconds from a key to the next output. One that has none in {@link ECHO_MS} counts as that. */
  async echo(key: string): Promise<number> {
    const before = this.#received;
    const from = performance.now();
    this.type(key);
    await this.until({
      ms: ECHO_MS,
      what: `an echo on ${this.#name}`,
      look: () => this.#received > before,
      seen: () => this.#shown(),
    }).catch((error: unknown) => {
      if (this.closed !== undefined) throw error;
    });
    return performance.now() - from;
  }

  /**
   * What `look` finds, asked again after everything that comes.
   *
   * @throws ExpectationFailed when the time is over, or the socket is closed
   */
  until<T>(awaited: Awaited<T>): Promise<T> {
    return this.#changes.until(awaited);
  }

  [Symbol.dispose](): void {
    this.#socket.terminate();
  }

  #take(frame: ServerFrame): void {
    switch (frame.type) {
      case 'output':
        this.#received = frame.offset + frame.bytes.byteLength;
        this.#print(frame.bytes);
        this.#acknowledge();
        break;
      case 'reset':
        this.#decoder = new TextDecoder();
        this.#tail = '';
        this.#print(frame.preamble);
        break;
      case 'attached':
      case 'size':
        this.#size = { cols: frame.cols, rows: frame.rows };
        break;
      case 'exit':
        this.#exit = { status: frame.status };
        break;
      case 'beat':
      case 'older':
        break;
    }
    this.#changes.emit();
  }

  #print(bytes: Uint8Array): void {
    this.#printedAt = performance.now();
    const text = this.#decoder.decode(bytes, { stream: true });
    this.#follower.take(text);
    this.#tail = (this.#tail + text).slice(-TAIL_KEPT);
  }

  #acknowledge(): void {
    if (this.#received - this.#acknowledged < ACKNOWLEDGE_EVERY) return;
    this.#acknowledged = this.#received;
    this.#send({ type: 'ack', offset: this.#received });
  }

  #send(frame: ClientFrame): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(encodeClientFrame(frame));
  }

  #shown(): string {
    const lines = this.screen.trimEnd().split('\n').slice(-LINES_SHOWN);
    return `the screen says “${lines.join(' ⏎ ')}”`;
  }
}

function fillsScreen(output: string): boolean {
  return output.lastIndexOf(OWN_SCREEN.begin) > output.lastIndexOf(OWN_SCREEN.end);
}
