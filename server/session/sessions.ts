import type {
  CheckView,
  GuideView,
  SessionEvent,
  SessionSnapshot,
  TerminalView,
  VisitView,
} from '#protocol';
import type { BrowserPane } from '../browser/browser-pane.ts';
import type { Start } from '../guide/guide.ts';
import type { Terminal } from '../terminal/terminal.ts';

export type { Start };

/**
 * All sessions of all learners, as the web edge sees them. Every call names the learner (from the cookie) and the lab;
 * nothing can be reached but through its owner. Unknown labs, hosts, checks and terminals throw a `QuaysideError`.
 */
export interface Sessions {
  /** The lab folder names there are. */
  readonly labs: readonly { readonly name: string; readonly title: string }[];
  snapshot(learner: string, lab: string): SessionSnapshot;
  /** Starts the sandbox where there is none or it has failed or ended; returns at once, events tell the rest. */
  start(learner: string, lab: string): SessionSnapshot;
  reset(learner: string, lab: string): SessionSnapshot;
  /** @param reason what the learner is told; the plain word, if not given */
  end(learner: string, lab: string, reason?: string): SessionSnapshot;
  /** A fresh sandbox with everything before a section or a step done on it; returns at once, events tell the rest. */
  startFrom(learner: string, lab: string, start: Start): SessionSnapshot;
  /** Does a step for the learner, in their own terminals; returns at once, events tell the rest. */
  doStep(learner: string, lab: string, step: string): GuideView;
  /** Stops what is being done for the learner, or puts away how it ended. */
  stopGuide(learner: string, lab: string): GuideView;
  /** More time before the session ends by itself. */
  extend(learner: string, lab: string): SessionSnapshot;
  /** Somebody reads a page of this lab. */
  attend(learner: string, lab: string): void;
  openTerminal(learner: string, lab: string, host: string): Promise<TerminalView>;
  closeTerminal(learner: string, lab: string, terminal: string): Promise<void>;
  /** The running terminal, for the socket edge. */
  terminal(learner: string, lab: string, terminal: string): Terminal;
  answer(learner: string, lab: string, check: string, text: string): Promise<CheckView>;
  visit(learner: string, lab: string, url: string): Promise<VisitView>;
  /** Calls `listener` with a snapshot at once, then with every change, until disposed. */
  subscribe(learner: string, lab: string, listener: (event: SessionEvent) => void): Disposable;
  /** Counts for the operator: sessions by state, sandboxes, terminals. */
  figures(): Figures;
  /** The browser pane with that key, while its session has one. The key alone leads to it: a sandboxed frame has no cookie. */
  pane(key: string): BrowserPane | undefined;
}

export interface Figures {
  readonly sessions: Readonly<Record<string, number>>;
  readonly sandboxes: number;
  /** Sandboxes that stand ready in the pool. */
  readonly warm: number;
  readonly terminals: number;
}
