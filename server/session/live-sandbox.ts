import type { Lab, SignalBody } from '#lab';
import type { CheckView, EndingView, HostStatus, SessionEvent, ValueView } from '#protocol';
import type { Background } from '../base/background.ts';
import { QuaysideError } from '../base/errors.ts';
import { BrowserPane, type VisitSignal } from '../browser/browser-pane.ts';
import { visitByCommand } from '../browser/command-visit.ts';
import { CheckRunner } from '../checks/runner.ts';
import { HostFiles } from '../files/host-files.ts';
import { startContainersAgain } from '../sandbox/containers-again.ts';
import { ENGINE_DOWN, type EngineDown, type Host } from '../sandbox/host.ts';
import { hostView } from '../sandbox/host-view.ts';
import { SandboxMovedError } from '../sandbox/moved.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { watchHost } from '../signals/watch.ts';
import type { Assisted, Journal } from '../store/journal.ts';
import { type Expiry, type ExpirySpan, ExpiryTimer } from './expiry.ts';
import { day } from './retention.ts';
import { ReconcileLoop } from './retry.ts';
import type { Terminals } from './terminals.ts';

/** What is shown of a host whose own engine has just gone, until it is known why. */
const ENGINE_RESTARTS = 'engine restarting';
/** All that is shown of a host that runs without its engine. */
const WITHOUT_ENGINE: readonly string[] = [ENGINE_RESTARTS, ...Object.values(ENGINE_DOWN)];

export interface LiveSandboxOptions {
  readonly lab: Lab;
  readonly sandbox: Sandbox;
  readonly journal: Journal;
  readonly background: Background;
  /** Checks, values, visits and a coming end, as pages hear of them. */
  readonly emit: (event: SessionEvent) => void;
  readonly onHosts: () => void;
  /** Whether somebody has a page of the lab open. */
  readonly hasPage: () => boolean;
  /** What is being done for the learner, if anything: what is passed now is not their own work. */
  readonly assisted: () => Assisted;
  /** How long it may last, once it is up. */
  readonly span: Omit<ExpirySpan, 'lastOutput' | 'isBusy'>;
  /** Whether a limit stops and keeps the hosts; otherwise it removes them. */
  readonly isKept: boolean;
  /** Since when its hosts were stopped, where the session comes back to them (ms since the epoch). */
  readonly stoppedAt?: number | undefined;
  readonly terminals: Terminals;
  /** A look at the hosts failed. @returns whether to look again */
  readonly onFailure: (error: unknown, failures: number) => boolean;
  readonly onExpired: (because: Expiry['because']) => void;
  /** The path of another site that this server is below. */
  readonly basePath: string;
}

/**
 * A session's sandbox and all that goes with it: the loop that repairs it, the watchers of its hosts, the check runner,
 * the browser pane and the time it may last. Once disposed, nothing of it is heard any more, however late it comes.
 */
export class LiveSandbox implements Disposable {
  readonly sandbox: Sandbox;
  readonly #options: LiveSandboxOptions;
  readonly #closed = new AbortController();
  #hosts: readonly HostStatus[];
  readonly #loop: ReconcileLoop;
  #runner: CheckRunner;
  #pane: BrowserPane | undefined;
  #watched: readonly ReturnType<typeof watchHost>[] = [];
  #expiry: ExpiryTimer | undefined;
  /** One whose container is made anew is another host, by the same name. */
  readonly #files = new WeakMap<Host, HostFiles>();

  /** Each is waited for once, however many keys are pressed meanwhile. */
  readonly #waking = new WeakSet<Promise<void>>();

  constructor(options: LiveSandboxOptions) {
    this.#options = options;
    const { background, onFailure } = options;
    this.sandbox = options.sandbox;
    this.#hosts = hostsWaiting(options.lab);
    this.#runner = this.#newRunner(options.lab);
    this.#loop = new ReconcileLoop({
      look: (signal) => this.#look(signal),
      onFailure,
      background,
      signal: this.#closed.signal,
    });
  }

  /** Aborted when it is disposed. */
  get signal(): AbortSignal {
    return this.#closed.signal;
  }

  /** How far each host has come, in the lab's order. */
  get hosts(): readonly HostStatus[] {
    return this.#hosts;
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
    const expiry = this.#expiry?.warned;
    return (
      expiry && {
        inMs: Math.max(0, expiry.at - Date.now()),
        because: expiry.because,
        ...(this.#options.isKept && { keeps: true }),
      }
    );
  }

  /** Makes what is missing and repairs what is broken. @throws as {@link ReconcileLoop.request} */
  reconcile(): Promise<void> {
    return this.#loop.request();
  }

  /** The hosts are there: watches them, asks the checks, and begins to count the time. */
  up(): void {
    const { lab, journal, background, emit, span, terminals, onExpired, basePath } = this.#options;
    const { signal } = this.#closed;
    this.#hosts = this.#hosts.map((host) =>
      WITHOUT_ENGINE.includes(host.detail) ? host : { ...host, phase: 'ready', detail: 'ready' },
    );
    this.#watched = this.sandbox.hosts.map((host) => {
      const onSignal = (body: SignalBody): void => this.#heard(body);
      const onEngineDown = ({ kind }: EngineDown): void => {
        if (!host.availability.aborted) this.#onHost(host.name, 'down', ENGINE_DOWN[kind]);
      };
      const told = { onSignal, onEngineDown };
      const since = Math.max(host.begunAt ?? 0, span.startedAt);
      return watchHost(host, { background, journal, since, ...told, signal });
    });
    const browsing = this.sandbox.host(lab.browser);
    this.#pane = new BrowserPane({
      from: lab.browser,
      basePath,
      dial: (argv, { signal }) => browsing.dial(argv, { signal, budget: browsing.pageBudget }),
      onVisit: (visit, body) => {
        if (signal.aborted) return;
        emit({ type: 'visit', visit });
        this.#visited(body);
      },
    });
    this.#expiry = new ExpiryTimer({
      ...span,
      lastOutput: () => terminals.lastActivity,
      isBusy: () => terminals.isBusy,
      background,
      onWarning: () => emit({ type: 'ending', ...(this.ending && { ending: this.ending }) }),
      onEnd: onExpired,
    });
    this.#runner.wake();
  }

  /** Something happened on the hosts: the journal keeps it, and the checks that it may change are asked again. */
  signalled(body: SignalBody): void {
    if (this.#closed.signal.aborted) return;
    // What happens in the hosts is the learner's doing, but for hosts that come and go by themselves.
    if (body.kind !== 'host') this.touch();
    this.#options.journal.add(body);
    this.#runner.wake(body);
    const visit = body.kind === 'command' ? visitByCommand(this.#options.lab, body) : undefined;
    if (visit) this.#visited(visit);
  }

  /** Takes an answer to a question, and settles when its check has judged it. */
  async answer(check: string, text: string): Promise<void> {
    this.touch();
    this.#options.journal.add({ kind: 'answer', check, text });
    await this.#runner.ask(check);
    this.#runner.wake({ kind: 'answer', check, text });
  }

  /** Somebody types on a host: its engine is woken. @returns when it answers; `undefined` where it is awake already */
  typedOn(name: string): Promise<void> | undefined {
    const host = this.sandbox.hosts.find((each) => each.name === name);
    if (!host?.isAsleep) return undefined;
    const woken = host.wake(this.signal);
    if (!this.#waking.has(woken)) {
      this.#waking.add(woken);
      this.#options.background.run('wake of an engine', () => woken, this.signal);
    }
    return woken;
  }

  /** The files of a host. @throws QuaysideError HOST_UNKNOWN */
  files(name: string): HostFiles {
    this.touch();
    const host = this.sandbox.host(name);
    const files =
      this.#files.get(host) ??
      new HostFiles({
        host,
        signal: this.signal,
        onChanged: (path) => this.signalled({ kind: 'file', host: host.name, path }),
      });
    this.#files.set(host, files);
    return files;
  }

  /** The values as the hosts are now, not as they were at the last signal. */
  async freshValues(): Promise<readonly ValueView[]> {
    this.#runner.wake();
    await this.#runner.settled();
    return this.#runner.values;
  }

  /** Takes up the checks and values of a lab that was written again; settles when they have been asked. */
  async reload(lab: Lab): Promise<void> {
    this.#runner[Symbol.dispose]();
    this.#runner = this.#newRunner(lab);
    if (this.#pane) this.#runner.wake();
    await this.#runner.settled();
  }

  /** The learner is there. */
  touch(): void {
    this.#expiry?.touch();
  }

  /** @returns what has been added to its whole time so far (ms); `undefined` before it is up */
  extend(): number | undefined {
    return this.#expiry?.extend();
  }

  /**
   * Looks at the hosts, and settles when a look has succeeded, or when the sandbox is no longer the session's, which is
   * also so where its machine is lost.
   */
  async repair(): Promise<void> {
    await this.reconcile().catch((error: unknown) => {
      if (!this.#closed.signal.aborted && !(error instanceof SandboxMovedError)) throw error;
    });
  }

  /**
   * Restarts one host; the others and all that is on its disk stay. Settles when it is ready again.
   *
   * @throws QuaysideError HOST_UNKNOWN; SANDBOX_FAILED
   */
  async restartHost(name: string): Promise<void> {
    this.touch();
    await this.sandbox.restart(this.sandbox.host(name), this.#closed.signal);
    await this.repair();
  }

  /** A host started, ended, was paused or goes on, outside of our own doing. Settles when it is repaired. */
  async hostChanged(name: string, action: string): Promise<void> {
    // Before it is up, the look that is under way hears of nothing that happens behind it.
    if (!this.#pane) return action === 'die' ? this.repair() : undefined;
    const host = this.sandbox.hosts.find((each) => each.name === name);
    switch (action) {
      case 'pause':
        host?.markUnavailable(`${name} is paused.`);
        this.#onHost(name, 'down', 'paused');
        return this.signalled({ kind: 'host', host: name, change: 'paused' });
      case 'unpause':
        host?.markAvailable();
        this.#onHost(name, 'ready', 'ready');
        return this.signalled({ kind: 'host', host: name, change: 'resumed' });
      case 'die':
        host?.markUnavailable(`${name} is not running; it is being started again.`);
        this.signalled({ kind: 'host', host: name, change: 'stopped' });
        this.#onHost(name, 'down', 'restarting');
        this.#options.terminals.hostEnded(name);
        break;
      case 'start':
        if (host) this.#options.terminals.hostStarted(host, this.#closed.signal);
    }
    await this.repair();
    if (action === 'start') this.signalled({ kind: 'host', host: name, change: 'started' });
  }

  /** The links hang on the switch: without it every host is cut off. Settles when they are back. */
  async switchDied(): Promise<void> {
    if (this.#pane)
      this.#allDown('cut off', 'is cut off from the network; it is being linked again.');
    await this.repair();
    this.#runner.wake();
  }

  /** No host can be reached for now. */
  engineAway(): void {
    if (this.#pane)
      this.#allDown('engine away', 'is out of reach: the engine that it runs on is away.');
  }

  /** Closes all of it; the hosts live on. */
  [Symbol.dispose](): void {
    this.#closed.abort(
      new QuaysideError(
        'SESSION_NOT_READY',
        'The hosts of this lab were taken away meanwhile.',
        'Wait until the lab says that it is ready, or start it.',
      ),
    );
    this.#pane?.[Symbol.dispose]();
    this.#expiry?.[Symbol.dispose]();
    this.#runner[Symbol.dispose]();
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { lab, terminals, journal, stoppedAt } = this.#options;
    // Nothing of what happens on hosts is heard before all of them are the learner's.
    const areGiven = !journal.isEmpty;
    await this.sandbox.reconcile((...status) => this.#onHost(...status), signal, areGiven);
    // From now on they are the learner's, also where no host has an engine that would be heard of first.
    const [first] = lab.hosts;
    if (journal.isEmpty && first) {
      journal.add({ kind: 'host', host: first.name, change: 'started' });
    }
    if (this.#pane) return;
    const greeting = stoppedAt === undefined ? undefined : await this.#goOn(stoppedAt, signal);
    await terminals.prepare(lab, this.sandbox, signal, greeting);
  }

  /** The hosts run again: so do the containers that ran on them. @returns what the shells of each host say */
  async #goOn(stoppedAt: number, signal: AbortSignal): Promise<(host: Host) => string> {
    const { background } = this.#options;
    const notStarted = new Map<string, string>();
    const withEngine = this.sandbox.hosts.filter(({ spec }) => spec.hasEngine);
    await Promise.all(
      withEngine.map(async (host) => {
        // One that sleeps has never had a container.
        if (host.isAsleep) return;
        // An engine that its learner has broken keeps nobody from the host; its containers are the learner's to start.
        if (WITHOUT_ENGINE.includes(this.#statusOf(host.name)?.detail ?? '')) return;
        try {
          const names = await startContainersAgain(host, stoppedAt, signal);
          if (names.length > 0) notStarted.set(host.name, ` Not started: ${names.join(', ')}.`);
        } catch (error) {
          signal.throwIfAborted();
          background.fail('containers that ran before a stop', error);
          notStarted.set(host.name, ' Its containers could not be started: docker ps -a');
        }
      }),
    );
    return ({ name, spec: { hasEngine } }) => {
      const kept = hasEngine ? 'files, images and containers' : 'files';
      return `${name} was stopped on ${day(stoppedAt)} and runs again with its ${kept}.${notStarted.get(name) ?? ''}`;
    };
  }

  #allDown(detail: string, why: string): void {
    for (const host of this.sandbox.hosts) {
      host.markUnavailable(`${host.name} ${why}`);
      this.#onHost(host.name, 'down', detail);
    }
    this.#runner.wake();
  }

  /** What a watcher tells of its host. An engine that is away by itself is shown; its host starts it again. */
  #heard(body: SignalBody): void {
    if (body.kind === 'host') {
      const was = this.#statusOf(body.host);
      if (body.change === 'engine-down' && was?.phase === 'ready') {
        this.#onHost(body.host, 'down', ENGINE_RESTARTS);
      } else if (body.change === 'engine-up' && was && WITHOUT_ENGINE.includes(was.detail)) {
        this.#onHost(body.host, 'ready', 'ready');
      }
    }
    this.signalled(body);
  }

  /**
   * A page may be there before the engine has described the container that served it. The journal puts the start first,
   * for a visit speaks of what had been started before it.
   */
  #visited(visit: VisitSignal): void {
    this.#options.background.run('visit', async () => {
      await Promise.all(this.#watched.map((host) => host.settled()));
      this.signalled(visit);
    });
  }

  #newRunner(lab: Lab): CheckRunner {
    const { journal, background, assisted, emit, hasPage } = this.#options;
    const { sandbox } = this;
    return new CheckRunner({
      lab,
      view: (signal) => ({
        journal,
        signal,
        host: (name) => hostView(sandbox.host(name), signal),
        get hosts() {
          return sandbox.hosts.map((host) => hostView(host, signal));
        },
      }),
      background,
      passes: () => journal.passes,
      hasPage,
      onPass: (check, about) => {
        this.touch();
        return journal.pass({ check, at: Date.now(), about, assisted: assisted() });
      },
      onChecks: (checks) => emit({ type: 'checks', checks }),
      onValues: (values) => emit({ type: 'values', values }),
    });
  }

  #onHost(name: string, phase: HostStatus['phase'], detail: string): void {
    if (this.#closed.signal.aborted) return;
    // A look at a host that is well says "engine starting" on its way to "ready": no news once the lab is up.
    const was = this.#statusOf(name);
    const isUp = was?.phase === 'ready' || WITHOUT_ENGINE.includes(was?.detail ?? '');
    if (this.#pane && phase === 'starting' && isUp) return;
    if (!was || (was.phase === phase && was.detail === detail)) return;
    this.#hosts = this.#hosts.map((host) => (host === was ? { ...host, phase, detail } : host));
    this.#options.onHosts();
  }

  #statusOf(name: string): HostStatus | undefined {
    return this.#hosts.find((host) => host.name === name);
  }
}

/** The hosts of a lab before anything is known of them. */
export function hostsWaiting({ hosts }: Lab): readonly HostStatus[] {
  return hosts.map(({ name, aliases, address, hasEngine }) => {
    return { name, aliases, address, hasEngine, phase: 'waiting', detail: 'waiting' };
  });
}
