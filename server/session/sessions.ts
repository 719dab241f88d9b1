import type { SessionManager } from './manager.ts';
import type { Session } from './session.ts';

/** What the web edge and a class ask of one learner's session in one lab. */
export type LearnerSession = Omit<
  Session,
  'close' | 'labName' | 'live' | 'reload' | 'resume' | 'sandbox' | 'status'
>;

/** All sessions of all learners, as the web edge sees them; its tests bring their own. */
export interface Sessions
  extends Pick<SessionManager, 'figures' | 'forget' | 'labs' | 'nodeWatch' | 'pane'> {
  /**
   * @param learner from the cookie: a session is reached by its owner alone
   * @throws QuaysideError LAB_UNKNOWN
   */
  of(learner: string, lab: string): LearnerSession;
}
