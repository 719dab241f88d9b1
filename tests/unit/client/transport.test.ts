import { randomBytes } from 'node:crypto';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { ECHO_PATH, EVENT_BEAT_MS, type SessionEvent, STREAM_PATH } from '#protocol';
import { overHttp } from '../../../src/client/http-transport.ts';
import {
  type Dial,
  type Loss,
  overWebSocket,
  type Transport,
} from '../../../src/client/transport.ts';
import { browserAt } from '../../fixtures/browser-at.ts';
import { LAB, type Stage, stage } from '../web/stage.ts';

const EVENTS = `/api/labs/${LAB}/events`;
const NO_TERMINAL = `/api/labs/${LAB}/terminals/nosuch`;

interface Heard {
  readonly transport: Transport;
  opened: number;
  readonly messages: unknown[];
  loss: Loss | undefined;
}

function dialled(dial: Dial, url: string): Heard {
  const heard: Heard = {
    opened: 0,
    messages: [],
    loss: undefined,
    transport: dial(url, {
      opened: () => {
        heard.opened += 1;
      },
      message: (data) => heard.messages.push(data),
      closed: (loss) => {
        heard.loss = loss;
      },
    }),
  };
  onTestFinished(() => heard.transport.close());
  return heard;
}

async function page(): Promise<Stage & Pick<ReturnType<typeof browserAt>, 'network'>> {
  const web = await stage();
  const browser = browserAt(web.origin, await web.signIn());
  onTestFinished(async () => {
    await web[Symbol.asyncDispose]();
    browser[Symbol.dispose]();
  });
  return { ...web, network: browser.network };
}

function tell(web: Stage, event: SessionEvent): void {
  for (const listener of web.sessions.listeners.get('learner1') ?? []) listener(event);
}

describe.each([
  ['a WebSocket', overWebSocket],
  ['HTTP', overHttp],
] as const)('a link over %s', (_name, dial) => {
  test('opens, and carries text in its order', async () => {
    const web = await page();
    const link = dialled(dial, EVENTS);
    await expect.poll(() => link.messages).toHaveLength(1);
    expect(link.opened).toBe(1);
    const ids = Array.from({ length: 50 }, (_, index) => `value ${index} ⏎ é`);
    for (const id of ids) tell(web, { type: 'values', values: [{ id, text: '' }] });
    await expect.poll(() => link.messages).toHaveLength(51);
    const [first, ...rest] = link.messages.map((text) => JSON.parse(String(text)));
    expect(first).toMatchObject({ type: 'snapshot', snapshot: { lab: LAB } });
    expect(rest.map(({ values }) => values[0].id)).toEqual(ids);
  });

  test('carries bytes both ways, each once and in its order', async () => {
    await page();
    const link = dialled(dial, ECHO_PATH);
    await expect.poll(() => link.messages).toHaveLength(1);
    const sent = Array.from({ length: 60 }, (_, index) => new Uint8Array(randomBytes(index * 273)));
    for (const bytes of sent) link.transport.send(bytes);
    await expect.poll(() => link.messages).toHaveLength(61);
    const back = link.messages.slice(1).map((data) => Buffer.from(data as ArrayBuffer));
    expect(Buffer.concat(back).equals(Buffer.concat(sent))).toBe(true);
    expect(back.map(({ length }) => length)).toEqual(sent.map(({ length }) => length));
  });

  test('that is refused never opens, and is closed without a word', async () => {
    await page();
    const link = dialled(dial, NO_TERMINAL);
    await expect.poll(() => link.loss).toMatchObject({ code: 1006 });
    expect(link.opened).toBe(0);
  });

  test('is told with which words the server stops', async () => {
    const web = await page();
    const link = dialled(dial, EVENTS);
    await expect.poll(() => link.messages).toHaveLength(1);
    await web.app.close();
    await expect.poll(() => link.loss).toMatchObject({ code: 1001 });
    expect(link.loss?.reason).toContain('your hosts and your work stay');
  });

  test('that the page closes is let go of, and its other links go on', async () => {
    const web = await page();
    const [one, other] = [dialled(dial, EVENTS), dialled(dial, ECHO_PATH)];
    await expect.poll(() => [one.messages.length, other.messages.length]).toEqual([1, 1]);
    one.transport.close();
    await expect.poll(() => web.sessions.asked).toContain('unsubscribed learner1');
    other.transport.send(new Uint8Array([1]));
    await expect.poll(() => other.messages).toHaveLength(2);
    expect(other.loss).toBeUndefined();
  });

  test('is closed as a socket is by whoever may say nothing on it', async () => {
    await page();
    const link = dialled(dial, EVENTS);
    await expect.poll(() => link.messages).toHaveLength(1);
    link.transport.send(new Uint8Array([1]));
    await expect.poll(() => link.loss).toMatchObject({ code: 1008 });
  });

  test('is kept while the page shows signs of life, and has a beat', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] });
    onTestFinished(() => void vi.useRealTimers());
    await page();
    const link = dialled(dial, EVENTS);
    await expect.poll(() => link.messages).toHaveLength(1);
    for (let beat = 1; beat <= 6; beat += 1) {
      vi.advanceTimersByTime(EVENT_BEAT_MS);
      await expect.poll(() => link.messages).toHaveLength(beat + 1);
    }
    expect(link.loss).toBeUndefined();
  });

  test('counts among the links of its learner, of which there is a bounded number', async () => {
    await page();
    const links = Array.from({ length: 64 }, () => dialled(dial, EVENTS));
    await expect.poll(() => links.filter(({ opened }) => opened === 1)).toHaveLength(64);
    const more = dialled(dial, EVENTS);
    await expect.poll(() => more.loss).toMatchObject({ code: 1006 });
    links[0]?.transport.close();
    await expect
      .poll(async () => {
        const again = dialled(dial, EVENTS);
        await expect.poll(() => again.opened + (again.loss?.code ?? 0)).toBeGreaterThan(0);
        return again.opened;
      })
      .toBe(1);
  });

  test('that is dropped by its server ends without a word', async () => {
    const web = await page();
    const link = dialled(dial, EVENTS);
    await expect.poll(() => link.messages).toHaveLength(1);
    web.app.server.closeAllConnections();
    for (const client of web.app.websocketServer.clients) client.terminate();
    await expect.poll(() => link.loss).toMatchObject({ code: 1006 });
  });
});

test('over HTTP all links of a page share the one connection that is held', async () => {
  const { network } = await page();
  const links = Array.from({ length: 12 }, () => dialled(overHttp, EVENTS));
  await expect.poll(() => links.filter(({ opened }) => opened === 1)).toHaveLength(12);
  expect(network.fetched.filter((path) => path === STREAM_PATH)).toHaveLength(1);
});
