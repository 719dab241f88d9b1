import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import { BASE_PATH } from '../../client-driver/base-path.ts';
import { signIn } from '../../client-driver/http.ts';
import { siteDirectory } from '../../server/site/build.ts';
import { freePort, nginx, PASSES } from '../fixtures/nginx.ts';
import { LAB, START_TOKEN, stage } from '../unit/web/stage.ts';
import { behind, page } from './stage.ts';

const DIST = await siteDirectory(join(import.meta.dirname, '../..'), BASE_PATH);
const UPGRADES = PASSES.host + PASSES.upgrade;
/** As the operators' example has it (docs/operating.md). */
const PASSED_WHOLE = `location ${BASE_PATH}/ { proxy_pass SERVER; ${UPGRADES} }`;
const TAKEN_AWAY = `location ${BASE_PATH}/ { proxy_pass SERVER/; ${UPGRADES} }`;

const site = { basePath: BASE_PATH, dist: DIST };
/** What a page, a style sheet or a script has to have: each by its whole path, or beside it. */
const NAMED =
  /(?:\s(?:href|src|component-url)="|url\(["']?)(\/[^"')#?]+)|(?:from|import)\s*["'](\.\/[\w.-]+)["']/g;

beforeEach(() => {
  // What the build writes into the pages' scripts.
  vi.stubEnv('BASE_URL', `${BASE_PATH}/`);
  return () => vi.unstubAllEnvs();
});

test.each([
  ['passes the path on', PASSED_WHOLE],
  ['takes the path away', TAKEN_AWAY],
])(
  'behind a proxy that %s, whoever signs in gets the front page, and every page has all its parts',
  async (_, locations) => {
    const port = await freePort();
    await using web = await stage({ origins: [`http://127.0.0.1:${port}`], ...site });
    await using proxy = await nginx(port, locations.replaceAll('SERVER', web.origin));
    const { origin } = proxy;
    const http = await signIn(`${origin}${BASE_PATH}/sign-in?token=${START_TOKEN}`);
    expect(await http.ask('GET', `/api/labs/${LAB}/session`)).toMatchObject({ lab: LAB });
    // Without its last slash the path leads on.
    expect((await fetch(origin + BASE_PATH)).url).toBe(`${origin}${BASE_PATH}/`);
    const pages = readdirSync(DIST, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('index.html'))
      .map((path) => `${BASE_PATH}/${path.replace(/index\.html$/, '')}`);
    const asked = new Set([...pages, `${BASE_PATH}/pagefind/pagefind.js`]);
    const missing: string[] = [];
    for (const path of asked) {
      const answer = await fetch(origin + path);
      if (answer.status !== 200) missing.push(`${answer.status} ${path}`);
      const text = await answer.text();
      // Links to other pages lead below the path as well, and each of them is looked at.
      for (const [, whole, beside = ''] of text.matchAll(NAMED)) {
        const part = whole ?? new URL(beside, origin + path).pathname;
        // What the server answers to its own requests is tried elsewhere.
        if (!part.startsWith(`${BASE_PATH}/api/`)) asked.add(part);
      }
    }
    expect(missing).toEqual([]);
    expect(asked.size).toBeGreaterThan(pages.length + 10);
  },
);

test.each([
  ['over sockets', PASSED_WHOLE],
  ['over HTTP', `location ${BASE_PATH}/ { proxy_pass SERVER; ${PASSES.host} }`],
])(
  'below a path, %s, what is typed comes back, and news of the lab arrive',
  async (_, locations) => {
    const { shell, web } = await behind(locations, site);
    shell.onInput = (text) => shell.print(text.toUpperCase());
    const { links, connection, screen, events } = page();
    await expect.poll(() => links.at(-1)).toEqual({ state: 'live' });
    await expect.poll(() => connection.state).toEqual({ state: 'open' });
    connection.type('hello');
    await expect.poll(screen).toContain('HELLO');
    const checks = [{ id: 'myapp2-runs', state: 'passed', passedAt: 2 }] as const;
    web.sessions.change('learner1', { checks });
    await expect.poll(() => events).toContainEqual({ type: 'checks', checks });
  },
);
