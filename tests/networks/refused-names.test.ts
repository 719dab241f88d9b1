import { expect, test } from 'vitest';
import { freePort, nginx, PASSES } from '../fixtures/nginx.ts';
import { LAB, stage } from '../unit/web/stage.ts';

const ACTIVITY = `/api/labs/${LAB}/session/activity`;
const READER = { accept: 'text/html' };

/** A server behind an nginx that passes on what `passes` says. */
async function behind(passes: string, port: number, origins: readonly string[] = []) {
  const web = await stage({ origins });
  const proxy = await nginx(port, `location / { proxy_pass ${web.origin}; ${passes} }`);
  const cookie = await web.signIn();
  return {
    web,
    origin: proxy.origin,
    /** As a page at the proxy's address asks. */
    ask: (path: string, init: RequestInit = {}) =>
      fetch(proxy.origin + path, {
        ...init,
        headers: { cookie, origin: proxy.origin, ...(init.headers as Record<string, string>) },
      }),
    [Symbol.asyncDispose]: async () => {
      await proxy[Symbol.asyncDispose]();
      await web[Symbol.asyncDispose]();
    },
  };
}

test('with nginx’s own Host, pages are told which address the server does not know, and what to set', async () => {
  await using site = await behind('', await freePort());
  const answer = await site.ask(ACTIVITY, { method: 'POST' });
  expect(answer.status).toBe(403);
  const { message, remedy } = (await answer.json()) as { message: string; remedy: string };
  expect(message).toContain(site.origin);
  expect(remedy).toContain(`QUAYSIDE_ORIGINS=${site.origin}`);
  expect(remedy).toContain('proxy_set_header Host $http_host;');
});

test('with nginx’s own Host, all goes where the server is told the address of its pages', async () => {
  const port = await freePort();
  await using site = await behind('', port, [`http://127.0.0.1:${port}`]);
  expect((await site.ask(ACTIVITY, { method: 'POST' })).status).toBe(204);
});

test('under a name that the server does not know, readers get a page, programs an error', async () => {
  await using site = await behind(PASSES.host, await freePort());
  const page = await site.ask('/labs/', { headers: READER });
  expect(page.status).toBe(421);
  expect(page.headers.get('content-type')).toMatch(/^text\/html/);
  const name = new URL(site.origin).host;
  const text = await page.text();
  expect(text).toContain(`does not answer to the name ${name}`);
  expect(text).toContain(`QUAYSIDE_ORIGINS=http://${name}`);
  expect(await (await site.ask('/labs/')).json()).toMatchObject({ code: 'WRONG_HOST' });
});

test('the log says each refused name once, and of many only some', async () => {
  await using site = await behind('', await freePort());
  for (let time = 0; time < 2; time += 1) await site.ask(ACTIVITY, { method: 'POST' });
  expect(site.web.log.filter((line) => line.includes(site.origin))).toHaveLength(1);
  for (let other = 0; other < 40; other += 1) {
    await site.ask(ACTIVITY, { method: 'POST', headers: { origin: `http://other${other}.test` } });
  }
  expect(site.web.log.length).toBeLessThan(40);
});

test('what is no name of a server is not said again', async () => {
  await using web = await stage();
  for (const header of ['<script>alert(1)</script>', `${'a'.repeat(300)}.example`]) {
    const answer = await fetch(`${web.origin}${ACTIVITY}`, {
      method: 'POST',
      headers: { origin: header },
    });
    const { message } = (await answer.json()) as { message: string };
    expect(message).toBe('The request does not come from a page of this server.');
  }
});
