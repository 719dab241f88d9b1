import { expect, onTestFinished, test } from 'vitest';
import { detour } from '../../src/client/detour.ts';
import { overHttp } from '../../src/client/http-transport.ts';
import { overWebSocket } from '../../src/client/transport.ts';
import { PASSES } from '../fixtures/nginx.ts';
import { LAB } from '../unit/web/stage.ts';
import { behind, page } from './stage.ts';

const UPGRADES = PASSES.host + PASSES.upgrade;
/** A page says within this what is the matter. */
const WORDS_MS = 10_000;
/** Three beats take half of it. */
const BEATS_MS = 60_000;

test.each([
  ['that passes no Upgrade on', `location / { proxy_pass SERVER; ${PASSES.host} }`],
  [
    'that forbids the links’ own addresses to sockets',
    `location / { if ($http_upgrade) { return 403; } proxy_pass SERVER; ${PASSES.host} }`,
  ],
  [
    'that forbids some addresses to sockets, and not all',
    `location / { set $stopped "$http_upgrade$uri"; if ($stopped ~ "websocket/api/labs/") { return 404; } proxy_pass SERVER; ${UPGRADES} }`,
  ],
  [
    'that cuts each connection with an Upgrade',
    `location / { if ($http_upgrade) { return 444; } proxy_pass SERVER; ${PASSES.host} }`,
  ],
])(
  'behind a proxy %s, terminals and events go over HTTP, and the page knows it',
  async (_, locations) => {
    const { shell, web } = await behind(locations);
    shell.onInput = (text) => shell.print(text.toUpperCase());
    const { links, connection, screen, events } = page();
    await expect.poll(() => links.at(-1)).toEqual({ state: 'live' });
    await expect.poll(() => detour.isSure).toBe(true);
    await expect.poll(() => connection.state).toEqual({ state: 'open' });
    for (const key of 'echo hello') connection.type(key);
    await expect.poll(screen).toContain('ECHO HELLO');
    const change = { status: { state: 'ended', reason: 'Over.' } } as const;
    web.sessions.change('learner1', change);
    await expect.poll(() => events).toContainEqual({ type: 'status', ...change });
  },
);

test('over HTTP a flood comes whole and in its order', async () => {
  const { shell } = await behind(`location / { proxy_pass SERVER; ${PASSES.host} }`);
  const { connection, screen } = page();
  await expect.poll(() => connection.state).toEqual({ state: 'open' });
  let sent = '';
  for (let line = 0; line < 40_000; line += 1) sent += `line ${line} of a flood\r\n`;
  for (let at = 0; at < sent.length; at += 8_192) shell.print(sent.slice(at, at + 8_192));
  await expect.poll(() => screen().length).toBeGreaterThanOrEqual(sent.length);
  expect(screen()).toBe(sent);
});

test('where WebSockets come through again, the links go back to them, and nothing is lost', async () => {
  const { shell, network } = await behind(`location / { proxy_pass SERVER; ${UPGRADES} }`);
  network.stopped = true;
  shell.onInput = (text) => shell.print(text);
  const { connection, screen, links } = page();
  await expect.poll(() => connection.state).toEqual({ state: 'open' });
  await expect.poll(() => detour.isSure).toBe(true);
  connection.type('over HTTP, ');
  network.stopped = false;
  detour.hurry();
  await expect.poll(() => detour.isSure).toBe(false);
  connection.type('over a socket');
  await expect.poll(screen).toBe('over HTTP, over a socket');
  expect(links.at(-1)).toEqual({ state: 'live' });
});

test('a server that has just come back is not taken for a network that stops WebSockets', async () => {
  const { network } = await behind(`location / { proxy_pass SERVER; ${UPGRADES} }`);
  network.stopped = true;
  const { links } = page();
  network.stopped = false;
  const sure: boolean[] = [];
  detour.subscribe(() => sure.push(detour.isSure), AbortSignal.timeout(WORDS_MS));
  await expect.poll(() => links.at(-1)).toEqual({ state: 'live' });
  await expect.poll(() => sure).toEqual([false, false]);
});

test(
  'a proxy that ends what is silent for 20 s ends no link, be it over a socket or over HTTP: each has a beat',
  async () => {
    await behind(`location / { proxy_pass SERVER; ${UPGRADES} proxy_read_timeout 20s; }`);
    const links = [overWebSocket, overHttp].map((dial) => {
      const heard = { messages: 0, losses: 0 };
      const transport = dial(`/api/labs/${LAB}/events`, {
        opened: () => undefined,
        message: () => {
          heard.messages += 1;
        },
        closed: () => {
          heard.losses += 1;
        },
      });
      onTestFinished(() => transport.close());
      return heard;
    });
    // All that there is to tell, and three beats.
    await expect.poll(() => links.every(({ messages }) => messages >= 4)).toBe(true);
    expect(links.map(({ losses }) => losses)).toEqual([0, 0]);
  },
  BEATS_MS,
);
