import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { Duplex, Readable } from 'node:stream';
import type { VisitOutcome } from '#protocol';
import { deadline, withAbort } from '../base/deadline.ts';
import { QuaysideError } from '../base/errors.ts';
import type { DialedProcess } from '../engine/engine.ts';
import { readAll } from '../engine/output-limit.ts';
import type { Address } from './address.ts';

/** Dropped packets show only by silence; a learner waits this long for the verdict, where a browser takes minutes. */
const CONNECT_SECONDS = 4;
/** For everything: the start of a process, a name that is looked up, the connection, and a slow answer. */
const ANSWER_MS = 10_000;
/** The largest answer that is taken. A lab's pages are a few KB. */
const ANSWER_BYTES = 5 * 1024 * 1024;
/** Interim answers (1xx) that come before the answer itself: a server sends one, if any. */
const INTERIM_ANSWERS = 10;

/**
 * Starts a process in one host, and ends it when `signal` is aborted: the only way by which the browser pane reaches
 * a lab's network.
 */
export type Dial = (
  argv: readonly string[],
  options: { readonly signal: AbortSignal },
) => Promise<DialedProcess>;

/** One HTTP request, as far as a page may shape it. */
export interface PageRequest {
  readonly method: string;
  /** Names in small letters, and none that this end of the connection sets itself. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  /** An answer may go on without end: a stream of events, or a WebSocket. */
  readonly mayStream?: boolean;
}

/** An answer that came whole. */
export interface PageResponse {
  readonly outcome: 'page';
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** An answer that goes on: events to read, or a WebSocket (with the first bytes of it). It is closed by its reader. */
export type StreamResponse = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
} & (
  | { readonly outcome: 'events'; readonly body: Readable }
  | { readonly outcome: 'socket'; readonly body: Duplex; readonly head: Buffer }
);

/** No answer, and how the network said so. */
export interface NoResponse {
  readonly outcome: Exclude<VisitOutcome, 'page'>;
}

/**
 * Asks for one page from a host's network: `socat` there makes the connection, HTTP is spoken here through it. It also
 * speaks TLS, where that is asked for: no certificate or key of a lab's server is ever looked at in this process.
 *
 * @throws what `signal` was aborted with, what `dial` fails with, or QuaysideError SANDBOX_FAILED where the host did not
 *   even begin to ask; anything about the page itself is an outcome
 */
export async function requestPage(
  dial: Dial,
  address: Address,
  request: PageRequest,
  signal: AbortSignal,
): Promise<PageResponse | StreamResponse | NoResponse> {
  signal.throwIfAborted();
  using limit = deadline(ANSWER_MS, signal);
  // Told twice to speak (-d -d), it names every stage on stderr, in the one language that is looked for below. A page
  // that ends by hanging up has come whole then; by itself socat would stay for another half second (-t).
  const argv = ['env', 'LC_ALL=C', 'socat', '-d', '-d', '-t', '0', '-', targetOf(address)];
  await using opened = new AsyncDisposableStack();
  const dialed = dial(argv, { signal: limit.signal }).catch((error: unknown) => {
    signal.throwIfAborted();
    throw limit.signal.aborted ? notBegun('') : error;
  });
  const connection = opened.use(await dialed);
  try {
    const response = await speak(connection, address, request, limit.signal);
    if (response.outcome === 'page') return response;
    opened.move();
    response.body.on('error', () => undefined);
    response.body.once('close', () => connection.stream.destroy());
    return response;
  } catch {
    signal.throwIfAborted();
    // The connection may break before its process has said why.
    if (!connection.stderr().includes(CONNECTED)) {
      await withAbort(limit.signal, () => connection.exited).catch(() => undefined);
    }
    signal.throwIfAborted();
    return { outcome: outcomeOf(connection.stderr()) };
  }
}

/** What `socat` connects to. Any certificate will do: a lab's are made by the learner, and signed by nobody. */
function targetOf({ url, hostname, port }: Address): string {
  const timeout = `connect-timeout=${CONNECT_SECONDS}`;
  return url.protocol === 'https:'
    ? `OPENSSL:${hostname}:${port},pf=ip4,verify=0,cipher=ALL:@SECLEVEL=0,${timeout}`
    : `TCP4:${hostname}:${port},${timeout}`;
}

async function speak(
  connection: DialedProcess,
  { url }: Address,
  { method, headers, body, mayStream = false }: PageRequest,
  signal: AbortSignal,
): Promise<PageResponse | StreamResponse> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage | StreamResponse>();
  const sent = httpRequest({
    method,
    path: `${url.pathname}${url.search}`,
    headers: {
      'user-agent': 'Mozilla/5.0 (Quayside)',
      accept: '*/*',
      // Applications ask where a form comes from. It is told to come from themselves: which page of the pane it was, we
      // do not know.
      ...(method === 'GET' || method === 'HEAD' ? {} : { origin: url.origin }),
      ...headers,
      host: url.host,
      'accept-encoding': 'identity',
      ...(body === undefined ? {} : { 'content-length': body.length }),
    },
    createConnection: () => connection.stream,
    // As lenient as a browser, with a page served by `nc` and a here-document. There is one answer to a connection,
    // so no second one could hide in it.
    insecureHTTPParser: true,
    signal,
  });
  let interim = 0;
  sent.on('information', () => {
    interim += 1;
    if (interim > INTERIM_ANSWERS) sent.destroy(new Error('an answer that does not begin'));
  });
  sent.on('response', resolve);
  sent.on('upgrade', (response, socket, head) => {
    const { statusCode: status = 0, headers: answered } = response;
    if (headers.upgrade === undefined) return reject(new Error('nobody asked for an upgrade'));
    resolve({ outcome: 'socket', status, headers: answered, body: socket, head });
  });
  sent.on('error', reject);
  sent.end(body);
  const response = await promise;
  if ('outcome' in response) return response;
  const { statusCode: status = 0, headers: answered } = response;
  if (mayStream && /^\s*text\/event-stream/i.test(answered['content-type'] ?? '')) {
    return { outcome: 'events', status, headers: answered, body: response };
  }
  const whole = await readAll(response, ANSWER_BYTES);
  return { outcome: 'page', status, headers: answered, body: whole };
}

/** `socat` says so when it has a connection; from then on whatever goes wrong is the page's doing. */
const CONNECTED = 'starting data transfer loop';
/** The address is known by now: version 1.8 names the host at first, and the address after looking it up. */
const CONNECTING = 'opening connection to AF=2';

/** The connection was there, and what answered on it does not speak TLS. */
const NO_TLS = 'SSL_connect()';

/**
 * Why no page came, from what the connecting process wrote: the system's own words for its error, which are all that a
 * process can hand out (strerror(3), gai_strerror(3); in the C locale).
 *
 * @throws QuaysideError SANDBOX_FAILED where it did not even start: that tells nothing of the page
 */
export function outcomeOf(stderr: string): NoResponse['outcome'] {
  if (stderr.includes(CONNECTED) || stderr.includes(NO_TLS)) return 'broken';
  if (!stderr.includes('socat[')) throw notBegun(stderr.trim());
  // Also where time was up while the name was still being looked up: nothing on the lab's network knows it.
  if (!stderr.includes(CONNECTING)) return 'unknown-host';
  if (stderr.includes('Connection refused')) return 'refused';
  if (/No route to host|Network is unreachable|Host is down/.test(stderr)) return 'unreachable';
  return stderr.includes('timed out') || !stderr.includes(' E ') ? 'timed-out' : 'unreachable';
}

function notBegun(stderr: string): QuaysideError {
  return stderr === ''
    ? new QuaysideError(
        'SANDBOX_FAILED',
        'The host did not get to asking for the page; the machine may be very busy.',
        'Open the page again in a moment.',
      )
    : new QuaysideError(
        'SANDBOX_FAILED',
        `The host cannot make a connection: ${stderr}`,
        'Reset the lab, then open the page again.',
      );
}
