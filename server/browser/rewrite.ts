import { type Attribute, type Tag, TagReader } from './tags.ts';

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

/*
 * A page may hold 5 MiB of links, which took six seconds of the event loop and 365 MB. Whoever writes such pages is to
 * hold up nobody else, so there is an end to what is rewritten, and others have their turn in between. What is left
 * over stays as it was: its links still lead through this server where they are relative.
 */
/** A page that a person wrote has some hundred addresses. One takes ten microseconds. */
const ADDRESSES_MOST = 1_000;
/** Tags, attributes and comments that are read: far more than in a long page. One takes half a microsecond. */
const STEPS_MOST = 50_000;
/** What is done before others have their turn: a millisecond or two. */
const STEPS_A_TURN = 2_000;
/** A page's own base stands in its head. */
const HEAD_STEPS = 1_000;

/** How many addresses may still be rewritten. */
interface Allowance {
  addresses: number;
}

/**
 * A page whose links, forms, pictures, scripts and style sheets lead through this server; all else in it stays as it
 * was. This is for the page to work, not for anyone's safety: what it must not do, the frame's sandbox forbids.
 *
 * @param self the path that this very page is shown under, where links to a place within it lead
 */
export async function rewriteHtml(
  html: string,
  rewriting: Rewriting,
  self: string,
): Promise<string> {
  const head = readHead(html, rewriting.base);
  const { base } = head;
  const within = { base, pathOf: rewriting.pathOf };
  // Addresses that scripts make up are resolved by the browser, against this.
  const baseTag = `<base ${href(rewriting.pathOf(base))}>`;
  const allowance = { addresses: ADDRESSES_MOST };
  const out = new Pieces(html);
  let place: number | undefined = head.end;
  let turnEnds = STEPS_A_TURN;
  const reader = new TagReader(html);
  for (let tag = reader.next(); tag !== undefined; tag = reader.next()) {
    if (allowance.addresses <= 0 || reader.steps > STEPS_MOST) break;
    if (reader.steps > turnEnds) {
      turnEnds = reader.steps + STEPS_A_TURN;
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (tag === 'more') continue;
    if (place !== undefined && tag.start >= place) {
      out.replace(place, place, baseTag);
      place = undefined;
    }
    if (tag.name === 'base') out.replace(tag.start, tag.end, '');
    else rewriteTag(tag, html, out, { ...within, page: rewriting, self, allowance });
  }
  if (place !== undefined) out.replace(place, place, baseTag);
  return out.toString();
}

/** What the rewriting of a tag goes by. */
interface TagRewriting extends Rewriting {
  /** The page's own, whatever base it names. */
  readonly page: Rewriting;
  readonly self: string;
  readonly allowance: Allowance;
}

function rewriteTag(tag: Tag, html: string, out: Pieces, rewriting: TagRewriting): void {
  const { page, allowance } = rewriting;
  if (tag.name === 'form' && attributeOf(tag, 'action') === '') {
    // Such a form sends to the page's own address: the real one, not the path it is shown under.
    const at = tag.start + '<form'.length;
    out.replace(at, at, ` action="${escapeAttribute(page.pathOf(page.base))}"`);
  }
  for (const attribute of tag.attributes) {
    const text = rewriteAttribute(tag, attribute, rewriting);
    if (text !== undefined) out.replace(attribute.start, attribute.end, text);
  }
  if (tag.name === 'style') {
    const css = html.slice(tag.end, tag.textEnd);
    out.replace(tag.end, tag.textEnd, rewriteCss(css, rewriting, allowance));
  }
}

/** A style sheet whose pictures, fonts and imports lead through this server. */
export function rewriteCss(
  css: string,
  { base, pathOf }: Rewriting,
  allowance: Allowance = { addresses: ADDRESSES_MOST },
): string {
  const out = new Pieces(css);
  CSS_ADDRESS.lastIndex = 0;
  for (let found = CSS_ADDRESS.exec(css); found; found = CSS_ADDRESS.exec(css)) {
    if (allowance.addresses <= 0) break;
    const [whole, lead = '', a, b, c] = found;
    const path = resolve(a ?? b ?? c ?? '', { base, pathOf }, allowance);
    if (path === undefined) continue;
    const text = `${lead}"${path.replaceAll('"', '%22')}"`;
    out.replace(found.index, found.index + whole.length, text);
  }
  return out.toString();
}

/** A text with some of it replaced, from its beginning to its end. */
class Pieces {
  readonly #text: string;
  readonly #pieces: string[] = [];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** @param from not before the end of what was replaced last */
  replace(from: number, to: number, text: string): void {
    this.#pieces.push(this.#text.slice(this.#at, from), text);
    this.#at = to;
  }

  toString(): string {
    return this.#pieces.join('') + this.#text.slice(this.#at);
  }
}

/** The text of a page's `<title>`. */
export function titleOf(html: string): string | undefined {
  const found = /<title[^>]{0,200}>([^<]{0,1000})/i.exec(html.slice(0, TITLE_WITHIN))?.[1];
  const title = found && unescapeText(found).replace(/\s+/g, ' ').trim();
  return title || undefined;
}

/**
 * What the page takes for its base, and where ours is put: right after `<head>`, or as early as a page without one can
 * have it; never before the doctype, which must lead.
 */
function readHead(html: string, from: URL): { readonly base: URL; readonly end: number } {
  let base: URL | undefined;
  let end: number | undefined;
  const reader = new TagReader(html);
  for (let tag = reader.next(); tag !== undefined; tag = reader.next()) {
    if (reader.steps > HEAD_STEPS) break;
    if (tag === 'more') continue;
    if (tag.name === 'html') end ??= tag.end;
    if (tag.name === 'base') base ??= URL.parse(attributeOf(tag, 'href'), from) ?? from;
    if (tag.name !== 'head') continue;
    end = tag.end;
    if (base) break;
  }
  const doctype = /^\s{0,99}<!doctype[^>]{0,200}>/i.exec(html)?.[0].length ?? 0;
  return { base: base ?? from, end: end ?? doctype };
}

/** What stands in place of an attribute; `undefined` where it stays as it is. */
function rewriteAttribute(
  tag: Tag,
  { name, value }: Attribute,
  rewriting: TagRewriting,
): string | undefined {
  if (DROPPED.has(name)) return '';
  const changed = changedValue(tag, name, unescapeText(value), rewriting);
  return changed === undefined ? undefined : `${name}="${escapeAttribute(changed)}"`;
}

function changedValue(
  tag: Tag,
  name: string,
  value: string,
  rewriting: TagRewriting,
): string | undefined {
  const { self, allowance } = rewriting;
  if (ADDRESSES.has(name)) {
    if (value.startsWith('#')) return tag.name === 'a' ? `${self}${value}` : undefined;
    return resolve(value, rewriting, allowance);
  }
  if (name === 'srcset') {
    return value
      .split(/,\s+/)
      .map((each) => {
        const [url = '', ...size] = each.trim().split(/\s+/);
        return [resolve(url, rewriting, allowance) ?? url, ...size].join(' ');
      })
      .join(', ');
  }
  if (name === 'style') return rewriteCss(value, rewriting, allowance);
  if (name === 'content' && attributeOf(tag, 'http-equiv').toLowerCase() === 'refresh') {
    const [, wait = '', to = ''] = /^([^;,]*)[;,]\s*url\s*=\s*["']?([^"']*)/i.exec(value) ?? [];
    const path = resolve(to, rewriting, allowance);
    return path === undefined ? undefined : `${wait};url=${path}`;
  }
  return undefined;
}

/** `undefined` for what is no address, or none that the network is asked for, or one too many. */
function resolve(
  text: string,
  { base, pathOf }: Rewriting,
  allowance: Allowance,
): string | undefined {
  if (allowance.addresses <= 0) return undefined;
  allowance.addresses -= 1;
  const url = text.trim() === '' ? null : URL.parse(text.trim(), base);
  return url && /^https?:$/.test(url.protocol) ? pathOf(url) : undefined;
}

function attributeOf(tag: Tag, name: string): string {
  return unescapeText(tag.attributes.find((each) => each.name === name)?.value ?? '');
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
