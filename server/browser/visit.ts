import { type Address, parseAddress } from './address.ts';
import {
  type Dial,
  type NoResponse,
  type PageRequest,
  type PageResponse,
  requestPage,
} from './page-request.ts';

/** A page may send the browser on this often before it counts as going in circles. */
const REDIRECTS = 5;
const REDIRECTING = new Set([301, 302, 303, 307, 308]);
/** These keep the method and the body; all others go on with GET, as browsers do. */
const KEEPING = new Set([307, 308]);

/** How a visit went. */
export type Visited = (PageResponse | NoResponse) & {
  /** Where the page came from in the end, or the address that gave none. */
  readonly finalUrl: URL;
  readonly milliseconds: number;
};

/**
 * Asks for a page and goes where it is sent on to, all of it from the network of the host behind `dial`.
 *
 * @throws what `signal` was aborted with, or what `dial` fails with
 */
export async function visit(
  dial: Dial,
  address: Address,
  request: PageRequest,
  signal: AbortSignal,
): Promise<Visited> {
  const began = performance.now();
  let at = address;
  let next = request;
  for (let hops = 0; ; hops += 1) {
    const result = await requestPage(dial, at, next, signal);
    const milliseconds = Math.round(performance.now() - began);
    const location = result.outcome === 'page' ? locationOf(result) : undefined;
    if (result.outcome !== 'page' || location === undefined) {
      return { ...result, finalUrl: at.url, milliseconds };
    }
    const target = addressFrom(location, at.url);
    if (hops === REDIRECTS || !target) {
      return { outcome: 'broken', finalUrl: at.url, milliseconds };
    }
    at = target;
    if (KEEPING.has(result.status)) continue;
    next = { method: 'GET', ...(request.accept !== undefined && { accept: request.accept }) };
  }
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
