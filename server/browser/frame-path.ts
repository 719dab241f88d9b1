import { type Address, parseAddress } from './address.ts';

/*
 * The paths of one pane on this server. A page's own addresses are written as paths below the pane's key, so that
 * whatever the page asks for comes back here and goes out through the same host:
 *
 *   /pane/<key>/page/<id>                 a page that a visit brought, as it was
 *   /pane/<key>/http/<host:port>/<path>   anything else, asked for now
 *   /pane/<key>/https/…                   never fetched; answered with why
 */

/** Where everything of one pane is. The key is what lets a frame in, which has neither origin nor cookie. */
export function paneRoot(key: string): string {
  return `/pane/${key}/`;
}

/** The path of a page that was kept. */
export function pagePath(key: string, id: string): string {
  return `${paneRoot(key)}page/${id}`;
}

/** The path that stands for an address; addresses of other kinds (`mailto:`, `data:`) stay as they are. */
export function framePath(key: string, url: URL): string {
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return url.href;
  const scheme = url.protocol.slice(0, -1);
  return `${paneRoot(key)}${scheme}/${url.host}${url.pathname}${url.search}${url.hash}`;
}

/**
 * The address that a path below `/pane/<key>/` stands for.
 *
 * @param path what follows the key's slash, query included and still encoded
 * @throws QuaysideError BAD_ADDRESS as for an address that was typed
 */
export function addressOfPath(path: string): Address {
  const [scheme, ...rest] = path.split('/');
  return parseAddress(`${scheme}://${rest.join('/')}`);
}
