import { X509Certificate } from 'node:crypto';
import { hostname, networkInterfaces } from 'node:os';
import { QuaysideError } from '../base/errors.ts';

/** The only names this server answers to, and the only pages that may ask it to change anything. */
export interface AllowList {
  /** Exact `Host` headers, such as `127.0.0.1:4173`. */
  readonly hosts: ReadonlySet<string>;
  /** Exact `Origin` headers, such as `http://127.0.0.1:4173`. */
  readonly origins: ReadonlySet<string>;
}

/** No pattern ever: an origin is compared whole. */
const ORIGIN = /^https?:\/\/([a-z0-9.-]+|\[[0-9a-f:]+\])(:\d+)?$/;
const LOOPBACK_NAMES = ['127.0.0.1', 'localhost', '::1'];
const EVERY_ADDRESS = new Set(['0.0.0.0', '::']);

/**
 * The names that lead to a server listening on `host` and `port`. Comparing with this list, and never `Origin` with
 * `Host`, is what stops DNS rebinding: there both carry the attacker's name.
 *
 * @param extra further origins, e.g. `https://labs.example.org` of a proxy in front
 * @param certificate its own certificate (PEM), where it speaks https itself: the names in it lead here too
 * @throws QuaysideError CONFIG_INVALID for an extra origin that is none
 */
export function allowListFor(
  host: string,
  port: number,
  extra: readonly string[],
  certificate?: string,
): AllowList {
  const scheme = certificate === undefined ? 'http' : 'https';
  const names = [...namesOf(host), ...(certificate === undefined ? [] : namesIn(certificate))];
  const origins = new Set(names.map((name) => originOf(scheme, name, port)));
  for (const each of extra) {
    if (!isOrigin(each)) {
      throw new QuaysideError(
        'CONFIG_INVALID',
        `"${each}" is not an origin.`,
        'Write scheme, name and port only, as in https://labs.example.org or http://10.0.0.5:8080. A path goes into QUAYSIDE_BASE_PATH.',
      );
    }
    origins.add(each);
  }
  return { origins, hosts: new Set([...origins].map((origin) => new URL(origin).host)) };
}

/** Whether it is scheme, name and port, as browsers write them. */
export function isOrigin(text: string): boolean {
  return ORIGIN.test(text) && URL.parse(text)?.origin === text;
}

function namesOf(host: string): readonly string[] {
  if (LOOPBACK_NAMES.includes(host)) return LOOPBACK_NAMES;
  if (!EVERY_ADDRESS.has(host)) return [host];
  const own = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  return [
    ...LOOPBACK_NAMES,
    hostname().toLowerCase(),
    // A zone (fe80::1%eth0) cannot stand in a URL.
    ...own.map((each) => each.address).filter((address) => !address.includes('%')),
  ];
}

/** Interfaces of containers and virtual machines on this machine: no learner is on the other side. */
const VIRTUAL = /^(docker|br-|veth|virbr|cni|flannel|cali)/;

/**
 * Where learners' browsers find a server: by the first of its origins, the first name in its certificate, or an address
 * of this machine in its network, where it listens on every address.
 *
 * @param address as browsers on this machine find it
 */
export function learnersOrigin(
  config: {
    readonly host: string;
    readonly origins: readonly string[];
    readonly tls: { readonly cert: string } | undefined;
  },
  address: string,
  interfaces = networkInterfaces(),
): string {
  const [origin] = config.origins;
  if (origin !== undefined) return origin;
  const { protocol, port } = new URL(address);
  const at = (name: string) => new URL(`${protocol}//${name}${port && `:${port}`}`).origin;
  const [certified] = config.tls ? namesIn(config.tls.cert) : [];
  if (certified !== undefined) return at(certified);
  if (!EVERY_ADDRESS.has(config.host)) return address;
  const outer = Object.entries(interfaces)
    .filter(([name]) => !VIRTUAL.test(name))
    .flatMap(([, each]) => each ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal);
  return outer ? at(outer.address) : address;
}

/** Whether only this machine finds an origin. */
export function isLoopback(origin: string): boolean {
  return LOOPBACK_NAMES.includes(new URL(origin).hostname.replace(/^\[|\]$/g, ''));
}

/** The names that a certificate vouches for; of a wildcard nobody knows which are meant. */
function namesIn(certificate: string): readonly string[] {
  const names = new X509Certificate(certificate).subjectAltName ?? '';
  return [...names.matchAll(/DNS:([a-z0-9.-]+)(?:,|$)/gi)].map(([, name = '']) =>
    name.toLowerCase(),
  );
}

/** Whether browsers that name the server so speak https to it: then their cookies go by nothing else. */
export function isSecureHost({ origins }: AllowList, host: string): boolean {
  return origins.has(`https://${host}`) && !origins.has(`http://${host}`);
}

/** As a browser writes it: the default port is left out, an IPv6 address stands in brackets. */
function originOf(scheme: 'http' | 'https', name: string, port: number): string {
  return new URL(`${scheme}://${name.includes(':') ? `[${name}]` : name}:${port}`).origin;
}
