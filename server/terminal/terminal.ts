import type { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { type Attention, FrameError, type ResumeKind } from '#protocol';
import { Audience } from './audience.ts';
import type { Piece } from './envelope.ts';
import { FlowControl } from './flow-control.ts';
import { InputCount } from './input-count.ts';
import { Listeners } from './listeners.ts';
import { type FinishedCommand, Marks } from './marks.ts';
import { Modes } from './modes.ts';
import { Ring } from './ring.ts';
import type { Carrier, Shell } from './shell.ts';
import type { Size } from './shell-host.ts';
import { Viewer, type ViewerListener } from './viewer.ts';

/** More than the scrollback that a page keeps; less than anybody notices. */
export const RING_BYTES = 2 * 1024 * 1024;
/** Tabs of one learner on one terminal. */
export const MAX_VIEWERS = 16;
/** Of a ring that has lost its beginning, a replay starts at the first line that begins within so many bytes. */
const LINE_START_WITHIN = 16 * 1024;
/** Between a changed size and the old one again, so that a program sees two changes and draws itself anew (ms). */
const NUDGE_MS = 60;
/** When the way to a living shell breaks, try again after so many ms. */
const REJOIN_AFTER_MS = [0, 200, 1000, 3000] as const;

/** Who a terminal is. */
export interface TerminalIdentity {
  readonly id: string;
  /** The host's name. */
  readonly host: string;
  /** The tab's name. */
  readonly title: string;
}

type State =
  /** Input waits until there is somebody to take it. */
  | { readonly kind: 'joining'; readonly typed: Uint8Array[] }
  | { readonly kind: 'running'; readonly carrier: Carrier }
  | { readonly kind: 'exited'; readonly status: number | undefined }
  | { readonly kind: 'closed'; readonly done: Promise<void> }
  | { readonly kind: 'detached' };

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
  readonly #ring = new Ring(RING_BYTES);
  readonly #modes = new Modes();
  readonly #marks: Marks;
  readonly #audience: Audience;
  readonly #flow = new FlowControl(() => this.#regulate());
  readonly #input = new InputCount();
  readonly #exit = new Listeners<number | undefined>();
  readonly #command = new Listeners<FinishedCommand>();
  #state: State = { kind: 'joining', typed: [] };
  #lastActivity = Date.now();
  #ended = false;
  #nudge: NodeJS.Timeout | undefined;
  #rejoining: NodeJS.Timeout | undefined;

  private constructor(identity: TerminalIdentity, shell: Shell, size: Size) {
    this.id = identity.id;
    this.host = identity.host;
    this.title = identity.title;
    this.#shell = shell;
    this.#audience = new Audience(size, (wished) => this.#resize(wished));
    this.#marks = new Marks((command) => this.#command.tell(command));
  }

  /** A terminal on a shell that runs; settles once it is joined. */
  static async on(identity: TerminalIdentity, shell: Shell, size: Size): Promise<Terminal> {
    const terminal = new Terminal(identity, shell, size);
    await terminal.#join();
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
    return this.#ring.head;
  }

  /** How many pages look at it. */
  get viewers(): number {
    return this.#audience.viewers.size;
  }

  /** Input that the shell has not taken yet, in bytes. */
  get queuedInput(): number {
    if (this.#state.kind === 'running') return this.#state.carrier.queued;
    if (this.#state.kind !== 'joining') return 0;
    return this.#state.typed.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  /** The shell has ended by itself (or its host has); everything it printed is in the ring. */
  onExit(listener: (status: number | undefined) => void): Disposable {
    return this.#exit.add(listener);
  }

  /** A command line has finished, says the shell. Anybody's program can say so too: no proof of anything. */
  onCommand(listener: (finished: FinishedCommand) => void): Disposable {
    return this.#command.add(listener);
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
    const { start, head } = this.#ring;
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
    this.#audience.add(viewer);
    if (stale && start > 0) this.#nudgeProgram();
    this.#regulate();
    return { viewer, resume };
  }

  /** A page has gone. */
  leave(viewer: Viewer): void {
    if (this.#audience.remove(viewer)) this.#regulate();
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
    if (viewer.sent < this.#ring.start) viewer.stale = true;
    if (viewer.stale) {
      const { offset, preamble } = this.#replayStart();
      viewer.stale = false;
      viewer.sent = offset;
      viewer.acked = offset;
      return { kind: 'reset', offset, preamble };
    }
    const bytes = this.#ring.read(viewer.sent, Math.min(max, viewer.room));
    if (bytes.byteLength > 0) {
      const offset = viewer.sent;
      viewer.sent += bytes.byteLength;
      return { kind: 'output', offset, bytes };
    }
    if (this.#state.kind === 'exited' && viewer.sent === this.#ring.head) {
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
   * Input of a viewer. `offset` counts its client's bytes over all its sockets: what has come already is dropped.
   *
   * @throws FrameError when bytes are missing in between
   */
  input(viewer: Viewer, offset: number, bytes: Uint8Array): void {
    const fresh = this.#input.accept(viewer.client, offset, bytes);
    if (fresh.byteLength === 0) return;
    this.#lastActivity = Date.now();
    this.#audience.lead(viewer);
    if (this.#state.kind === 'running') this.#state.carrier.write(fresh);
    // A copy: what we were given is a view into a frame.
    else if (this.#state.kind === 'joining') this.#state.typed.push(fresh.slice());
  }

  /**
   * Ends the shell and everything in its session in the host; settles when nothing of it is left.
   *
   * @throws QuaysideError SANDBOX_FAILED when something would not end; whatever the host said when it can't be asked
   */
  close(): Promise<void> {
    if (this.#state.kind === 'closed') return this.#state.done;
    const wasAlive = this.#state.kind !== 'exited';
    const carrier = this.#state.kind === 'running' ? this.#state.carrier : undefined;
    const done = wasAlive ? this.#shell.end() : Promise.resolve();
    this.#finish({ kind: 'closed', done });
    carrier?.[Symbol.dispose]();
    return done;
  }

  /** This server lets go: the shell lives on, and another can adopt it. */
  detach(): void {
    if (this.#state.kind === 'closed') return;
    const carrier = this.#state.kind === 'running' ? this.#state.carrier : undefined;
    this.#finish({ kind: 'detached' });
    carrier?.[Symbol.dispose]();
  }

  #finish(state: Extract<State, { kind: 'closed' | 'detached' }>): void {
    this.#state = state;
    clearTimeout(this.#nudge);
    clearTimeout(this.#rejoining);
    this.#flow.stop();
    for (const viewer of this.#audience.dismiss()) viewer.listener.closed(state.kind);
  }

  async #join(): Promise<void> {
    const carrier = await this.#shell.join(this.size, {
      piece: (piece) => this.#take(piece),
      drained: () => {
        for (const viewer of this.#audience.viewers) viewer.listener.drained();
      },
    });
    if (this.#state.kind !== 'joining') {
      carrier[Symbol.dispose]();
      return;
    }
    const { typed } = this.#state;
    this.#state = { kind: 'running', carrier };
    carrier.resize(this.size);
    for (const bytes of typed) carrier.write(bytes);
    for (const viewer of this.#audience.viewers) viewer.listener.drained();
    this.#regulate();
  }

  #take(piece: Piece): void {
    if (this.#state.kind !== 'running' && this.#state.kind !== 'joining') return;
    if (piece.kind === 'bytes') {
      // After the shell's end there is only what dtach and the engine say about it.
      if (!this.#ended) this.#print(piece.bytes);
      return;
    }
    switch (piece.note) {
      case 'begin':
        return;
      case 'end':
        this.#ended = true;
        this.#hasExited(piece.status);
        this.#shell.tidy().catch(() => {
          // The host has gone, and all that was to be tidied with it.
        });
        return;
      case 'left':
        if (!this.#ended) void this.#rejoin();
        return;
    }
  }

  #print(bytes: Buffer): void {
    this.#lastActivity = Date.now();
    this.#ring.append(bytes, (evicted) => this.#modes.feed(evicted));
    this.#marks.feed(bytes);
    this.#regulate();
    for (const viewer of this.#audience.viewers) if (viewer.room > 0) viewer.listener.wake();
  }

  #hasExited(status: number | undefined): void {
    const carrier = this.#state.kind === 'running' ? this.#state.carrier : undefined;
    this.#state = { kind: 'exited', status };
    carrier?.[Symbol.dispose]();
    clearTimeout(this.#nudge);
    this.#flow.stop();
    for (const viewer of this.#audience.viewers) viewer.listener.wake();
    this.#exit.tell(status);
  }

  /** The way to the shell is gone, but perhaps not the shell. */
  async #rejoin(): Promise<void> {
    this.#state = { kind: 'joining', typed: [] };
    for (const ms of REJOIN_AFTER_MS) {
      await new Promise<void>((resolve) => {
        this.#rejoining = setTimeout(resolve, ms);
      });
      if (this.#state.kind !== 'joining') return;
      try {
        if (!(await this.#shell.alive())) break;
        await this.#join();
        return;
      } catch {
        // Tried again below; the last time, the terminal has ended as far as anybody can tell.
      }
    }
    if (this.#state.kind === 'joining') this.#hasExited(undefined);
  }

  #regulate(): void {
    if (this.#state.kind !== 'running') return;
    if (this.#flow.mayRun(this.#audience.viewers, this.#ring.head)) this.#state.carrier.resume();
    else this.#state.carrier.pause();
  }

  #resize(size: Size): void {
    clearTimeout(this.#nudge);
    if (this.#state.kind === 'running') this.#state.carrier.resize(size);
  }

  /** A replay that lacks its beginning is made whole by the program itself, if it can redraw. */
  #nudgeProgram(): void {
    const { cols, rows } = this.size;
    if (this.#state.kind !== 'running' || rows < 2) return;
    clearTimeout(this.#nudge);
    this.#state.carrier.resize({ cols, rows: rows - 1 });
    this.#nudge = setTimeout(() => {
      if (this.#state.kind === 'running') this.#state.carrier.resize(this.size);
    }, NUDGE_MS);
  }

  #replayStart(): { readonly offset: number; readonly preamble: Uint8Array } {
    const { start } = this.#ring;
    if (start === 0) return { offset: 0, preamble: new Uint8Array() };
    // Not in the middle of a sequence or of a character, if it can be helped.
    const first = this.#ring.read(start, LINE_START_WITHIN);
    const skip = first.indexOf(0x0a) + 1;
    const modes = this.#modes.copy();
    modes.feed(first.subarray(0, skip));
    return { offset: start + skip, preamble: modes.preamble() };
  }
}
