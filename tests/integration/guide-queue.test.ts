import { describe, expect, test, vi } from 'vitest';
import type { GuideView } from '#protocol';
import type { Step } from '#steps';
import { openApp, SMALL_LAB, started, type TestApp, until } from './stage.ts';

const LAB = 'small';
const LABS = new Map([[LAB, SMALL_LAB]]);
/** How long the session keeps the place of a learner who has no page open. */
const PLACE_KEPT_MS = 60_000;

/** Two steps without checks: a start from the second has the first one done. */
const STEPS: readonly Step[] = ['first', 'second'].map((id) => ({
  id,
  page: 'p',
  heading: id,
  file: '',
  line: 0,
  actions: [{ kind: 'run', host: 'server01', command: `touch /tmp/${id}`, line: 0 }],
  checks: [],
}));
const START = { step: 'second' };

const open = (sandboxes: number): Promise<TestApp> =>
  openApp({ labs: LABS, steps: new Map([[LAB, STEPS]]), sandboxes, mayFail: true });

const hasEnded = ({ state }: GuideView): boolean => state === 'done' || state === 'stopped';

/** The images that are built are taken away, and can be given back. */
function withoutImages({ runtime }: TestApp): () => void {
  const { labImages } = runtime;
  const images = { ...labImages };
  for (const tag of Object.keys(images)) Reflect.deleteProperty(labImages, tag);
  return () => Object.assign(labImages, images);
}

test('a start from a step waits in the queue like any other, and goes on when the hosts are ready', async () => {
  await using app = await open(1);
  const [before, session] = [app.newLearner(LAB).session, app.newLearner(LAB).session];
  await started(before);
  await session.startFrom(START);
  const { status, guide } = session.snapshot();
  expect(status).toMatchObject({ state: 'queued', place: 1 });
  expect(guide).toMatchObject({ state: 'working', place: 0, says: 'Waiting for your hosts' });
  await before.end();
  const now = await until(session, 'the steps to be done', ({ guide }) => hasEnded(guide));
  expect(now.guide).toMatchObject({ state: 'done', purpose: 'start', of: 1 });
});

test('a start that failed and is tried again still has its steps done', async () => {
  await using app = await open(1);
  const giveBack = withoutImages(app);
  const { session } = app.newLearner(LAB);
  await session.startFrom(START);
  const failed = await until(
    session,
    'an attempt to fail',
    ({ status }) => status.state === 'starting' && status.trouble !== undefined,
  );
  expect(failed.guide).toMatchObject({ state: 'working', says: 'Waiting for your hosts' });
  giveBack();
  const { guide } = await until(session, 'the steps to be done', (now) => hasEnded(now.guide));
  expect(guide).toMatchObject({ state: 'done', purpose: 'start', of: 1 });
});

test('a start that fails for good stops the steps with its reason', async () => {
  await using app = await open(1);
  withoutImages(app);
  const { session } = app.newLearner(LAB);
  await session.startFrom(START);
  const { status, guide } = await until(session, 'the steps to stop', (now) => hasEnded(now.guide));
  expect(status.state).toBe('failed');
  expect(guide).toMatchObject({
    state: 'stopped',
    reason: expect.stringContaining('was not built'),
  });
});

describe('where the machine stays full', () => {
  test('a learner who waits keeps the place when they choose to start from a step', async () => {
    await using app = await open(0);
    const [session, after] = [app.newLearner(LAB).session, app.newLearner(LAB).session];
    for (const each of [session, after]) each.start();
    await session.startFrom(START);
    expect(session.snapshot().status).toMatchObject({ state: 'queued', place: 1 });
    expect(after.snapshot().status).toMatchObject({ state: 'queued', place: 2 });
  });

  test('one who has had enough stops the steps and still waits for the hosts', async () => {
    await using app = await open(0);
    const { session } = app.newLearner(LAB);
    await session.startFrom(START);
    session.stopGuide();
    expect(await until(session, 'the steps to stop', ({ guide }) => hasEnded(guide))).toMatchObject(
      {
        status: { state: 'queued' },
        guide: { state: 'stopped', reason: 'You stopped it.' },
      },
    );
  });

  test('steps that are waited for go with a reset, and with the end', async () => {
    await using app = await open(0);
    const { session } = app.newLearner(LAB);
    await session.startFrom(START);
    await session.reset();
    expect(session.snapshot()).toMatchObject({
      status: { state: 'queued', place: 1 },
      guide: { state: 'idle' },
    });
    await session.startFrom(START);
    await session.end();
    expect(session.snapshot()).toMatchObject({
      status: { state: 'ended' },
      guide: { state: 'idle' },
    });
  });

  test('steps that are waited for hold no place for a learner who has left', async () => {
    await using app = await open(0);
    const { session } = app.newLearner(LAB);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    // Before the server ends, which needs its time.
    using _ = { [Symbol.dispose]: () => vi.useRealTimers() };
    await session.startFrom(START);
    session.subscribe(() => undefined)[Symbol.dispose]();
    await vi.advanceTimersByTimeAsync(PLACE_KEPT_MS);
    expect(session.snapshot()).toMatchObject({
      status: { state: 'none' },
      guide: { state: 'stopped', reason: expect.stringContaining('was given up') },
    });
  });
});
