import { on, once } from 'node:events';
import { expect, onTestFinished, test, vi } from 'vitest';
import { EVENT_BEAT_MS } from '#protocol';
import { classStage } from './stage.ts';

test.each([
  ['what the class is to a learner is said again whole', 'me', undefined],
  ['the roster is only said to be alive', 'roster', { type: 'beat' }],
] as const)('in every beat, %s', async (_title, who, beat) => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  await using web = await classStage();
  const cookie = who === 'me' ? await web.join('Ada') : await web.instruct();
  const socket = web.socket(`/api/class/${who}/events`, { cookie });
  const told = on(socket, 'message');
  const next = async () => {
    const { value } = (await told.next()) as { value: [Buffer] };
    return JSON.parse(String(value[0])) as unknown;
  };
  const first = await next();
  for (let beats = 0; beats < 2; beats += 1) {
    vi.advanceTimersByTime(EVENT_BEAT_MS);
    expect(await next()).toEqual(beat ?? first);
  }
});

test('one learner who is removed or signed out loses every socket, and nobody else does', async () => {
  await using web = await classStage();
  const [ada, grace] = [await web.join('Ada'), await web.join('Grace')];
  const [hers, other] = [ada, grace].map((cookie) =>
    web.socket('/api/class/me/events', { cookie }),
  );
  await Promise.all([hers, other].map((each) => once(each ?? web.app.server, 'message')));
  const instructor = await web.instruct();
  const [{ learner = '' } = {}] = web.room.members;
  const closed = once(hers ?? web.app.server, 'close');
  await web.send('POST', `/api/class/learners/${learner}/link`, undefined, { cookie: instructor });
  expect((await closed)[0]).toBe(1008);
  expect(other?.readyState).toBe(other?.OPEN);
});
