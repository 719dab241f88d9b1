import { expect, test } from 'vitest';
import { signIn } from '../../../client-driver/http.ts';
import { applied, SessionEvents } from '../../../client-driver/session-events.ts';
import type { SessionEvent } from '../../../protocol/index.ts';
import { LAB, START_TOKEN, type Stage, stage } from '../web/stage.ts';

const SOON = { ms: 10_000 } as const;

async function openedOn(web: Stage): Promise<SessionEvents> {
  const http = await signIn(`${web.origin}/sign-in?token=${START_TOKEN}`);
  return SessionEvents.open(http, LAB, SOON);
}

function tell(web: Stage, event: SessionEvent): void {
  for (const listener of web.sessions.listeners.get('learner1') ?? []) listener(event);
}

test('it begins with the session as it is, and follows what changes', async () => {
  await using web = await stage();
  using events = await openedOn(web);
  expect(events.passed).toEqual(['myapp2-runs']);
  tell(web, { type: 'checks', checks: [{ id: 'port-changed', state: 'passed', passedAt: 2 }] });
  tell(web, { type: 'values', values: [{ id: 'port', text: '32768' }] });
  await events.until({
    ...SOON,
    what: 'the value',
    look: () => events.value('port') === '32768',
    seen: () => JSON.stringify(events.snapshot),
  });
  expect(events.passed).toEqual(['myapp2-runs', 'port-changed']);
  expect(events.check('nowhere')).toMatchObject({ state: 'unknown', reason: 'never shown' });
});

test('a check’s first tick has a time, until a new snapshot has it open again', async () => {
  await using web = await stage();
  using events = await openedOn(web);
  const [first, check] = [events.passedAt('myapp2-runs'), 'port-changed'];
  expect(first).toBeLessThanOrEqual(performance.now());
  expect(events.passedAt(check)).toBeUndefined();
  const open = { id: 'myapp2-runs', state: 'not-yet', reason: 'Again.' } as const;
  tell(web, { type: 'snapshot', snapshot: { ...events.snapshot, checks: [open] } });
  await events.until({
    ...SOON,
    what: 'the check to be open again',
    look: () => events.passedAt('myapp2-runs') === undefined,
    seen: () => JSON.stringify(events.snapshot),
  });
});

test('every status that is told counts, also one that says what was so already', async () => {
  await using web = await stage();
  using events = await openedOn(web);
  const before = events.statusesHeard;
  tell(web, { type: 'status', status: { state: 'none' } });
  await events.until({
    ...SOON,
    what: 'another status',
    look: () => events.statusesHeard > before,
    seen: () => `${events.statusesHeard}`,
  });
});

test('a server that closes the socket is told to whoever waits', async () => {
  const web = await stage();
  using events = await openedOn(web);
  const waiting = events.until({ ...SOON, what: 'more', look: () => false, seen: () => '' });
  const told = expect(waiting).rejects.toThrow(
    /expected more; seen: the event socket closed: 1001/,
  );
  await web[Symbol.asyncDispose]();
  await told;
});

test('an end that was coming and was put off is coming no more', () => {
  const before = applied(NOTHING, { type: 'ending', ending: { inMs: 1, because: 'idle' } });
  expect(before.ending).toEqual({ inMs: 1, because: 'idle' });
  expect(applied(before, { type: 'ending' })).not.toHaveProperty('ending');
});

const NOTHING = {
  lab: LAB,
  status: { state: 'none' },
  checks: [],
  values: [],
  terminals: [],
  answers: {},
  runs: [],
  guide: { state: 'idle' },
} as const;
