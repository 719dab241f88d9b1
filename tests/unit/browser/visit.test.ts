import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { parseAddress } from '../../../server/browser/address.ts';
import { Credentials } from '../../../server/browser/credentials.ts';
import { outcomeOf } from '../../../server/browser/page-request.ts';
import { visit } from '../../../server/browser/visit.ts';
import { localDial, SAID, serve, serveTcp, SAID_1_8 as V8 } from './stage.ts';

const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
const GET = { method: 'GET', headers: {} } as const;

function open(url: string, dial = localDial(), signal = new AbortController().signal) {
  return visit({ dial, credentials: new Credentials() }, parseAddress(url), GET, signal);
}

describe('a visit', () => {
  test('brings the page, its status and its headers', async () => {
    await using server = await serve((request, response) => {
      response.setHeader('x-path', request.url ?? '');
      response.statusCode = 418;
      response.end(request.headers.host);
    });
    const visited = await open(`${server.url}a%2Fb?c=d%20e`);
    expect(visited).toMatchObject({ outcome: 'page', status: 418 });
    if (visited.outcome !== 'page') return;
    expect(visited.headers['x-path']).toBe('/a%2Fb?c=d%20e');
    expect(visited.body.toString()).toBe(`127.0.0.1:${server.port}`);
  });

  test('is refused where nothing listens', async () => {
    const server = await serve(() => {});
    await server[Symbol.asyncDispose]();
    expect(await open(server.url)).toMatchObject({ outcome: 'refused' });
  });

  test('of a name that nobody knows ends as unknown-host', async () => {
    expect(await open('http://nosuch/')).toMatchObject({ outcome: 'unknown-host' });
  });

  test('of something that speaks no HTTP is broken', async () => {
    await using server = await serveTcp((socket) => socket.end('SSH-2.0-OpenSSH_9\r\n'));
    expect(await open(server.url)).toMatchObject({ outcome: 'broken' });
  });

  test('of a server that hangs up is broken', async () => {
    await using server = await serveTcp((socket) => socket.once('data', () => socket.destroy()));
    expect(await open(server.url)).toMatchObject({ outcome: 'broken' });
  });

  test('of a page that breaks off is broken', async () => {
    await using server = await serveTcp((socket) =>
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf'),
    );
    expect(await open(server.url)).toMatchObject({ outcome: 'broken' });
  });

  test('of an endless page is broken, and takes no more than it may', async () => {
    await using server = await serve((_request, response) => {
      const more = (): void => {
        while (response.write(Buffer.alloc(256 * 1024)));
      };
      response.on('drain', more);
      more();
    });
    expect(await open(server.url)).toMatchObject({ outcome: 'broken' });
  });

  test.each([
    ['one-byte pieces', `${CHUNKED}${'1\r\nx\r\n'.repeat(200_000)}0\r\n\r\n`],
    [
      'interim answers',
      `${'HTTP/1.1 100 Continue\r\n\r\n'.repeat(200_000)}HTTP/1.0 200 OK\r\n\r\nx`,
    ],
    ['headers', `HTTP/1.0 200 OK\r\n${'x: y\r\n'.repeat(200_000)}\r\nx`],
    ['one header', `HTTP/1.0 200 OK\r\nx: ${'y'.repeat(1_000_000)}\r\n\r\nx`],
    ['a chunk that does not begin', `${CHUNKED}1;${'x'.repeat(1_000_000)}\r\nx\r\n0\r\n\r\n`],
  ])('of an answer of %s without end is broken before it has all come', async (_title, answer) => {
    let closed: () => void = () => undefined;
    const unread = new Promise<void>((resolve) => {
      closed = resolve;
    });
    await using server = await serveTcp((socket) => {
      socket.once('close', closed);
      // The end does not come: only what is too much ends it.
      socket.once('data', () => socket.write(answer));
    });
    expect(await open(server.url)).toMatchObject({ outcome: 'broken' });
    await unread;
  });

  test('takes a page from a here-document piped into nc', async () => {
    await using server = await serveTcp((socket) => socket.end('HTTP/1.0 200 OK\n\nhello'));
    const visited = await open(server.url);
    expect(visited.outcome === 'page' && visited.body.toString()).toBe('hello');
  });

  test('follows redirects to the last page and says where that was', async () => {
    await using server = await serve((request, response) => {
      const left = Number(request.url?.slice(1));
      if (left > 0) response.writeHead(302, { location: `/${left - 1}` });
      response.end('there');
    });
    expect(await open(`${server.url}5`)).toMatchObject({
      outcome: 'page',
      status: 200,
      finalUrl: new URL('/0', server.url),
    });
    expect(await open(`${server.url}6`)).toMatchObject({ outcome: 'broken' });
  });

  test.each(['ftp://10.1.10.11/', 'file:///etc/passwd', 'http://a,fork/', 'http://u:p@h/'])(
    'does not follow a redirect to %s',
    async (location) => {
      await using server = await serve((_request, response) => {
        response.writeHead(301, { location }).end();
      });
      const dial = localDial();
      expect(await open(server.url, dial)).toMatchObject({ outcome: 'broken' });
      expect(dial.commands).toHaveLength(1);
    },
  );

  test('says how a redirect ended that leads to nothing', async () => {
    await using server = await serve((_request, response) => {
      response.writeHead(301, { location: 'http://nosuch/' }).end();
    });
    expect(await open(server.url)).toMatchObject({
      outcome: 'unknown-host',
      finalUrl: new URL('http://nosuch/'),
    });
  });

  test('leaves no connection behind', async () => {
    await using server = await serve((_request, response) => response.end('x'));
    const dial = localDial();
    await open(server.url, dial);
    expect(dial.open.size).toBe(0);
  });

  test('ends at once when it is called off', async () => {
    const asked = Promise.withResolvers<void>();
    await using server = await serve(() => asked.resolve());
    const dial = localDial();
    const off = new AbortController();
    const visiting = open(server.url, dial, off.signal);
    await asked.promise;
    off.abort(new Error('called off'));
    await expect(visiting).rejects.toThrow('called off');
    expect(dial.open.size).toBe(0);
  });

  test('hands on a packed page as it came', async () => {
    await using server = await serve((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('packed'));
    });
    const visited = await open(server.url);
    expect(visited.outcome === 'page' && visited.body).toEqual(gzipSync('packed'));
  });
});

describe('why there is no page', () => {
  test.each([
    [SAID.opening + SAID.failed('Connection refused'), 'refused'],
    [SAID.opening + SAID.failed('Connection timed out'), 'timed-out'],
    [SAID.opening + SAID.failed('No route to host'), 'unreachable'],
    [SAID.opening + SAID.failed('Network is unreachable'), 'unreachable'],
    [SAID.opening + SAID.failed('Permission denied'), 'unreachable'],
    [SAID.opening, 'timed-out'],
    [SAID.unknown, 'unknown-host'],
    [SAID.opening + SAID.connected, 'broken'],
    [V8.naming + V8.opening + V8.failed('Connection refused'), 'refused'],
    [V8.naming + V8.opening + V8.timedOut, 'timed-out'],
    [V8.naming + V8.opening + V8.failed('No route to host'), 'unreachable'],
    [V8.naming + V8.opening + V8.failed('Network is unreachable'), 'unreachable'],
    [V8.naming + V8.opening, 'timed-out'],
    [V8.naming + V8.unknown, 'unknown-host'],
    [V8.naming, 'unknown-host'],
    [V8.naming + V8.opening + V8.connected, 'broken'],
    [V8.naming + V8.opening + V8.noTls, 'broken'],
  ])('is read from %j: %s', (said, outcome) => {
    expect(outcomeOf(said)).toBe(outcome);
  });

  test('is no verdict on the network where the connecting process did not run', () => {
    const failed = { code: 'SANDBOX_FAILED', message: expect.stringContaining('cannot make') };
    expect(() => outcomeOf('env: socat: No such file or directory\n')).toThrow(
      expect.objectContaining(failed),
    );
  });

  test('is no verdict on the network where the host was too busy to begin', () => {
    const busy = { code: 'SANDBOX_FAILED', message: expect.stringContaining('very busy') };
    expect(() => outcomeOf('')).toThrow(expect.objectContaining(busy));
  });
});
