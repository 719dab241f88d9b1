import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { GuideView, SessionSnapshot } from '#protocol';
import type { Step } from '#steps';
import type { SandboxRuntime } from '../../server/sandbox/runtime.ts';
import { liveSandboxes } from '../../server/sandbox/sandbox.ts';
import { SessionManager } from '../../server/session/manager.ts';
import { Store } from '../../server/store/store.ts';
import { openRuntime, SMALL_LAB, sessionParts } from './stage.ts';

const LAB = 'small';
const LABS = new Map([[LAB, SMALL_LAB]]);
const PATIENCE_MS = 120_000;
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

let stage: Awaited<ReturnType<typeof openRuntime>>;
let store: Store;
let sessions: SessionManager;
let learner: string;

beforeAll(async () => {
  stage = await openRuntime();
});

afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
});

beforeEach(() => {
  store = new Store(':memory:');
  ({ learner } = store.createLearner());
});

afterEach(async () => {
  await sessions.close(true);
  expect(await liveSandboxes(stage.runtime, store.instance)).toEqual([]);
  store[Symbol.dispose]();
});

function open(runtime: SandboxRuntime = stage.runtime, sandboxesMost = 1): void {
  sessions = new SessionManager({
    runtime,
    store,
    labs: LABS,
    steps: new Map([[LAB, STEPS]]),
    sandboxesMost,
    ...sessionParts(() => undefined),
  });
  sessions.open();
}

/** Settles with the learner's session as soon as it is as `isWanted` says. */
async function seen(
  who: string,
  isWanted: (snapshot: SessionSnapshot) => boolean,
): Promise<SessionSnapshot> {
  const settled = Promise.withResolvers<SessionSnapshot>();
  using _ = sessions.of(who, LAB).subscribe(() => {
    const snapshot = sessions.of(who, LAB).snapshot();
    if (isWanted(snapshot)) settled.resolve(snapshot);
  });
  return await settled.promise;
}

const hasEnded = ({ state }: GuideView): boolean => state === 'done' || state === 'stopped';
const isReady = ({ status }: SessionSnapshot): boolean => status.state === 'ready';

test(
  'a start from a step waits in the queue like any other, and goes on when the hosts are ready',
  async () => {
    open();
    const before = store.createLearner().learner;
    sessions.of(before, LAB).start();
    await seen(before, isReady);
    await sessions.of(learner, LAB).startFrom(START);
    const { status, guide } = sessions.of(learner, LAB).snapshot();
    expect(status).toMatchObject({ state: 'queued', place: 1 });
    expect(guide).toMatchObject({ state: 'working', place: 0, says: 'Waiting for your hosts' });
    void sessions.of(before, LAB).end();
    const { guide: view } = await seen(learner, (now) => hasEnded(now.guide));
    expect(view).toMatchObject({ state: 'done', purpose: 'start', of: 1 });
  },
  PATIENCE_MS,
);

test(
  'a start that failed and is tried again still has its steps done',
  async () => {
    const labImages: Record<string, string> = {};
    open({ ...stage.runtime, labImages });
    await sessions.of(learner, LAB).startFrom(START);
    const failed = await seen(
      learner,
      ({ status }) => status.state === 'starting' && status.trouble !== undefined,
    );
    expect(failed.guide).toMatchObject({ state: 'working', says: 'Waiting for your hosts' });
    Object.assign(labImages, stage.runtime.labImages);
    const { guide } = await seen(learner, (now) => hasEnded(now.guide));
    expect(guide).toMatchObject({ state: 'done', purpose: 'start', of: 1 });
  },
  PATIENCE_MS,
);

test(
  'a start that fails for good stops the steps with its reason',
  async () => {
    open({ ...stage.runtime, labImages: {} });
    await sessions.of(learner, LAB).startFrom(START);
    const { status, guide } = await seen(learner, (now) => hasEnded(now.guide));
    expect(status.state).toBe('failed');
    expect(guide).toMatchObject({
      state: 'stopped',
      reason: expect.stringContaining('was not built'),
    });
  },
  PATIENCE_MS,
);

describe('where the machine stays full', () => {
  beforeEach(() => open(stage.runtime, 0));

  test('a learner who waits keeps the place when they choose to start from a step', async () => {
    const after = store.createLearner().learner;
    for (const each of [learner, after]) sessions.of(each, LAB).start();
    await sessions.of(learner, LAB).startFrom(START);
    const { status } = sessions.of(learner, LAB).snapshot();
    expect(status).toMatchObject({ state: 'queued', place: 1 });
    expect(sessions.of(after, LAB).snapshot().status).toMatchObject({ state: 'queued', place: 2 });
  });

  test('one who has had enough stops the steps and still waits for the hosts', async () => {
    await sessions.of(learner, LAB).startFrom(START);
    sessions.of(learner, LAB).stopGuide();
    expect(await seen(learner, ({ guide }) => hasEnded(guide))).toMatchObject({
      status: { state: 'queued' },
      guide: { state: 'stopped', reason: 'You stopped it.' },
    });
  });

  test('steps that are waited for go with a reset, and with the end', async () => {
    const session = sessions.of(learner, LAB);
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
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    await sessions.of(learner, LAB).startFrom(START);
    sessions
      .of(learner, LAB)
      .subscribe(() => undefined)
      [Symbol.dispose]();
    await vi.advanceTimersByTimeAsync(PLACE_KEPT_MS);
    expect(sessions.of(learner, LAB).snapshot()).toMatchObject({
      status: { state: 'none' },
      guide: { state: 'stopped', reason: expect.stringContaining('was given up') },
    });
    vi.useRealTimers();
  });
});
