import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { HostView, JournalView, Lab, SandboxView, SignalBody } from '#lab';
import type {
  CheckView,
  EndingView,
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
import type { Admission, Gate, Place } from './gate.ts';
import { Journal } from './journal.ts';
import { type Ending, Lifetime, type Limits } from './lifetime.ts';
import type { Pool, Warm } from './pool.ts';
import type { SessionRow, Store } from './store.ts';
import { Terminals } from './terminals.ts';

/** What is shown of a host whose own engine is away, while the host runs. */
const ENGINE_RESTARTS = 'engine restarting';
const NOT_RUNNING = 'The hosts of this lab are not running.';
/** A start that failed is tried again by itself after these times; most failures are a machine out of breath. */
const RETRY_AFTER_MS = [1_000, 4_000] as const;
/** Hosts that could not be mended are looked at again after these times, before a running sandbox is given up. */
const MEND_AFTER_MS = [500, 2_000, 5_000] as const;
/** A learner whose pages are all closed keeps the place in the queue for so long: a reload, a walk out of the wifi. */
const PLACE_KEPT_MS = 60_000;
const WHY_ENDED: Readonly<Record<Ending['because'], string>> = {
  idle: 'Nothing was done here for a long time, so the session ended.',
  total: 'The time for this session was over.',
};

/** What a session is made with. */
export interface SessionOptions {
  readonly foundry: Foundry;
  readonly store: Store;
  readonly lab: Lab;
  readonly labName: string;
  /** What the lab's pages ask for, in order. */
  readonly steps: readonly Step[];
  readonly row: SessionRow;
  /** Where room on the machine is asked for. */
  readonly gate: Gate;
  readonly pool: Pool;
  readonly limits: Limits;
  /** Keeps a note of what went wrong, for the operator. */
  readonly log: (message: string, error: unknown) => void;
}

/**
 * One learner working through one lab. It owns the sandbox, the watchers of its hosts, the terminals, the check runner
 * and the journal, and tells whoever listens what changed.
 */
export class Session {
  #id: string;
  #options: SessionOptions;
  /** Pages that are open; while there is none, a place in the queue is kept for a while only. */
  readonly #pages = new Set<(event: SessionEvent) => void>();
  /** Those within the server who listen as well. */
  readonly #within = new Set<(event: SessionEvent) => void>();
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
  /** Held from the moment there is room for the sandbox until it is gone. */
  #admission: Admission | undefined;
  #lifetime: Lifetime | undefined;
  #placeKept: NodeJS.Timeout | undefined;
  /** The server stops: nothing is begun any more. */
  #detached = false;
  readonly #visitor = {
    ready: () => this.#options.pool.has(this.#options.labName),
    admitted: (admission: Admission) => this.#admitted(admission),
    placed: (place: Place) => this.#setStatus({ state: 'queued', ...place }),
  };

  constructor(options: SessionOptions) {
    this.#options = options;
    const { store, lab, row } = options;
    this.#id = row.id;
    if (row.ended !== undefined) this.#status = { state: 'ended', reason: row.ended };
    this.#journal = new Journal(store, row.id);
    this.#passes = new Map(store.passes(row.id));
    this.#assisted = new Set(store.assisted(row.id));
    this.#guide = this.#newGuide();
    this.#hosts = waitingHosts(lab);
    this.#terminals = new Terminals({
      store,
      session: () => this.#id,
      onChange: (terminals) => this.#emit({ type: 'terminals', terminals }),
      onCommand: ({ host, id }, finished) =>
        this.#signal({ kind: 'command', host, terminal: id, ...finished }),
    });
  }

  /** The folder of its lab. */
  get labName(): string {
    return this.#options.labName;
  }

  /** Changes when it takes a sandbox from the pool: the labels there are made already. */
  get id(): string {
    return this.#id;
  }

  get status(): SessionStatus {
    return this.#status;
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
      ...this.#endingView(),
    };
  }

  subscribe(listener: (event: SessionEvent) => void): Disposable {
    clearTimeout(this.#placeKept);
    this.#pages.add(listener);
    listener({ type: 'snapshot', snapshot: this.snapshot() });
    return {
      [Symbol.dispose]: () => {
        this.#pages.delete(listener);
        if (this.#pages.size === 0 && this.#status.state === 'queued') this.#keepPlace();
      },
    };
  }

  /** Starts the sandbox unless it is running or on its way; where the machine is full, it waits in the queue. */
  start(): void {
    const { state } = this.#status;
    if (state === 'starting' || state === 'ready' || state === 'queued') return;
    this.#join(Date.now());
  }

  /** Takes up the sandbox that an earlier server has left running. */
  adopt(): void {
    const { sandbox } = this.#options.row;
    if (sandbox === undefined || this.#run) return;
    this.#admission = this.#options.gate.occupy('starting');
    this.#terminals.expect();
    this.#begin(sandbox);
  }

  /** Takes its place in the queue again after the server was away. */
  rejoin(): void {
    const { queuedAt } = this.#options.row;
    if (queuedAt === undefined || this.#run) return;
    this.#join(queuedAt);
    if (this.#status.state === 'queued') this.#keepPlace();
  }

  /** More time before the session ends by itself. */
  extend(): void {
    if (!this.#lifetime) return;
    this.#options.store.setExtended(this.#id, this.#lifetime.extend());
  }

  /** Somebody is there: reads, scrolls, types. */
  touch(): void {
    this.#lifetime?.touch();
  }

  /** Back to the lab's start: a fresh sandbox, no passes, no journal. */
  reset(): void {
    this.#guide.abandon();
    this.#renew(() => this.#options.store.clearSession(this.#id));
    this.#emit({ type: 'snapshot', snapshot: this.snapshot() });
  }

  /**
   * A fresh sandbox, brought to where a section or a step begins. What the learner has passed by themselves stays; what
   * was done for them is open again, but for what is done for them now.
   */
  startFrom(start: Start): void {
    const steps = this.#guide.before(start);
    this.#guide.abandon();
    this.#renew(() => this.#options.store.clearAssisted(this.#id));
    this.#guide.bringTo(steps, () => this.#grounded());
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
    this.#options.gate.leaveQueue(this.#visitor);
    clearTimeout(this.#placeKept);
    this.#guide.abandon();
    const admission = this.#admission;
    this.#admission = undefined;
    const gone = this.#letGo(true).finally(() => admission?.leave());
    this.#options.store.setEnded(this.#id, reason);
    this.#setStatus({ state: 'ended', reason });
    this.#emit({ type: 'snapshot', snapshot: this.snapshot() });
    return gone;
  }

  /** The server stops: everything here is closed, the hosts and their shells live on. */
  detach(): void {
    this.#detached = true;
    clearTimeout(this.#placeKept);
    this.#guide.abandon();
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
    if ((await this.#mended(run)) && action === 'start') {
      this.#signal({ kind: 'host', host, change: 'started' });
    }
  }

  /** The wires hang on the switch: without it every host is cut off, until it is back. */
  async switchDied(): Promise<void> {
    const run = this.#run;
    if (!run || this.#status.state !== 'ready') return;
    for (const host of run.sandbox.hosts) {
      host.goAway(`${host.name} is cut off from the network; it is being wired up again.`);
      this.#onHost(run, host.name, 'down', 'cut off');
    }
    run.runner.wake();
    if (await this.#mended(run)) run.runner.wake();
  }

  /** Nothing is lost yet: when the engine is back, its hosts are mended like any other. */
  engineAway(): void {
    const run = this.#run;
    if (!run || this.#status.state !== 'ready') return;
    for (const host of run.sandbox.hosts) {
      host.goAway(`${host.name} is out of reach: the engine that it runs on is away.`);
      this.#onHost(run, host.name, 'down', 'engine away');
    }
    run.runner.wake();
  }

  /** @returns whether the sandbox is whole again; otherwise it has been said what became of it */
  async #mended(run: Run): Promise<boolean> {
    try {
      await this.#mend(run);
      return true;
    } catch (error) {
      if (await this.#engineIsAway()) this.engineAway();
      else await this.#failed(run, error);
      return false;
    }
  }

  async #mend(run: Run): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await run.sandbox.reconcile((name, phase, detail) =>
          this.#onHost(run, name, phase, detail),
        );
      } catch (error) {
        const wait = MEND_AFTER_MS[attempt];
        if (this.#run !== run || wait === undefined || (await this.#engineIsAway())) throw error;
        await delay(wait, undefined, { ref: false });
      }
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

  /** A fresh sandbox in the place of this one, once what was kept of it has been forgotten. */
  #renew(forget: () => void): void {
    const { store, gate } = this.#options;
    const before = this.#admission;
    this.#admission = undefined;
    void this.#letGo(true).finally(() => before?.leave());
    store.setSandbox(this.#id, undefined);
    forget();
    this.#journal = new Journal(store, this.#id);
    this.#passes = new Map(store.passes(this.#id));
    this.#assisted = new Set(store.assisted(this.#id));
    // It has its room already: the old sandbox's, which is being cleared. Or its place in the queue, which it keeps.
    if (before) this.#admitted(gate.occupy('starting'));
    else if (this.#status.state !== 'queued') this.#join(Date.now());
  }

  #join(since: number): void {
    this.#options.store.setQueued(this.#id, since);
    this.#options.gate.join(this.#visitor);
  }

  #keepPlace(): void {
    clearTimeout(this.#placeKept);
    this.#placeKept = setTimeout(() => {
      if (this.#status.state !== 'queued' || this.#pages.size > 0) return;
      this.#options.gate.leaveQueue(this.#visitor);
      this.#options.store.setQueued(this.#id, undefined);
      this.#setStatus({ state: 'none' });
    }, PLACE_KEPT_MS);
    this.#placeKept.unref();
  }

  /** There is room: with a sandbox from the pool where one is ready, else with a new one. */
  #admitted(admission: Admission): void {
    const { store, pool, labName } = this.#options;
    clearTimeout(this.#placeKept);
    this.#admission = admission;
    try {
      // The journal speaks of a sandbox that is gone; what was passed stays passed.
      store.clearJournal(this.#id);
      store.setStarted(this.#id, Date.now());
      const warm = pool.take(labName);
      if (warm) this.#takeUp(warm);
      else {
        this.#journal = new Journal(store, this.#id);
        this.#begin(randomBytes(4).toString('hex'));
      }
    } catch (error) {
      // Nothing is made whose row could not be written.
      this.#giveUp(error);
    }
  }

  #giveUp(error: unknown): void {
    const admission = this.#admission;
    this.#admission = undefined;
    const known = error instanceof QuaysideError;
    void this.#letGo(true).finally(() => admission?.leave());
    this.#setStatus({
      state: 'failed',
      reason: known ? error.message : `The hosts could not be started: ${(error as Error).message}`,
      remedy: known ? error.remedy : 'Try again. If it fails again, the server’s log says more.',
    });
  }

  #takeUp(warm: Warm): void {
    const { store, pool } = this.#options;
    const { session, sandbox } = warm.sandbox.owner;
    store.takeSandbox(this.#id, session, sandbox);
    this.#id = session;
    this.#journal = new Journal(store, session);
    const run = this.#newRun(warm.sandbox);
    for (const [name, host] of this.#hosts) {
      this.#hosts.set(name, { ...host, phase: 'ready', detail: 'ready' });
    }
    this.#terminals.take(warm.terminals);
    this.#up(run);
    this.#emit({ type: 'snapshot', snapshot: this.snapshot() });
    pool.fill();
  }

  #begin(id: string, attempt = 0, trouble?: string): void {
    const { foundry, store, lab } = this.#options;
    // The row first: after a crash it finds whatever the next lines made.
    store.setSandbox(this.id, id);
    const owner = { instance: store.instance, sandbox: id, session: this.id };
    const run = this.#newRun(new Sandbox(foundry, lab, owner), attempt);
    this.#hosts = waitingHosts(lab);
    const hosts = [...this.#hosts.values()];
    this.#setStatus({ state: 'starting', hosts, ...(trouble ? { trouble } : {}) });
    void this.#raise(run).catch((error: unknown) => this.#failed(run, error));
  }

  #newRun(sandbox: Sandbox, attempt = 0): Run {
    const runner = this.#newRunner(sandbox);
    const run: Run = {
      sandbox,
      runner,
      attempt,
      closed: new AbortController(),
    };
    this.#run = run;
    return run;
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
        this.#lifetime?.touch();
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
    await this.#terminals.adopt((name) => run.sandbox.host(name));
    if (this.#terminals.views.length === 0) {
      // Each takes its place at once, so the tabs stand in the lab's order whichever shell is there first.
      await Promise.all(lab.hosts.map(({ name }) => this.#terminals.open(run.sandbox.host(name))));
    }
    if (this.#run === run) this.#up(run);
  }

  /** The hosts and their shells are there: watch them, and let the learner in. */
  #up(run: Run): void {
    const { lab, limits, store } = this.#options;
    this.#admission?.started();
    for (const host of run.sandbox.hosts) {
      watchHost(host, {
        since: this.#journal.lastAt,
        onSignal: (signal) => this.#run === run && this.#heard(run, signal),
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
    const { startedAt = Date.now(), extendedMs } = store.times(this.#id);
    this.#lifetime = new Lifetime({
      limits,
      startedAt,
      extendedMs,
      lastOutput: () => this.#terminals.lastActivity,
      onWarning: () => this.#emit({ type: 'ending', ...this.#endingView() }),
      onEnd: (because) => void this.end(WHY_ENDED[because]),
    });
    this.#setStatus({ state: 'ready', hosts: [...this.#hosts.values()] });
    run.runner.wake();
  }

  async #engineIsAway(): Promise<boolean> {
    return this.#options.foundry.engine.docker.ping().then(
      () => false,
      () => true,
    );
  }

  /** Tries again by itself while that may help, then says why it could not be done. */
  async #failed(run: Run, error: unknown): Promise<void> {
    if (this.#run !== run) return;
    const { log, store } = this.#options;
    log(`session ${this.id}: its sandbox failed`, error);
    const wait = RETRY_AFTER_MS[run.attempt];
    if (wait === undefined) {
      store.setSandbox(this.id, undefined);
      this.#giveUp(error);
      return;
    }
    this.#guide.startOver(() => this.#grounded());
    const gone = this.#letGo(true);
    store.setSandbox(this.id, undefined);
    const hosts = [...this.#hosts.values()];
    const trouble = `${(error as Error).message} Trying again (attempt ${run.attempt + 2} of ${RETRY_AFTER_MS.length + 1}).`;
    this.#setStatus({ state: 'starting', hosts, trouble });
    const { status } = this;
    await gone;
    await delay(wait, undefined, { ref: false });
    // The learner may have ended or reset it meanwhile, or the server may be stopping.
    if (this.#run || this.#status !== status || this.#detached) return;
    try {
      // It speaks of hosts that are no more.
      store.clearJournal(this.id);
      this.#journal = new Journal(store, this.id);
      this.#begin(randomBytes(4).toString('hex'), run.attempt + 1, trouble);
    } catch (full) {
      this.#giveUp(full);
    }
  }

  /** Closes all that belongs to the present run; with `destroy`, removes its sandbox as well. */
  async #letGo(destroy: boolean): Promise<void> {
    const run = this.#run;
    this.#run = undefined;
    this.#pane?.[Symbol.dispose]();
    this.#pane = undefined;
    this.#lifetime?.[Symbol.dispose]();
    this.#lifetime = undefined;
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

  /** What a watcher tells of its host. An engine that is away by itself is shown; its host starts it again. */
  #heard(run: Run, signal: SignalBody): void {
    if (signal.kind === 'host') {
      const phase = this.#hosts.get(signal.host)?.phase;
      if (signal.change === 'engine-down' && phase === 'ready') {
        this.#onHost(run, signal.host, 'down', ENGINE_RESTARTS);
      }
      if (
        signal.change === 'engine-up' &&
        this.#hosts.get(signal.host)?.detail === ENGINE_RESTARTS
      ) {
        this.#onHost(run, signal.host, 'ready', 'ready');
      }
    }
    this.#signal(signal);
  }

  #signal(signal: SignalBody): void {
    // What happens in the hosts is the learner's doing, but for hosts that come and go by themselves.
    if (signal.kind !== 'host') this.#lifetime?.touch();
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
      this.#setStatus({ ...this.#status, hosts: [...this.#hosts.values()] });
    }
  }

  #endingView(): { readonly ending?: EndingView } {
    const ending = this.#lifetime?.warned;
    if (!ending) return {};
    return { ending: { inMs: Math.max(0, ending.at - Date.now()), because: ending.because } };
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

  /** The hosts as a guide reaches them, once they are ready: the queue, the start and its retries are waited for. */
  async #grounded(): Promise<Ground> {
    const settled = Promise.withResolvers<void>();
    const look = (): void => {
      const reason = whyNever(this.#status);
      if (reason) settled.reject(reason);
      else if (this.#status.state === 'ready') settled.resolve();
    };
    using _ = this.#listenWithin((event) => event.type === 'status' && look());
    look();
    await settled.promise;
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
      onChecks: (listener) => this.#listenWithin((event) => event.type === 'checks' && listener()),
      values: async () => {
        runner.wake();
        await runner.settled();
        return runner.values;
      },
    };
  }

  #listenWithin(listener: (event: SessionEvent) => void): Disposable {
    this.#within.add(listener);
    return { [Symbol.dispose]: () => void this.#within.delete(listener) };
  }

  #setStatus(status: SessionStatus): void {
    this.#status = status;
    this.#emit({ type: 'status', status });
  }

  #emit(event: SessionEvent): void {
    for (const listener of [...this.#pages, ...this.#within]) listener(event);
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

/** Why hosts that are not ready will not be ready by themselves; `undefined` where they may. */
function whyNever(status: SessionStatus): QuaysideError | undefined {
  switch (status.state) {
    case 'queued':
    case 'starting':
    case 'ready':
      return undefined;
    case 'failed':
      return new QuaysideError('SESSION_NOT_READY', status.reason, status.remedy);
    case 'ended':
      return new QuaysideError('SESSION_NOT_READY', status.reason, 'Start from here again.');
    case 'none':
      return new QuaysideError(
        'SESSION_NOT_READY',
        'Nobody had a page of this lab open, so its place in the queue was given up.',
        'Start from here again.',
      );
    default:
      return status satisfies never;
  }
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
  /** How many starts have failed before this one. */
  readonly attempt: number;
  readonly closed: AbortController;
}
