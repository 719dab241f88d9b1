import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { QuaysideError } from '../base/errors.ts';
import type { BrowserPane, FrameAnswer } from '../browser/browser-pane.ts';
import type { Edge } from './edge.ts';
import { escapeHtml, page, plainPage } from './html.ts';
import { httpErrorOf } from './http-errors.ts';

/** A form of a lab's page, a picture in it included. */
const FORM_BYTES = 1024 * 1024;
/** Kept pages never change; the browser asks again only after an hour, when they are gone anyway. */
const KEPT = 'private, max-age=3600, immutable';
/** `Sec-Fetch-Dest` of what becomes a page of its own. */
const DOCUMENTS = new Set(['document', 'iframe', 'frame']);

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
  await app.register(async (proxy) => {
    proxy.removeAllContentTypeParsers();
    proxy.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) =>
      done(null, body),
    );
    proxy.setErrorHandler((error, request, reply) => {
      // No page is asked for: the edge's own error body says it.
      if (request.ws) throw error;
      const { code, status, message, remedy } = httpErrorOf(error);
      if (code === 'INTERNAL') request.log.error({ err: error, req: request });
      return say(reply, status, message, `<p>${escapeHtml(remedy)}</p>`, framers(request));
    });
    const shared = { schema: { hide: true }, config: { public: true, anyOrigin: true } };
    const handler = (request: PaneRequest, reply: FastifyReply): Promise<FastifyReply> => {
      const pane = sessions.pane(request.params.key);
      if (!pane) throw gone();
      return answer(pane, request, reply, framers(request));
    };
    proxy.get('/pane/:key/*', { ...shared, exposeHeadRoute: false }, handler);
    proxy.post('/pane/:key/*', { ...shared, bodyLimit: FORM_BYTES }, handler);
  });
}

type PaneRequest = FastifyRequest<{ Params: { key: string } }>;

async function answer(
  pane: BrowserPane,
  request: PaneRequest,
  reply: FastifyReply,
  origins: readonly string[],
): Promise<FastifyReply> {
  const document = isDocument(request);
  const { accept, 'content-type': contentType } = request.headers;
  const method = request.method === 'POST' ? 'POST' : 'GET';
  // As it came: what a page's server takes an encoded slash for is its own affair.
  const path = request.url.slice(pane.root.length);
  const found = await pane.frame({
    ...{ path, document, method },
    ...(accept === undefined ? {} : { accept }),
    ...(method === 'POST' && contentType !== undefined ? { contentType } : {}),
    ...(Buffer.isBuffer(request.body) ? { body: request.body } : {}),
  });
  switch (found.kind) {
    case 'content':
      if (document && !SHOWN.test(found.type)) {
        const title = `A file of type ${found.type}, ${found.body.length} bytes`;
        const text = '<p>The browser pane shows pages and saves no files.</p>';
        return say(reply, 200, title, text, origins);
      }
      return show(reply, found, panePolicy(pane, origins), path.startsWith('page/'));
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
  { status, type, encoding, body }: Extract<FrameAnswer, { kind: 'content' }>,
  policy: string,
  kept: boolean,
): FastifyReply {
  if (encoding !== undefined) reply.header('content-encoding', encoding);
  return reply
    .code(status)
    .type(type)
    .headers({
      'content-security-policy': policy,
      'cache-control': kept ? KEPT : 'no-store',
      // To a sandboxed page even its own parts are another origin's; who knows the key may have them.
      'access-control-allow-origin': '*',
      'cross-origin-resource-policy': 'cross-origin',
      // The key stays out of whatever the page links to.
      'referrer-policy': 'no-referrer',
    })
    .send(body);
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
