import { type Attribute, type Tag, tagsOf } from './tags.ts';

/** How the addresses in a page become paths on this server. */
export interface Rewriting {
  /** Where the page came from. */
  readonly base: URL;
  /** The path on this server that stands for an address. */
  readonly pathOf: (url: URL) => string;
}

const ADDRESSES = new Set(['href', 'src', 'action', 'formaction', 'poster', 'background', 'data']);
/** A frame may open no window and reach no other frame, so a link is followed where it stands. */
const DROPPED = new Set(['target', 'ping']);
/** Longer addresses in a style sheet are data, not addresses. */
const CSS_ADDRESS =
  /(url\(\s{0,9}|@import\s{1,9}(?=["']))(?:"([^"]{0,2048})"|'([^']{0,2048})'|([^\s"'()]{1,2048}))/g;
/** A title further down is none that a person wrote. */
const TITLE_WITHIN = 64 * 1024;

interface Edit {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/**
 * A page whose links, forms, pictures, scripts and style sheets lead through this server; all else in it stays as it
 * was. This is for the page to work, not for anyone's safety: what it must not do, the frame's sandbox forbids.
 *
 * @param self the path that this very page is shown under, where links to a place within it lead
 */
export function rewriteHtml(html: string, rewriting: Rewriting, self: string): string {
  const tags = tagsOf(html);
  const own = tags.find(({ name }) => name === 'base');
  const base = URL.parse(own ? attributeOf(own, 'href') : '', rewriting.base) ?? rewriting.base;
  const within = { base, pathOf: rewriting.pathOf };
  // Addresses that scripts make up are resolved by the browser, against this.
  const edits: Edit[] = [insert(placeOfBase(html, tags), `<base ${href(rewriting.pathOf(base))}>`)];
  for (const tag of tags) {
    if (tag.name === 'base') {
      edits.push({ from: tag.start, to: tag.end, text: '' });
      continue;
    }
    for (const attribute of tag.attributes) {
      const text = rewriteAttribute(tag, attribute, within, self);
      if (text !== undefined) edits.push({ from: attribute.start, to: attribute.end, text });
    }
    if (tag.name === 'form' && attributeOf(tag, 'action') === '') {
      // Such a form sends to the page's own address: the real one, not the path it is shown under.
      const action = escapeAttribute(rewriting.pathOf(rewriting.base));
      edits.push(insert(tag.start + '<form'.length, ` action="${action}"`));
    }
    if (tag.name === 'style') {
      const text = rewriteCss(html.slice(tag.end, tag.textEnd), within);
      edits.push({ from: tag.end, to: tag.textEnd, text });
    }
  }
  return apply(html, edits);
}

/** A style sheet whose pictures, fonts and imports lead through this server. */
export function rewriteCss(css: string, { base, pathOf }: Rewriting): string {
  return css.replace(CSS_ADDRESS, (whole, lead: string, a?: string, b?: string, c?: string) => {
    const path = resolve(a ?? b ?? c ?? '', base, pathOf);
    return path === undefined ? whole : `${lead}"${path.replaceAll('"', '%22')}"`;
  });
}

/** The text of a page's `<title>`. */
export function titleOf(html: string): string | undefined {
  const found = /<title[^>]{0,200}>([^<]{0,1000})/i.exec(html.slice(0, TITLE_WITHIN))?.[1];
  const title = found && unescapeText(found).replace(/\s+/g, ' ').trim();
  return title || undefined;
}

/** Right after `<head>`, or as early as a page without one can have it; never before the doctype, which must lead. */
function placeOfBase(html: string, tags: readonly Tag[]): number {
  const head = tags.find(({ name }) => name === 'head') ?? tags.find(({ name }) => name === 'html');
  return head?.end ?? /^\s{0,99}<!doctype[^>]{0,200}>/i.exec(html)?.[0].length ?? 0;
}

/** What stands in place of an attribute; `undefined` where it stays as it is. */
function rewriteAttribute(
  tag: Tag,
  { name, value }: Attribute,
  rewriting: Rewriting,
  self: string,
): string | undefined {
  if (DROPPED.has(name)) return '';
  const plain = unescapeText(value);
  const changed = changedValue(tag, name, plain, rewriting, self);
  return changed === undefined ? undefined : `${name}="${escapeAttribute(changed)}"`;
}

function changedValue(
  tag: Tag,
  name: string,
  value: string,
  { base, pathOf }: Rewriting,
  self: string,
): string | undefined {
  if (ADDRESSES.has(name)) {
    if (value.startsWith('#')) return tag.name === 'a' ? `${self}${value}` : undefined;
    return resolve(value, base, pathOf);
  }
  if (name === 'srcset') {
    return value
      .split(/,\s+/)
      .map((each) => {
        const [url = '', ...size] = each.trim().split(/\s+/);
        return [resolve(url, base, pathOf) ?? url, ...size].join(' ');
      })
      .join(', ');
  }
  if (name === 'style') return rewriteCss(value, { base, pathOf });
  if (name === 'content' && attributeOf(tag, 'http-equiv').toLowerCase() === 'refresh') {
    const [, wait = '', to = ''] = /^([^;,]*)[;,]\s*url\s*=\s*["']?([^"']*)/i.exec(value) ?? [];
    const path = resolve(to, base, pathOf);
    return path === undefined ? undefined : `${wait};url=${path}`;
  }
  return undefined;
}

/** `undefined` for what is no address, or none that the network is asked for. */
function resolve(text: string, base: URL, pathOf: Rewriting['pathOf']): string | undefined {
  const url = text.trim() === '' ? null : URL.parse(text.trim(), base);
  return url && /^https?:$/.test(url.protocol) ? pathOf(url) : undefined;
}

function attributeOf(tag: Tag, name: string): string {
  return unescapeText(tag.attributes.find((each) => each.name === name)?.value ?? '');
}

function insert(at: number, text: string): Edit {
  return { from: at, to: at, text };
}

function apply(text: string, edits: readonly Edit[]): string {
  let out = '';
  let at = 0;
  for (const edit of edits.toSorted((a, b) => a.from - b.from || a.to - b.to)) {
    out += text.slice(at, edit.from) + edit.text;
    at = edit.to;
  }
  return out + text.slice(at);
}

const NAMED: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
};

/** The character references that titles and addresses are written with. */
function unescapeText(text: string): string {
  return text.replace(
    /&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(amp|lt|gt|quot|apos));/gi,
    (whole, decimal?: string, hex?: string, name?: string) => {
      if (name !== undefined) return NAMED[name.toLowerCase()] ?? whole;
      const code = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal);
      return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    },
  );
}

function escapeAttribute(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;');
}

function href(path: string): string {
  return `href="${escapeAttribute(path)}"`;
}
