import { finished } from 'node:stream/promises';
import { stripVTControlCharacters } from 'node:util';

/** What a page that is read for an answer is at most (characters): a lab's pages have some hundred. */
const PAGE_CHARACTERS = 64 * 1024;
/**
 * The lowest part of a screen in which an answer is looked for (characters). An author's pattern may look from each
 * place of it to its end.
 */
const SCREEN_CHARACTERS = 32 * 1024;
/** What is never shown as text. */
const UNSEEN: readonly string[] = ['script', 'style', 'title', 'template'];
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

/**
 * What a program ends its output with while it waits for an answer: `Continue? [y/N] `, `remove 'x'? `, `Password: `,
 * `Your choice: `, and the prompts of programs, `mysql> `.
 */
const QUESTION =
  /(?:\?|[[(]y(?:es)?\/n[^\])]*[\])]:?|\b(?:password|passphrase|username|login|name|value|number|choice|selection|answer)\b[^:]*:|>)\s*$/i;

/**
 * What a command asks, by the line that its output stops in; `undefined` where that is no question. To be asked of one
 * that has printed nothing for a while ({@link QUIET_MS}).
 */
export function questionIn(output: string): string | undefined {
  const line = terminalText(output).split('\n').at(-1)?.slice(-QUESTION_CHARACTERS) ?? '';
  return QUESTION.test(line) ? line.trim() : undefined;
}

/** A program that asks says nothing more; one that works on is seldom silent for as long in the middle of a line. */
export const QUIET_MS = 2_000;
/** As long as a line on a wide screen; a question that is longer is known by its end. */
const QUESTION_CHARACTERS = 240;

/**
 * What a page of the browser pane reads as: a line for each block, without what is not shown. A tree is not made of it:
 * that takes 40 s for a page of 85,000 `<div>`, and a learner's own server may send one.
 */
export async function pageText(html: string): Promise<string> {
  const { RewritingStream } = await import('parse5-html-rewriting-stream');
  const page = new RewritingStream();
  let text = '';
  let unseen = 0;
  const tag = (name: string, depth: 1 | -1): void => {
    if (UNSEEN.includes(name)) unseen = Math.max(0, unseen + depth);
    else if (!INLINE.test(name)) text += '\n';
  };
  page.on('startTag', ({ tagName }) => tag(tagName, 1));
  page.on('endTag', ({ tagName }) => tag(tagName, -1));
  page.on('text', (token) => {
    if (unseen === 0) text += token.text;
  });
  page.resume();
  page.end(html.slice(0, PAGE_CHARACTERS));
  await finished(page);
  return text
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
  return readWithLine(reads, screen)?.answer;
}

/** What is read off a screen, as {@link readOff} does it, with the line, or the lines, that it is read from. */
export function readWithLine(
  reads: RegExp,
  screen: string,
): { readonly answer: string; readonly line: string } | undefined {
  const flags = [...new Set(`${reads.flags}dg`)].join('');
  const lowest = screen.slice(-SCREEN_CHARACTERS);
  const found = [...lowest.matchAll(new RegExp(reads.source, flags))].at(-1);
  const [, answer] = found ?? [];
  const [, [from, to] = [0, 0]] = found?.indices ?? [];
  if (answer === undefined) return undefined;
  const begin = from === 0 ? 0 : lowest.lastIndexOf('\n', from - 1) + 1;
  const end = lowest.indexOf('\n', to);
  return { answer, line: lowest.slice(begin, end < 0 ? undefined : end) };
}
