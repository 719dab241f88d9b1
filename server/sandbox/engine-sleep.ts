/**
 * Whether a host's engine sleeps, as far as this server knows. One that is awake never falls asleep again, but with a host
 * that is made anew or restarted before anybody has used it.
 */
export class EngineSleep {
  /** While it sleeps. */
  #waking: PromiseWithResolvers<void> | undefined;
  /** While it is being woken. */
  #work: Promise<void> | undefined;

  get isAsleep(): boolean {
    return this.#waking !== undefined;
  }

  /** Settles when it is awake. */
  get untilAwake(): Promise<void> {
    return this.#waking?.promise ?? Promise.resolve();
  }

  /** It is found asleep. */
  begin(): void {
    this.#waking ??= Promise.withResolvers();
  }

  /** It is found awake. */
  end(): void {
    this.#waking?.resolve();
    this.#waking = undefined;
  }

  /**
   * Wakes it, once for all who ask meanwhile; nothing is done where it is awake.
   *
   * @param work settles with what it has come to. One that was used and does not start counts as awake: it is no longer one
   *   that nobody has used.
   * @throws as `work`; it still sleeps then, and may be woken again
   */
  wake(work: () => Promise<'awake' | 'asleep'>): Promise<void> {
    if (!this.isAsleep) return Promise.resolve();
    this.#work ??= work()
      .then((found) => {
        if (found === 'awake') this.end();
      })
      .finally(() => {
        this.#work = undefined;
      });
    return this.#work;
  }
}
