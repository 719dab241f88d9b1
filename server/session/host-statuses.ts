import type { Lab } from '#lab';
import type { HostStatus } from '#protocol';

/** How far each host of a sandbox has come, as the learner sees it. */
export class HostStatuses {
  readonly #hosts: Map<string, HostStatus>;

  /** Before anything is known of them. */
  constructor(lab: Lab) {
    this.#hosts = new Map(
      lab.hosts.map(({ name, aliases, address, hasEngine }) => [
        name,
        { name, aliases, address, hasEngine, phase: 'waiting', detail: 'waiting' },
      ]),
    );
  }

  /** In the lab's order. */
  get views(): readonly HostStatus[] {
    return [...this.#hosts.values()];
  }

  /** The hosts that are asked for were running before. */
  allReady(): void {
    for (const name of this.#hosts.keys()) this.set(name, 'ready', 'ready');
  }

  /** @returns whether that is news */
  set(name: string, phase: HostStatus['phase'], detail: string): boolean {
    const host = this.#hosts.get(name);
    if (!host || (host.phase === phase && host.detail === detail)) return false;
    this.#hosts.set(name, { ...host, phase, detail });
    return true;
  }

  of(name: string): HostStatus | undefined {
    return this.#hosts.get(name);
  }
}
