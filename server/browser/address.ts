import { QuaysideError } from '../base/errors.ts';

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };
const SCHEME = /^([a-z][a-z0-9+.-]*):\/\//i;
/**
 * A host name or an IPv4 address, and nothing else. It becomes part of an address specification of `socat`, where
 * commas, colons, exclamation marks and quotes have a meaning of their own.
 */
const HOST_NAME =
  /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/;

/** Where a page is asked for. */
export interface Address {
  /** The whole address, without a fragment. */
  readonly url: URL;
  /** A host name or an IPv4 address, safe in a command's arguments. */
  readonly hostname: string;
  readonly port: number;
}

/**
 * Reads what was typed into the address box, as a browser would: `10.1.10.11:32768` is `http://10.1.10.11:32768/`.
 * A name and a password before the host are taken out of it: they are remembered apart, and stand in no address.
 *
 * @throws QuaysideError BAD_ADDRESS, whose words say what is wrong with it
 */
export function parseTyped(typed: string): { readonly address: Address; readonly login?: string } {
  const text = typed.trim();
  const url = URL.parse(SCHEME.test(text) ? text : `http://${text}`);
  if (!url || url.username === '') return { address: parseAddress(typed) };
  let login: string;
  try {
    login = [url.username, url.password].map(decodeURIComponent).join(':');
  } catch {
    throw badAddress('The name or the password in the address cannot be read.');
  }
  url.username = '';
  url.password = '';
  return { address: parseAddress(url.href), login };
}

/**
 * Reads an address, typed or written by a page.
 *
 * @throws QuaysideError BAD_ADDRESS, whose words say what is wrong with it
 */
export function parseAddress(typed: string): Address {
  const text = typed.trim();
  const scheme = SCHEME.exec(text)?.[1]?.toLowerCase() ?? 'http';
  if (scheme !== 'http' && scheme !== 'https')
    throw badAddress(`This browser cannot open ${scheme}: addresses.`);
  const url = text === '' ? null : URL.parse(SCHEME.test(text) ? text : `http://${text}`);
  if (!url) throw badAddress('That is not an address of a page.');
  if (url.username !== '' || url.password !== '') {
    throw badAddress('A link with a user name or a password in it is not followed.');
  }
  const { hostname } = url;
  if (hostname.startsWith('[')) throw badAddress("The lab's network has IPv4 addresses only.");
  if (!HOST_NAME.test(hostname)) throw badAddress('That is no name a host could have.');
  const port = url.port === '' ? (DEFAULT_PORTS[url.protocol] ?? 0) : Number(url.port);
  if (port === 0) throw badAddress('Port 0 cannot be connected to.');
  url.hash = '';
  return { url, hostname, port };
}

function badAddress(
  message: string,
  remedy = 'Write it like 10.1.10.11:32768 or http://10.1.10.11:32768/.',
): QuaysideError {
  return new QuaysideError('BAD_ADDRESS', message, remedy);
}

/*
 * The paths of one pane on this server. A page's own addresses are written as paths below the pane's key, so that
 * whatever the page asks for comes back here and goes out through the same host:
 *
 *   /pane/<key>/page/<id>                 a page that a visit brought, as it was
 *   /pane/<key>/http/<host:port>/<path>   anything else, asked for now
 *   /pane/<key>/https/…                   the same over TLS
 */

/**
 * Where everything of one pane is. The key is what lets a frame in, which has neither origin nor cookie.
 *
 * @param basePath the path of another site that the server is below, as browsers see it
 */
export function paneRoot(key: string, basePath = ''): string {
  return `${basePath}/pane/${key}/`;
}

/** The path of a page that was kept. */
export function pagePath(root: string, id: string): string {
  return `${root}page/${id}`;
}

/** The path that stands for an address; addresses of other kinds (`mailto:`, `data:`) stay as they are. */
export function framePath(root: string, url: URL): string {
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return url.href;
  const scheme = url.protocol.slice(0, -1);
  return `${root}${scheme}/${url.host}${url.pathname}${url.search}${url.hash}`;
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
