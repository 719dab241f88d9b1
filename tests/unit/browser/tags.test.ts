import { Parser, type Token } from 'parse5';
import { describe, expect, test } from 'vitest';
import { type Tag, TagReader } from '../../../server/browser/tags.ts';

function tagsOf(html: string): readonly Tag[] {
  const reader = new TagReader(html);
  const tags: Tag[] = [];
  for (let tag = reader.next(); tag !== undefined; tag = reader.next()) {
    if (tag !== 'more') tags.push(tag);
  }
  return tags;
}

const names = (html: string) => tagsOf(html).map(({ name }) => name);

describe('the start tags of a page', () => {
  test.each([
    // What stands in these is text.
    ['<iframe><a></iframe><b>', ['iframe', 'b']],
    ['<noscript><a></noscript><b>', ['noscript', 'b']],
    ['<xmp><a></xmp><b>', ['xmp', 'b']],
    ['<noembed><a></noembed><noframes><a></noframes><b>', ['noembed', 'noframes', 'b']],
    ['<title><a></title><textarea><a></textarea><b>', ['title', 'textarea', 'b']],
    ['<style><a></styles></STYLE\n><b>', ['style', 'b']],
    ['<plaintext><a></plaintext><b>', ['plaintext']],
    ['<script><!-- <script><a></script><a>--></script><b>', ['script', 'b']],
    ['<script><!--><script></script><b>', ['script', 'b']],
    ['<script>"<a>"</scripts></script/x><b>', ['script', 'b']],
    // In SVG and MathML they are elements like any other.
    [
      '<svg><title><a></title><style><b></style><script><i></script></svg><p>',
      'svg title a style b',
    ],
    ['<svg><style><a></style></svg><style><a></style><p>', ['svg', 'style', 'a', 'style', 'p']],
    ['<svg><g><textarea><a></textarea></g></svg>', ['svg', 'g', 'textarea', 'a']],
    ['<math><mi><style><a></style></mi><style><a></style></math>', 'math mi style style a'],
    [
      '<svg><foreignObject><style><a></style></foreignObject><style><a></style>',
      'svg foreignobject style style a',
    ],
    ['<svg/><style><a></style><b>', ['svg', 'style', 'b']],
    ['<svg><![CDATA[ <a> ]]><b></svg>', ['svg', 'b']],
    ['<![CDATA[ <a> ]]><b>', ['b']],
    ['<svg><p><style><a></style><b>', ['svg', 'p', 'style', 'b']],
    ['<svg></p><style><a></style><b>', ['svg', 'style', 'b']],
    // Comments, and what is taken for one.
    ['<!-- <a> --><!--><b><!---><i><!-- <a> --!><u>', ['b', 'i', 'u']],
    ['<!x <a><b><? <a> ?><i></ <a><u></><s>', ['b', 'i', 'u', 's']],
    ['< a><3<b>', ['b']],
    // Within a tag.
    ['<a b=">" c=\'>\' d=e/><b>', ['a', 'b']],
    ['</a b="<i>"><b>', ['b']],
    ['<a b="<i>', []],
  ])('of %s', (html, expected) => {
    const found = names(html);
    if (Array.isArray(expected)) expect(found).toEqual(expected);
    else expect(found.join(' ')).toContain(expected);
  });

  test('carry their attributes as they stand there', () => {
    const [tag] = tagsOf(`<A  HREF = "a>b" b='c' d=e/f g=h / i =j = k>`);
    expect(tag?.attributes.map(({ name, value }) => [name, value])).toEqual([
      ['href', 'a>b'],
      ['b', 'c'],
      ['d', 'e/f'],
      ['g', 'h'],
      ['i', 'j'],
      ['=', ''],
      ['k', ''],
    ]);
  });
});

/** What a browser's own tokenizer finds, in a tree that is really built: parse5 follows the standard to the letter. */
class Reference extends Parser<never> {
  readonly found: string[] = [];

  override onStartTag(token: Token.TagToken): void {
    this.found.push(described(token.tagName, token.location?.startOffset, token.attrs));
    super.onStartTag(token);
  }

  static tagsOf(html: string): readonly string[] {
    const parser = new Reference({ sourceCodeLocationInfo: true });
    parser.tokenizer.write(html, true);
    return parser.found;
  }
}

function described(
  name: string,
  start: number | undefined,
  attributes: readonly { readonly name: string; readonly value: string }[],
): string {
  const first = new Map<string, string>();
  for (const each of attributes) if (!first.has(each.name)) first.set(each.name, each.value);
  return `${start} ${name.toLowerCase()} ${JSON.stringify([...first])}`.toLowerCase();
}

const SCRIPTS = [
  '<script>"<a b=c>"</script>',
  '<script a=">"><!-- <script><a></script><b>--></script>',
  '<script><!-- <SCRIPT/><a></scripts></script ><!-- <script></script\t>',
  '<script><!--></script>',
  '<script><!--- <script --></script\f>',
];

/** A page that nests well and is a mess within: one for each number, the same each time. */
function pageOf(seed: number): string {
  let state = seed;
  const random = (most: number): number => {
    state = (Math.imul(state ^ (state >>> 15), 2_246_822_519) + 3_266_489_917) | 0;
    return ((state ^ (state >>> 13)) >>> 0) % most;
  };
  const one = <T>(of: readonly T[]): T => of[random(of.length)] as T;
  const some = (make: () => string, most: number): string =>
    Array.from({ length: random(most) }, make).join('');
  const attribute = () =>
    one([
      ' a',
      ' b=c',
      ' d="e>f"',
      " g='<h>'",
      ' i = "j"',
      ' /',
      ' a=k',
      '\n=l',
      ' m=n/o',
      '\tp\n=\nq',
    ]);
  const attributes = () => some(attribute, 4);
  const text = () => one(['x', ' < ', '3<4', '> ', '<', '"', "'", '\n', ']]>', '-->']);
  const comment = () =>
    one([
      '<!-- <a> -->',
      '<!-->',
      '<!--->',
      '<!-- -- > <b> --!>',
      '<!x <i>',
      '<? <u> ?>',
      '</ <s>',
      '</>',
      '<![CDATA[<a>]]>',
    ]);
  const raw = () => {
    if (random(3) === 0) return one(SCRIPTS);
    const name = one(['style', 'title', 'textarea', 'iframe', 'noscript', 'xmp']);
    const part = () => one(['<a b=c>', '</a>', `</${name}x>`, '<!-- ', ' -->', '<b', '"', '</']);
    return `<${name}${attributes()}>${some(part, 5)}</${name}\n>`;
  };
  const html = (depth: number): string => {
    if (depth === 0) return text();
    const make = one([text, comment, raw, () => element(depth), () => foreign(depth)]);
    return make();
  };
  const element = (depth: number): string => {
    const name = one(['div', 'span', 'A', 'i']);
    return `<${name}${attributes()}>${some(() => html(depth - 1), 4)}</${name}${attributes()}>`;
  };
  const foreign = (depth: number): string => {
    const [root, parts, within] = one([
      ['svg', ['g', 'path', 'style', 'script', 'a'], ['foreignObject', 'desc', 'title']],
      ['math', ['mrow', 'style', 'mfrac'], ['mi', 'mtext']],
    ] as const);
    const part = (left: number): string => {
      if (left === 0) return one([text, comment])();
      const kind = random(5);
      if (kind === 0) {
        const name = one(within);
        return `<${name}>${some(() => html(left - 1), 3)}</${name}>`;
      }
      const name = one(parts);
      if (kind === 1) return `<${name}${attributes()}/>`;
      if (kind === 2) return text() + comment();
      return `<${name}${attributes()} z>${some(() => part(left - 1), 3)}</${name}>`;
    };
    return `<${root}${attributes()} z>${some(() => part(depth), 4)}</${root}>`;
  };
  return `<!doctype html><body>${some(() => html(5), 6)}`;
}

test('are those that the standard finds, on a thousand pages', () => {
  for (let seed = 1; seed <= 1_000; seed += 1) {
    const html = pageOf(seed);
    const found = tagsOf(html).map(({ name, start, attributes }) =>
      described(name, start, attributes),
    );
    expect(found, `page ${seed}: ${html}`).toEqual(Reference.tagsOf(html));
  }
});
