import { isDeepStrictEqual } from 'node:util';
import type { Lab } from '#lab';
import type {
  CheckView,
  GuideView,
  RunView,
  SessionEvent,
  SessionSnapshot,
  SessionStatus,
  TerminalView,
  VisitView,
} from '#protocol';
import type { Step } from '#steps';
import { Emitter } from '../base/emitter.ts';
import { QuaysideError } from '../base/errors.ts';
import { checkViews, viewsOfTheseHosts } from '../checks/check-views.ts';
import type { HostFiles } from '../files/host-files.ts';
import { Guide, type Start } from '../guide/guide.ts';
import type { LearnerActions } from '../guide/run-step.ts';
import { type RunRequest, Runs } from '../guide/runs.ts';
import type { Terminal } from '../terminal/terminal.ts';
import type { TerminalBackend } from '../terminal/terminal-backend.ts';
import { type LifecycleContext, NOT_RUNNING, SessionLifecycle, STOPPED } from './lifecycle.ts';
import type { LiveSandbox } from './live-sandbox.ts';
import { Terminals } from './terminals.ts';
import { untilReady } from './until-ready.ts';

const ENDED_BY_LEARNER = 'You ended this lab. Your progress is kept.';

/** Shown while fresh hosts start that the learner has not asked for. */
const MOVED =
  'Your hosts are gone: their machine went out of service, or they were removed on it. Fresh hosts start, and what you had passed is done again in them.';

export interface SessionOptions extends LifecycleContext {
  readonly lab: Lab;
  /** What the lab's pages ask for, in order. */
  readonly steps: readonly Step[];
  readonly terminals: TerminalBackend;
}

/**
 * One learner working through one lab. It hands what the learner wants to the part that does it, and tells whoever
 * listens what has changed.
 */
export class Session {
  readonly labName: string;
  readonly #options: SessionOptions;
  #lab: Lab;
  #steps: readonly Step[];
  /** The sandbox whose hosts the lab describes otherwise since it was written again. */
  #outdated: string | undefined;
  readonly #events = new Emitter<SessionEvent>();
  /** How many pages are open. */
  #pages = 0;
  readonly #lifecycle: SessionLifecycle;
  readonly #terminals: Terminals;
  #guide: Guide;
  readonly #runs: Runs;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.labName = options.labName;
    this.#lab = options.lab;
    this.#steps = options.steps;
    const { stored, background } = options;
    this.#guide = this.#newGuide();
    this.#runs = new Runs({
      background,
      onChange: (runs, stopped) =>
        this.#events.emit({ type: 'runs', runs, ...(stopped && { stopped }) }),
    });
    this.#terminals = new Terminals({
      stored,
      backend: options.terminals,
      background,
      onChange: (terminals) => this.#events.emit({ type: 'terminals', terminals }),
      onKeys: (host) => this.#lifecycle.live?.typedOn(host),
      onCommand: ({ host, id }, finished) =>
        this.#lifecycle.live?.signalled({ kind: 'command', host, terminal: id, ...finished }),
    });
    this.#lifecycle = new SessionLifecycle({
      ...options,
      lab: () => this.#lab,
      terminals: this.#terminals,
      emit: (event) => this.#events.emit(event),
      hasPage: () => this.#pages > 0,
      assisted: () => this.#guide.purpose ?? false,
      onMoved: () => options.background.run('move of a session', () => this.#startElsewhere()),
      onEnd: () => this.#abandon(),
      onChanged: () => this.#emitSnapshot(),
    });
  }

  get status(): SessionStatus {
    return this.#lifecycle.status;
  }

  /** The sandbox's id, from its first moment until it is gone from the engine. */
  get sandbox(): string | undefined {
    return this.#lifecycle.sandbox;
  }

  /** The sandbox's parts, from its first moment to its last. */
  get live(): LiveSandbox | undefined {
    return this.#lifecycle.live;
  }

  snapshot(): SessionSnapshot {
    const { live, status } = this.#lifecycle;
    const { journal } = this.#options.stored;
    const answers = journal.all('answer').map(({ check, text }) => [check, text] as const);
    const ending = live?.ending;
    return {
      lab: this.labName,
      status,
      checks: this.#checks(),
      values: live?.values ?? Object.keys(this.#lab.values).map((id) => ({ id })),
      terminals: this.#terminals.views,
      answers: Object.fromEntries(answers),
      runs: this.#runs.views,
      guide: this.#guide.view,
      ...(ending && { ending }),
      ...(this.#hasChanged && { changed: true }),
    };
  }

  /** Whether the lab is another than the one that its sandbox was made from. */
  get #hasChanged(): boolean {
    const { sandbox, version } = this.#options.stored.row;
    if (sandbox === undefined) return false;
    return version !== this.#lab.version || sandbox === this.#outdated;
  }

  /** For those within the server: a snapshot at once, then every change, until disposed. */
  observe(listener: (event: SessionEvent) => void): Disposable {
    return this.#tell(listener);
  }

  /** For a page: as {@link observe}. Meanwhile the page counts as open. */
  subscribe(listener: (event: SessionEvent) => void): Disposable {
    const page = new DisposableStack();
    page.use(this.#tell(listener));
    const change = (by: number): void => {
      this.#pages += by;
      if (this.#pages > 1 || by < 0) this.#events.emit({ type: 'windows', windows: this.#pages });
      this.#lifecycle.keepPlace();
    };
    change(1);
    page.defer(() => change(-1));
    return page;
  }

  /** Starts the sandbox unless it is there or on its way; where the machine is full, the session waits in the queue. */
  start(): void {
    this.#lifecycle.start();
  }

  /** Goes on where an earlier server has left off: with its sandbox, or its place in the queue. */
  resume(): void {
    this.#lifecycle.resume();
  }

  /** More time before the session ends by itself. */
  extend(): void {
    this.#lifecycle.extend();
  }

  /** The learner is there: reads, scrolls, types. */
  touch(): void {
    this.live?.touch();
  }

  /**
   * Back to the lab's start: a fresh sandbox, no passes, no journal. Settles when that is kept; events tell the rest.
   *
   * @throws QuaysideError DISK_FULL: nothing has changed then
   */
  async reset(): Promise<void> {
    await this.#lifecycle.startOver('all');
    this.#abandon();
    this.#emitSnapshot();
  }

  /**
   * A fresh sandbox, brought to where a section or a step begins. What the learner has passed by themselves stays; what
   * was done for them is open again, but for what is done for them now. Settles when that is kept; events tell the rest.
   *
   * @throws QuaysideError STEP_UNKNOWN; DISK_FULL: nothing has changed then
   */
  async startFrom(start: Start): Promise<void> {
    const steps = this.#guide.before(start);
    await this.#lifecycle.startOver('assisted');
    this.#abandon();
    this.#guide.bringTo(steps, () => this.#actionsToCome());
    this.#emitSnapshot();
  }

  /** The machine of its hosts is lost: fresh hosts elsewhere, on which what was passed is done again. */
  async #startElsewhere(): Promise<void> {
    const { passes } = this.#options.stored.journal;
    const firstOpen = this.#steps.findIndex(({ checks }) =>
      checks.some((check) => !passes.has(check)),
    );
    const steps = firstOpen < 0 ? this.#steps : this.#steps.slice(0, firstOpen);
    await this.#lifecycle.startOver('assisted', MOVED);
    this.#abandon();
    if (steps.length > 0) this.#guide.bringTo(steps, () => this.#actionsToCome());
    this.#emitSnapshot();
  }

  /** Does a step for the learner, in their own terminals. */
  doStep(id: string): GuideView {
    const step = this.#guide.step(id);
    this.#guide.doStep(step, this.#actions());
    return this.#guide.view;
  }

  /** Stops what is being done for the learner, or puts away how it ended. */
  stopGuide(): GuideView {
    this.#guide.stop();
    return this.#guide.view;
  }

  /** Takes up a lab that was written again: its checks and values, on the hosts as they are. */
  async reload(lab: Lab, steps: readonly Step[]): Promise<void> {
    if (!isDeepStrictEqual(this.#lab.hosts, lab.hosts)) this.#outdated = this.sandbox;
    this.#lab = lab;
    this.#steps = steps;
    if (!this.#guide.working) this.#guide = this.#newGuide();
    await this.live?.reload(lab);
    this.#emitSnapshot();
  }

  /**
   * Removes the sandbox; the progress is kept. Settles when it is gone.
   *
   * @param reason what the learner is told
   */
  end(reason = ENDED_BY_LEARNER): Promise<void> {
    return this.#lifecycle.end(reason);
  }

  /** The server stops: everything here is closed, the hosts and their shells live on. */
  close(): void {
    this.#lifecycle.close();
    this.#abandon();
  }

  /** Restarts one host of the lab; settles when it is ready again. Its terminals have new shells then. */
  async restartHost(host: string): Promise<void> {
    await this.#lifecycle.ready().restartHost(host);
  }

  openTerminal(host: string): Promise<TerminalView> {
    const live = this.#lifecycle.ready();
    return this.#terminals.open(live.sandbox.host(host), live.signal);
  }

  /** Types a block on a host, where a terminal is at its prompt; settles when it is known in which. */
  async run(request: RunRequest): Promise<RunView> {
    const { sandbox } = this.#lifecycle.ready();
    const { name } = sandbox.host(request.host);
    return this.#runs.start({ ...request, host: name }, this.#actions());
  }

  /** The files of a host, as the learner may see and write them. */
  files(host: string): HostFiles {
    return this.#lifecycle.ready().files(host);
  }

  closeTerminal(id: string): Promise<void> {
    return this.#terminals.close(id, this.#lifecycle.live?.signal);
  }

  terminal(id: string): Terminal {
    return this.#terminals.get(id);
  }

  /** Takes an answer and says what it is worth. */
  async answer(check: string, text: string): Promise<CheckView> {
    if (!this.#lab.checks.some(({ id, question }) => id === check && question)) {
      throw new QuaysideError(
        'CHECK_UNKNOWN',
        `This lab has no question ${check}.`,
        'Reload the page; it may be older than the server.',
      );
    }
    await this.#lifecycle.ready().answer(check, text);
    const view = this.#checks().find(({ id }) => id === check);
    if (!view) throw new Error(`check ${check} has no view`);
    return view;
  }

  /** Opens a page from the network of the lab's browsing host. */
  visit(url: string): Promise<VisitView> {
    const { pane } = this.#lifecycle.ready();
    if (!pane) throw new Error('a ready session has no browser pane');
    return pane.visit(url);
  }

  #tell(listener: (event: SessionEvent) => void): Disposable {
    const told = this.#events.on(this.#options.background.guard('events of a session', listener));
    listener({ type: 'snapshot', snapshot: this.snapshot() });
    return told;
  }

  /** Nothing more is done or typed on the hosts. */
  #abandon(): void {
    this.#guide.abandon();
    this.#runs.abandon();
  }

  #newGuide(): Guide {
    return new Guide({
      lab: this.#lab,
      steps: this.#steps,
      background: this.#options.background,
      onChange: (guide) => this.#events.emit({ type: 'guide', guide }),
    });
  }

  #checks(): readonly CheckView[] {
    const { passes } = this.#options.stored.journal;
    const withoutHosts = this.status.state === 'stopped' ? STOPPED : NOT_RUNNING;
    return checkViews(this.#lab, this.live?.checks, passes, withoutHosts);
  }

  /** The hosts as a guide reaches them, once they are ready. */
  async #actionsToCome(): Promise<LearnerActions> {
    await untilReady(() => this.status, this.#events);
    return this.#actions();
  }

  /** The running hosts as a guide reaches them: by the same calls as the learner. */
  #actions(): LearnerActions {
    const live = this.#lifecycle.ready();
    return {
      terminals: (host) => this.#terminals.of(host),
      openTerminal: async (host) => this.terminal((await this.openTerminal(host)).id),
      visit: async (url) => {
        const visit = await this.visit(url);
        return { visit, html: live.pane?.sourceOf(visit.id) ?? '' };
      },
      answer: (check, text) => this.answer(check, text),
      // What a step stands on is done on these hosts too, whatever was passed on earlier ones.
      checks: () => viewsOfTheseHosts(this.#checks(), this.#options.stored.journal.passes),
      onChecks: (listener) => this.#events.on((event) => event.type === 'checks' && listener()),
      values: () => live.freshValues(),
    };
  }

  #emitSnapshot(): void {
    this.#events.emit({ type: 'snapshot', snapshot: this.snapshot() });
  }
}
