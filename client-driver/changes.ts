import { ExpectationFailed } from './expectation-failed.ts';

/** How long something may take (ms), and what gives up on it before. */
export interface Patience {
  readonly ms: number;
  readonly signal?: AbortSignal | undefined;
}

/** What is waited for. */
export interface Awaited<T> extends Patience {
  /** What should become so, in the words of an error: `the hosts to be ready`. */
  readonly what: string;
  /** What was found, once it is so. It may throw where it cannot become so any more. */
  readonly look: () => T | undefined | false;
  /** What is so instead, for the error. */
  readonly seen: () => string;
}

/** Wakes whoever waits for something in what comes. */
export class Changes {
  readonly #waiting = new Set<() => void>();
  #closed: string | undefined;

  /** Why nothing more comes, once that is so. */
  get closed(): string | undefined {
    return this.#closed;
  }

  /** Something has come. */
  emit(): void {
    for (const attempt of [...this.#waiting]) attempt();
  }

  /** Nothing more comes. */
  close(why: string): void {
    this.#closed ??= why;
    this.emit();
  }

  /**
   * What `look` finds: it is asked at once, and again after everything that comes.
   *
   * @throws ExpectationFailed with what was seen instead, when the time is over or nothing more comes
   * @throws what `look` throws, and the signal's reason
   */
  until<T>({ what, look, seen, ms, signal }: Awaited<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = (how: () => void): void => {
        clearTimeout(timer);
        this.#waiting.delete(attempt);
        signal?.removeEventListener('abort', onAbort);
        how();
      };
      const fail = (error: unknown): void => settle(() => reject(error));
      const attempt = (): void => {
        try {
          const found = look();
          if (found !== undefined && found !== false) settle(() => resolve(found));
          else if (this.#closed !== undefined) fail(new ExpectationFailed(what, this.#closed));
        } catch (error) {
          fail(error);
        }
      };
      const onAbort = (): void => fail(signal?.reason);
      const timer = setTimeout(
        () => fail(new ExpectationFailed(what, `after ${ms / 1_000} s, ${seen()}`)),
        ms,
      );
      this.#waiting.add(attempt);
      signal?.addEventListener('abort', onAbort, { once: true });
      if (signal?.aborted) onAbort();
      else attempt();
    });
  }
}
