import type { Lab, SignalBody } from '#lab';
import type { CheckView, EndingView, HostStatus, ValueView, VisitView } from '#protocol';
import type { Background } from '../base/background.ts';
import { BrowserPane } from '../browser/browser-pane.ts';
import { CheckRunner } from '../checks/runner.ts';
import { hostView } from '../sandbox/host-view.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { watchHost } from '../signals/watch.ts';
import type { Journal } from '../store/journal.ts';
import { type Expiry, ExpiryTimer, type Limits } from './expiry.ts';
import { HostStatuses } from './host-statuses.ts';
import { reconcileWithRetry } from './retry.ts';

/** What is shown of a host whose own engine is away, while the host runs. */
const ENGINE_RESTARTS = 'engine restarting';

/** What a run tells its session while it is open. */
export interface LiveSandboxListener {
  onHosts(hosts: readonly HostStatus[]): void;
  onChecks(checks: readonly CheckView[]): void;
  onValues(values: readonly ValueView[]): void;
  onVisit(visit: VisitView): void;
  /** Its end is near, or is no more. */
  onEnding(ending: EndingView | undefined): void;
  /** Its time is over. */
  onEnd(because: Expiry['because']): void;
}

/** What a run is made with. */
export interface LiveSandboxOptions {
  readonly lab: Lab;
  readonly sandbox: Sandbox;
  /** How many starts have failed before this one. */
  readonly attempt: number;
  readonly journal: Journal;
  /** Whether something is being done for the learner just now. */
  readonly isAssisted: () => boolean;
  readonly listener: LiveSandboxListener;
  readonly background: Background;
}

/** How long a run that is up may last. */
export interface ExpirySpan {
  readonly limits: Limits;
  /** When the session began (ms since the epoch). */
  readonly startedAt: number;
  /** What was added to its whole time before (ms). */
  readonly extendedMs: number;
  /** When a terminal last took or gave a byte (ms since the epoch). */
  readonly lastOutput: () => number;
}

/**
 * One start of a sandbox and all that goes with it: the watchers of its hosts, the check runner, the browser pane and
 * the time it may last. Once closed, nothing of it is heard any more, however late an answer comes.
 */
export class LiveSandbox implements Disposable {
  readonly sandbox: Sandbox;
  readonly attempt: number;
  readonly #options: LiveSandboxOptions;
  readonly #closed = new AbortController();
  readonly #phases: HostStatuses;
  #runner: CheckRunner;
  #pane: BrowserPane | undefined;
  #lifetime: ExpiryTimer | undefined;

  constructor(options: LiveSandboxOptions) {
    this.#options = options;
    this.sandbox = options.sandbox;
    this.attempt = options.attempt;
    this.#phases = new HostStatuses(options.lab);
    this.#runner = this.#newRunner(options.lab);
  }

  /** Its hosts are there, and the learner is let in. */
  get isUp(): boolean {
    return this.#pane !== undefined;
  }

  get hosts(): readonly HostStatus[] {
    return this.#phases.views;
  }

  get pane(): BrowserPane | undefined {
    return this.#pane;
  }

  get checks(): readonly CheckView[] {
    return this.#runner.checks;
  }

  get values(): readonly ValueView[] {
    return this.#runner.values;
  }

  /** The end that the learner has been warned of. */
  get ending(): EndingView | undefined {
    const ending = this.#lifetime?.warned;
    return ending && { inMs: Math.max(0, ending.at - Date.now()), because: ending.because };
  }

  /** Makes what is missing of the sandbox and mends what is broken. */
  reconcile(): Promise<void> {
    return this.sandbox.reconcile((name, phase, detail) => this.#onHost(name, phase, detail));
  }

  /** Its hosts have run before it began. */
  allReady(): void {
    this.#phases.allReady();
  }

  /** The hosts are there: watches them, and begins to count the time. */
  up({ limits, startedAt, extendedMs, lastOutput }: ExpirySpan): void {
    const { lab, journal, listener } = this.#options;
    const { signal } = this.#closed;
    const watched = this.sandbox.hosts.map((host) => {
      const onSignal = (body: SignalBody): void => this.#heard(body);
      return watchHost(host, { since: journal.lastAt, onSignal, signal });
    });
    const browsing = this.sandbox.host(lab.browser);
    this.#pane = new BrowserPane({
      from: lab.browser,
      dial: (argv, options) => browsing.dial(argv, options),
      onVisit: (visit, body) => {
        if (signal.aborted) return;
        listener.onVisit(visit);
        // The page may be there before the engine has described the container that served it. The journal puts the
        // start first, for a visit speaks of what had been started before it.
        void Promise.all(watched.map((host) => host.told())).then(() => this.signal(body));
      },
    });
    this.#lifetime = new ExpiryTimer({
      limits,
      startedAt,
      extendedMs,
      lastOutput,
      onWarning: () => listener.onEnding(this.ending),
      onEnd: (because) => listener.onEnd(because),
    });
  }

  /** Something happened on the hosts: the journal keeps it, and the checks that it may change are asked again. */
  signal(body: SignalBody): void {
    if (this.#closed.signal.aborted) return;
    // What happens in the hosts is the learner's doing, but for hosts that come and go by themselves.
    if (body.kind !== 'host') this.touch();
    this.#options.journal.add(body);
    this.#runner.wake(body);
  }

  /** Takes an answer to a question, and settles when its check has judged it. */
  async answer(check: string, text: string): Promise<void> {
    this.touch();
    this.#options.journal.add({ kind: 'answer', check, text });
    await this.#runner.ask(check);
    this.#runner.wake({ kind: 'answer', check, text });
  }

  /** Asks all checks and values anew. */
  wake(): void {
    this.#runner.wake();
  }

  /** The values as the hosts are now, not as they were at the last signal. */
  async freshValues(): Promise<readonly ValueView[]> {
    this.#runner.wake();
    await this.#runner.settled();
    return this.#runner.values;
  }

  /** Takes up the checks and values of a lab that was written anew; settles when they have been asked. */
  async reload(lab: Lab): Promise<void> {
    this.#runner[Symbol.dispose]();
    this.#runner = this.#newRunner(lab);
    if (this.isUp) this.#runner.wake();
    await this.#runner.settled();
  }

  /** The learner is there. */
  touch(): void {
    this.#lifetime?.touch();
  }

  /** @returns what has been added to its whole time so far (ms); `undefined` before it is up */
  extend(): number | undefined {
    return this.#lifetime?.extend();
  }

  /**
   * A host started, ended, was paused or goes on, outside of our own doing.
   *
   * @param isEngineAway asked where something could not be mended: it then waits for the engine
   * @throws what could not be mended
   */
  async hostChanged(
    name: string,
    action: string,
    isEngineAway: () => Promise<boolean>,
  ): Promise<void> {
    const host = this.sandbox.hosts.find((each) => each.name === name);
    switch (action) {
      case 'pause':
        host?.markUnavailable(`${name} is paused.`);
        this.#onHost(name, 'down', 'paused');
        return this.signal({ kind: 'host', host: name, change: 'paused' });
      case 'unpause':
        host?.markAvailable();
        this.#onHost(name, 'ready', 'ready');
        return this.signal({ kind: 'host', host: name, change: 'resumed' });
      case 'die':
        host?.markUnavailable(`${name} is not running; it is being started again.`);
        this.signal({ kind: 'host', host: name, change: 'stopped' });
        this.#onHost(name, 'down', 'restarting');
    }
    await this.#mend(isEngineAway);
    if (action === 'start') this.signal({ kind: 'host', host: name, change: 'started' });
  }

  /**
   * The wires hang on the switch: without it every host is cut off, until it is back.
   *
   * @throws what could not be mended
   */
  async switchDied(isEngineAway: () => Promise<boolean>): Promise<void> {
    this.#allAway('cut off', 'is cut off from the network; it is being wired up again.');
    await this.#mend(isEngineAway);
    this.#runner.wake();
  }

  /** No host can be reached for now. */
  engineAway(): void {
    this.#allAway('engine away', 'is out of reach: the engine that it runs on is away.');
  }

  /** Closes all of it; the hosts live on. */
  [Symbol.dispose](): void {
    this.#closed.abort();
    this.#pane?.[Symbol.dispose]();
    this.#lifetime?.[Symbol.dispose]();
    this.#runner[Symbol.dispose]();
  }

  #allAway(detail: string, why: string): void {
    for (const host of this.sandbox.hosts) {
      host.markUnavailable(`${host.name} ${why}`);
      this.#onHost(host.name, 'down', detail);
    }
    this.#runner.wake();
  }

  async #mend(isEngineAway: () => Promise<boolean>): Promise<void> {
    await reconcileWithRetry(
      () => this.reconcile(),
      async () => this.#closed.signal.aborted || (await isEngineAway()),
    );
  }

  /** What a watcher tells of its host. An engine that is away by itself is shown; its host starts it again. */
  #heard(body: SignalBody): void {
    if (body.kind === 'host') {
      const was = this.#phases.of(body.host);
      if (body.change === 'engine-down' && was?.phase === 'ready') {
        this.#onHost(body.host, 'down', ENGINE_RESTARTS);
      } else if (body.change === 'engine-up' && was?.detail === ENGINE_RESTARTS) {
        this.#onHost(body.host, 'ready', 'ready');
      }
    }
    this.signal(body);
  }

  #newRunner(lab: Lab): CheckRunner {
    const { journal, isAssisted, listener, background } = this.#options;
    const { sandbox } = this;
    return new CheckRunner({
      lab,
      background,
      view: (signal) => ({
        signal,
        journal,
        host: (name) => hostView(sandbox.host(name), signal),
        get hosts() {
          return sandbox.hosts.map((host) => hostView(host, signal));
        },
      }),
      passes: () => journal.passes,
      onPass: (check, at, about) => {
        this.touch();
        journal.pass({ check, at, about, assisted: isAssisted() });
        this.#runner.wake({ kind: 'pass', check, about });
      },
      onChecks: (checks) => listener.onChecks(checks),
      onValues: (values) => listener.onValues(values),
    });
  }

  #onHost(name: string, phase: HostStatus['phase'], detail: string): void {
    if (this.#closed.signal.aborted) return;
    // A look at a host that is well says "engine starting" on its way to "ready": no news once the lab is up.
    if (this.isUp && phase === 'starting' && this.#phases.of(name)?.phase === 'ready') return;
    if (this.#phases.set(name, phase, detail)) this.#options.listener.onHosts(this.hosts);
  }
}
