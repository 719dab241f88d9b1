/** How often a slow renderer draws (ms), as a browser would between frames. */
const TICK_MS = 4;
/** The end of a shell's prompt, before or after the sequences that colour it. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: terminals speak in them.
const PROMPT = /[$#](\u001b\[[\d;?]*[a-z])* (\u001b\[[\d;?]*[a-z])*$/;
const PROMPT_BYTES = 64;

/**
 * Stands where xterm does: takes output, at once or at a given speed, and says when a piece is on the screen. `stalled`
 * ones take nothing at all.
 */
export class Renderer implements Disposable {
  /** Bytes per second; infinite by default. */
  readonly #speed: number;
  #waiting: { bytes: Buffer; done: () => void }[] = [];
  #tick: NodeJS.Timeout | undefined;
  #last = 0;
  #watchers = new Set<(bytes: Buffer) => void>();

  constructor(speed = Number.POSITIVE_INFINITY) {
    this.#speed = speed;
  }

  take(bytes: Buffer, done: () => void): void {
    if (this.#speed === Number.POSITIVE_INFINITY) {
      this.#draw(bytes, done);
      return;
    }
    this.#waiting.push({ bytes, done });
    if (this.#tick) return;
    this.#last = performance.now();
    this.#tick = setInterval(() => this.#drawSome(), TICK_MS);
  }

  /** Sees every byte as it is drawn. */
  watch(watcher: (bytes: Buffer) => void): Disposable {
    this.#watchers.add(watcher);
    return { [Symbol.dispose]: () => void this.#watchers.delete(watcher) };
  }

  /** Settles when `text` has been drawn, counted from now. */
  until(text: string): Promise<void> {
    return new Promise((resolve) => {
      let tail = '';
      const watching = this.watch((bytes) => {
        const seen = tail + bytes.toString('latin1');
        if (seen.includes(text)) {
          watching[Symbol.dispose]();
          resolve();
        }
        tail = seen.slice(-text.length);
      });
    });
  }

  /** Settles when what has been drawn ends in a prompt, counted from now. */
  untilPrompt(): Promise<void> {
    return new Promise((resolve) => {
      let tail = '';
      const watching = this.watch((bytes) => {
        tail = (tail + bytes.toString('latin1')).slice(-PROMPT_BYTES);
        if (!PROMPT.test(tail)) return;
        watching[Symbol.dispose]();
        resolve();
      });
    });
  }

  [Symbol.dispose](): void {
    clearInterval(this.#tick);
    this.#waiting = [];
  }

  #drawSome(): void {
    const now = performance.now();
    let budget = Math.floor((this.#speed * (now - this.#last)) / 1000);
    this.#last = now;
    while (budget > 0) {
      const next = this.#waiting[0];
      if (!next) {
        clearInterval(this.#tick);
        this.#tick = undefined;
        return;
      }
      const part = next.bytes.subarray(0, budget);
      budget -= part.byteLength;
      if (part.byteLength < next.bytes.byteLength) {
        next.bytes = next.bytes.subarray(part.byteLength);
        this.#draw(part, () => undefined);
      } else {
        this.#waiting.shift();
        this.#draw(part, next.done);
      }
    }
  }

  #draw(bytes: Buffer, done: () => void): void {
    for (const watcher of [...this.#watchers]) watcher(bytes);
    done();
  }
}
