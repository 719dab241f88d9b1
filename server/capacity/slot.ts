import type { AdmissionQueue, QueuePosition, Slot } from './admission-queue.ts';

/** A learner whose pages are all closed keeps the place in the queue for so long: a reload, a walk out of the wifi. */
const PLACE_KEPT_MS = 60_000;

/** What a session's room is asked for with. */
export interface RoomOptions {
  readonly gate: AdmissionQueue;
  /** Whether a sandbox stands ready for it. */
  readonly isReady: () => boolean;
  /** Whether somebody has a page open and waits. */
  readonly isAwaited: () => boolean;
  /** There is room: start. May be called before `ask` returns. */
  readonly onAdmitted: () => void;
  readonly onPlace: (place: QueuePosition) => void;
  /** Nobody has waited for long: the place in the queue is given up. */
  readonly onGivenUp: () => void;
}

/** A session's room on the machine: its place in the queue, and then what it holds until its sandbox is gone. */
export class Room implements Disposable {
  readonly #options: RoomOptions;
  /** Held from the moment there is room for the sandbox until it is gone. */
  #admission: Slot | undefined;
  #kept: NodeJS.Timeout | undefined;
  readonly #visitor = {
    ready: () => this.#options.isReady(),
    admitted: (admission: Slot) => {
      this.awaited();
      this.#admission = admission;
      this.#options.onAdmitted();
    },
    placed: (place: QueuePosition) => this.#options.onPlace(place),
  };

  constructor(options: RoomOptions) {
    this.#options = options;
  }

  /** Asks for room; where the machine is full, it waits in the queue. */
  ask(): void {
    this.#options.gate.join(this.#visitor);
  }

  /** Room that nobody has to wait for: its sandbox runs already, or takes the place of one that is being cleared. */
  occupy(): void {
    this.#admission = this.#options.gate.occupy('starting');
  }

  /** The start is over: the next may begin. */
  started(): void {
    this.#admission?.started();
  }

  /** Gives up the room, or the place in the queue. @param gone settles when the sandbox is cleared away */
  leave(gone: Promise<void>): void {
    this.#options.gate.leaveQueue(this.#visitor);
    this.awaited();
    this.release(gone);
  }

  /**
   * Gives back the room of a sandbox, and no place in the queue.
   *
   * @param gone settles when the sandbox is cleared away
   * @returns whether it held any
   */
  release(gone: Promise<void>): boolean {
    const admission = this.#admission;
    this.#admission = undefined;
    void gone.finally(() => admission?.leave());
    return admission !== undefined;
  }

  /** Somebody waits. */
  awaited(): void {
    clearTimeout(this.#kept);
  }

  /** Nobody waits any more: the place in the queue is kept for a while. */
  keep(): void {
    clearTimeout(this.#kept);
    this.#kept = setTimeout(() => {
      if (this.#options.isAwaited()) return;
      this.#options.gate.leaveQueue(this.#visitor);
      this.#options.onGivenUp();
    }, PLACE_KEPT_MS);
    this.#kept.unref();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#kept);
  }
}
