import { describe, expect, test } from 'vitest';
import { BrowserPane } from '../../../server/browser/browser-pane.ts';
import { DOCUMENT, PART, paneStage } from './pane-stage.ts';
import { localDial } from './stage.ts';

describe('a visit from the address box', () => {
  test('is told with its address as typed, and kept to be shown', async () => {
    await using on = await paneStage((_request, response) => {
      response.setHeader('content-type', 'text/html');
      response.end('<title>myapp2 &amp; co</title><a href="/next">next</a>');
    });
    const visit = await on.pane.visit('10.1.10.11:32768');
    expect(visit).toMatchObject({
      url: 'http://10.1.10.11:32768/',
      from: 'client',
      outcome: 'page',
      status: 200,
      title: 'myapp2 & co',
      frame: `/pane/${on.pane.key}/page/${visit.id}`,
    });
    expect(on.visits).toEqual([visit]);
    expect(on.signals).toEqual([
      {
        kind: 'visit',
        from: 'client',
        url: 'http://10.1.10.11:32768/',
        hostname: '10.1.10.11',
        port: 32768,
        outcome: 'page',
        status: 200,
        text: 'next',
      },
    ]);
    const shown = await on.web.fetch(visit.frame ?? '');
    expect(await shown.text()).toContain(`href="/pane/${on.pane.key}/http/10.1.10.11:32768/next"`);
    expect(on.dial.commands).toHaveLength(1);
  });

  test('that brings no page is told all the same, and has nothing to show', async () => {
    await using on = await paneStage(() => {});
    await on.lab[Symbol.asyncDispose]();
    const visit = await on.pane.visit('10.1.10.11:32768');
    expect(visit).toMatchObject({ outcome: 'refused' });
    expect(visit.frame).toBeUndefined();
    expect(on.signals).toMatchObject([{ kind: 'visit', outcome: 'refused' }]);
  });
});

describe('a page in the frame', () => {
  test('has no origin, no cookies, and may load nothing but what is below its key', async () => {
    await using on = await paneStage((_request, response) => {
      response.writeHead(200, {
        'content-type': 'text/html; charset=iso-8859-1',
        'set-cookie': 'quayside=mine',
        'access-control-allow-credentials': 'true',
        'x-frame-options': 'DENY',
        'content-security-policy': "default-src 'none'",
        'clear-site-data': '"*"',
        link: '</x>; rel=preload',
        refresh: '0;url=https://example.org',
      });
      response.end(Buffer.from('<p>\xfcber', 'latin1'));
    });
    const { frame = '' } = await on.pane.visit('10.1.10.11:32768');
    const shown = await on.web.fetch(frame);
    const own = `${on.web.origin}/pane/${on.pane.key}/`;
    expect(shown.headers.get('content-security-policy')).toBe(
      `sandbox allow-forms allow-scripts; default-src ${own} data: blob: 'unsafe-inline' 'unsafe-eval'; connect-src ${own} ${own.replace('http', 'ws')} data: blob:; form-action ${own}; frame-ancestors ${on.web.origin}`,
    );
    expect(shown.headers.get('referrer-policy')).toBe('no-referrer');
    for (const name of [
      'set-cookie',
      'access-control-allow-credentials',
      'x-frame-options',
      'clear-site-data',
      'link',
      'refresh',
    ]) {
      expect(shown.headers.has(name), name).toBe(false);
    }
    expect(shown.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(await shown.text()).toContain('<p>über');
  });

  test('gets its parts from the same host, without a word in the journal', async () => {
    await using on = await paneStage((request, response) => {
      if (request.url === '/a.css') {
        response.setHeader('content-type', 'text/css');
        response.end('p{background:url(/b.png)}');
      } else response.writeHead(302, { location: '/a.css' }).end();
    });
    const css = await on.frame('http/10.1.10.11:32768/moved.css', PART);
    expect(await css.text()).toBe(
      `p{background:url("/pane/${on.pane.key}/http/10.1.10.11:32768/b.png")}`,
    );
    expect(css.headers.get('content-security-policy')).toContain('sandbox');
    expect(on.visits).toEqual([]);
  });

  test('leads on by its links: each is a visit, then a page that is kept', async () => {
    await using on = await paneStage((request, response) => response.end(`at ${request.url}`));
    const answer = await on.frame('http/10.1.10.11:32768/next?a=b%20c', DOCUMENT);
    expect(answer.status).toBe(303);
    expect(on.visits).toMatchObject([
      { url: 'http://10.1.10.11:32768/next?a=b%20c', frame: answer.headers.get('location') },
    ]);
    const shown = await on.web.fetch(answer.headers.get('location') ?? '', DOCUMENT);
    expect(await shown.text()).toBe('at /next?a=b%20c');
    expect(on.visits).toHaveLength(1);
  });

  test.each([
    ['just text', undefined, 'text/plain; charset=utf-8', 'just text'],
    ['<h1>hello', undefined, 'text/html; charset=utf-8', '<h1>hello'],
    ['{}', 'application/json', 'application/json', '{}'],
    ['\0\x01', undefined, 'text/html; charset=utf-8', 'A file of type application/octet-stream'],
    [
      'PK',
      'application/zip',
      'text/html; charset=utf-8',
      'A file of type application/zip, 2 bytes',
    ],
  ])('made of %j, of type %s, is shown as %s', async (body, type, shownAs, text) => {
    await using on = await paneStage((_request, response) => {
      if (type !== undefined) response.setHeader('content-type', type);
      response.end(body);
    });
    const { frame = '' } = await on.pane.visit('10.1.10.11:32768');
    const shown = await on.web.fetch(frame, DOCUMENT);
    expect(shown.headers.get('content-type')).toBe(shownAs);
    expect(await shown.text()).toContain(text);
  });

  test('is taken for a page where the browser does not say what it asks for', async () => {
    await using on = await paneStage((_request, response) => response.end('x'));
    const headers = { accept: 'text/html,*/*' };
    expect((await on.frame('http/10.1.10.11:32768/', { headers })).status).toBe(303);
    expect((await on.frame('http/10.1.10.11:32768/')).status).toBe(200);
    expect(on.visits).toHaveLength(1);
  });

  test('may send a form, which names no origin', async () => {
    await using on = await paneStage(async (request, response) => {
      const sent = await request.toArray();
      response.end(`${request.method} ${request.headers['content-type']} ${Buffer.concat(sent)}`);
    });
    const answer = await on.frame('http/10.1.10.11:32768/buy', {
      method: 'POST',
      body: new URLSearchParams({ a: 'b' }),
      headers: { ...DOCUMENT.headers, origin: 'null' },
    });
    expect(answer.status).toBe(303);
    const shown = await on.web.fetch(answer.headers.get('location') ?? '');
    expect(await shown.text()).toBe('POST application/x-www-form-urlencoded;charset=UTF-8 a=b');
  });

  test('whose link fails shows a plain page that may itself do nothing', async () => {
    await using on = await paneStage(() => {});
    await on.lab[Symbol.asyncDispose]();
    const answer = await on.frame(`http/10.1.10.11:32768/<script>`, DOCUMENT);
    expect(answer.status).toBe(502);
    expect(answer.headers.get('content-security-policy')).toBe(
      `sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors ${on.web.origin}`,
    );
    const text = await answer.text();
    expect(text).toContain('10.1.10.11:32768 refused to connect.');
    expect(text).not.toContain('<script>');
    expect(on.visits).toMatchObject([{ outcome: 'refused' }]);
  });

  test.each(['http/a,fork:80/', 'http/u:p@10.1.10.11:80/', 'file//etc/passwd', 'http/', ''])(
    'cannot ask for %j',
    async (path) => {
      await using on = await paneStage(() => {});
      expect((await on.frame(path, DOCUMENT)).status).toBe(400);
      expect(on.dial.commands).toEqual([]);
    },
  );
});

describe("a pane's key", () => {
  test('that is not known leads nowhere, with a cookie or without', async () => {
    await using on = await paneStage(() => {});
    const cookie = await on.web.signIn();
    const path = `/pane/${'A'.repeat(on.pane.key.length)}/http/10.1.10.11:32768/`;
    expect((await on.web.fetch(path, DOCUMENT)).status).toBe(404);
    expect((await on.web.fetch(path, { headers: { cookie } })).status).toBe(404);
    expect(on.dial.commands).toEqual([]);
  });

  test('reaches only the pages of its own pane', async () => {
    await using one = await paneStage((_request, response) => response.end('mine'));
    const { id } = await one.pane.visit('10.1.10.11:32768');
    using other = new BrowserPane({ from: 'client', dial: localDial(), onVisit: () => {} });
    one.web.sessions.panes.set(other.key, other);
    expect((await one.frame(`page/${id}`)).status).toBe(200);
    expect((await one.web.fetch(`/pane/${other.key}/page/${id}`)).status).toBe(404);
  });

  test('ends with the pane, and so does what is under way', async () => {
    const asked = Promise.withResolvers<void>();
    await using on = await paneStage(() => asked.resolve());
    const visiting = on.pane.visit('10.1.10.11:32768');
    await asked.promise;
    on.pane[Symbol.dispose]();
    await expect(visiting).rejects.toMatchObject({ code: 'SESSION_NOT_READY' });
    expect(on.dial.open.size).toBe(0);
    await expect(on.pane.visit('10.1.10.11:32768')).rejects.toMatchObject({
      code: 'SESSION_NOT_READY',
    });
  });

  test('keeps the last few pages and no more', async () => {
    await using on = await paneStage((_request, response) => response.end('x'));
    const frames: string[] = [];
    for (let visit = 0; visit < 9; visit += 1) {
      frames.push((await on.pane.visit('10.1.10.11:32768')).frame ?? '');
    }
    const states = await Promise.all(frames.map(async (each) => (await on.web.fetch(each)).status));
    expect(states).toEqual([404, 200, 200, 200, 200, 200, 200, 200, 200]);
  });

  test('lets through a few requests at a time, and refuses a flood', async () => {
    let release = (): void => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    await using on = await paneStage(async (_request, response) => {
      await released;
      response.end('x');
    });
    const flood = Array.from({ length: 30 }, () =>
      on.pane.visit('10.1.10.11:32768').then(
        () => 'page',
        (error: { code: string }) => error.code,
      ),
    );
    await expect.poll(() => on.dial.commands).toHaveLength(4);
    release();
    const ends = await Promise.all(flood);
    expect(ends.filter((end) => end === 'page')).toHaveLength(12);
    expect(ends.filter((end) => end === 'TOO_MANY')).toHaveLength(18);
  });
});
