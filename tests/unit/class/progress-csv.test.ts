import { expect, test } from 'vitest';
import type { CheckView } from '#protocol';
import { progressCsv } from '../../../server/class/progress-csv.ts';
import { RosterEntry } from '../../../server/class/roster-entry.ts';
import { FakeSessions, LAB } from '../web/stage.ts';

test('the CSV says of each step how it was passed', () => {
  const sessions = new FakeSessions();
  const passed = (id: string): CheckView & { state: 'passed' } => ({
    ...{ id, state: 'passed', passedAt: 1 },
  });
  const checks: readonly CheckView[] = [
    passed('own'),
    { ...passed('shown'), assisted: true, help: 'step' },
    { ...passed('started'), assisted: true, help: 'start' },
    { id: 'open', state: 'not-yet', reason: 'Nothing yet.' },
  ];
  sessions.change('learner', { checks });
  const member = { learner: 'learner', name: 'Ada', joinedAt: 0, handAt: undefined };
  const steps = checks.map(({ id }) => ({ id, title: id, section: 'Ports' }));
  using entry = new RosterEntry(member, [{ name: LAB, steps }], sessions, () => undefined);
  const lines = progressCsv([entry], [{ name: LAB, title: 'Lab', steps }])
    .trimEnd()
    .split('\r\n');
  expect(lines.map((line) => line.split(',').at(-1))).toEqual([
    ...['How', 'by hand', 'shown', 'started from', ''],
  ]);
});

test('nobody is at a step that is optional', () => {
  const sessions = new FakeSessions();
  const open = (id: string): CheckView => ({ id, state: 'not-yet', reason: `No ${id}.` });
  sessions.change('learner', {
    status: { state: 'ready', hosts: [] },
    checks: [open('bonus'), open('needed')],
  });
  const member = { learner: 'learner', name: 'Ada', joinedAt: 0, handAt: undefined };
  const steps = [
    { id: 'bonus', title: 'b', section: 's', optional: true as const },
    { id: 'needed', title: 'n', section: 's' },
  ];
  using entry = new RosterEntry(member, [{ name: LAB, steps }], sessions, () => undefined);
  expect(entry.view().labs[LAB]?.at).toMatchObject({ check: 'needed', reason: 'No needed.' });
});
