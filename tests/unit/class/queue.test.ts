import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { defineLab } from '#lab';
import { Background } from '../../../server/base/background.ts';
import { Class } from '../../../server/class/class.ts';
import { Roster } from '../../../server/class/roster.ts';
import type { SandboxRuntime } from '../../../server/sandbox/runtime.ts';
import { SessionManager } from '../../../server/session/manager.ts';
import { Store } from '../../../server/store/store.ts';
import { HostTerminalBackend } from '../../../server/terminal/terminal-backend.ts';

const LAB = 'queue';
const labs = new Map([
  [
    LAB,
    defineLab({ title: 'Q', hosts: { a: { address: '10.0.0.1/24' } }, browser: 'a', sections: [] }),
  ],
]);
/** ADR 0014: whoever has had no page open for so long is taken out of the queue. */
const MINUTE_MS = 60_000;

/** A class on a machine that is full: whoever starts is queued, and no sandbox is ever made. */
function fullClass() {
  const store = new Store(':memory:');
  const background = new Background(() => undefined);
  const sessions = new SessionManager({
    runtime: {} as SandboxRuntime,
    store,
    labs,
    sandboxesMost: 0,
    background,
    terminals: new HostTerminalBackend({ background }),
  });
  const classroom = new Class({ store, name: 'C', learnersMost: 9 });
  const roster = new Roster({
    classroom,
    store,
    sessions,
    background: new Background(() => undefined),
    labs,
  });
  return {
    roster,
    /** Joins as the join page does; the learner is on the roster from then on. */
    join: (name: string) => {
      const { learner } = classroom.join('127.0.0.1', classroom.code, name).member;
      roster.entry(learner);
      return sessions.of(learner, LAB);
    },
    [Symbol.asyncDispose]: async () => {
      roster[Symbol.dispose]();
      await sessions.close({ clean: false });
      store[Symbol.dispose]();
    },
  };
}

describe('a position in a class’s queue', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('is given up a minute after the last page was closed, so that the next in line moves up', async () => {
    await using classroom = fullClass();
    const ada = classroom.join('Ada');
    const grace = classroom.join('Grace');
    const page = ada.subscribe(() => undefined);
    using _ = grace.subscribe(() => undefined);
    for (const each of [ada, grace]) each.start();
    expect(grace.snapshot().status).toMatchObject({ state: 'queued', place: 2 });
    page[Symbol.dispose]();
    vi.advanceTimersByTime(MINUTE_MS);
    expect(ada.snapshot().status).toEqual({ state: 'none' });
    expect(grace.snapshot().status).toMatchObject({ state: 'queued', place: 1 });
  });

  test('is kept while a page is open, and for whoever comes back within the minute', async () => {
    await using classroom = fullClass();
    const ada = classroom.join('Ada');
    const page = ada.subscribe(() => undefined);
    ada.start();
    vi.advanceTimersByTime(10 * MINUTE_MS);
    expect(ada.snapshot().status.state).toBe('queued');
    page[Symbol.dispose]();
    vi.advanceTimersByTime(MINUTE_MS - 1);
    using _ = ada.subscribe(() => undefined);
    vi.advanceTimersByTime(MINUTE_MS);
    expect(ada.snapshot().status.state).toBe('queued');
  });

  test('is seen by the instructor as it changes', async () => {
    await using classroom = fullClass();
    const ada = classroom.join('Ada');
    const state = () => classroom.roster.entries[0]?.view().labs[LAB]?.state;
    ada.start();
    expect(state()).toBe('queued');
    ada.subscribe(() => undefined)[Symbol.dispose]();
    vi.advanceTimersByTime(MINUTE_MS);
    expect(state()).toBe('none');
  });
});
