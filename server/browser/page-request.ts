import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
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
  readonly method: 'GET' | 'POST';
  readonly accept?: string;
  readonly contentType?: string;
  readonly body?: Buffer;
}

/** An answer that came whole. */
export interface PageResponse {
  readonly outcome: 'page';
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** No answer, and how the network said so. */
export interface NoResponse {
  readonly outcome: Exclude<VisitOutcome, 'page'>;
}

/**
 * Asks for one page from a host's network: `socat` there makes the connection, HTTP is spoken here through it.
 *
 * @throws what `signal` was aborted with, what `dial` fails with, or QuaysideError SANDBOX_FAILED where the host did not
 *   even begin to ask; anything about the page itself is an outcome
 */
export async function requestPage(
  dial: Dial,
  address: Address,
  request: PageRequest,
  signal: AbortSignal,
): Promise<PageResponse | NoResponse> {
  signal.throwIfAborted();
  using limit = deadline(ANSWER_MS, signal);
  const target = `TCP4:${address.hostname}:${address.port},connect-timeout=${CONNECT_SECONDS}`;
  // Told twice to speak (-d -d), it names every stage on stderr, in the one language that is looked for below. A page
  // that ends by hanging up has come whole then; by itself socat would stay for another half second (-t).
  const argv = ['env', 'LC_ALL=C', 'socat', '-d', '-d', '-t', '0', '-', target];
  await using connection = await dial(argv, { signal: limit.signal });
  try {
    return await speak(connection, address, request, limit.signal);
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

async function speak(
  connection: DialedProcess,
  { url, hostname, port }: Address,
  { method, accept, contentType, body }: PageRequest,
  signal: AbortSignal,
): Promise<PageResponse> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = httpRequest({
      method,
      path: `${url.pathname}${url.search}`,
      headers: {
        host: port === 80 ? hostname : `${hostname}:${port}`,
        'user-agent': 'Mozilla/5.0 (Quayside)',
        accept: accept ?? '*/*',
        'accept-encoding': 'identity',
        ...(contentType === undefined ? {} : { 'content-type': contentType }),
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
    sent.on('error', reject);
    sent.end(body);
  });
  return {
    outcome: 'page',
    status: response.statusCode ?? 0,
    headers: response.headers,
    body: await readAll(response, ANSWER_BYTES),
  };
}

/** `socat` says so when it has a connection; from then on whatever goes wrong is the page's doing. */
const CONNECTED = 'starting data transfer loop';
/** The address is known by now: version 1.8 names the host at first, and the address after looking it up. */
const CONNECTING = 'opening connection to AF=2';

/**
 * Why no page came, from what the connecting process wrote: the system's own words for its error, which are all that a
 * process can hand out (strerror(3), gai_strerror(3); in the C locale).
 *
 * @throws QuaysideError SANDBOX_FAILED where it did not even start: that tells nothing of the page
 */
export function outcomeOf(stderr: string): NoResponse['outcome'] {
  if (stderr.includes(CONNECTED)) return 'broken';
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
