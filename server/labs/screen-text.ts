import { stripVTControlCharacters } from 'node:util';
import { type HastNode, htmlToHast } from 'satteri';

/** What is never shown as text. */
const UNSEEN: readonly string[] = ['script', 'style', 'head', 'template'];
/** What does not begin a line of its own; everything else does. A term and its description stand on one line. */
const INLINE =
  /^(a|abbr|b|bdi|bdo|button|cite|code|data|dd|dfn|dt|em|i|input|kbd|label|mark|q|s|samp|small|span|strong|sub|sup|td|th|time|u|var)$/;

/** What a terminal's output reads as on a screen that is wide enough: lines, without colours and marks. */
export function terminalText(output: string): string {
  return stripVTControlCharacters(output)
    .split('\n')
    .map((line) => {
      const kept = line.replace(/\r+$/, '');
      // A carriage return alone begins the line afresh, as a progress bar does.
      return kept.slice(kept.lastIndexOf('\r') + 1);
    })
    .join('\n');
}

/** What a page of the browser pane reads as: a line for each block, without what is not shown. */
export function pageText(html: string): string {
  return textOf(htmlToHast(html))
    .split('\n')
    .map((line) => line.replace(/\s+/g, ' ').trim())
    .filter((line) => line !== '')
    .join('\n');
}

/**
 * What a learner reads off a screen to answer a question: the first group of `reads`, at the last place where it is
 * found, since the newest stands lowest. `undefined` where the screen does not show it.
 */
export function readOff(reads: RegExp, screen: string): string | undefined {
  const flags = reads.flags.includes('g') ? reads.flags : `${reads.flags}g`;
  const found = [...screen.matchAll(new RegExp(reads.source, flags))].at(-1);
  return found?.[1];
}

function textOf(node: HastNode): string {
  if (node.type === 'text') return node.value;
  if (!('children' in node)) return '';
  const isElement = node.type === 'element';
  if (isElement && UNSEEN.includes(node.tagName)) return '';
  const text = node.children.map((child) => textOf(child)).join('');
  return isElement && !INLINE.test(node.tagName) ? `\n${text}\n` : text;
}
