/** The timers of one owner, each with a name. They do not keep the process alive. */
export class Timers implements Disposable {
  readonly #running = new Map<string, NodeJS.Timeout>();
  #disposed = false;

  /** Does `action` after `milliseconds`, in place of an earlier timer of that name. */
  set(name: string, milliseconds: number, action: () => void): void {
    clearTimeout(this.#running.get(name));
    if (this.#disposed) return;
    const timer = setTimeout(() => {
      this.#running.delete(name);
      action();
    }, milliseconds);
    timer.unref();
    this.#running.set(name, timer);
  }

  /** The same, unless a timer of that name runs already. */
  setOnce(name: string, milliseconds: number, action: () => void): void {
    if (!this.#running.has(name)) this.set(name, milliseconds, action);
  }

  /** Stops the timer of that name. */
  clear(name: string): void {
    clearTimeout(this.#running.get(name));
    this.#running.delete(name);
  }

  /** Whether a timer of that name runs. */
  has(name: string): boolean {
    return this.#running.has(name);
  }

  /** Stops them all; none can be set any more. */
  [Symbol.dispose](): void {
    this.#disposed = true;
    for (const timer of this.#running.values()) clearTimeout(timer);
    this.#running.clear();
  }
}
