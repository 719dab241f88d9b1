import { describe, expect, test, vi } from 'vitest';
import type { ClassStatus, SessionEvent, SessionSnapshot } from '#protocol';
import { LabApi } from '../../../src/client/api.ts';
import { keepLive } from '../../../src/client/event-link.ts';
import { keepLinked, type LinkState } from '../../../src/client/session-link.ts';
import { FakeSocket, fakePage } from './fake-socket.ts';

const SNAPSHOT: SessionSnapshot = {
  lab: 'docker-networking',
  status: { state: 'none' },
  checks: [],
  values: [],
  terminals: [],
  answers: {},
  runs: [],
  guide: { state: 'idle' },
};
const FIRST: SessionEvent = { type: 'snapshot', snapshot: SNAPSHOT };
const TICK: SessionEvent = {
  type: 'checks',
  checks: [{ id: 'a', state: 'passed', passedAt: 1 }],
};
const BEAT = { type: 'beat' };
const MINUTE_MS = 60_000;

function link() {
  const leaving = new AbortController();
  const events: SessionEvent[] = [];
  const states: LinkState[] = [];
  keepLinked(
    new LabApi('docker-networking'),
    { onEvent: (event) => events.push(event), onLink: (state) => states.push(state) },
    leaving.signal,
  );
  return { events, states, [Symbol.dispose]: () => leaving.abort() };
}

/** What the server answers over HTTP when it is asked for the session. */
function answering(answer: () => Response | Promise<Response>): void {
  vi.stubGlobal('fetch', async () => answer());
}

const refusal = (status: number, code: string) =>
  Response.json({ code, message: '…', remedy: '…' }, { status });

describe('the link to a session', () => {
  test('is live with the first event, and tells beats to nobody', async () => {
    using _page = fakePage();
    using page = link();
    const socket = FakeSocket.last.accept();
    expect(page.states).toEqual([{ state: 'connecting' }]);
    socket.tells(FIRST);
    socket.tells(BEAT);
    socket.tells(TICK);
    expect(page.states.at(-1)).toEqual({ state: 'live' });
    expect(page.events).toEqual([FIRST, TICK]);
  });

  test('that falls silent without a close is back within 30 seconds, with what happened meanwhile', async () => {
    using _page = fakePage();
    using page = link();
    FakeSocket.last.accept().tells(FIRST);
    for (let beat = 0; beat < 6; beat += 1) {
      await vi.advanceTimersByTimeAsync(10_000);
      FakeSocket.last.tells(BEAT);
    }
    expect(FakeSocket.all).toHaveLength(1);
    // From here on the line swallows everything.
    await vi.advanceTimersByTimeAsync(28_000);
    expect(FakeSocket.all).toHaveLength(2);
    expect(page.states.at(-1)).toEqual({ state: 'reconnecting', goodbye: undefined });
    const meanwhile = { ...FIRST, snapshot: { ...SNAPSHOT, checks: TICK.checks } };
    FakeSocket.last.accept().tells(meanwhile);
    expect(page.states.at(-1)).toEqual({ state: 'live' });
    expect(page.events.at(-1)).toEqual(meanwhile);
  });

  test.each(['look', 'goOnline'] as const)(
    'is opened anew at once after a sleep: %s',
    async (comeBack) => {
      using world = fakePage();
      using _ = link();
      FakeSocket.last.accept().tells(FIRST);
      world.sleep(60 * MINUTE_MS);
      world[comeBack]();
      expect(FakeSocket.all).toHaveLength(2);
    },
  );

  test('says with what the server said goodbye, until it is back', async () => {
    using _page = fakePage();
    answering(() => Promise.reject(new TypeError('no server')));
    using page = link();
    FakeSocket.last.accept().tells(FIRST);
    FakeSocket.last.ends(1001, 'Your hosts stay.');
    const away = { state: 'reconnecting', goodbye: 'Your hosts stay.' };
    expect(page.states.at(-1)).toEqual(away);
    await vi.advanceTimersByTimeAsync(0);
    FakeSocket.last.ends();
    await vi.advanceTimersByTimeAsync(100);
    expect(page.states.at(-1)).toEqual(away);
  });

  test('tells a missing server, to which it comes back by itself, from a missing sign-in', async () => {
    using world = fakePage();
    using page = link();
    answering(() => Promise.reject(new TypeError('no server')));
    FakeSocket.last.ends();
    await vi.advanceTimersByTimeAsync(0);
    expect(page.states.at(-1)).toEqual({ state: 'absent' });
    await vi.advanceTimersByTimeAsync(1_000);
    answering(() => refusal(401, 'NOT_SIGNED_IN'));
    FakeSocket.last.ends();
    await vi.advanceTimersByTimeAsync(0);
    expect(page.states.at(-1)).toMatchObject({
      state: 'signed-out',
      why: { code: 'NOT_SIGNED_IN' },
    });
    world.look();
    FakeSocket.last.accept().tells(FIRST);
    expect(page.states.at(-1)).toEqual({ state: 'live' });
  });

  test('whose sockets a network stops says so within ten seconds, and what the server says where that refuses it', async () => {
    using _page = fakePage();
    answering(() => new Response(undefined, { status: 204 }));
    using page = link();
    FakeSocket.last.ends();
    await vi.advanceTimersByTimeAsync(0);
    expect(page.states.at(-1)).toEqual({ state: 'blocked', why: 'network' });
    await vi.advanceTimersByTimeAsync(100);
    answering(() => refusal(403, 'WRONG_ORIGIN'));
    FakeSocket.last.ends();
    await vi.advanceTimersByTimeAsync(0);
    const words = { message: '…', remedy: '…' };
    expect(page.states.at(-1)).toEqual({ state: 'blocked', why: words });
    await vi.advanceTimersByTimeAsync(1_000);
    FakeSocket.last.accept().tells(FIRST);
    expect(page.states.at(-1)).toEqual({ state: 'live' });
  });

  test('that never gets an answer to its handshake asks over HTTP within ten seconds', async () => {
    using _page = fakePage();
    answering(() => new Response(undefined, { status: 204 }));
    using page = link();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(page.states).toContainEqual({ state: 'blocked', why: 'network' });
  });

  test.each(['NOT_JOINED', 'LINK_REPLACED', 'LEARNER_REMOVED'])(
    'asks a server that says %s no more, until somebody comes back to the page',
    async (code) => {
      using world = fakePage();
      const asked = vi.fn(() => refusal(401, code));
      answering(asked);
      using page = link();
      FakeSocket.last.accept().tells(FIRST);
      FakeSocket.last.ends(1008, 'Signed out.');
      await vi.advanceTimersByTimeAsync(50);
      FakeSocket.last.ends();
      await vi.advanceTimersByTimeAsync(5 * MINUTE_MS);
      expect(page.states.at(-1)).toMatchObject({ state: 'signed-out', why: { code } });
      // One link is tried over HTTP, and one question asked.
      expect([FakeSocket.all.length, asked.mock.calls.length]).toEqual([2, 2]);
      world.look();
      expect(FakeSocket.all).toHaveLength(3);
      FakeSocket.last.accept().tells(FIRST);
      expect(page.states.at(-1)).toEqual({ state: 'live' });
    },
  );

  test('leaves nothing behind when the page is left', async () => {
    using _page = fakePage();
    const page = link();
    FakeSocket.last.accept().tells(FIRST);
    page[Symbol.dispose]();
    expect(FakeSocket.last.closed).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });
});

test('of events that tell everything, one that is said again is a beat', async () => {
  using _page = fakePage();
  const status: ClassStatus = {
    name: 'Ada',
    className: 'C',
    mayType: false,
    watched: [],
    messages: [],
  };
  const heard: ClassStatus[] = [];
  let lives = 0;
  const leaving = new AbortController();
  keepLive<ClassStatus>(
    'ws://127.0.0.1/',
    {
      onEvent: (event) => heard.push(event),
      onLive: () => {
        lives += 1;
      },
      onLost: () => undefined,
    },
    leaving.signal,
  );
  FakeSocket.last.accept().tells(status);
  for (let beat = 0; beat < 6; beat += 1) {
    await vi.advanceTimersByTimeAsync(10_000);
    FakeSocket.last.tells(status);
  }
  expect(FakeSocket.all).toHaveLength(1);
  FakeSocket.last.ends();
  await vi.advanceTimersByTimeAsync(50);
  FakeSocket.last.accept().tells(status);
  expect(heard).toEqual([status, status]);
  expect(lives).toBe(2);
  leaving.abort();
});
