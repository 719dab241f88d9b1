import { decoded, isHtml } from './html-page.ts';
import type { PageResponse } from './page-request.ts';
import { unescapeText } from './rewrite.ts';

/** Enough for the headline and first lines of a page, which is what a check asks for. The journal keeps it for each visit. */
const TEXT_CHARACTERS = 2_048;
/** What stands further down is not looked at. The pages of labs have 5 KiB. */
const LOOKED_AT = 64 * 1024;
/** Nobody reads what stands in these. */
const UNREAD = /^<(script|style|title|template|noscript|textarea|svg)(?=[\s/>])/i;

/**
 * The beginning of what a reader sees of a page, each gap one space; `undefined` for what is no text. It is what the
 * server has sent: what scripts add to it is not known here. The work grows with the page, whatever is in it.
 */
export function textOf(page: PageResponse): string | undefined {
  if (isHtml(page)) return htmlText(decoded(page).slice(0, LOOKED_AT));
  const { headers, body } = page;
  const isText = /^\s*(text\/plain|application\/json)/i.test(headers['content-type'] ?? '');
  if (!isText || headers['content-encoding'] !== undefined) return undefined;
  return shortened(decoded({ ...page, body: body.subarray(0, LOOKED_AT) }));
}

function htmlText(html: string): string {
  const small = html.toLowerCase();
  let text = '';
  for (let at = 0; at < html.length; ) {
    const tag = html.indexOf('<', at);
    text += html.slice(at, tag < 0 ? html.length : tag);
    if (tag < 0) break;
    const end = endOf(small, tag);
    if (end === undefined) break;
    text += end === tag + 1 ? '<' : ' ';
    at = end;
  }
  return shortened(unescapeText(text));
}

/** Where what a `<` begins is over: after it, where it begins nothing; `undefined` where the page ends first. */
function endOf(html: string, tag: number): number | undefined {
  const mark = /[a-z!/?]/.test(html[tag + 1] ?? '');
  if (!mark) return tag + 1;
  if (html.startsWith('<!--', tag)) return after(html, '-->', tag);
  const name = UNREAD.exec(html.slice(tag, tag + 12))?.[1];
  const closing = name === undefined ? tag : html.indexOf(`</${name}`, tag);
  return closing < 0 ? undefined : after(html, '>', closing);
}

function after(html: string, mark: string, from: number): number | undefined {
  const at = html.indexOf(mark, from);
  return at < 0 ? undefined : at + mark.length;
}

function shortened(text: string): string {
  return text.replace(/\s+/g, ' ').trim().slice(0, TEXT_CHARACTERS);
}
