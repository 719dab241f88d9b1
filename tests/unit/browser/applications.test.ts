import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import WebSocket, { WebSocketServer } from 'ws';
import { BrowserPane } from '../../../server/browser/browser-pane.ts';
import { refusalOfSocket } from '../web/stage.ts';
import { DOCUMENT, PART, type PaneStage, paneStage } from './pane-stage.ts';
import { listening, localDial, serve, serveTcp, serveTls } from './stage.ts';

const APP = 'http/10.1.10.11:32768';

/** What an application was asked, whole. */
async function told(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method, url, headers } = request;
  const body = Buffer.concat(await request.toArray()).toString();
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ method, url, headers, body }));
}

/** As the page's script sends its own headers. */
function packed(headers: Record<string, string>): Record<string, string> {
  return { ...PART.headers, 'x-pane-headers': encodeURIComponent(JSON.stringify(headers)) };
}

describe('cookies of a lab’s page', () => {
  const counter = (request: IncomingMessage, response: ServerResponse): void => {
    const seen = Number(/visits=(\d+)/.exec(request.headers.cookie ?? '')?.[1] ?? 0) + 1;
    response.setHeader('set-cookie', [`visits=${seen}; Path=/`, 'secret=1; HttpOnly']);
    response.end(`Visit ${seen}, with ${request.headers.cookie ?? 'nothing'}`);
  };
  const shown = async (on: PaneStage, address = '10.1.10.11:32768'): Promise<string> => {
    const { frame = '' } = await on.pane.visit(address);
    return (await on.web.fetch(frame)).text();
  };

  test('are kept by the pane, and by no browser', async () => {
    await using on = await paneStage(counter);
    expect(await shown(on)).toBe('Visit 1, with nothing');
    const answer = await on.frame(`${APP}/`, {
      headers: { ...PART.headers, cookie: 'quayside=x' },
    });
    expect(answer.headers.has('set-cookie')).toBe(false);
    expect(await answer.text()).toBe('Visit 2, with visits=1; secret=1');
  });

  test('go to the server that they belong to, and end with the pane', async () => {
    await using on = await paneStage(counter);
    await using other = await serve(counter);
    await shown(on);
    expect(await shown(on, `127.0.0.1:${other.port}`)).toBe('Visit 1, with nothing');
    await using again = await paneStage(counter);
    expect(await shown(again)).toBe('Visit 1, with nothing');
  });

  test('are followed through a redirect', async () => {
    await using on = await paneStage((request, response) => {
      if (request.url === '/') {
        response.writeHead(302, { location: '/in', 'set-cookie': 'who=anna' }).end();
      } else response.end(request.headers.cookie);
    });
    expect(await shown(on)).toBe('who=anna');
  });

  test('are a script’s to read and write, but for those of HTTP alone', async () => {
    await using on = await paneStage(counter);
    await shown(on);
    const path = `cookie/${APP}/`;
    expect(await (await on.frame(path)).text()).toBe('visits=1');
    await on.frame(path, { method: 'POST', body: 'mine=2' });
    await on.frame(path, { method: 'POST', body: 'secret=3' });
    expect(await (await on.frame(path)).text()).toBe('visits=1; mine=2');
    expect(await shown(on)).toBe('Visit 2, with visits=1; secret=1; mine=2');
  });

  test('are bounded in size and in number', async () => {
    await using on = await paneStage((request, response) => {
      const place = Number(request.url?.slice(1));
      const many = Array.from({ length: 60 }, (_, each) => `c${place + each}=x`);
      response.setHeader('set-cookie', place < 0 ? `large=${'x'.repeat(5_000)}` : many);
      response.end(request.headers.cookie);
    });
    for (const place of [-1, 0, 100, 200]) await on.frame(`${APP}/${place}`, PART);
    const names = (await (await on.frame(`cookie/${APP}/`)).text()).split('; ');
    expect(names).toHaveLength(100);
    // 50 of an answer; the oldest have gone.
    expect([names[0], names.at(-1)]).toEqual(['c100=x', 'c249=x']);
  });
});

describe('a request of a page’s script', () => {
  test.each(['PUT', 'PATCH', 'DELETE', 'POST'])('may be a %s', async (method) => {
    await using on = await paneStage(told);
    const headers = { ...packed({ 'x-csrf': 'a' }), 'content-type': 'application/json' };
    const body = '{"a":1}';
    const answer = await on.frame(`${APP}/items/1`, { method, headers, body });
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(await answer.json()).toMatchObject({
      method,
      url: '/items/1',
      body,
      headers: {
        'content-type': 'application/json',
        'x-csrf': 'a',
        host: '10.1.10.11:32768',
        origin: 'http://10.1.10.11:32768',
      },
    });
  });

  test('carries on none of the browser’s own headers, nor those of a proxy in front', async () => {
    await using on = await paneStage(told);
    const ours = {
      cookie: 'quayside_1=secret',
      authorization: 'Basic b3BlcmF0b3I6c2VjcmV0',
      'x-forwarded-user': 'operator',
      origin: 'null',
    };
    const forged = packed({ host: 'x', cookie: 'a=b', connection: 'upgrade', 'x-own': 'y' });
    const answer = await on.frame(`${APP}/`, { headers: { ...ours, ...forged } });
    const { headers } = (await answer.json()) as { headers: Record<string, string> };
    expect(Object.keys(headers).sort()).toEqual(
      ['accept', 'accept-encoding', 'connection', 'host', 'user-agent', 'x-own'].sort(),
    );
    expect(headers.host).toBe('10.1.10.11:32768');
  });

  test('whose headers cannot be read is refused', async () => {
    await using on = await paneStage(told);
    for (const text of ['%', '[', '{"a b":"c"}', '{"a":1}']) {
      const headers = { ...PART.headers, 'x-pane-headers': text };
      expect((await on.frame(`${APP}/`, { headers })).status, text).toBe(400);
    }
    expect(on.web.log).toEqual([]);
  });

  test('is allowed beforehand, to who knows the key', async () => {
    await using on = await paneStage(told);
    const asked = { method: 'OPTIONS', headers: { origin: 'null' } };
    const answer = await on.frame(`${APP}/items/1`, asked);
    expect(answer.status).toBe(204);
    expect(answer.headers.get('access-control-allow-methods')).toContain('PUT');
    expect(answer.headers.get('access-control-allow-headers')).toBe('content-type,x-pane-headers');
    expect(answer.headers.has('access-control-allow-credentials')).toBe(false);
    const stranger = await on.web.fetch(`/pane/${'A'.repeat(24)}/${APP}/`, asked);
    expect(stranger.status).toBe(404);
    expect(stranger.headers.has('access-control-allow-origin')).toBe(false);
  });

  test('goes on through a redirect as a browser’s would', async () => {
    await using on = await paneStage((request, response) => {
      const [, status] = /^\/go(\d+)/.exec(request.url ?? '') ?? [];
      if (status === undefined) return void told(request, response);
      return void response.writeHead(Number(status), { location: '/there' }).end();
    });
    const becomes = async (method: string, status: number): Promise<unknown> => {
      const init = { method, body: 'x', headers: PART.headers };
      const { method: then, body } = (await (
        await on.frame(`${APP}/go${status}`, init)
      ).json()) as {
        method: string;
        body: string;
      };
      return `${then} ${body}`;
    };
    expect(await becomes('POST', 302)).toBe('GET ');
    expect(await becomes('PUT', 303)).toBe('GET ');
    expect(await becomes('PUT', 302)).toBe('PUT x');
    expect(await becomes('POST', 307)).toBe('POST x');
  });
});

describe('an upload', () => {
  test('may be large', async () => {
    await using on = await paneStage(async (request, response) => {
      response.end(`${Buffer.concat(await request.toArray()).length}`);
    });
    const body = Buffer.alloc(5 * 1024 * 1024);
    const answer = await on.frame(`${APP}/`, { method: 'POST', body, headers: PART.headers });
    expect(await answer.text()).toBe(`${body.length}`);
  });

  test('that is too large is refused in the pane’s own words, even while it is being sent', async () => {
    await using on = await paneStage(told);
    const body = Buffer.alloc(20 * 1024 * 1024);
    const form = await on.frame(`${APP}/`, { method: 'POST', body, ...DOCUMENT });
    expect(form.status).toBe(413);
    expect(await form.text()).toContain('The browser pane sends 5 MiB at once, and no more.');
    const script = await on.frame(`${APP}/`, { method: 'PUT', body, ...PART });
    expect(script.headers.get('x-pane-says')).toBe('too_large');
    expect(script.headers.get('access-control-allow-origin')).toBe('*');
    expect(on.dial.commands).toEqual([]);
  });

  test('waits for no others: there are a few at a time', async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    await using on = await paneStage(async (request, response) => {
      await released;
      await told(request, response);
    });
    const send = () => on.frame(`${APP}/`, { method: 'POST', body: 'x', ...PART });
    const first = Array.from({ length: 4 }, send);
    await expect.poll(() => on.dial.commands).toHaveLength(4);
    expect((await send()).status).toBe(429);
    release();
    expect((await Promise.all(first)).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    await expect.poll(async () => (await send()).status).toBe(200);
  });
});

describe('a stream of events', () => {
  test('comes as it is told, and ends where the page leaves', async () => {
    const gone = Promise.withResolvers<void>();
    await using on = await paneStage((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'set-cookie': 'a=b' });
      response.write('data: one\n\n');
      response.once('close', gone.resolve);
    });
    const leave = new AbortController();
    const answer = await on.frame(`${APP}/events`, { ...PART, signal: leave.signal });
    expect(answer.headers.get('content-type')).toBe('text/event-stream');
    expect(answer.headers.get('content-security-policy')).toContain('sandbox');
    expect(answer.headers.has('set-cookie')).toBe(false);
    const read = await answer.body?.getReader().read();
    expect(Buffer.from(read?.value ?? []).toString()).toBe('data: one\n\n');
    leave.abort();
    await gone.promise;
    await expect.poll(() => on.dial.open.size).toBe(0);
  });

  test('is one of a few at a time', async () => {
    await using on = await paneStage((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    });
    const leave = new AbortController();
    const open = () => on.frame(`${APP}/`, { ...PART, signal: leave.signal });
    for (let each = 0; each < 4; each += 1) expect((await open()).status).toBe(200);
    const fifth = await open();
    expect(fifth.status).toBe(429);
    expect(fifth.headers.get('x-pane-says')).toBe('too_many');
    leave.abort();
    await expect.poll(() => on.dial.open.size).toBe(0);
  });

  test('ends with the pane', async () => {
    await using on = await paneStage((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    });
    const answer = await on.frame(`${APP}/`, PART);
    on.pane[Symbol.dispose]();
    expect(await answer.text()).toBe('');
    expect(on.dial.open.size).toBe(0);
  });
});

describe('a WebSocket of a page', () => {
  /** An application that says back what it hears, and speaks a protocol of its own. */
  const echoing = () => {
    const app = createServer();
    const sockets = new WebSocketServer({ server: app, path: '/ws' });
    sockets.on('headers', (headers) => headers.push('Set-Cookie: quayside=theirs', 'X-Own: y'));
    sockets.on('connection', (socket, request) => {
      socket.send(`${request.headers.host} ${request.headers.origin} ${request.headers.cookie}`);
      socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
    });
    return listening(app);
  };
  const open = (on: PaneStage, path: string, protocol?: string): WebSocket =>
    new WebSocket(
      `ws://127.0.0.1:${on.web.port}/pane/${on.pane.key}/${path}`,
      protocol ? [protocol] : [],
      { headers: { origin: 'null', cookie: 'quayside=ours' } },
    );

  test('reaches the page’s own server, which sees itself as its origin', async () => {
    await using on = await paneStage(told, echoing);
    const socket = open(on, `${APP}/ws`, 'chat');
    const answered = once(socket, 'upgrade') as Promise<[IncomingMessage]>;
    const [hello] = (await once(socket, 'message')) as [Buffer];
    expect(hello.toString()).toBe('10.1.10.11:32768 http://10.1.10.11:32768 undefined');
    expect(socket.protocol).toBe('chat');
    const [{ headers }] = await answered;
    expect([headers['set-cookie'], headers['x-own']]).toEqual([undefined, undefined]);
    const sent = Buffer.alloc(300_000, 'x');
    socket.send(sent);
    const [back] = (await once(socket, 'message')) as [Buffer];
    expect(createHash('sha1').update(back).digest()).toEqual(
      createHash('sha1').update(sent).digest(),
    );
    socket.close(4_001);
    expect((await once(socket, 'close'))[0]).toBe(4_001);
    await expect.poll(() => on.dial.open.size).toBe(0);
  });

  test('that the server does not open is refused', async () => {
    await using on = await paneStage(told);
    expect(await refusalOfSocket(open(on, `${APP}/ws`))).toEqual({
      status: 404,
      code: 'NOT_FOUND',
    });
    expect((await refusalOfSocket(open(on, 'http/a,fork:80/'))).code).toBe('BAD_ADDRESS');
  });

  test('ends with the pane, and with the server', async () => {
    await using on = await paneStage(told, echoing);
    const one = open(on, `${APP}/ws`);
    await once(one, 'message');
    const two = open(on, `${APP}/ws`);
    await once(two, 'message');
    const ended = [once(one, 'close'), once(two, 'close')];
    on.pane[Symbol.dispose]();
    await Promise.all(ended);
    const other = new BrowserPane({ ...on.options });
    on.web.sessions.panes.set(other.key, other);
    const three = new WebSocket(`ws://127.0.0.1:${on.web.port}${other.root}${APP}/ws`);
    await once(three, 'message');
    const last = once(three, 'close');
    await on.web.app.close();
    await last;
    other[Symbol.dispose]();
  });

  test('is one of a few at a time', async () => {
    await using on = await paneStage(told, echoing);
    for (let each = 0; each < 4; each += 1) await once(open(on, `${APP}/ws`), 'message');
    expect((await refusalOfSocket(open(on, `${APP}/ws`))).code).toBe('TOO_MANY');
  });
});

describe('an upgrade that nobody asked for', () => {
  test('is no answer', async () => {
    const said = 'HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
    await using on = await paneStage(told, () =>
      serveTcp((socket) => socket.once('data', () => socket.write(said))),
    );
    expect(await on.pane.visit('10.1.10.11:32768')).toMatchObject({ outcome: 'broken' });
    expect((await on.frame(`${APP}/`, PART)).status).toBe(502);
    expect(on.dial.open.size).toBe(0);
  });
});

describe('https', () => {
  test('is opened whatever the certificate says, with all that goes with a page', async () => {
    await using on = await paneStage((request, response) => {
      response.setHeader('set-cookie', 'safe=1; Secure');
      response.end(`<h1>${request.headers.host} ${request.headers.cookie}`);
    }, serveTls);
    const first = await on.pane.visit('https://10.1.10.11:32768');
    expect(first).toMatchObject({ outcome: 'page', url: 'https://10.1.10.11:32768/' });
    const { frame = '' } = await on.pane.visit('https://10.1.10.11:32768');
    const text = await (await on.web.fetch(frame)).text();
    expect(text).toContain('<h1>10.1.10.11:32768 safe=1');
    expect(text).toContain(`<base href="${on.pane.root}https/10.1.10.11:32768/">`);
  });

  test('where plain http is spoken is no page', async () => {
    await using on = await paneStage(told);
    expect(await on.pane.visit('https://10.1.10.11:32768')).toMatchObject({ outcome: 'broken' });
  });
});

describe('a redirect', () => {
  test('is told with where it led to', async () => {
    await using on = await paneStage((request, response) => {
      if (request.url === '/') response.writeHead(302, { location: '/home?a=b' }).end();
      else response.end('home');
    });
    expect(await on.pane.visit('10.1.10.11:32768')).toMatchObject({
      url: 'http://10.1.10.11:32768/',
      movedTo: 'http://10.1.10.11:32768/home?a=b',
    });
    expect(await on.pane.visit('10.1.10.11:32768/home')).not.toHaveProperty('movedTo');
  });

  test('to Quayside’s own address is followed on the lab’s network, with nothing of ours', async () => {
    await using on = await paneStage((_request, response) => {
      response.writeHead(302, { location: `${on.web.origin}/api/labs` }).end();
    });
    const cookie = await on.web.signIn();
    const answer = await on.frame(`${APP}/`, { headers: { ...PART.headers, cookie } });
    expect(on.dial.commands.at(-1)).toContain(`TCP4:127.0.0.1:${on.web.port}`);
    expect(answer.status).toBe(401);
  });
});

describe('a page that asks for a name and a password', () => {
  const guarded = (request: IncomingMessage, response: ServerResponse): void => {
    if (request.url === '/away') {
      response.writeHead(302, { location: `http://127.0.0.1:${request.socket.localPort}/` }).end();
      return;
    }
    const given = request.headers.authorization ?? '';
    if (given === '') response.writeHead(401, { 'www-authenticate': 'Basic realm="lab"' });
    response.end(Buffer.from(given.slice('Basic '.length), 'base64'));
  };

  test('says so, and opens with those that are written before the host, from then on', async () => {
    await using on = await paneStage(guarded);
    const asked = await on.pane.visit('10.1.10.11:32768');
    expect(asked).toMatchObject({ status: 401, asksLogin: true });
    const answer = await on.web.fetch(asked.frame ?? '');
    expect(answer.headers.has('www-authenticate')).toBe(false);
    const opened = await on.pane.visit('http://anna:p%40ss@10.1.10.11:32768/');
    expect(opened).toMatchObject({ status: 200, url: 'http://10.1.10.11:32768/' });
    expect(opened).not.toHaveProperty('asksLogin');
    expect(on.signals.at(-1)).toMatchObject({ url: 'http://10.1.10.11:32768/' });
    expect(await (await on.frame(`${APP}/part`, PART)).text()).toBe('anna:p@ss');
  });

  test('passes them on to no other server', async () => {
    await using on = await paneStage(guarded);
    await on.pane.visit('http://anna:secret@10.1.10.11:32768/');
    const own = packed({ authorization: 'Bearer x' });
    expect((await on.frame(`${APP}/away`, { headers: own })).status).toBe(401);
    expect((await on.frame(`${APP}/away`, PART)).status).toBe(401);
  });
});

describe('a host that no process can be started in', () => {
  test.each([
    [new Error('connect ECONNREFUSED'), 'The engine that client runs on does not answer.'],
    [Object.assign(new Error('409'), { statusCode: 409 }), 'client is not running.'],
  ])('is told as that: %s', async (error, says) => {
    await using on = await paneStage(told);
    const dial = () => Promise.reject(error);
    using pane = new BrowserPane({ ...on.options, dial });
    await expect(pane.visit('10.1.10.11')).rejects.toMatchObject({
      code: 'SANDBOX_FAILED',
      message: says,
    });
    on.web.sessions.panes.set(pane.key, pane);
    const answer = await on.web.fetch(`${pane.root}${APP}/`, DOCUMENT);
    expect(await answer.text()).toContain(says);
    expect(on.web.log).toEqual([]);
  });

  test('is not looked for any more once the pane is closed', async () => {
    const pane = new BrowserPane({ from: 'client', dial: localDial(), onVisit: () => {} });
    pane[Symbol.dispose]();
    await expect(pane.visit('10.1.10.11')).rejects.toMatchObject({ code: 'SESSION_NOT_READY' });
  });
});
