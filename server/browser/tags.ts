/** An attribute of a start tag; `start` and `end` take in its name, its quotes and all. */
export interface Attribute {
  readonly name: string;
  /** As it stands in the page, character references and all. */
  readonly value: string;
  readonly start: number;
  readonly end: number;
}

/** A start tag of a page, and where it stands. */
export interface Tag {
  readonly name: string;
  readonly start: number;
  /** After its `>`. */
  readonly end: number;
  readonly attributes: readonly Attribute[];
  /** Where the text of a `<script>` or `<style>` ends; `end` for every other tag. */
  readonly textEnd: number;
}

/** What stands in these is text, whatever it looks like (HTML standard, 13.1.2). */
const RAW_TEXT = new Set(['script', 'style', 'textarea', 'title']);
const SPACE = /[\s/]/;
const NAME_END = /[\s/>=]/;
const TAG_NAME = /[a-z][^\s/>]*/iy;

/**
 * The start tags of a page, in order. A page that breaks off inside a tag ends there. Every character is looked at a
 * fixed number of times, whatever the page does: it was written by somebody else.
 */
export function tagsOf(html: string): readonly Tag[] {
  const tags: Tag[] = [];
  let at = 0;
  while (at < html.length) {
    const start = html.indexOf('<', at);
    if (start < 0) break;
    if (html.startsWith('<!--', start)) {
      const end = html.indexOf('-->', start);
      if (end < 0) break;
      at = end + 3;
      continue;
    }
    TAG_NAME.lastIndex = start + 1;
    const name = TAG_NAME.exec(html)?.[0];
    if (name === undefined) {
      at = start + 1;
      continue;
    }
    const read = attributesOf(html, start + 1 + name.length);
    if (!read) break;
    const tag = { name: name.toLowerCase(), start, end: read.end, attributes: read.attributes };
    const textEnd = RAW_TEXT.has(tag.name) ? endOfText(html, tag.name, tag.end) : tag.end;
    tags.push({ ...tag, textEnd });
    at = textEnd;
  }
  return tags;
}

/** Reads attributes up to the tag's `>`; `undefined` where the page ends first. */
function attributesOf(
  html: string,
  from: number,
): { readonly attributes: readonly Attribute[]; readonly end: number } | undefined {
  const attributes: Attribute[] = [];
  let at = from;
  while (at < html.length) {
    const character = html.charAt(at);
    if (character === '>') return { attributes, end: at + 1 };
    if (SPACE.test(character)) {
      at += 1;
      continue;
    }
    const start = at;
    // An equals sign in the first place belongs to the name.
    at += 1;
    while (at < html.length && !NAME_END.test(html.charAt(at))) at += 1;
    const name = html.slice(start, at).toLowerCase();
    let next = at;
    while (/\s/.test(html.charAt(next))) next += 1;
    if (html.charAt(next) !== '=') {
      attributes.push({ name, value: '', start, end: at });
      continue;
    }
    next += 1;
    while (/\s/.test(html.charAt(next))) next += 1;
    const quote = html.charAt(next);
    if (quote === '"' || quote === "'") {
      const close = html.indexOf(quote, next + 1);
      if (close < 0) return undefined;
      at = close + 1;
      attributes.push({ name, value: html.slice(next + 1, close), start, end: at });
    } else {
      at = next;
      while (at < html.length && !/[\s>]/.test(html.charAt(at))) at += 1;
      attributes.push({ name, value: html.slice(next, at), start, end: at });
    }
  }
  return undefined;
}

function endOfText(html: string, name: string, from: number): number {
  const closing = new RegExp(`</${name}`, 'gi');
  closing.lastIndex = from;
  return closing.exec(html)?.index ?? html.length;
}
