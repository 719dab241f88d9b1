import { type Address, parseAddress } from './address.ts';
import type { Credentials } from './credentials.ts';
import {
  type Dial,
  type NoResponse,
  type PageRequest,
  type PageResponse,
  requestPage,
  type StreamResponse,
} from './page-request.ts';

/** A page may send the browser on this often before it counts as going in circles. */
const REDIRECTS = 5;
const REDIRECTING = new Set([301, 302, 303, 307, 308]);
/** These turn a POST into a GET, as browsers do; and this one whatever it was. */
const FORGETTING = new Set([301, 302]);
const SEE_OTHER = 303;

interface Way {
  /** Where the page came from in the end, or the address that gave none. */
  readonly finalUrl: URL;
  readonly milliseconds: number;
}

/** How a visit went. */
export type Visited = (PageResponse | NoResponse) & Way;
/** How a request went whose answer may go on. */
export type Asked = Visited | (StreamResponse & Way);

/** Where pages are asked from, and what the requests carry. */
export interface Browsing {
  readonly dial: Dial;
  readonly credentials: Credentials;
}

/**
 * Asks for a page and goes where it is sent on to, all of it from the network of the host behind `dial`.
 *
 * @throws what `signal` was aborted with, or what `dial` fails with
 */
export async function visit(
  { dial, credentials }: Browsing,
  address: Address,
  request: PageRequest,
  signal: AbortSignal,
): Promise<Asked> {
  const began = performance.now();
  let at = address;
  let next = request;
  for (let hops = 0; ; hops += 1) {
    const headers = { ...credentials.headersFor(at.url), ...next.headers };
    const result = await requestPage(dial, at, { ...next, headers }, signal);
    const milliseconds = Math.round(performance.now() - began);
    if ('headers' in result) credentials.take(at.url, result.headers['set-cookie']);
    const location = result.outcome === 'page' ? locationOf(result) : undefined;
    if (result.outcome !== 'page' || location === undefined) {
      return { ...result, finalUrl: at.url, milliseconds };
    }
    const target = addressFrom(location, at.url);
    if (hops === REDIRECTS || !target) {
      return { outcome: 'broken', finalUrl: at.url, milliseconds };
    }
    next = redirected(next, result.status, target.url.origin === at.url.origin);
    at = target;
  }
}

/** The request that follows a redirect. Another server is told no name and no password (Fetch standard, 4.4). */
function redirected(request: PageRequest, status: number, sameOrigin: boolean): PageRequest {
  const { authorization: _authorization, ...others } = request.headers;
  const headers = sameOrigin ? request.headers : others;
  const { method } = request;
  if (method === 'HEAD' || method === 'GET') return { ...request, headers };
  if (status !== SEE_OTHER && !(FORGETTING.has(status) && method === 'POST')) {
    return { ...request, headers };
  }
  const { 'content-type': _type, ...kept } = headers;
  const { body: _body, ...rest } = request;
  return { ...rest, method: 'GET', headers: kept };
}

function locationOf({ status, headers }: PageResponse): string | undefined {
  return REDIRECTING.has(status) ? headers.location : undefined;
}

/** A redirect is what the page wrote, so it may lead anywhere; only what the address box takes is followed. */
function addressFrom(location: string, base: URL): Address | undefined {
  const url = URL.parse(location, base);
  if (!url) return undefined;
  try {
    return parseAddress(url.href);
  } catch {
    return undefined;
  }
}
