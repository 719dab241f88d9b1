import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Lab } from '#lab';
import type { SessionEvent } from '#protocol';
import type { Step } from '#steps';
import { QuaysideError } from '../errors.ts';
import type { Start } from '../guide/guide.ts';
import { LABEL } from '../sandbox/labels.ts';
import { destroySandbox, type Foundry, liveSandboxes } from '../sandbox/sandbox.ts';
import { Session } from './session.ts';
import type { Figures, Sessions } from './sessions.ts';
import type { Store } from './store.ts';

/** After the engine has gone away: how long until it is looked for again. */
const ENGINE_RETRY_MS = 1_000;

/** What all sessions share. */
export interface RegistryOptions {
  readonly foundry: Foundry;
  readonly store: Store;
  readonly labs: ReadonlyMap<string, Lab>;
  /** What the pages of each lab ask for; without them, nothing can be done for a learner. */
  readonly steps?: ReadonlyMap<string, readonly Step[]>;
  readonly sandboxesMost: number;
  readonly log: (message: string, error: unknown) => void;
}

/** Every session of every learner, each reached only through its owner. */
export class Registry implements Sessions {
  readonly #options: RegistryOptions;
  readonly #labs: Map<string, Lab>;
  readonly #steps: Map<string, readonly Step[]>;
  readonly #sessions = new Map<string, Session>();
  readonly #closed = new AbortController();

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.#labs = new Map(options.labs);
    this.#steps = new Map(options.steps);
  }

  get labs(): readonly { readonly name: string; readonly title: string }[] {
    return [...this.#labs].map(([name, { title }]) => ({ name, title }));
  }

  /**
   * Takes up a lab that was written anew, in the sessions that are in it as well: their hosts, terminals, journal and
   * progress stay.
   *
   * @returns what has come of it, in words for the author
   */
  reload(name: string, lab: Lab, steps: readonly Step[] = []): string {
    const known = this.#labs.get(name);
    this.#labs.set(name, lab);
    this.#steps.set(name, steps);
    for (const session of this.#sessions.values()) {
      if (session.labName === name) void session.reload(lab, steps);
    }
    if (Object.keys(lab.images).some((tag) => !(tag in this.#options.foundry.labImages))) {
      return 'it has an image that is not built yet. Start npm run dev again.';
    }
    if (!known) return 'a new lab is there.';
    return isDeepStrictEqual(known.hosts, lab.hosts)
      ? 'its checks are the new ones.'
      : 'its checks are the new ones. Its hosts have changed: Reset the lab to get those.';
  }

  /** Takes up what an earlier server left running, removes what nobody owns any more, and watches the engine. */
  async open(): Promise<void> {
    const { store, foundry } = this.#options;
    for (const { learner, lab } of store.sessionsWithSandbox()) {
      if (this.#labs.has(lab)) this.#session(learner, lab).adopt();
    }
    const owned = new Set([...this.#sessions.values()].map(({ sandbox }) => sandbox));
    const orphans = (await liveSandboxes(foundry, store.instance)).filter((id) => !owned.has(id));
    await Promise.all(orphans.map((id) => destroySandbox(foundry, id)));
    void this.#watchEngine();
  }

  /** Lets go of everything. With `clean`, every sandbox of this server is removed first. */
  async close(clean: boolean): Promise<void> {
    this.#closed.abort();
    const { foundry, store } = this.#options;
    for (const session of this.#sessions.values()) {
      if (clean && session.sandbox) await session.end('The server was stopped.');
      else session.detach();
    }
    if (!clean) return;
    for (const id of await liveSandboxes(foundry, store.instance))
      await destroySandbox(foundry, id);
  }

  snapshot(learner: string, lab: string) {
    return this.#session(learner, lab).snapshot();
  }

  start(learner: string, lab: string) {
    const session = this.#session(learner, lab);
    session.start();
    return session.snapshot();
  }

  reset(learner: string, lab: string) {
    const session = this.#session(learner, lab);
    session.reset();
    return session.snapshot();
  }

  end(learner: string, lab: string, reason = 'You ended this lab. Your progress is kept.') {
    const session = this.#session(learner, lab);
    void session.end(reason);
    return session.snapshot();
  }

  startFrom(learner: string, lab: string, start: Start) {
    const session = this.#session(learner, lab);
    session.startFrom(start);
    return session.snapshot();
  }

  doStep(learner: string, lab: string, step: string) {
    return this.#session(learner, lab).doStep(step);
  }

  stopGuide(learner: string, lab: string) {
    return this.#session(learner, lab).stopGuide();
  }

  openTerminal(learner: string, lab: string, host: string) {
    return this.#session(learner, lab).openTerminal(host);
  }

  closeTerminal(learner: string, lab: string, terminal: string) {
    return this.#session(learner, lab).closeTerminal(terminal);
  }

  terminal(learner: string, lab: string, terminal: string) {
    return this.#session(learner, lab).terminal(terminal);
  }

  answer(learner: string, lab: string, check: string, text: string) {
    return this.#session(learner, lab).answer(check, text);
  }

  visit(learner: string, lab: string, url: string) {
    return this.#session(learner, lab).visit(url);
  }

  subscribe(learner: string, lab: string, listener: (event: SessionEvent) => void) {
    return this.#session(learner, lab).subscribe(listener);
  }

  figures(): Figures {
    const all = [...this.#sessions.values()];
    const sessions: Record<string, number> = {};
    let terminals = 0;
    for (const session of all) {
      const { status, terminals: open } = session.snapshot();
      sessions[status.state] = (sessions[status.state] ?? 0) + 1;
      terminals += open.length;
    }
    return { sessions, terminals, sandboxes: all.filter(({ sandbox }) => sandbox).length };
  }

  pane(key: string) {
    return [...this.#sessions.values()].map(({ pane }) => pane).find((pane) => pane?.key === key);
  }

  #session(learner: string, labName: string): Session {
    const lab = this.#labs.get(labName);
    if (!lab) {
      throw new QuaysideError(
        'LAB_UNKNOWN',
        `There is no lab named ${labName}.`,
        `The labs are: ${[...this.#labs.keys()].join(', ')}.`,
      );
    }
    const key = `${learner}/${labName}`;
    const known = this.#sessions.get(key);
    if (known) return known;
    const { foundry, store, log } = this.#options;
    const row = store.session(learner, labName);
    const session = new Session({
      foundry,
      store,
      lab,
      labName,
      steps: this.#steps.get(labName) ?? [],
      row,
      log,
      admit: () => this.#admit(),
    });
    this.#sessions.set(key, session);
    return session;
  }

  #admit(): void {
    const running = [...this.#sessions.values()].filter(({ sandbox }) => sandbox).length;
    if (running < this.#options.sandboxesMost) return;
    throw new QuaysideError(
      'SANDBOX_LIMIT',
      `This machine already runs ${running} sandboxes, which is as many as it may.`,
      'End a lab in another browser, or start the server with a larger QUAYSIDE_SANDBOXES.',
    );
  }

  async #watchEngine(): Promise<void> {
    const { foundry, store } = this.#options;
    const { signal } = this.#closed;
    while (!signal.aborted) {
      try {
        const label = `${LABEL.instance}=${store.instance}`;
        for await (const { action, labels } of foundry.engine.events(label, signal)) {
          const host = labels[LABEL.host];
          const session = [...this.#sessions.values()].find(
            ({ sandbox }) => sandbox !== undefined && sandbox === labels[LABEL.sandbox],
          );
          if (host !== undefined) void session?.hostChanged(host, action);
        }
      } catch (error) {
        if (!signal.aborted) this.#options.log('the engine went away', error);
      }
      await delay(ENGINE_RETRY_MS, undefined, { signal, ref: false }).catch(() => undefined);
      // Whatever ended with the engine: one look at every sandbox mends it.
      for (const session of this.#sessions.values()) void session.hostChanged('', 'engine-back');
    }
  }
}
