import { createRequire } from 'node:module';
import type * as ToughCookie from 'tough-cookie';

const load = createRequire(import.meta.url);

/** A browser takes 4 KiB for a cookie, and its limit is in RFC 6265 (6.1) as well. */
const COOKIE_BYTES = 4_096;
/** Cookies of one pane together; the oldest go first. A lab's page sets a few. */
const COOKIES_MOST = 100;
/** Cookies that are read of one answer. */
const COOKIES_AN_ANSWER = 50;
/** Servers whose name and password are remembered; the oldest go first. */
const LOGINS_MOST = 20;

/**
 * The cookies of one pane's pages, and the names and passwords that were typed for them. They are in memory, go to the
 * servers that they belong to and to nobody else, and end with the pane. None of them is ever a cookie of a browser.
 */
export class Credentials {
  /** Made for the first cookie: the library brings a list of public suffixes, and most panes meet no cookie. */
  #cookies: ReturnType<typeof cookieJar> | undefined;
  readonly #logins = new Map<string, string>();

  /** The headers that a request for an address goes out with. */
  headersFor(url: URL): Readonly<Record<string, string>> {
    const cookie = this.#cookies?.jar.getCookieStringSync(url.href);
    const login = this.#logins.get(url.origin);
    return { ...(cookie && { cookie }), ...(login !== undefined && { authorization: login }) };
  }

  /**
   * Remembers cookies. Those that are none, too long or another server's are left out.
   *
   * @param http whether they came with an answer; a script may neither see nor set those that are for HTTP only
   */
  take(url: URL, setCookie: readonly string[] = [], http = true): void {
    if (setCookie.length === 0) return;
    this.#cookies ??= cookieJar();
    const { jar, store } = this.#cookies;
    for (const each of setCookie.slice(0, COOKIES_AN_ANSWER)) {
      if (each.length > COOKIE_BYTES) continue;
      jar.setCookieSync(each, url.href, { http, ignoreError: true });
    }
    store.getAllCookies((_error, cookies = []) => {
      for (const { domain, path, key } of cookies.slice(0, -COOKIES_MOST)) {
        if (domain === null || path === null) continue;
        store.removeCookie(domain, path, key, () => undefined);
      }
    });
  }

  /** What a script of the page reads as `document.cookie`. */
  seenByScript(url: URL): string {
    return this.#cookies?.jar.getCookieStringSync(url.href, { http: false }) ?? '';
  }

  /** @param login a name and a password with a colon between, for basic authentication (RFC 7617) */
  login(url: URL, login: string): void {
    this.#logins.delete(url.origin);
    this.#logins.set(url.origin, `Basic ${Buffer.from(login).toString('base64')}`);
    const [oldest] = this.#logins.keys();
    if (this.#logins.size > LOGINS_MOST && oldest !== undefined) this.#logins.delete(oldest);
  }
}

function cookieJar() {
  const { CookieJar, MemoryCookieStore } = load('tough-cookie') as typeof ToughCookie;
  const store = new MemoryCookieStore();
  const jar = new CookieJar(store, {
    allowSpecialUseDomain: true,
    looseMode: true,
    // Hosts of a lab have names without a dot, and no list of public suffixes knows them.
    rejectPublicSuffixes: false,
  });
  return { store, jar };
}
