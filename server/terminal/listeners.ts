/** Those who want to hear of one thing, until they dispose what they were given. */
export class Listeners<T> {
  readonly #all = new Set<(value: T) => void>();

  add(listener: (value: T) => void): Disposable {
    const own = (value: T): void => listener(value);
    this.#all.add(own);
    return { [Symbol.dispose]: () => void this.#all.delete(own) };
  }

  tell(value: T): void {
    for (const listener of [...this.#all]) listener(value);
  }
}
