import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { type Attention, FrameError, type ResumeKind } from '#protocol';
import type { Background } from '../base/background.ts';
import { Emitter } from '../base/emitter.ts';
import { FlowControl } from './flow-control.ts';
import { InputDeduplicator } from './input-deduplicator.ts';
import { Output } from './output.ts';
import { ReconnectGrace } from './reconnect-grace.ts';
import { ShellConnection } from './shell-connection.ts';
import type { Size } from './shell-host.ts';
import type { FinishedCommand } from './shell-integration.ts';
import type { Shell } from './shell-transport.ts';
import { Viewer, type ViewerListener } from './viewer.ts';
import { Viewers } from './viewers.ts';

/** Tabs of one learner on one terminal. */
export const MAX_VIEWERS = 16;
/** Between a changed size and the old one again, so that a program sees two changes and draws itself anew (ms). */
const NUDGE_MS = 60;
/** Who a terminal is. */
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
 * `none`: it has shown no prompt yet. `clear`: it waits for a line, and nobody has typed since. `typed`: there may be
 * something half typed. `running`: a program has the terminal.
 */
export type Prompt = 'none' | 'clear' | 'typed' | 'running';

/** What a viewer takes next. The bytes are views that hold until control returns to the event loop. */
export type Delivery =
  | { readonly kind: 'reset'; readonly offset: number; readonly preamble: Uint8Array }
  | { readonly kind: 'output'; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly kind: 'exit'; readonly status: number | undefined };

/** How a page comes (back) to a terminal. */
export interface Arrival {
  readonly client: bigint;
  readonly attention: Attention;
  /** The epoch that `offset` belongs to; 0 where the page has nothing yet. */
  readonly epoch: bigint;
  readonly offset: number;
}

/**
 * One shell on one host. It outlives the page that shows it: output goes into a bounded ring by running offset, and any
 * number of viewers take it from there, each at its own pace. While somebody looks, the program waits for the slowest
 * who keeps up at all; while nobody does, it runs on into the ring. Knows nothing of sockets.
 */
export class Terminal {
  readonly id: string;
  readonly host: string;
  readonly title: string;
  /** Distinguishes this terminal's offsets from those before a restart of the server. Never 0. */
  readonly epoch: bigint = randomBytes(8).readBigUInt64BE() | 1n;
  readonly #shell: Shell;
  readonly #wayIn: ShellConnection;
  readonly #output: Output;
  readonly #audience: Viewers;
  readonly #flow = new FlowControl(() => this.#regulate());
  readonly #expected = new ReconnectGrace(() => this.#regulate());
  readonly #input = new InputDeduplicator();
  readonly #exit = new Emitter<number | undefined>();
  readonly #command = new Emitter<FinishedCommand>();
  readonly #typed = new Emitter<Uint8Array>();
  readonly #prompted = new Emitter<void>();
  readonly #gone = new Emitter<void>();
  #state: State = { kind: 'running' };
  #prompt: Prompt = 'none';
  /** Which shell is the terminal's own: the first that showed a prompt. */
  #login: string | undefined;
  #lastActivity = Date.now();
  #nudge: NodeJS.Timeout | undefined;

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
    this.#audience = new Viewers(size, (wished) => this.#resize(wished));
    this.#output = new Output({
      finished: (command) => this.#command.emit(command),
      prompted: (shell) => {
        this.#login ??= shell;
        // One within another has the terminal, as any program would.
        if (shell !== this.#login) return;
        this.#prompt = 'clear';
        this.#prompted.emit();
      },
      started: () => {
        this.#prompt = 'running';
      },
    });
    const listener = {
      bytes: (bytes: Buffer) => this.#print(bytes),
      ended: (status: number | undefined) => this.#hasExited(status),
      drained: () => {
        for (const viewer of this.#audience.viewers) viewer.listener.drained();
      },
    };
    this.#wayIn = new ShellConnection(shell, size, listener, background);
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
    options: { readonly background: Background; readonly signal?: AbortSignal },
  ): Promise<Terminal> {
    const terminal = new Terminal(identity, shell, size, options.background);
    await terminal.#wayIn.open(options.signal);
    return terminal;
  }

  /** When something was last typed or printed (ms since the epoch). */
  get lastActivity(): number {
    return this.#lastActivity;
  }

  get size(): Size {
    return this.#audience.size;
  }

  /** The offset that the next byte of output will have. */
  get head(): number {
    return this.#output.head;
  }

  /** How many pages look at it. */
  get viewers(): number {
    return this.#audience.viewers.size;
  }

  /** Input that the shell has not taken yet, in bytes. */
  get queuedInput(): number {
    return this.#wayIn.queued;
  }

  /** Where the shell stands with its prompt, as far as its marks and its viewers' keys tell. */
  get prompt(): Prompt {
    return this.#wayIn.isOpen ? this.#prompt : 'running';
  }

  /** The shell shows its prompt and waits for a line. */
  onPrompt(listener: () => void): Disposable {
    return this.#prompted.on(listener);
  }

  /** A viewer has typed; called before the shell gets it. */
  onTyped(listener: (bytes: Uint8Array) => void): Disposable {
    return this.#typed.on(listener);
  }

  /** Types on behalf of nobody who looks: the bytes go to the shell as keys do. */
  type(text: string): void {
    this.#lastActivity = Date.now();
    this.#wayIn.write(Buffer.from(text));
  }

  /** What was printed from an offset on, as far as the ring still has it. */
  printedSince(offset: number): Uint8Array {
    return this.#output.since(offset);
  }

  /** The shell has ended by itself (or its host has); everything it printed is in the ring. */
  onExit(listener: (status: number | undefined) => void): Disposable {
    return this.#exit.on(listener);
  }

  /** Nothing will come of it any more: its shell has ended, or it was closed or let go. */
  onGone(listener: () => void): Disposable {
    return this.#gone.on(listener);
  }

  /** A command line has finished, says the shell. Anybody's program can say so too: no proof of anything. */
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
      if (arrival.offset >= start) {
        resume = 'exact';
        from = arrival.offset;
      }
    } else if (arrival.epoch !== 0n && start === 0) {
      resume = 'restarted';
    }
    const stale = resume === 'replay';
    const viewer = new Viewer(arrival.client, arrival.attention, from, stale, listener);
    this.#expected.arrived(arrival.client);
    this.#audience.add(viewer);
    if (stale && start > 0) this.#nudgeProgram();
    this.#regulate();
    return { viewer, resume };
  }

  /** A page has gone; `lost`: not of its own will, so it is expected back. */
  leave(viewer: Viewer, how: 'gone' | 'lost'): void {
    if (!this.#audience.remove(viewer)) return;
    if (how === 'lost' && this.#state.kind === 'running') this.#expected.add(viewer);
    this.#regulate();
  }

  /** Whether this viewer decides the size. */
  isActive(viewer: Viewer): boolean {
    return this.#audience.isActive(viewer);
  }

  /** How many of a client's input bytes have arrived. */
  taken(client: bigint): number {
    return this.#input.taken(client);
  }

  /** The next thing for this viewer, if it has room: at most `max` bytes. */
  take(viewer: Viewer, max: number): Delivery | undefined {
    if (!this.#audience.viewers.has(viewer)) return undefined;
    if (viewer.sent < this.#output.start) viewer.stale = true;
    if (viewer.stale) {
      const { offset, preamble } = this.#output.replayStart();
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

  /** @throws FrameError for an offset that was never sent */
  acknowledge(viewer: Viewer, offset: number): void {
    if (offset > viewer.sent) throw new FrameError('acknowledged what was not sent');
    // Older ones are left over from before a reset.
    if (offset <= viewer.acked) return;
    viewer.acked = offset;
    viewer.aside = false;
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
    viewer.aside = false;
    this.#audience.attend(viewer, attention);
    this.#regulate();
  }

  /** The size that this viewer would like; it gets it if it is the active one. */
  resize(viewer: Viewer, size: Size): void {
    this.#audience.wish(viewer, size);
  }

  /**
   * Input of a viewer. `offset` counts its client's bytes over all its sockets: what has come already is dropped, as is
   * what comes from somebody who may only look.
   *
   * @throws FrameError when bytes are missing in between
   */
  input(viewer: Viewer, offset: number, bytes: Uint8Array): void {
    const fresh = this.#input.accept(viewer.client, offset, bytes);
    if (fresh.byteLength === 0 || viewer.listener.mayType?.() === false) return;
    this.#lastActivity = Date.now();
    this.#audience.lead(viewer);
    this.#typed.emit(fresh);
    if (this.#prompt !== 'running') this.#prompt = 'typed';
    this.#wayIn.write(fresh);
  }

  /**
   * Ends the shell and everything in its session in the host; settles when nothing of it is left.
   *
   * @throws QuaysideError SANDBOX_FAILED when something would not end; whatever the host said when it can't be asked
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
    for (const viewer of this.#audience.dismiss()) viewer.listener.closed(state.kind);
    this.#gone.emit();
  }

  #hasExited(status: number | undefined): void {
    this.#state = { kind: 'exited', status };
    this.#stop();
    for (const viewer of this.#audience.viewers) viewer.listener.wake();
    this.#exit.emit(status);
    this.#gone.emit();
  }

  #stop(): void {
    this.#wayIn.close();
    clearTimeout(this.#nudge);
    this.#flow.stop();
    this.#expected.stop();
  }

  #print(bytes: Buffer): void {
    this.#lastActivity = Date.now();
    this.#output.append(bytes);
    this.#regulate();
    for (const viewer of this.#audience.viewers) if (viewer.room > 0) viewer.listener.wake();
  }

  #regulate(): void {
    if (this.#state.kind !== 'running') return;
    const { head } = this.#output;
    const inSight = this.#flow.mayRun(this.#audience.viewers, head);
    this.#wayIn.regulate(inSight && this.#expected.mayRun(head));
  }

  #resize(size: Size): void {
    clearTimeout(this.#nudge);
    this.#wayIn.resize(size);
  }

  /** A replay that lacks its beginning is made whole by the program itself, if it can redraw. */
  #nudgeProgram(): void {
    const { cols, rows } = this.size;
    if (!this.#wayIn.isOpen || rows < 2) return;
    clearTimeout(this.#nudge);
    this.#wayIn.resize({ cols, rows: rows - 1 });
    this.#nudge = setTimeout(() => this.#wayIn.resize(this.size), NUDGE_MS);
  }
}
