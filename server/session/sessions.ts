import type { CheckView, SessionEvent, SessionSnapshot, TerminalView, VisitView } from '#protocol';
import type { BrowserPane } from '../browser/browser-pane.ts';
import type { Terminal } from '../terminal/terminal.ts';

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
  openTerminal(learner: string, lab: string, host: string): Promise<TerminalView>;
  closeTerminal(learner: string, lab: string, terminal: string): Promise<void>;
  /** The running terminal, for the socket edge. */
  terminal(learner: string, lab: string, terminal: string): Terminal;
  answer(learner: string, lab: string, check: string, text: string): Promise<CheckView>;
  visit(learner: string, lab: string, url: string): Promise<VisitView>;
  /** Calls `listener` with a snapshot at once, then with every change, until disposed. */
  subscribe(learner: string, lab: string, listener: (event: SessionEvent) => void): Disposable;
  /** The browser pane with that key, while its session has one. The key alone leads to it: a sandboxed frame has no cookie. */
  pane(key: string): BrowserPane | undefined;
}
