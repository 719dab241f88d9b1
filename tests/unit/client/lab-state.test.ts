import { describe, expect, it } from 'vitest';
import type { SessionSnapshot } from '#protocol';
import { countPassed, type LabChange, LabState } from '../../../src/client/lab-state.ts';
import { countText } from '../../../src/client/set.ts';

const SNAPSHOT: SessionSnapshot = {
  lab: 'demo',
  status: { state: 'none' },
  checks: [
    { id: 'one', state: 'not-yet', reason: 'Nothing there.' },
    { id: 'two', state: 'not-yet', reason: 'Not answered yet.' },
  ],
  values: [{ id: 'port' }],
  terminals: [],
  answers: {},
  runs: [],
  guide: { state: 'idle' },
};

function stateWith(snapshot = SNAPSHOT): LabState {
  const state = new LabState();
  state.apply({ type: 'snapshot', snapshot });
  return state;
}

describe('the page\u2019s state of a session', () => {
  it('takes changed checks and values, and keeps the others', () => {
    const state = stateWith();
    state.apply({ type: 'checks', checks: [{ id: 'one', state: 'passed', passedAt: 5 }] });
    state.apply({ type: 'values', values: [{ id: 'port', text: '32768' }] });
    expect(state.view.snapshot?.checks.map((check) => check.state)).toEqual(['passed', 'not-yet']);
    expect(state.view.snapshot?.values).toEqual([{ id: 'port', text: '32768' }]);
  });

  it('takes the list of terminals as a whole', () => {
    const state = stateWith();
    const terminal = { id: 't1', host: 'server01', title: 'server01' };
    state.apply({ type: 'terminals', terminals: [terminal] });
    state.apply({ type: 'terminals', terminals: [] });
    expect(state.view.snapshot?.terminals).toEqual([]);
  });

  it('waits for a snapshot before it takes changes', () => {
    const state = new LabState();
    state.apply({ type: 'status', status: { state: 'starting', hosts: [] } });
    expect(state.view.snapshot).toBeUndefined();
  });

  it('keeps what came of a request before its answer, where the link tells it', () => {
    const state = stateWith();
    state.setLink({ state: 'live' });
    state.apply({ type: 'status', status: { state: 'ready', hosts: [] } });
    state.answered({ ...SNAPSHOT, status: { state: 'starting', hosts: [] } });
    expect(state.view.snapshot?.status.state).toBe('ready');
  });

  it('takes an answer where the link is lost', () => {
    const state = stateWith();
    state.setLink({ state: 'reconnecting', goodbye: undefined });
    state.answered({ ...SNAPSHOT, status: { state: 'starting', hosts: [] } });
    expect(state.view.snapshot?.status.state).toBe('starting');
  });

  it('knows of a terminal once it is told', async () => {
    const state = stateWith();
    const open = state.whenOpen('t1', new AbortController().signal);
    state.apply({ type: 'terminals', terminals: [{ id: 't1', host: 'a', title: 'a' }] });
    await expect(open).resolves.toBeUndefined();
  });

  it('waits for a terminal that is not told yet', async () => {
    const state = stateWith();
    const told: string[] = [];
    const patience = new AbortController();
    const open = state.whenOpen('t2', patience.signal).then(() => told.push('waited'));
    state.apply({ type: 'terminals', terminals: [{ id: 't1', host: 'a', title: 'a' }] });
    await Promise.resolve();
    expect(told).toEqual([]);
    patience.abort();
    await open;
    expect(told).toEqual(['waited']);
  });

  it('tells of a visit without changing anything', () => {
    const state = stateWith();
    const heard: LabChange[] = [];
    state.subscribe((change) => heard.push(change));
    const visit = {
      id: 'v1',
      url: 'http://10.1.10.11/',
      from: 'client',
      outcome: 'refused',
      milliseconds: 3,
    } as const;
    state.apply({ type: 'visit', visit });
    expect(heard).toEqual([{ view: state.view, before: state.view, visit }]);
  });

  it('is ready once the hosts are, and not when they fail', async () => {
    const state = stateWith();
    const ready = state.whenReady(new AbortController().signal);
    state.apply({ type: 'status', status: { state: 'ready', hosts: [] } });
    await expect(ready).resolves.toBe(true);
    state.apply({
      type: 'status',
      status: { state: 'failed', reason: 'No room.', remedy: 'Wait.' },
    });
    await expect(state.whenReady(new AbortController().signal)).resolves.toBe(false);
  });

  it('stops waiting when told to', async () => {
    const patience = new AbortController();
    const ready = stateWith().whenReady(patience.signal);
    patience.abort();
    await expect(ready).resolves.toBe(false);
  });
});

describe('the count of passes', () => {
  it('counts only the checks asked for', () => {
    const checks = [
      { id: 'one', state: 'passed', passedAt: 1 },
      { id: 'two', state: 'not-yet', reason: '' },
      { id: 'other', state: 'passed', passedAt: 2 },
    ] as const;
    expect(countPassed(checks, ['one', 'two'])).toBe(1);
  });
});

it('what is not counted is one more', () => {
  expect([countText(3, 4, 0), countText(4, 4, 1)]).toEqual(['3 of 4', '4 of 4 +1']);
});
