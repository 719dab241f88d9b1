import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { VisitOutcome } from '#protocol';
import { QuaysideError } from '../base/errors.ts';
import type { Address } from './address.ts';
import type { Dial, DialedProcess } from './dial.ts';

/** Dropped packets show only by silence; a learner waits this long for the verdict, where a browser takes minutes. */
const CONNECT_SECONDS = 4;
/** For everything: the start of a process, a name that is looked up, the connection, and a slow answer. */
const ANSWER_MS = 10_000;
/** The largest answer that is taken. A lab's pages are a few KB. */
const ANSWER_BYTES = 5 * 1024 * 1024;

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
  asked: PageRequest,
  signal: AbortSignal,
): Promise<PageResponse | NoResponse> {
  signal.throwIfAborted();
  const deadline = AbortSignal.timeout(ANSWER_MS);
  const either = AbortSignal.any([signal, deadline]);
  const target = `TCP4:${address.hostname}:${address.port},connect-timeout=${CONNECT_SECONDS}`;
  // Told twice to speak (-d -d), it names every stage on stderr, in the one language that is looked for below. A page
  // that ends by hanging up has come whole then; by itself socat would stay for another half second (-t).
  const argv = ['env', 'LC_ALL=C', 'socat', '-d', '-d', '-t', '0', '-', target];
  await using connection = await dial(argv, { signal: either });
  try {
    return await speak(connection, address, asked, either);
  } catch {
    signal.throwIfAborted();
    // The connection may break before its process has said why.
    if (!connection.stderr().includes(CONNECTED)) await endOf(connection, either);
    signal.throwIfAborted();
    return { outcome: whyNoPage(connection.stderr()) };
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
    sent.on('response', resolve);
    sent.on('error', reject);
    sent.end(body);
  });
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > ANSWER_BYTES) throw new Error('the answer is too large');
    chunks.push(chunk);
  }
  return {
    outcome: 'page',
    status: response.statusCode ?? 0,
    headers: response.headers,
    body: Buffer.concat(chunks),
  };
}

/** Resolves when the process has ended or `signal` is aborted. */
async function endOf({ exited }: DialedProcess, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = (): void => resolve();
  signal.addEventListener('abort', done, { once: true });
  exited.then(done, done);
  await promise;
  signal.removeEventListener('abort', done);
}

/** `socat` says so when it has a connection; from then on whatever goes wrong is the page's doing. */
const CONNECTED = 'starting data transfer loop';
/** The address is known by now: version 1.8 names the host at first, and the address after looking it up. */
const CONNECTING = 'opening connection to AF=2';

/**
 * Why no page came, from what the connecting process said: the system's own words for its error, which are all that a
 * process can hand out (strerror(3), gai_strerror(3); in the C locale).
 *
 * @throws QuaysideError SANDBOX_FAILED where it did not even start: that tells nothing of the page
 */
export function whyNoPage(said: string): NoResponse['outcome'] {
  if (said.includes(CONNECTED)) return 'broken';
  if (!said.includes('socat[')) throw notBegun(said.trim());
  // Also where time was up while the name was still being looked up: nothing on the lab's network knows it.
  if (!said.includes(CONNECTING)) return 'unknown-host';
  if (said.includes('Connection refused')) return 'refused';
  if (/No route to host|Network is unreachable|Host is down/.test(said)) return 'unreachable';
  return said.includes('timed out') || !said.includes(' E ') ? 'timed-out' : 'unreachable';
}

function notBegun(said: string): QuaysideError {
  return said === ''
    ? new QuaysideError(
        'SANDBOX_FAILED',
        'The host did not get to asking for the page; the machine may be very busy.',
        'Open the page again in a moment.',
      )
    : new QuaysideError(
        'SANDBOX_FAILED',
        `The host cannot make a connection: ${said}`,
        'Reset the lab, then open the page again.',
      );
}
