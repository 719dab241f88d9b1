import type { CheckView, ValueView, VisitView } from '#protocol';
import type { Terminal } from '../terminal/terminal.ts';

/** What a guide can do: all that one learner can do on their running hosts, and by the same calls. */
export interface LearnerActions {
  /** The host's terminals, in the order of their tabs. */
  terminals(host: string): readonly Terminal[];
  openTerminal(host: string): Promise<Terminal>;
  /** Opens a page in the browser pane; `html` is what came, "" where none did. */
  visit(url: string): Promise<{ readonly visit: VisitView; readonly html: string }>;
  answer(check: string, text: string): Promise<CheckView>;
  checks(): readonly CheckView[];
  /** Called whenever some of the checks have changed. */
  onChecks(listener: () => void): Disposable;
  /** The values as the hosts are now, not as they were at the last signal. */
  values(): Promise<readonly ValueView[]>;
}
