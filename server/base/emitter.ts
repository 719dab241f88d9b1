/** Those who want to hear of one thing, until they dispose what they were given. */
export class Emitter<T> {
  readonly #all = new Set<(value: T) => void>();

  /** How many listen. */
  get size(): number {
    return this.#all.size;
  }

  on(listener: (value: T) => void): Disposable {
    const own = (value: T): void => listener(value);
    this.#all.add(own);
    return {
      [Symbol.dispose]: () => {
        this.#all.delete(own);
      },
    };
  }

  emit(value: T): void {
    for (const listener of [...this.#all]) listener(value);
  }
}
