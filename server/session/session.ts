import { randomBytes } from 'node:crypto';
import type { HostView, JournalView, Lab, SandboxView, SignalBody } from '#lab';
import type {
  CheckView,
  GuideView,
  HostStatus,
  SessionEvent,
  SessionSnapshot,
  SessionStatus,
  TerminalView,
  VisitView,
} from '#protocol';
import type { Step } from '#steps';
import { BrowserPane } from '../browser/browser-pane.ts';
import { CheckRunner } from '../checks/runner.ts';
import { QuaysideError } from '../errors.ts';
import type { Ground } from '../guide/ground.ts';
import { Guide, type Start } from '../guide/guide.ts';
import type { Host } from '../sandbox/host.ts';
import { viewOf } from '../sandbox/host-view.ts';
import { type Foundry, Sandbox } from '../sandbox/sandbox.ts';
import { watchHost } from '../signals/watch.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { Journal } from './journal.ts';
import type { SessionRow, Store } from './store.ts';
import { Terminals } from './terminals.ts';

const NOT_RUNNING = 'The hosts of this lab are not running.';

/** What a session is made with. */
export interface SessionOptions {
  readonly foundry: Foundry;
  readonly store: Store;
  readonly lab: Lab;
  readonly labName: string;
  /** What the lab's pages ask for, in order. */
  readonly steps: readonly Step[];
  readonly row: SessionRow;
  /** Throws where the machine has room for no more sandboxes. */
  readonly admit: () => void;
  /** Keeps a note of what went wrong, for the operator. */
  readonly log: (message: string, error: unknown) => void;
}

/**
 * One learner working through one lab. It owns the sandbox, the watchers of its hosts, the terminals, the check runner
 * and the journal, and tells whoever listens what changed.
 */
export class Session {
  readonly id: string;
  #options: SessionOptions;
  readonly #listeners = new Set<(event: SessionEvent) => void>();
  readonly #terminals: Terminals;
  #hosts: Map<string, HostStatus>;
  #guide: Guide;
  #journal: Journal;
  #passes: Map<string, number>;
  /** Of the passes, those that were not the learner's own work. */
  #assisted: Set<string>;
  #status: SessionStatus = { state: 'none' };
  /** Present from `starting` on; each start makes its own, so that a late answer of an earlier one is not heard. */
  #run: Run | undefined;
  #pane: BrowserPane | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    const { store, lab, row } = options;
    this.id = row.id;
    this.#journal = new Journal(store, row.id);
    this.#passes = new Map(store.passes(row.id));
    this.#assisted = new Set(store.assisted(row.id));
    this.#guide = this.#newGuide();
    this.#hosts = waitingHosts(lab);
    this.#terminals = new Terminals({
      store,
      session: row.id,
      onChange: (terminals) => this.#emit({ type: 'terminals', terminals }),
      onCommand: ({ host, id }, finished) =>
        this.#signal({ kind: 'command', host, terminal: id, ...finished }),
    });
  }

  /** The folder of its lab. */
  get labName(): string {
    return this.#options.labName;
  }

  /** The sandbox's id, from its first moment to its last. */
  get sandbox(): string | undefined {
    return this.#run?.sandbox.owner.sandbox;
  }

  get pane(): BrowserPane | undefined {
    return this.#pane;
  }

  snapshot(): SessionSnapshot {
    const answers = this.#journal.all('answer').map(({ check, text }) => [check, text] as const);
    return {
      lab: this.#options.labName,
      status: this.#status,
      checks: this.#checkViews(),
      values:
        this.#run?.runner.values ?? Object.keys(this.#options.lab.values).map((id) => ({ id })),
      terminals: this.#terminals.views,
      answers: Object.fromEntries(answers),
      guide: this.#guide.view,
    };
  }

  subscribe(listener: (event: SessionEvent) => void): Disposable {
    const heard = this.#listen(listener);
    listener({ type: 'snapshot', snapshot: this.snapshot() });
    return heard;
  }

  /** Starts the sandbox unless it is running or on its way. */
  start(): void {
    if (this.#status.state === 'starting' || this.#status.state === 'ready') return;
    this.#options.admit();
    // The journal speaks of a sandbox that is gone; what was passed stays passed.
    this.#options.store.clearJournal(this.id);
    this.#journal = new Journal(this.#options.store, this.id);
    this.#begin(randomBytes(4).toString('hex'));
  }

  /** Takes up the sandbox that an earlier server has left running. */
  adopt(): void {
    const { sandbox } = this.#options.row;
    if (sandbox === undefined || this.#run) return;
    this.#terminals.expect();
    this.#begin(sandbox);
  }

  /** Back to the lab's start: a fresh sandbox, no passes, no journal. */
  reset(): void {
    this.#letGo(true);
    this.#options.store.clearSession(this.id);
    this.#journal = new Journal(this.#options.store, this.id);
    this.#passes = new Map();
    this.#assisted = new Set();
    this.#options.admit();
    this.#begin(randomBytes(4).toString('hex'));
    this.#emit({ type: 'snapshot', snapshot: this.snapshot() });
  }

  /**
   * A fresh sandbox, brought to where a section or a step begins. What the learner has passed by themselves stays; what
   * was done for them is open again, but for what is done for them now.
   */
  startFrom(start: Start): void {
    const steps = this.#guide.before(start);
    if (!this.#run) this.#options.admit();
    void this.#letGo(true);
    const { store } = this.#options;
    store.clearAssisted(this.id);
    this.#journal = new Journal(store, this.id);
    this.#passes = new Map(store.passes(this.id));
    this.#assisted = new Set();
    this.#begin(randomBytes(4).toString('hex'));
    this.#guide.bringTo(steps, this.#grounded());
    this.#emit({ type: 'snapshot', snapshot: this.snapshot() });
  }

  /** Does a step for the learner, in their own terminals. */
  doStep(id: string): GuideView {
    const step = this.#guide.step(id);
    this.#guide.doStep(step, this.#ground(this.#ready()));
    return this.#guide.view;
  }

  /** Stops what is being done for the learner, or puts away how it ended. */
  stopGuide(): GuideView {
    if (this.#guide.working) this.#guide.stop();
    else this.#guide.dismiss();
    return this.#guide.view;
  }

  /** Takes up a lab that was written anew: its checks and values, on the hosts as they are. */
  async reload(lab: Lab, steps: readonly Step[]): Promise<void> {
    this.#options = { ...this.#options, lab, steps };
    if (!this.#guide.working) this.#guide = this.#newGuide();
    const run = this.#run;
    if (run) {
      run.runner[Symbol.dispose]();
      run.runner = this.#newRunner(run.sandbox);
      if (this.#status.state === 'ready') run.runner.wake();
      await run.runner.settled();
    }
    this.#emit({ type: 'snapshot', snapshot: this.snapshot() });
  }

  /** Removes the sandbox; the progress is kept. */
  end(reason: string): Promise<void> {
    const gone = this.#letGo(true);
    this.#options.store.setSandbox(this.id, undefined);
    this.#setStatus({ state: 'ended', reason });
    this.#emit({ type: 'snapshot', snapshot: this.snapshot() });
    return gone;
  }

  /** The server stops: everything here is closed, the hosts and their shells live on. */
  detach(): void {
    void this.#letGo(false);
  }

  /** A host of the sandbox started or ended outside of our own doing: mend what is broken. */
  async hostChanged(host: string, action: string): Promise<void> {
    const run = this.#run;
    if (!run || this.#status.state !== 'ready') return;
    const live = run.sandbox.hosts.find(({ name }) => name === host);
    if (action === 'pause') {
      live?.goAway(`${host} is paused.`);
      this.#onHost(run, host, 'down', 'paused');
      return this.#signal({ kind: 'host', host, change: 'paused' });
    }
    if (action === 'unpause') {
      live?.comeBack();
      this.#onHost(run, host, 'ready', 'ready');
      return this.#signal({ kind: 'host', host, change: 'resumed' });
    }
    if (action === 'die') {
      live?.goAway(`${host} is not running; it is being started again.`);
      this.#signal({ kind: 'host', host, change: 'stopped' });
      this.#onHost(run, host, 'down', 'restarting');
    }
    try {
      await run.sandbox.reconcile((name, phase, detail) => this.#onHost(run, name, phase, detail));
      if (action === 'start') this.#signal({ kind: 'host', host, change: 'started' });
    } catch (error) {
      if (await this.#engineIsAway()) {
        // Nothing is lost yet: when the engine is back, its hosts are mended like any other.
        for (const name of this.#hosts.keys()) this.#onHost(run, name, 'down', 'engine away');
      } else this.#failed(run, error);
    }
  }

  openTerminal(host: string): Promise<TerminalView> {
    return this.#terminals.open(this.#ready().sandbox.host(host));
  }

  closeTerminal(id: string): Promise<void> {
    return this.#terminals.close(id);
  }

  terminal(id: string): Terminal {
    return this.#terminals.get(id);
  }

  /** Takes an answer and says what it is worth. */
  async answer(check: string, text: string): Promise<CheckView> {
    if (!this.#options.lab.checks.some(({ id, question }) => id === check && question)) {
      throw new QuaysideError(
        'CHECK_UNKNOWN',
        `This lab has no question ${check}.`,
        'Reload the page; it may be older than the server.',
      );
    }
    const run = this.#ready();
    this.#journal.add({ kind: 'answer', check, text });
    await run.runner.ask(check);
    run.runner.wake({ kind: 'answer', check, text });
    const view = this.#checkViews().find(({ id }) => id === check);
    if (!view) throw new Error(`check ${check} has no view`);
    return view;
  }

  /** Opens a page from the network of the lab's browsing host. */
  visit(url: string): Promise<VisitView> {
    this.#ready();
    if (!this.#pane) throw new Error('a ready session has no browser pane');
    return this.#pane.visit(url);
  }

  #ready(): Run {
    if (this.#run && this.#status.state === 'ready') return this.#run;
    throw new QuaysideError(
      'SESSION_NOT_READY',
      this.#status.state === 'starting' ? 'The hosts of this lab are still starting.' : NOT_RUNNING,
      this.#status.state === 'starting' ? 'Wait a moment and try again.' : 'Start the lab.',
    );
  }

  #begin(id: string): void {
    const { foundry, store, lab } = this.#options;
    // The row first: after a crash it finds whatever the next lines made.
    store.setSandbox(this.id, id);
    const owner = { instance: store.instance, sandbox: id, session: this.id };
    const sandbox = new Sandbox(foundry, lab, owner);
    const runner = this.#newRunner(sandbox);
    const run: Run = {
      sandbox,
      runner,
      closed: new AbortController(),
      up: Promise.withResolvers(),
    };
    // Most starts have nobody who waits for them.
    run.up.promise.catch(() => undefined);
    this.#run = run;
    this.#hosts = waitingHosts(lab);
    this.#setStatus({ state: 'starting', hosts: [...this.#hosts.values()] });
    void this.#raise(run).catch((error: unknown) => this.#failed(run, error));
  }

  #newGuide(): Guide {
    const { lab, steps, log } = this.#options;
    return new Guide({
      lab,
      steps,
      log,
      onChange: (guide) => this.#emit({ type: 'guide', guide }),
    });
  }

  #newRunner(sandbox: Sandbox): CheckRunner {
    return new CheckRunner({
      lab: this.#options.lab,
      view: (signal) => sandboxView(sandbox, this.#journal, signal),
      passes: () => this.#passes,
      about: (check) => this.#journal.passes.get(check),
      onPass: (check, at, about) => {
        const assisted = this.#guide.working;
        this.#passes.set(check, at);
        if (assisted) this.#assisted.add(check);
        this.#options.store.addPass(this.id, check, at, assisted);
        this.#signal({ kind: 'pass', check, about });
      },
      onChecks: (checks) =>
        this.#emit({ type: 'checks', checks: checks.map((check) => this.#credited(check)) }),
      onValues: (values) => this.#emit({ type: 'values', values }),
    });
  }

  async #raise(run: Run): Promise<void> {
    const { lab } = this.#options;
    await run.sandbox.reconcile((name, phase, detail) => this.#onHost(run, name, phase, detail));
    if (this.#run !== run) return;
    for (const host of run.sandbox.hosts) {
      watchHost(host, {
        since: this.#journal.lastAt,
        onSignal: (signal) => this.#run === run && this.#signal(signal),
        signal: run.closed.signal,
      });
    }
    const browsing = run.sandbox.host(lab.browser);
    this.#pane = new BrowserPane({
      from: lab.browser,
      dial: (argv, options) => browsing.dial(argv, options),
      onVisit: (visit, signal) => {
        this.#signal(signal);
        this.#emit({ type: 'visit', visit });
      },
    });
    await this.#terminals.adopt((name) => run.sandbox.host(name));
    if (this.#terminals.views.length === 0) {
      // Each takes its place at once, so the tabs stand in the lab's order whichever shell is there first.
      await Promise.all(lab.hosts.map(({ name }) => this.#terminals.open(run.sandbox.host(name))));
    }
    if (this.#run !== run) return;
    this.#setStatus({ state: 'ready', hosts: [...this.#hosts.values()] });
    run.runner.wake();
    run.up.resolve();
  }

  async #engineIsAway(): Promise<boolean> {
    return this.#options.foundry.engine.docker.ping().then(
      () => false,
      () => true,
    );
  }

  #failed(run: Run, error: unknown): void {
    if (this.#run !== run) return;
    this.#options.log(`session ${this.id}: its sandbox failed`, error);
    void this.#letGo(true);
    this.#options.store.setSandbox(this.id, undefined);
    const known = error instanceof QuaysideError;
    this.#setStatus({
      state: 'failed',
      reason: known ? error.message : `The hosts could not be started: ${(error as Error).message}`,
      remedy: known ? error.remedy : 'Try again. If it fails again, the server’s log says more.',
    });
  }

  /** Closes all that belongs to the present run; with `destroy`, removes its sandbox as well. */
  async #letGo(destroy: boolean): Promise<void> {
    const run = this.#run;
    this.#run = undefined;
    this.#guide.abandon();
    run?.up.reject(new Error('The hosts went away.'));
    this.#pane?.[Symbol.dispose]();
    this.#pane = undefined;
    this.#terminals.detach();
    if (!run) return;
    run.closed.abort();
    run.runner[Symbol.dispose]();
    if (!destroy) return;
    for (const { id } of this.#options.store.terminals(this.id)) {
      this.#options.store.removeTerminal(id);
    }
    await run.sandbox
      .destroy()
      .catch((error: unknown) => this.#options.log(`sandbox ${run.sandbox.owner.sandbox}`, error));
  }

  #signal(signal: SignalBody): void {
    this.#journal.add(signal);
    this.#run?.runner.wake(signal);
  }

  #onHost(run: Run, name: string, phase: HostStatus['phase'], detail: string): void {
    const host = this.#hosts.get(name);
    if (this.#run !== run || !host) return;
    if (host.phase === phase && host.detail === detail) return;
    // A look at a host that is well says "engine starting" on its way to "ready": no news once the lab is up.
    if (this.#status.state === 'ready' && host.phase === 'ready' && phase === 'starting') return;
    this.#hosts.set(name, { ...host, phase, detail });
    if (this.#status.state === 'starting' || this.#status.state === 'ready') {
      this.#setStatus({ state: this.#status.state, hosts: [...this.#hosts.values()] });
    }
  }

  #checkViews(): readonly CheckView[] {
    const asked = new Map(this.#run?.runner.checks.map((check) => [check.id, check]));
    return this.#options.lab.checks.map(({ id }): CheckView => {
      const known = asked.get(id);
      const passedAt = this.#passes.get(id);
      if (passedAt !== undefined && known?.state !== 'passed') {
        return this.#credited({ id, state: 'passed', passedAt });
      }
      return this.#credited(known ?? { id, state: 'not-yet', reason: NOT_RUNNING });
    });
  }

  /** Says of a pass whether it was the learner's own work. */
  #credited(check: CheckView): CheckView {
    return check.state === 'passed' && this.#assisted.has(check.id)
      ? { ...check, assisted: true }
      : check;
  }

  /** The hosts as a guide reaches them, once they are up. */
  async #grounded(): Promise<Ground> {
    const run = this.#run;
    await run?.up.promise;
    return this.#ground(this.#ready());
  }

  /** The running hosts as a guide reaches them: in the same ways as the learner. */
  #ground({ runner }: Run): Ground {
    return {
      terminals: (host) => this.#terminals.of(host),
      openTerminal: async (host) => this.#terminals.get((await this.openTerminal(host)).id),
      visit: async (url) => {
        const visit = await this.visit(url);
        return { visit, html: this.#pane?.sourceOf(visit.id) ?? '' };
      },
      answer: (check, text) => this.answer(check, text),
      checks: () => this.#checkViews(),
      onChecks: (listener) => this.#listen((event) => event.type === 'checks' && listener()),
      values: async () => {
        runner.wake();
        await runner.settled();
        return runner.values;
      },
    };
  }

  #listen(listener: (event: SessionEvent) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  #setStatus(status: SessionStatus): void {
    this.#status = status;
    this.#emit({ type: 'status', status });
  }

  #emit(event: SessionEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

/** A lab's hosts before anything is known of them. */
function waitingHosts(lab: Lab): Map<string, HostStatus> {
  return new Map(
    lab.hosts.map(({ name, aliases, address, hasEngine }) => [
      name,
      { name, aliases, address, hasEngine, phase: 'waiting', detail: 'waiting' },
    ]),
  );
}

/** The sandbox as one round of checks sees it: each host is looked at through one view, which asks nothing twice. */
function sandboxView(sandbox: Sandbox, journal: JournalView, signal: AbortSignal): SandboxView {
  const views = new Map<Host, HostView>();
  const viewedOnce = (host: Host): HostView => {
    const view = views.get(host) ?? viewOf(host, signal);
    views.set(host, view);
    return view;
  };
  return {
    journal,
    signal,
    host: (name) => viewedOnce(sandbox.host(name)),
    get hosts() {
      return sandbox.hosts.map(viewedOnce);
    },
  };
}

/** What belongs to one start of a sandbox and goes with it. */
interface Run {
  readonly sandbox: Sandbox;
  /** Another one after its lab was written anew. */
  runner: CheckRunner;
  readonly closed: AbortController;
  /** Settles when the hosts are ready; rejects when they never will be. */
  readonly up: PromiseWithResolvers<void>;
}
