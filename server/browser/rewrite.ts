import { setImmediate } from 'node:timers/promises';
import { type Attribute, type Tag, TagReader } from './tags.ts';

/** How the addresses in a page become paths on this server. */
export interface Rewriting {
  /** Where the page came from. */
  readonly base: URL;
  /** The path on this server that stands for an address. */
  readonly pathOf: (url: URL) => string;
  /** A `<script>` that comes before all others of the page. */
  readonly script?: string;
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

/**
 * A page whose links, forms, pictures, scripts and style sheets lead through this server; all else in it stays as it
 * was. This is for the page to work, not for anyone's safety: what it must not do, the frame's sandbox forbids.
 *
 * @param self the path that this very page is shown under, where links to a place within it lead
 */
export async function rewriteHtml(html: string, page: Rewriting, self: string): Promise<string> {
  const { base, end } = readHead(html, page.base);
  const rewriter = new Rewriter({ base, pathOf: page.pathOf });
  // Addresses that scripts make up are resolved by the browser, against this.
  const first = `<base href="${escapeAttribute(page.pathOf(base))}">${page.script ?? ''}`;
  const out = new Pieces(html);
  let basePlace: number | undefined = end;
  let turnEnds = STEPS_A_TURN;
  const reader = new TagReader(html);
  for (let tag = reader.next(); tag !== undefined; tag = reader.next()) {
    if (rewriter.isDone || reader.steps > STEPS_MOST) break;
    if (reader.steps > turnEnds) {
      turnEnds = reader.steps + STEPS_A_TURN;
      await setImmediate();
    }
    if (tag === 'more') continue;
    if (basePlace !== undefined && tag.start >= basePlace) {
      out.replace(basePlace, basePlace, first);
      basePlace = undefined;
    }
    if (tag.name === 'base') {
      out.replace(tag.start, tag.end, '');
      continue;
    }
    if (tag.name === 'form' && attributeOf(tag, 'action') === '') {
      // Such a form sends to the page's own address: the real one, not the path it is shown under.
      const at = tag.start + '<form'.length;
      out.replace(at, at, ` action="${escapeAttribute(page.pathOf(page.base))}"`);
    }
    for (const attribute of tag.attributes) {
      const text = rewriter.attribute(tag, attribute, self);
      if (text !== undefined) out.replace(attribute.start, attribute.end, text);
    }
    if (tag.name === 'style') {
      out.replace(tag.end, tag.textEnd, rewriter.css(html.slice(tag.end, tag.textEnd)));
    }
  }
  if (basePlace !== undefined) out.replace(basePlace, basePlace, first);
  return out.toString();
}

/** A style sheet whose pictures, fonts and imports lead through this server. */
export function rewriteCss(css: string, rewriting: Rewriting): string {
  return new Rewriter(rewriting).css(css);
}

/** Rewrites the addresses of one page, up to a number of them. */
class Rewriter {
  readonly #rewriting: Rewriting;
  #left = ADDRESSES_MOST;

  constructor(rewriting: Rewriting) {
    this.#rewriting = rewriting;
  }

  /** No more addresses are rewritten. */
  get isDone(): boolean {
    return this.#left <= 0;
  }

  css(text: string): string {
    const out = new Pieces(text);
    for (const found of text.matchAll(CSS_ADDRESS)) {
      if (this.isDone) break;
      const [whole, lead = '', a, b, c] = found;
      const path = this.#resolve(a ?? b ?? c ?? '');
      if (path === undefined) continue;
      const end = found.index + whole.length;
      out.replace(found.index, end, `${lead}"${path.replaceAll('"', '%22')}"`);
    }
    return out.toString();
  }

  /** What stands in place of an attribute; `undefined` where it stays as it is. */
  attribute(tag: Tag, { name, value }: Attribute, self: string): string | undefined {
    if (DROPPED.has(name)) return '';
    const changed = this.#changed(tag, name, unescapeText(value), self);
    return changed === undefined ? undefined : `${name}="${escapeAttribute(changed)}"`;
  }

  #changed(tag: Tag, name: string, value: string, self: string): string | undefined {
    if (ADDRESSES.has(name)) {
      if (value.startsWith('#')) return tag.name === 'a' ? `${self}${value}` : undefined;
      return this.#resolve(value);
    }
    if (name === 'srcset') {
      const rewritten = value.split(/,\s+/).map((each) => {
        const [url = '', ...size] = each.trim().split(/\s+/);
        return [this.#resolve(url) ?? url, ...size].join(' ');
      });
      return rewritten.join(', ');
    }
    if (name === 'style') return this.css(value);
    if (name === 'content' && attributeOf(tag, 'http-equiv').toLowerCase() === 'refresh') {
      const [, wait = '', to = ''] = /^([^;,]*)[;,]\s*url\s*=\s*["']?([^"']*)/i.exec(value) ?? [];
      const path = this.#resolve(to);
      return path === undefined ? undefined : `${wait};url=${path}`;
    }
    return undefined;
  }

  /** `undefined` for what is no address, or none that the network is asked for, or one too many. */
  #resolve(text: string): string | undefined {
    if (this.isDone) return undefined;
    this.#left -= 1;
    const { base, pathOf } = this.#rewriting;
    const url = text.trim() === '' ? null : URL.parse(text.trim(), base);
    return url && /^https?:$/.test(url.protocol) ? pathOf(url) : undefined;
  }
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

function attributeOf(tag: Tag, name: string): string {
  return unescapeText(tag.attributes.find((each) => each.name === name)?.value ?? '');
}

const NAMED: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: '\u00a0',
};

/** The character references that titles and addresses are written with. */
export function unescapeText(text: string): string {
  return text.replace(
    /&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(amp|lt|gt|quot|apos|nbsp));/gi,
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
