import type { Lab } from '#lab';
import type {
  CheckView,
  GuideView,
  SessionEvent,
  SessionSnapshot,
  SessionStatus,
  TerminalView,
  VisitView,
} from '#protocol';
import type { Step } from '#steps';
import { Emitter } from '../base/emitter.ts';
import { QuaysideError } from '../base/errors.ts';
import type { BrowserPane } from '../browser/browser-pane.ts';
import { Guide, type Start } from '../guide/guide.ts';
import type { LearnerActions } from '../guide/learner-actions.ts';
import type { Terminal } from '../terminal/terminal.ts';
import type { TerminalBackend } from '../terminal/terminal-backend.ts';
import { checkViews, credited } from './check-views.ts';
import { groundOf, untilReady } from './guide-actions.ts';
import { type LifecycleOptions, NOT_RUNNING, SessionLifecycle } from './lifecycle.ts';
import { Terminals } from './terminals.ts';

const ENDED_BY_LEARNER = 'You ended this lab. Your progress is kept.';

/** What a session is made with. */
export interface SessionOptions
  extends Omit<LifecycleOptions, 'lab' | 'isAssisted' | 'terminals' | 'isAwaited' | 'listener'> {
  readonly lab: Lab;
  /** What the lab's pages ask for, in order. */
  readonly steps: readonly Step[];
  readonly terminalBackend: TerminalBackend;
}

/**
 * One learner working through one lab: the stay on the machine with its hosts, the terminals, the passes and the guide.
 * It takes what the learner wants to the one that does it, and tells whoever listens what changed.
 */
export class Session {
  readonly #options: SessionOptions;
  #lab: Lab;
  #steps: readonly Step[];
  /** Pages that are open. */
  readonly #pages = new Set<(event: SessionEvent) => void>();
  /** Those within the server who listen as well. */
  readonly #within = new Emitter<SessionEvent>();
  readonly #stay: SessionLifecycle;
  readonly #terminals: Terminals;
  #guide: Guide;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#lab = options.lab;
    this.#steps = options.steps;
    const { store, log, terminalBackend } = options;
    this.#guide = this.#newGuide();
    this.#terminals = new Terminals({
      store,
      backend: terminalBackend,
      log,
      session: () => this.id,
      onChange: (terminals) => this.#emit({ type: 'terminals', terminals }),
      onCommand: ({ host, id }, finished) =>
        this.#stay.run?.signal({ kind: 'command', host, terminal: id, ...finished }),
    });
    this.#stay = new SessionLifecycle({
      ...options,
      lab: () => this.#lab,
      isAssisted: () => this.#guide.working,
      terminals: this.#terminals,
      isAwaited: () => this.#pages.size > 0,
      listener: {
        onStatus: (status) => this.#emit({ type: 'status', status }),
        onEnd: () => this.#guide.abandon(),
        onAnew: () => this.#emitSnapshot(),
        onStartedOver: () => this.#guide.startOver(() => this.#groundToCome()),
        onChecks: (checks) => {
          const { passes } = this.#stay.journal;
          this.#emit({ type: 'checks', checks: checks.map((check) => credited(check, passes)) });
        },
        onValues: (values) => this.#emit({ type: 'values', values }),
        onVisit: (visit) => this.#emit({ type: 'visit', visit }),
        onEnding: (ending) => this.#emit({ type: 'ending', ...(ending ? { ending } : {}) }),
      },
    });
  }

  /** The folder of its lab. */
  get labName(): string {
    return this.#options.labName;
  }

  /** Changes when it takes a sandbox from the pool: the labels there are made already. */
  get id(): string {
    return this.#stay.id;
  }

  get status(): SessionStatus {
    return this.#stay.status;
  }

  /** The sandbox's id, from its first moment to its last. */
  get sandbox(): string | undefined {
    return this.#stay.run?.sandbox.labels.sandbox;
  }

  get pane(): BrowserPane | undefined {
    return this.#stay.run?.pane;
  }

  snapshot(): SessionSnapshot {
    const { run, journal, status } = this.#stay;
    const answers = journal.all('answer').map(({ check, text }) => [check, text] as const);
    const ending = run?.ending;
    return {
      lab: this.labName,
      status,
      checks: this.#checks(),
      values: run?.values ?? Object.keys(this.#lab.values).map((id) => ({ id })),
      terminals: this.#terminals.views,
      answers: Object.fromEntries(answers),
      guide: this.#guide.view,
      ...(ending ? { ending } : {}),
    };
  }

  /** For a page: a snapshot at once, then every change, until disposed. Meanwhile the page counts as open. */
  subscribe(listener: (event: SessionEvent) => void): Disposable {
    this.#stay.pageOpened();
    this.#pages.add(listener);
    listener({ type: 'snapshot', snapshot: this.snapshot() });
    return {
      [Symbol.dispose]: () => {
        this.#pages.delete(listener);
        if (this.#pages.size === 0) this.#stay.noPageOpen();
      },
    };
  }

  /** For those within the server: as {@link subscribe}, and no page counts as open for it. */
  observe(listener: (event: SessionEvent) => void): Disposable {
    const observing = this.#within.on(listener);
    listener({ type: 'snapshot', snapshot: this.snapshot() });
    return observing;
  }

  /** Starts the sandbox unless it is running or on its way; where the machine is full, it waits in the queue. */
  start(): void {
    this.#stay.start();
  }

  /** Takes up the sandbox that an earlier server has left running. */
  adopt(): void {
    this.#stay.adopt();
  }

  /** Takes its place in the queue again after the server was away. */
  rejoin(): void {
    this.#stay.rejoin();
  }

  /** More time before the session ends by itself. */
  extend(): void {
    this.#stay.extend();
  }

  /** Somebody is there: reads, scrolls, types. */
  touch(): void {
    this.#stay.run?.touch();
  }

  /** Back to the lab's start: a fresh sandbox, no passes, no journal. */
  reset(): void {
    this.#guide.abandon();
    this.#stay.renew('all');
    this.#emitSnapshot();
  }

  /**
   * A fresh sandbox, brought to where a section or a step begins. What the learner has passed by themselves stays; what
   * was done for them is open again, but for what is done for them now.
   */
  startFrom(start: Start): void {
    const steps = this.#guide.before(start);
    this.#guide.abandon();
    this.#stay.renew('assisted');
    this.#guide.bringTo(steps, () => this.#groundToCome());
    this.#emitSnapshot();
  }

  /** Does a step for the learner, in their own terminals. */
  doStep(id: string): GuideView {
    const step = this.#guide.step(id);
    this.#guide.doStep(step, this.#ground());
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
    this.#lab = lab;
    this.#steps = steps;
    if (!this.#guide.working) this.#guide = this.#newGuide();
    await this.#stay.run?.reload(lab);
    this.#emitSnapshot();
  }

  /**
   * Removes the sandbox; the progress is kept. Settles when it is gone.
   *
   * @param reason what the learner is told
   */
  end(reason = ENDED_BY_LEARNER): Promise<void> {
    return this.#stay.end(reason);
  }

  /** The server stops: everything here is closed, the hosts and their shells live on. */
  detach(): void {
    this.#guide.abandon();
    this.#stay.detach();
  }

  /** A host of the sandbox started or ended outside of our own doing: mend what is broken. */
  hostChanged(host: string, action: string): Promise<void> {
    return this.#stay.hostChanged(host, action);
  }

  /** The wires hang on the switch: without it every host is cut off, until it is back. */
  switchDied(): Promise<void> {
    return this.#stay.switchDied();
  }

  /** Nothing is lost yet: when the engine is back, its hosts are mended like any other. */
  engineAway(): void {
    const { run } = this.#stay;
    if (run?.isUp) run.engineAway();
  }

  openTerminal(host: string): Promise<TerminalView> {
    return this.#terminals.open(this.#stay.ready().sandbox.host(host));
  }

  closeTerminal(id: string): Promise<void> {
    return this.#terminals.close(id);
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
    await this.#stay.ready().answer(check, text);
    const view = this.#checks().find(({ id }) => id === check);
    if (!view) throw new Error(`check ${check} has no view`);
    return view;
  }

  /** Opens a page from the network of the lab's browsing host. */
  visit(url: string): Promise<VisitView> {
    const { pane } = this.#stay.ready();
    if (!pane) throw new Error('a ready session has no browser pane');
    return pane.visit(url);
  }

  #newGuide(): Guide {
    return new Guide({
      lab: this.#lab,
      steps: this.#steps,
      log: this.#options.log,
      onChange: (guide) => this.#emit({ type: 'guide', guide }),
    });
  }

  #checks(): readonly CheckView[] {
    const { journal, run } = this.#stay;
    return checkViews(this.#lab, run?.checks ?? [], journal.passes, NOT_RUNNING);
  }

  /** The hosts as a guide reaches them, once they are ready. */
  async #groundToCome(): Promise<LearnerActions> {
    await untilReady(() => this.status, this.#within);
    return this.#ground();
  }

  #ground(): LearnerActions {
    return groundOf(
      this.#stay.ready(),
      {
        terminals: this.#terminals,
        openTerminal: (host) => this.openTerminal(host),
        visit: (url) => this.visit(url),
        answer: (check, text) => this.answer(check, text),
        checks: () => this.#checks(),
      },
      this.#within,
    );
  }

  #emitSnapshot(): void {
    this.#emit({ type: 'snapshot', snapshot: this.snapshot() });
  }

  #emit(event: SessionEvent): void {
    for (const listener of this.#pages) listener(event);
    this.#within.emit(event);
  }
}
