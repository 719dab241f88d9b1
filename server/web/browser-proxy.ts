import type { Duplex } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { QuaysideError } from '../base/errors.ts';
import type { BrowserPane, FrameAnswer } from '../browser/browser-pane.ts';
import type { FrameContent } from '../browser/html-page.ts';
import type { Edge } from './edge.ts';
import { escapeHtml, page, plainPage } from './html.ts';
import { httpErrorOf } from './http-errors.ts';

/** What a lab's page may send at once, in MiB: as much as may come. */
const UPLOAD_MIB = 5;
/** How long a browser need not ask again which requests a page may make: the most that one of them takes (s). */
const PREFLIGHT_SECONDS = 7_200;
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];
/** Set at this end of the connection, or a browser's and not its page's. Cookies have a way of their own. */
const NOT_FORWARDED =
  /^(host|connection|keep-alive|upgrade|te|trailer|transfer-encoding|content-length|accept-encoding|expect|cookie|origin|(sec|proxy)-.*)$/;
const headersOfPage = z.record(z.string().regex(/^[!#$%&'*+.^`|~\w-]+$/), z.string());
/** Kept pages never change; the browser asks again only after an hour, when they are gone anyway. */
const KEPT = 'private, max-age=3600, immutable';
/** `Sec-Fetch-Dest` of what becomes a page of its own. */
const DOCUMENTS = new Set(['document', 'iframe', 'frame']);

const HANDSHAKE = /^sec-websocket-(key|accept|version|protocol|extensions)$/;

/** What a frame can show; all else would be saved as a file, which the sandbox forbids without a word. */
const SHOWN = /^\s*(text|image|audio|video)\/|^\s*application\/([\w.-]+\+)?(json|xml)/i;

type Failure = Extract<FrameAnswer, { kind: 'failed' }>['outcome'];

const FAILURES: Readonly<Record<Failure, { readonly status: number; readonly says: string }>> = {
  refused: { status: 502, says: 'refused to connect.' },
  'timed-out': { status: 504, says: 'took too long to answer.' },
  unreachable: { status: 502, says: 'cannot be reached.' },
  'unknown-host': { status: 502, says: 'is a name that no host here has.' },
  broken: { status: 502, says: 'sent something that is no page.' },
  page: { status: 502, says: 'sent a page that could not be kept.' },
};

/** To a sandboxed page even its own parts are another origin's; who knows the key may have them. */
const READABLE = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'x-pane-says',
  'cross-origin-resource-policy': 'cross-origin',
} as const;

/**
 * The pages of the lab's own servers, for the frame of the browser pane.
 *
 * They were written by learners and by whatever they run, so they get an origin of their own that is nobody's
 * (`sandbox`), may load only what is below their own key, and come and go without cookies. The key in the path is
 * therefore the only thing that lets a request in, and it leads to one learner's client host alone.
 */
export async function addBrowserProxy(
  app: FastifyInstance,
  { sessions, allowList }: Edge,
): Promise<void> {
  /** The origins by which this very request may have come: those whose page may show the frame. */
  const framers = ({ headers }: FastifyRequest): readonly string[] =>
    [...allowList().origins].filter((origin) => new URL(origin).host === headers.host);
  const paneOf = (request: FastifyRequest): BrowserPane => {
    const pane = sessions.pane((request as PaneRequest).params.key);
    if (!pane) throw gone();
    return pane;
  };
  await app.register(async (proxy) => {
    const open = new Set<Duplex>();
    proxy.addHook('preClose', async () => {
      for (const each of open) each.destroy();
    });
    proxy.removeAllContentTypeParsers();
    proxy.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) =>
      done(null, body),
    );
    proxy.setErrorHandler((error, request, reply) => {
      // A socket is refused without a page.
      if (request.ws) throw error;
      const failure = httpErrorOf(error);
      const { code, status, message, remedy } = failure.code === 'TOO_LARGE' ? tooLarge() : failure;
      if (code === 'INTERNAL') request.log.error({ err: error, req: request });
      // What is still being sent is read and dropped; a browser that is cut off meanwhile shows nothing of this.
      reply.removeHeader('connection');
      // Only a page of the pane, which knows a key, is told in a way that it can read.
      if (sessions.pane((request.params as PaneParams).key)) {
        reply.headers({ ...READABLE, 'x-pane-says': code.toLowerCase() });
      }
      return say(reply, status, message, `<p>${escapeHtml(remedy)}</p>`, framers(request));
    });
    proxy.route({
      method: METHODS,
      url: '/pane/:key/*',
      schema: { hide: true },
      config: { public: true, anyOrigin: true },
      exposeHeadRoute: false,
      bodyLimit: UPLOAD_MIB * 1024 * 1024,
      preParsing: async (request, reply, body) => {
        const { headers } = request;
        const pane = paneOf(request);
        if (headers['transfer-encoding'] !== undefined || Number(headers['content-length']) > 0) {
          const upload = pane.upload();
          reply.raw.once('close', () => upload[Symbol.dispose]());
        }
        return body;
      },
      preHandler: async (request, reply) => {
        if (request.ws) await joinSockets(paneOf(request), request, reply, open);
      },
      handler: (request, reply) =>
        answer(paneOf(request), request as PaneRequest, reply, framers(request)),
    });
    proxy.options(
      '/pane/:key/*',
      { schema: { hide: true }, config: { public: true, anyOrigin: true } },
      async (request, reply) => {
        paneOf(request);
        const allowed = {
          'access-control-allow-methods': METHODS.join(),
          'access-control-allow-headers': 'content-type,x-pane-headers',
          'access-control-max-age': PREFLIGHT_SECONDS,
        };
        return reply
          .code(204)
          .headers({ ...READABLE, ...allowed })
          .send();
      },
    );
  });
}

interface PaneParams {
  readonly key: string;
}

type PaneRequest = FastifyRequest<{ Params: PaneParams }>;

async function answer(
  pane: BrowserPane,
  request: PaneRequest,
  reply: FastifyReply,
  origins: readonly string[],
): Promise<FastifyReply> {
  const document = isDocument(request);
  const body = Buffer.isBuffer(request.body) ? { body: request.body } : {};
  // As it came: what a page's server takes an encoded slash for is its own affair.
  const path = request.url.slice(pane.route.length);
  if (path.startsWith('cookie/')) {
    const said = pane.cookie(path.slice('cookie/'.length), body.body?.toString());
    return reply.headers({ ...READABLE, 'cache-control': 'no-store' }).send(said);
  }
  const { method } = request;
  const found = await pane.frame({ path, document, method, headers: headersOf(request), ...body });
  switch (found.kind) {
    case 'content':
      if (document && !SHOWN.test(found.type)) {
        const title = `A file of type ${found.type}, ${found.body.length} bytes`;
        const text = '<p>The browser pane shows pages and saves no files.</p>';
        return say(reply, 200, title, text, origins);
      }
      return show(reply, found, panePolicy(pane, origins), path.startsWith('page/'));
    case 'events': {
      const { raw } = reply.hijack();
      const type = { 'content-type': 'text/event-stream' };
      raw.writeHead(found.status, { ...headersOfPart(panePolicy(pane, origins)), ...type });
      // A page is told that it is connected before the first event.
      raw.flushHeaders();
      raw.once('close', () => found.body.destroy());
      found.body.once('close', () => raw.end());
      found.body.pipe(raw);
      return reply;
    }
    case 'moved':
      return reply.redirect(found.path, 303);
    case 'gone':
      throw gone();
    case 'failed': {
      const { status, says } = FAILURES[found.outcome];
      if (!document) return reply.code(status).send('');
      const title = `${new URL(found.url).host} ${says}`;
      return say(reply, status, title, `<p><code>${escapeHtml(found.url)}</code></p>`, origins);
    }
  }
}

/** A page of the server's own in the frame. */
function say(
  reply: FastifyReply,
  status: number,
  title: string,
  body: string,
  origins: readonly string[],
): FastifyReply {
  const policy = `sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors ${origins.join(' ')}`;
  return plainPage(reply, status, page(escapeHtml(title), body), policy);
}

function show(
  reply: FastifyReply,
  { status, type, encoding, body }: FrameContent,
  policy: string,
  kept: boolean,
): FastifyReply {
  if (encoding !== undefined) reply.header('content-encoding', encoding);
  return reply
    .code(status)
    .type(type)
    .headers({ ...headersOfPart(policy), ...(kept && { 'cache-control': KEPT }) })
    .send(body);
}

/** Of everything that a lab's server sends, whatever it is. */
function headersOfPart(policy: string): Readonly<Record<string, string>> {
  return {
    ...READABLE,
    'content-security-policy': policy,
    'cache-control': 'no-store',
    // The key stays out of whatever the page links to.
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  };
}

/** What of a request's headers goes on to the page's server: what a page itself may say, and nothing of a browser's. */
function headersOf({ headers }: FastifyRequest): Readonly<Record<string, string>> {
  const { accept, 'content-type': type, 'x-pane-headers': packed } = headers;
  const own = typeof packed === 'string' ? unpacked(packed) : {};
  const named = Object.entries(own).filter(([name]) => !NOT_FORWARDED.test(name));
  return {
    ...(accept !== undefined && { accept }),
    ...(type !== undefined && { 'content-type': type }),
    ...Object.fromEntries(named),
  };
}

/** @throws QuaysideError BAD_REQUEST where a page made them up by itself, and wrongly */
function unpacked(packed: string): Readonly<Record<string, string>> {
  try {
    return headersOfPage.parse(JSON.parse(decodeURIComponent(packed)));
  } catch {
    throw new QuaysideError(
      'BAD_REQUEST',
      'The headers of this request cannot be read.',
      'Leave x-pane-headers to the browser pane.',
    );
  }
}

/**
 * Joins a page's WebSocket to the one that its server opens. Of the handshake only what belongs to WebSockets is passed
 * on, either way; what follows goes through as it is, as fast as both ends take it.
 */
async function joinSockets(
  pane: BrowserPane,
  request: FastifyRequest,
  reply: FastifyReply,
  open: Set<Duplex>,
): Promise<void> {
  const handshake = Object.entries(request.headers).flatMap(([name, value]) =>
    HANDSHAKE.test(name) && typeof value === 'string' ? [[name, value] as const] : [],
  );
  const path = request.url.slice(pane.route.length);
  const answered = await pane.socket(path, Object.fromEntries(handshake));
  if (answered.kind === 'failed') throw noSocket();
  const { headers, socket, head } = answered;
  const near = request.raw.socket;
  reply.hijack();
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade'];
  for (const [name, value] of Object.entries(headers)) {
    // A value with anything but printable characters in it might be more than one line.
    if (!HANDSHAKE.test(name) || !/^[\x20-\x7e]*$/.test(`${value}`)) continue;
    lines.push(`${name}: ${value}`);
  }
  near.setTimeout(0);
  near.write(`${lines.join('\r\n')}\r\n\r\n`);
  near.write(head);
  open.add(near);
  near.once('close', () => {
    open.delete(near);
    socket.destroy();
  });
  socket.once('close', () => near.destroy());
  near.pipe(socket).pipe(near);
}

/** Older browsers, and all browsers on plain http from another machine, do not say what they will do with an answer. */
function isDocument({ headers }: FastifyRequest): boolean {
  const destination = headers['sec-fetch-dest'];
  if (typeof destination === 'string') return DOCUMENTS.has(destination);
  return headers.accept?.includes('text/html') ?? false;
}

function panePolicy(pane: BrowserPane, origins: readonly string[]): string {
  const own = origins.map((origin) => `${origin}${pane.root}`).join(' ');
  return [
    'sandbox allow-forms allow-scripts',
    // Named as addresses, for 'self' is nothing to a page without an origin. Nothing leads to the real network.
    `default-src ${own} data: blob: 'unsafe-inline' 'unsafe-eval'`,
    // For WebSockets http is not enough of a name (CSP 3, 6.7.2.8).
    `connect-src ${own} ${own.replaceAll(/(^| )http/g, '$1ws')} data: blob:`,
    `form-action ${own}`,
    `frame-ancestors ${origins.join(' ')}`,
  ].join('; ');
}

function gone(): QuaysideError {
  return new QuaysideError(
    'NOT_FOUND',
    'This page is no longer kept.',
    'Open its address again in the address box.',
  );
}

function tooLarge(): QuaysideError {
  return new QuaysideError(
    'TOO_LARGE',
    `The browser pane sends ${UPLOAD_MIB} MiB at once, and no more.`,
    'Choose something smaller. The page’s own server has not been asked.',
  );
}

function noSocket(): QuaysideError {
  return new QuaysideError(
    'NOT_FOUND',
    'The page’s server opens no WebSocket there.',
    'Look at what the server prints.',
  );
}
