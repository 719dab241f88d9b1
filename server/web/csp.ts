import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** On everything but the browser pane: nothing of ours is read, framed or guessed at by anybody else's page. */
export const HEADERS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  // Said again by the page's own policy; it stands here for answers that are no pages.
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
} as const;

/** Content-Security-Policy of the few pages that the server writes itself: text and one style sheet within. */
export const PLAIN_PAGE_CSP =
  "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";

/**
 * Content-Security-Policy of a built page. Its inline scripts (the theme, set before the first paint) are allowed one
 * by one, by hash; anything else that ends up in the page as a script does not run.
 *
 * Styles may be inline: code blocks carry their colours in `style`, and the terminal writes style sheets as it goes.
 * `wasm-unsafe-eval` is the search's index.
 */
export function cspFor(html: string): string {
  const hashes = inlineScripts(html).map(
    (script) => `'sha256-${createHash('sha256').update(script).digest('base64')}'`,
  );
  return [
    "default-src 'self'",
    ["script-src 'self' 'wasm-unsafe-eval'", ...new Set(hashes)].join(' '),
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self' data:",
    "frame-src 'self'",
    "frame-ancestors 'none'",
    "form-action 'self'",
    "base-uri 'none'",
    "object-src 'none'",
  ].join('; ');
}

/** The text of every script that stands in the page itself; the browser hashes exactly this. */
function inlineScripts(html: string): readonly string[] {
  return [...html.matchAll(/<script\b([^>]*)>([\s\S]*?)<\/script>/gi)]
    .filter(([, attributes = '']) => !/\ssrc\s*=/i.test(attributes))
    .map(([, , script = '']) => script.replace(/\r\n?/g, '\n'));
}

/** The policy of a page on disk, worked out once for as long as the file stays as it is. */
export class PageCsp {
  readonly #known = new Map<string, { readonly modified: number; readonly policy: string }>();

  /** @param modified when the file was last written, in ms since the epoch */
  of(path: string, modified: number): string {
    const known = this.#known.get(path);
    if (known?.modified === modified) return known.policy;
    const policy = cspFor(readFileSync(path, 'utf8'));
    this.#known.set(path, { modified, policy });
    return policy;
  }
}
