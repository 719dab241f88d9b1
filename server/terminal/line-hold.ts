/** The keys that enter a line (Enter, Ctrl-J). */
const ENTERS = /[\r\n]/;
/** Ctrl-C: who presses it waits for nothing any more. */
const INTERRUPT = 0x03;
/**
 * A host's engine is there a second after the first key. On a machine that is full of starts it takes longer; a line that has
 * nothing to do with the engine is not to wait for all of that.
 */
const HELD_MS = 10_000;
/** A paste of some screens. What is more goes through, with all before it. */
const HELD_BYTES = 64 * 1024;

/** Passes keys on at once, and a line that is entered, with all after it, only when what it may need is there. */
export class LineHold {
  readonly #write: (input: Uint8Array) => void;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param write takes what may go on */
  constructor(write: (input: Uint8Array) => void) {
    this.#write = write;
  }

  /** @param ready settles when a line may be entered; `undefined` where that is now */
  take(input: Uint8Array, ready: Promise<void> | undefined): void {
    if (this.#held.length === 0) {
      if (!ready || !ENTERS.test(Buffer.from(input).toString('latin1'))) {
        this.#write(input);
        return;
      }
      this.#timer = setTimeout(() => this.#release(), HELD_MS);
      const release = () => this.#release();
      ready.then(release, release);
    }
    this.#held.push(Uint8Array.from(input));
    // Counted as it comes: whoever types may send each byte by itself.
    this.#heldBytes += input.byteLength;
    if (this.#heldBytes > HELD_BYTES || input.includes(INTERRUPT)) this.#release();
  }

  /** Gives up what is held. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#held = [];
    this.#heldBytes = 0;
  }

  #release(): void {
    clearTimeout(this.#timer);
    this.#heldBytes = 0;
    for (const input of this.#held.splice(0)) this.#write(input);
  }
}
