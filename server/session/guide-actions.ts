import type { CheckView, SessionEvent, SessionStatus, TerminalView, VisitView } from '#protocol';
import type { Emitter } from '../base/emitter.ts';
import { QuaysideError } from '../base/errors.ts';
import type { LearnerActions } from '../guide/learner-actions.ts';
import type { LiveSandbox } from './live-sandbox.ts';
import type { Terminals } from './terminals.ts';

/** What a guide asks of the session. */
interface GuidedSession {
  openTerminal(host: string): Promise<TerminalView>;
  visit(url: string): Promise<VisitView>;
  answer(check: string, text: string): Promise<CheckView>;
}

/** The running hosts as a guide reaches them: by the same calls as the learner. */
export function guideActions(
  session: GuidedSession,
  live: LiveSandbox,
  terminals: Terminals,
  checks: () => readonly CheckView[],
  events: Emitter<SessionEvent>,
): LearnerActions {
  return {
    terminals: (host) => terminals.of(host),
    openTerminal: async (host) => terminals.get((await session.openTerminal(host)).id),
    visit: async (url) => {
      const visit = await session.visit(url);
      return { visit, html: live.pane?.sourceOf(visit.id) ?? '' };
    },
    answer: (check, text) => session.answer(check, text),
    checks,
    onChecks: (listener) => events.on((event) => event.type === 'checks' && listener()),
    values: () => live.freshValues(),
  };
}

/**
 * Settles when the hosts are ready: the queue, the start and its retries are waited for.
 *
 * @throws QuaysideError why they will not be ready by themselves
 */
export async function untilReady(
  status: () => SessionStatus,
  events: Emitter<SessionEvent>,
): Promise<void> {
  const settled = Promise.withResolvers<void>();
  const look = (): void => {
    const reason = whyNever(status());
    if (reason) settled.reject(reason);
    else if (status().state === 'ready') settled.resolve();
  };
  using _ = events.on((event) => event.type === 'status' && look());
  look();
  await settled.promise;
}

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
