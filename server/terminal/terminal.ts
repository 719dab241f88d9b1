import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { type Attention, FrameError, type ResumeKind } from '#protocol';
import type { Background } from '../base/background.ts';
import { Emitter } from '../base/emitter.ts';
import { FlowControl } from './flow-control.ts';
import { InputDeduplicator } from './input-deduplicator.ts';
import { LineHold } from './line-hold.ts';
import { Output, RING_BYTES } from './output.ts';
import { ReconnectGrace } from './reconnect-grace.ts';
import { ShellConnection } from './shell-connection.ts';
import type { Size } from './shell-host.ts';
import { type FinishedCommand, ShellIntegration } from './shell-integration.ts';
import type { Shell } from './shell-transport.ts';
import { type Arrival, Viewer, type ViewerListener } from './viewer.ts';
import { Viewers } from './viewers.ts';

/** Pages on one terminal: tabs of one learner, and an instructor's. */
export const MAX_VIEWERS = 16;
/** Between a changed size and the old one again, so that a program sees two changes and redraws itself (ms). */
const REDRAW_MS = 60;
/** A page that lacks more than so many times what a replay begins with gets a replay. */
const REPLAY_BEYOND = 4;

/** What tells a terminal from others. */
export interface TerminalIdentity {
  readonly id: string;
  /** The host's name. */
  readonly host: string;
  /** The tab's name. */
  readonly title: string;
}

type State =
  | { readonly kind: 'running' }
  | { readonly kind: 'exited'; readonly status: number | undefined }
  | { readonly kind: 'closed'; readonly done: Promise<void> }
  | { readonly kind: 'detached' };

/**
 * `none`: the shell has shown no prompt yet. `clear`: it waits for a line, and nothing is typed there. `edited`: there may
 * be half a line. `continued`: it wants the rest of a command. `entered`: a line was entered, and the shell has not said
 * what becomes of it. `running`: a program has the terminal.
 */
export type Prompt = 'none' | 'clear' | 'edited' | 'continued' | 'entered' | 'running';

/** A whole paste in brackets, as line editors ask for it: line ends in it enter nothing. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: terminals speak in them.
const PASTE = /\u001b\[200~[\s\S]*?\u001b\[201~/g;
/** The keys that enter a line (Enter, Ctrl-J), or end the shell (Ctrl-D). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: keys.
const ENTERS = /[\r\n\u0004]/;
/** Keys of a program that leave nothing for the next prompt: those, and Ctrl-C, at their end. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: keys.
const ENDS = /[\r\n\u0003\u0004]$/;

/** What a viewer takes next. The bytes are views that hold until control returns to the event loop. */
export type Delivery =
  | { readonly kind: 'reset'; readonly offset: number; readonly preamble: Uint8Array }
  | { readonly kind: 'output'; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly kind: 'exit'; readonly status: number | undefined };

/**
 * One shell on one host. It outlives the page that shows it: output goes into a bounded ring by running offset, and any
 * number of viewers take it from there, each at its own pace. While it is looked at, the program waits for the slowest
 * viewer that makes progress; otherwise it runs on into the ring. Knows nothing of sockets.
 */
export class Terminal {
  readonly id: string;
  readonly host: string;
  readonly title: string;
  /** Distinguishes this terminal's offsets from those before a restart of the server. Never 0. */
  readonly epoch: bigint = randomBytes(8).readBigUInt64BE() | 1n;
  readonly #shell: Shell;
  readonly #connection: ShellConnection;
  readonly #output: Output;
  readonly #viewers: Viewers;
  readonly #flow: FlowControl;
  readonly #reconnectGrace: ReconnectGrace;
  readonly #deduplicator = new InputDeduplicator();
  readonly #command = new Emitter<FinishedCommand>();
  readonly #prompted = new Emitter<void>();
  readonly #gone = new Emitter<void>();
  readonly #lines = new LineHold((input) => this.#connection.write(input));
  /** Called at each input, of viewers or not. @returns when a line may be entered, where that is not now */
  onKeys: () => Promise<void> | undefined = () => undefined;
  #onInput: ((input: Uint8Array) => void) | undefined;
  #state: State = { kind: 'running' };
  #prompt: Prompt = 'none';
  /** Keys that a program may have left for the next prompt. */
  #typedAhead = false;
  /** When this server has joined it (ms since the epoch). */
  readonly joinedAt = Date.now();
  #lastActivity = this.joinedAt;
  #redraw: NodeJS.Timeout | undefined;
  readonly #restoreSize: () => void;

  private constructor(
    identity: TerminalIdentity,
    shell: Shell,
    size: Size,
    background: Background,
  ) {
    this.id = identity.id;
    this.host = identity.host;
    this.title = identity.title;
    this.#shell = shell;
    const regulate = background.guard('let a program run on or wait', () => this.#regulate());
    this.#flow = new FlowControl(regulate);
    this.#reconnectGrace = new ReconnectGrace(regulate);
    this.#restoreSize = background.guard('have a program redraw itself', () =>
      this.#connection.resize(this.size),
    );
    this.#viewers = new Viewers(size, (requested) => this.#resize(requested));
    const integration = new ShellIntegration({
      finished: background.guard('tell of a finished command', (command: FinishedCommand) =>
        this.#command.emit(command),
      ),
      prompted: background.guard('tell of a prompt', () => {
        this.#prompt = this.#typedAhead ? 'edited' : 'clear';
        this.#typedAhead = false;
        this.#prompted.emit();
      }),
      continued: () => {
        this.#prompt = 'continued';
        this.#typedAhead = false;
      },
      started: () => {
        this.#prompt = 'running';
      },
    });
    this.#output = new Output(RING_BYTES, (...osc) => integration.osc(...osc));
    this.#output.rows = size.rows;
    const listener = {
      output: (bytes: Buffer) => this.#onOutput(bytes),
      ended: (status: number | undefined) => this.#hasExited(status),
      drained: () => {
        for (const viewer of this.#viewers.viewers) viewer.listener.drained();
      },
    };
    this.#connection = new ShellConnection(shell, size, listener, background);
  }

  /**
   * A terminal on a shell that runs; settles once it is joined.
   *
   * @throws what the shell says when it cannot be joined; the signal's reason
   */
  static async on(
    identity: TerminalIdentity,
    shell: Shell,
    size: Size,
    options: {
      readonly background: Background;
      readonly signal?: AbortSignal;
      /** Stands above what the shell prints. */
      readonly greeting?: string;
    },
  ): Promise<Terminal> {
    const terminal = new Terminal(identity, shell, size, options.background);
    terminal.#output.append(Buffer.from(options.greeting ?? ''));
    try {
      await terminal.#connection.open(options.signal);
      return terminal;
    } catch (error) {
      terminal.#stop();
      throw error;
    }
  }

  /** When the last input or output came (ms since the epoch). */
  get lastActivity(): number {
    return this.#lastActivity;
  }

  get size(): Size {
    return this.#viewers.size;
  }

  /** The offset that the next byte of output will have. */
  get head(): number {
    return this.#output.head;
  }

  /** Whether a learner's page shows it. */
  get isInSight(): boolean {
    return [...this.#viewers.viewers].some(
      ({ attention, listener }) => attention !== 'hidden' && !listener.mayType,
    );
  }

  /** How many pages are attached to it. */
  get viewers(): number {
    return this.#viewers.viewers.size;
  }

  /** Input that the shell has not taken yet, in bytes. */
  get queuedInput(): number {
    return this.#connection.queued;
  }

  /**
   * The state of the prompt, as far as the shell's marks and the viewers' input tell. Of shells within one another (`sudo
   * -i`), it is that of the innermost that sets marks.
   */
  get prompt(): Prompt {
    return this.#connection.isOpen ? this.#prompt : 'running';
  }

  /** The shell shows its prompt and waits for a line. */
  onPrompt(listener: () => void): Disposable {
    return this.#prompted.on(listener);
  }

  /** Tells of a viewer's input before the shell gets it. For the one that types here in a learner's place. */
  onInput(listener: (input: Uint8Array) => void): Disposable {
    this.#onInput = listener;
    return {
      [Symbol.dispose]: () => {
        if (this.#onInput === listener) this.#onInput = undefined;
      },
    };
  }

  /** Input that comes from no viewer. */
  sendText(text: string): void {
    this.#lastActivity = Date.now();
    this.#lines.take(Buffer.from(text), this.onKeys());
  }

  /** A copy of the output from an offset on, as far as the ring still has it. */
  outputSince(offset: number): Uint8Array {
    return this.#output.since(offset);
  }

  /** Its shell has ended, or it was closed or let go: no output will follow. */
  onGone(listener: () => void): Disposable {
    return this.#gone.on(listener);
  }

  /** The shell's marks say that a command line has finished. Any program can print them: they prove nothing. */
  onCommand(listener: (finished: FinishedCommand) => void): Disposable {
    return this.#command.on(listener);
  }

  /**
   * A page comes, or comes back.
   *
   * @throws FrameError when it claims to be further than the terminal is
   */
  attach(
    arrival: Arrival,
    listener: ViewerListener,
  ): { readonly viewer: Viewer; readonly resume: ResumeKind } {
    const { start, head } = this.#output;
    let resume: ResumeKind = 'replay';
    let from = start;
    if (arrival.epoch === this.epoch) {
      if (arrival.offset > head) throw new FrameError('offset beyond the end');
      if (arrival.offset >= start && !isTooFar(arrival, head)) {
        resume = 'exact';
        from = arrival.offset;
      }
    } else if (arrival.epoch !== 0n && start === 0) {
      resume = 'restarted';
    }
    const stale = resume === 'replay';
    const viewer = new Viewer(arrival, from, stale, listener);
    this.#reconnectGrace.arrived(arrival.client);
    this.#viewers.add(viewer);
    this.#regulate();
    return { viewer, resume };
  }

  /** A page has gone; `lost`: its link broke, so it is expected back. */
  leave(viewer: Viewer, how: 'gone' | 'lost'): void {
    if (!this.#viewers.remove(viewer)) return;
    if (how === 'lost' && this.#state.kind === 'running') this.#reconnectGrace.add(viewer);
    this.#regulate();
  }

  /** Whether this viewer decides the size. */
  isActive(viewer: Viewer): boolean {
    return this.#viewers.isActive(viewer);
  }

  /** How many of a client's input bytes have arrived. */
  taken(client: bigint): number {
    return this.#deduplicator.taken(client);
  }

  /** The next thing for this viewer, if it has room: at most `max` bytes. */
  take(viewer: Viewer, max: number): Delivery | undefined {
    if (!this.#viewers.viewers.has(viewer)) return undefined;
    if (viewer.sent < this.#output.start) viewer.stale = true;
    if (viewer.stale) {
      const { offset, preamble, isWhole } =
        viewer.newest > 0
          ? this.#output.newest(viewer.newest, this.size.rows)
          : this.#output.oldest();
      if (!isWhole) this.#forceRedraw();
      viewer.stale = false;
      viewer.sent = offset;
      viewer.acked = offset;
      return { kind: 'reset', offset, preamble };
    }
    const bytes = this.#output.read(viewer.sent, Math.min(max, viewer.room));
    if (bytes.byteLength > 0) {
      const offset = viewer.sent;
      viewer.sent += bytes.byteLength;
      return { kind: 'output', offset, bytes };
    }
    if (this.#state.kind === 'exited' && viewer.sent === this.#output.head) {
      return { kind: 'exit', status: this.#state.status };
    }
    return undefined;
  }

  /**
   * Output from before a replay: up to `max` bytes from an offset on. Where that is not kept, from where so many lines
   * above the screen begin; the preamble belongs to that.
   */
  older(
    offset: number,
    max: number,
    lines: number,
  ): { readonly offset: number; readonly preamble: Uint8Array; readonly bytes: Uint8Array } {
    const { start, head } = this.#output;
    const isKept = offset > 0 && offset >= start && offset <= head;
    const from = isKept
      ? { offset, preamble: new Uint8Array() }
      : this.#output.withScrollback(lines, this.size.rows);
    return { ...from, bytes: this.#output.read(from.offset, max) };
  }

  /** @throws FrameError for an offset that was never sent */
  acknowledge(viewer: Viewer, offset: number): void {
    if (offset > viewer.sent) throw new FrameError('acknowledged what was not sent');
    // Older ones are left over from before a reset.
    if (offset <= viewer.acked) return;
    viewer.acked = offset;
    viewer.stalled = false;
    this.#flow.progress(viewer);
    this.#regulate();
  }

  /** The viewer's socket is full, or has room again. */
  block(viewer: Viewer, blocked: boolean): void {
    if (viewer.blocked === blocked) return;
    viewer.blocked = blocked;
    if (!blocked) this.#flow.progress(viewer);
    this.#regulate();
  }

  attend(viewer: Viewer, attention: Attention): void {
    viewer.stalled = false;
    this.#viewers.attend(viewer, attention);
    this.#regulate();
  }

  /** The size that this viewer asks for; granted to the active one. */
  resize(viewer: Viewer, size: Size): void {
    this.#viewers.request(viewer, size);
  }

  /**
   * Input of a viewer. `offset` counts its client's bytes over all its sockets: what has come already is dropped, as is
   * the input of a viewer that may only look.
   *
   * @throws FrameError when bytes are missing in between
   */
  input(viewer: Viewer, offset: number, bytes: Uint8Array): void {
    const fresh = this.#deduplicator.accept(viewer.client, offset, bytes);
    if (fresh.byteLength === 0 || viewer.listener.mayType?.() === false) return;
    this.#lastActivity = Date.now();
    this.#viewers.activate(viewer);
    this.#onInput?.(fresh);
    this.#prompt = afterKeys(this.#prompt, fresh);
    const isAhead = this.#prompt === 'running' || this.#prompt === 'entered';
    this.#typedAhead = isAhead && !ENDS.test(Buffer.from(fresh).toString('latin1'));
    this.#lines.take(fresh, this.onKeys());
  }

  /**
   * Ends the shell and everything in its session in the host; settles when nothing of it is left.
   *
   * @throws QuaysideError SANDBOX_FAILED when something does not end; what the host throws when it cannot be asked
   */
  close(): Promise<void> {
    if (this.#state.kind === 'closed') return this.#state.done;
    const wasAlive = this.#state.kind !== 'exited';
    const done = wasAlive ? this.#shell.end() : Promise.resolve();
    this.#finish({ kind: 'closed', done });
    return done;
  }

  /** This server lets go: the shell lives on, and another can adopt it. */
  detach(): void {
    if (this.#state.kind === 'closed') return;
    this.#finish({ kind: 'detached' });
  }

  #finish(state: Extract<State, { kind: 'closed' | 'detached' }>): void {
    this.#state = state;
    this.#stop();
    for (const viewer of this.#viewers.clear()) viewer.listener.closed(state.kind);
    this.#gone.emit();
  }

  #hasExited(status: number | undefined): void {
    this.#state = { kind: 'exited', status };
    this.#stop();
    for (const viewer of this.#viewers.viewers) viewer.listener.wake();
    this.#gone.emit();
  }

  #stop(): void {
    this.#lines.stop();
    this.#connection.close();
    clearTimeout(this.#redraw);
    this.#flow.stop();
    this.#reconnectGrace.stop();
  }

  #onOutput(bytes: Buffer): void {
    this.#lastActivity = Date.now();
    this.#output.append(bytes);
    this.#regulate();
    for (const viewer of this.#viewers.viewers) if (viewer.room > 0) viewer.listener.wake();
  }

  #regulate(): void {
    if (this.#state.kind !== 'running') return;
    const { head } = this.#output;
    const inSight = this.#flow.mayRun(this.#viewers.viewers, head);
    this.#connection.regulate(inSight && this.#reconnectGrace.mayRun(head));
  }

  #resize(size: Size): void {
    clearTimeout(this.#redraw);
    this.#output.rows = size.rows;
    this.#connection.resize(size);
  }

  /** Where a replay lacks its beginning, a program that can redraw itself completes the screen. */
  #forceRedraw(): void {
    const { cols, rows } = this.size;
    if (!this.#connection.isOpen || rows < 2) return;
    clearTimeout(this.#redraw);
    this.#connection.resize({ cols, rows: rows - 1 });
    this.#redraw = setTimeout(this.#restoreSize, REDRAW_MS);
  }
}

/** What keys make of a prompt. A program's are its own. */
function afterKeys(prompt: Prompt, keys: Uint8Array): Prompt {
  if (prompt === 'none' || prompt === 'running' || prompt === 'entered') return prompt;
  if (ENTERS.test(Buffer.from(keys).toString('latin1').replaceAll(PASTE, ''))) return 'entered';
  return prompt === 'continued' ? 'continued' : 'edited';
}

/** Whether a page that could go on where it was lacks so much that its newest screen comes sooner by a replay. */
function isTooFar({ offset, newest = 0 }: Arrival, head: number): boolean {
  return newest > 0 && head - offset > REPLAY_BEYOND * newest;
}
