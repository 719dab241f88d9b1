import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  decodeStreamEvent,
  ECHO_PATH,
  EVENT_BEAT_MS,
  STREAM_PATH,
  type StreamEvent,
  type UpMessage,
} from '#protocol';
import { LAB, type Stage, stage } from './stage.ts';

const EVENTS = `/api/labs/${LAB}/events`;

/** A page's stream by hand: what came in it, and what may be sent. */
async function stream(web: Stage, cookie: string) {
  const asked = request(web.origin + STREAM_PATH, {
    method: 'POST',
    headers: { origin: web.origin, cookie },
  });
  asked.end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  const events: StreamEvent[] = [];
  let rest = '';
  answer.setEncoding('utf8').on('data', (text: string) => {
    const blocks = (rest + text).split('\n\n');
    rest = blocks.pop() ?? '';
    events.push(...blocks.flatMap((block) => decodeStreamEvent(block) ?? []));
  });
  answer.on('error', () => undefined);
  onTestFinished(() => void asked.destroy());
  await expect.poll(() => events.length).toBeGreaterThan(0);
  const key = events[0]?.payload ?? '';
  const post = (path: string, body?: object, as = cookie): Promise<Response> =>
    web.fetch(path, {
      method: 'POST',
      headers: { origin: web.origin, cookie: as, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
  return {
    answer,
    events,
    /** Opens a link; gives the HTTP status. */
    link: async (path: string, number: number) =>
      (await post(`${path}?stream=${key}&link=${number}`, {})).status,
    /** Sends messages up; gives the HTTP status. */
    send: async (sequence: number, messages: readonly UpMessage[], as = cookie) =>
      (await post(`${STREAM_PATH}/${key}`, { sequence, messages }, as)).status,
    of: (number: number) => events.filter(({ link }) => link === number),
  };
}

const x = (text: string) => Buffer.from(text).toString('base64');

describe('what a page sends over HTTP', () => {
  test('is taken once and in its order, though a proxy sends it again', async () => {
    await using web = await stage();
    const page = await stream(web, await web.signIn());
    expect(await page.link(ECHO_PATH, 1)).toBe(204);
    expect(await page.send(1, [{ link: 1, bytes: x('one') }])).toBe(204);
    expect(await page.send(1, [{ link: 1, bytes: x('one') }])).toBe(204);
    expect(await page.send(3, [{ link: 1, bytes: x('three') }])).toBe(404);
    expect(await page.send(2, [{ link: 1, bytes: x('two') }])).toBe(204);
    await expect.poll(() => page.of(1)).toHaveLength(3);
    expect(page.of(1).map(({ payload }) => payload)).toEqual([
      expect.stringContaining('now'),
      x('one'),
      x('two'),
    ]);
  });

  test('reaches no link of somebody else, whoever knows the stream', async () => {
    await using web = await stage();
    const page = await stream(web, await web.signIn());
    const other = await web.signIn();
    await page.link(EVENTS, 1);
    expect(await page.send(1, [{ link: 1, bytes: x('x') }], other)).toBe(404);
    expect(await page.send(2, [{ link: 1 }], '')).toBe(404);
    expect(page.of(1).map(({ kind }) => kind)).toEqual(['text']);
  });

  test('is bounded', async () => {
    await using web = await stage();
    const page = await stream(web, await web.signIn());
    await page.link(ECHO_PATH, 1);
    expect(await page.send(1, [{ link: 1, bytes: 'A'.repeat(40_000) }])).toBe(400);
    const many = Array.from({ length: 10 }, () => ({ link: 1, bytes: 'A'.repeat(30_000) }));
    expect(await page.send(1, many)).toBe(413);
  });
});

describe('a link over HTTP', () => {
  test('is refused with the status of its socket, and where its stream is not there', async () => {
    await using web = await stage();
    const page = await stream(web, await web.signIn());
    expect(await page.link(`/api/labs/${LAB}/terminals/nosuch`, 1)).toBe(404);
    expect(await page.link('/api/labs/nosuch/events', 1)).toBe(404);
    expect(await page.link(EVENTS, 0)).toBe(400);
    expect(await page.link(EVENTS, 1)).toBe(204);
    expect(await page.link(EVENTS, 1)).toBe(404);
    page.answer.destroy();
    await expect.poll(() => page.link(EVENTS, 2)).toBe(404);
    expect(web.sessions.listeners.get('learner1')?.size ?? 0).toBe(0);
  });

  test('of a page that does not read is let go, and holds no more than a socket would', async () => {
    await using web = await stage();
    const page = await stream(web, await web.signIn());
    await page.link(EVENTS, 1);
    page.answer.pause();
    const event = { type: 'values', values: [{ id: 'a', text: 'x'.repeat(100_000) }] } as const;
    let sent = 0;
    for (; web.sessions.listeners.get('learner1')?.size === 1 && sent < 10_000; sent += 1) {
      for (const listener of web.sessions.listeners.get('learner1') ?? []) listener(event);
      await new Promise(setImmediate);
    }
    expect(web.sessions.asked).toContain('unsubscribed learner1');
    page.answer.resume();
    await expect.poll(() => page.of(1).at(-1)?.payload).toMatch(/^1013 .*connect again/);
  });

  test('of a page that shows no sign of life is let go', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    await using web = await stage();
    const page = await stream(web, await web.signIn());
    await page.link(EVENTS, 1);
    for (let beat = 0; beat < 4; beat += 1) vi.advanceTimersByTime(EVENT_BEAT_MS);
    await expect.poll(() => page.of(1).at(-1)?.kind).toBe('close');
    expect(web.sessions.asked).toContain('unsubscribed learner1');
  });
});

test('a stream without a link ends', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  await using web = await stage();
  const asked = request(web.origin + STREAM_PATH, {
    method: 'POST',
    headers: { origin: web.origin },
  });
  asked.end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  const ended = once(answer.resume(), 'end');
  vi.advanceTimersByTime(10_000);
  await ended;
});
