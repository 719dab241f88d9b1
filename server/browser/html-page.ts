import type { PageResponse } from './page-request.ts';
import { prelude } from './prelude.ts';
import { rewriteCss, rewriteHtml } from './rewrite.ts';

/** A page that came, with where it came from in the end. */
type Page = PageResponse & { readonly finalUrl: URL };

/** What of a page is handed on: nothing of its headers but what its bytes are. */
export interface FrameContent {
  readonly status: number;
  readonly type: string;
  readonly encoding: string | undefined;
  readonly body: Buffer;
}

/** Pages without a type are looked at as browsers do; this much is enough to see a tag. */
const SNIFFED_BYTES = 512;

/** A page of links and pictures, by its type or, where it has none, by its first bytes. */
export function isHtml({ headers, body }: PageResponse): boolean {
  if (headers['content-encoding'] !== undefined) return false;
  const type = headers['content-type'];
  if (type !== undefined) return /^\s*(text\/html|application\/xhtml\+xml)/i.test(type);
  return /<(!doctype html|html|head|body|title|h1|p|a)\b/i.test(
    body.subarray(0, SNIFFED_BYTES).toString('latin1'),
  );
}

/** The page's text in the encoding that it says it has; UTF-8 where it says none or an unknown one. */
export function decoded({ headers, body }: PageResponse): string {
  const charset = /charset\s*=\s*"?([\w-]+)/i;
  const label =
    charset.exec(headers['content-type'] ?? '')?.[1] ??
    charset.exec(body.subarray(0, 1024).toString('latin1'))?.[1] ??
    'utf-8';
  try {
    return new TextDecoder(label).decode(body);
  } catch {
    return new TextDecoder().decode(body);
  }
}

/** Where a page is to be shown. */
export interface Shown {
  /** Its own path. */
  readonly self: string;
  /** Where everything of its pane is. */
  readonly root: string;
}

/** The page with its addresses leading through this server: HTML that is to be shown in a frame, or a style sheet. */
export async function rewritten(
  page: Page,
  pathOf: (url: URL) => string,
  shown?: Shown,
): Promise<FrameContent> {
  const { status, headers, body, finalUrl } = page;
  const rewriting = { base: finalUrl, pathOf };
  const type = headers['content-type'];
  const encoding = headers['content-encoding'];
  if (shown && isHtml(page)) {
    // In a script only `<` could end it, and no address that URL has parsed holds one.
    const begun = [shown.root, finalUrl.href].map((each) => JSON.stringify(each)).join();
    const script = `<script>(${prelude})(${begun})</script>`;
    const text = await rewriteHtml(decoded(page), { ...rewriting, script }, shown.self);
    return { status, type: 'text/html; charset=utf-8', encoding, body: Buffer.from(text) };
  }
  if (encoding === undefined && /^\s*text\/css/i.test(type ?? '')) {
    const text = rewriteCss(decoded(page), rewriting);
    return { status, type: 'text/css; charset=utf-8', encoding, body: Buffer.from(text) };
  }
  return { status, type: type ?? guessedType(body), encoding, body };
}

/** What a page without a type is shown as; HTML has been looked for before. */
function guessedType(body: Buffer): string {
  const text = !body.subarray(0, SNIFFED_BYTES).includes(0);
  return text ? 'text/plain; charset=utf-8' : 'application/octet-stream';
}
