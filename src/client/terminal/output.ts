import { Beginning } from './beginning.ts';
import type { AttachedFrame, ConnectionListener, OlderFrame } from './connection.ts';
import { OlderOutput, type OlderOutputOwner } from './older-output.ts';
import { OutputQueue } from './output-queue.ts';
import type { Screen } from './screen.ts';

/** What the output of a terminal asks of its pane. */
export interface TerminalOutputListener {
  /** Something new was printed: no prompt, and nothing that a reload brings back. */
  news(): void;
  /** The screen may be fitted to the pane again. */
  settled(): void;
}

/**
 * What the server sends for the screen: brings it there in order, tells what is old from what is new, and mutes the
 * terminal where an answer to a program's question is not its to give.
 */
export class TerminalOutput
  implements
    Pick<Required<ConnectionListener>, 'attached' | 'output' | 'reset' | 'size' | 'older'>,
    Disposable
{
  readonly queue = new OutputQueue<Screen>();
  readonly #older: OlderOutput;
  readonly #listener: TerminalOutputListener;
  /** The first prompt of a shell is no news. */
  #beginning: Beginning | undefined = new Beginning();
  /** Another page may be the one that decides the size. */
  #yours = true;
  #size = { cols: 80, rows: 24 };
  #replaying = false;
  /** Output below this offset is old. */
  #replayUntil = 0;

  constructor(listener: TerminalOutputListener, owner: OlderOutputOwner) {
    this.#listener = listener;
    this.#older = new OlderOutput(owner);
  }

  /** Whether what a replay left out is still to come. */
  get lacksOlder(): boolean {
    return !this.#older.isComplete;
  }

  get replaying(): boolean {
    return this.#replaying;
  }

  /** Never in the middle of a replay, and never against the page that decides. */
  get mayFit(): boolean {
    return !this.#replaying && this.#yours;
  }

  /** Something was typed: what is printed from now on is news. */
  typed(): void {
    this.#beginning = undefined;
  }

  attached(frame: AttachedFrame): void {
    this.#replayUntil = frame.head;
    this.#size = { cols: frame.cols, rows: frame.rows };
    this.#older.reattached(frame.resume === 'restarted');
  }

  older(frame: OlderFrame): void {
    this.#older.take(frame);
  }

  /** Somebody looks, or what was in the way of older output may be gone. */
  look(): void {
    this.#older.look();
  }

  /** Another screen shows the same from now on. */
  replaced(screen: Screen): void {
    this.queue.open(screen);
    this.#mute(screen);
  }

  reset(preamble: Uint8Array, offset: number): void {
    this.#older.reset(offset);
    this.queue.dropOutput();
    this.queue.add((screen) => {
      screen.clear();
      // What is replayed was written for the shell's size; the pane's own comes after it.
      screen.terminal.resize(this.#size.cols, this.#size.rows);
      this.#startReplay(screen);
      screen.write(preamble, () => undefined);
      screen.settled(() => this.#endReplay(screen, offset >= this.#replayUntil));
    }, preamble.byteLength);
  }

  output(bytes: Uint8Array, offset: number, done: () => void): void {
    this.#older.add(bytes, offset);
    const end = offset + bytes.byteLength;
    const isGreeting = this.#beginning?.includes(bytes, end) ?? false;
    if (!isGreeting && end > this.#replayUntil) this.#listener.news();
    this.queue.add((screen) => {
      const old = Math.max(0, Math.min(bytes.byteLength, this.#replayUntil - offset));
      if (old > 0) {
        this.#startReplay(screen);
        const isLast = offset + old === this.#replayUntil;
        screen.write(bytes.subarray(0, old), () => {
          this.#endReplay(screen, isLast);
          if (old === bytes.byteLength) done();
        });
      }
      if (old < bytes.byteLength) screen.write(bytes.subarray(old), done);
    }, bytes.byteLength);
  }

  size(cols: number, rows: number, yours: boolean): void {
    this.#size = { cols, rows };
    this.#yours = yours;
    this.queue.add((screen) => {
      this.#mute(screen);
      if (yours) this.#listener.settled();
      else screen.terminal.resize(cols, rows);
    });
  }

  [Symbol.dispose](): void {
    this.#older[Symbol.dispose]();
    this.queue[Symbol.dispose]();
  }

  #startReplay(screen: Screen): void {
    this.#replaying = true;
    this.#mute(screen);
  }

  #endReplay(screen: Screen, isLast: boolean): void {
    if (!isLast) return;
    this.#replaying = false;
    this.#mute(screen);
    this.#listener.settled();
    this.look();
  }

  #mute(screen: Screen): void {
    screen.muted = this.#replaying || !this.#yours;
  }
}
