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

/** What stands in these is text, whatever it looks like (HTML standard, 13.2.6.4; scripts run in the frame). */
const TEXT_ENDS: ReadonlyMap<string, RegExp> = new Map(
  'style textarea title iframe noembed noframes noscript xmp'
    .split(' ')
    .map((name) => [name, new RegExp(`</${name}(?=[\\t\\n\\f\\r />])`, 'gi')]),
);
/** Everything after this one is text. */
const PLAINTEXT = 'plaintext';
/** Within SVG and MathML no element is text only, and `<![CDATA[` begins a text. */
const FOREIGN = new Set(['svg', 'math']);
/** What stands in these is HTML again (13.2.6.5, integration points). */
const HTML_WITHIN = {
  svg: new Set(['foreignobject', 'desc', 'title']),
  math: new Set(['mi', 'mo', 'mn', 'ms', 'mtext']),
} as const;
/** HTML elements that end SVG or MathML where they come (13.2.6.5). */
const ENDS_FOREIGN = new Set(
  'b big blockquote body br center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 head hr i img li listing menu meta nobr ol p pre ruby s small span strong strike sub sup table tt u ul var'.split(
    ' ',
  ),
);
/** A tag with more attributes was written by nobody. What follows it is not read. */
const ATTRIBUTES_MOST = 1_000;
/** Comments, wherever they end: `-->`, `--!>`, and `>` right after the opening. */
const COMMENT_END = /--!?>/g;
const TAG_NAME = /[a-z][^\t\n\f\r />]*/iy;
/** An attribute, or the tag's `>`. The value stands in double quotes, in single ones, or in none; or the page ends in it. */
const ATTRIBUTE =
  /([\t\n\f\r /]*)(?:(>)|([^\t\n\f\r />][^\t\n\f\r />=]*)(?:[\t\n\f\r ]*=[\t\n\f\r ]*(?:"([^"]*)(?:"|$)|'([^']*)(?:'|$)|([^\t\n\f\r >]*)))?)/y;

type Namespace = 'html' | 'svg' | 'math';

/**
 * Reads the start tags of a page, in order, as a browser's tokenizer would find them. A page that breaks off inside a
 * tag ends there. Every character is looked at a fixed number of times, whatever the page does: it was written by
 * somebody else.
 */
export class TagReader {
  readonly #html: string;
  #at = 0;
  #steps = 0;
  /** From the outermost in; HTML where it is empty. */
  readonly #within: Namespace[] = [];

  constructor(html: string) {
    this.#html = html;
  }

  /** How much was done: tags, attributes, comments, and everything that only looks like one. */
  get steps(): number {
    return this.#steps;
  }

  /** The next start tag; `undefined` at the end. `'more'`: nothing found yet, and others may have their turn. */
  next(): Tag | 'more' | undefined {
    const html = this.#html;
    this.#steps += 1;
    const start = html.indexOf('<', this.#at);
    if (start < 0) return undefined;
    TAG_NAME.lastIndex = start + 1;
    const name = TAG_NAME.exec(html)?.[0];
    if (name !== undefined) return this.#startTag(start, name.toLowerCase());
    const end = html[start + 1] === '/' ? this.#endTag(start) : this.#other(start);
    if (end === undefined) return undefined;
    this.#at = end;
    return 'more';
  }

  #startTag(start: number, name: string): Tag | undefined {
    const read = this.#attributes(start + 1 + name.length);
    if (!read) return undefined;
    const { attributes, end, closesItself } = read;
    const inForeign = this.#enter(name, closesItself);
    const text = inForeign ? undefined : this.#textEnd(name, end);
    // Its own end tag ends the text, and nothing around it.
    this.#at = text === undefined ? end : this.#afterEndTag(text, name);
    const textEnd = text ?? (name === 'style' ? this.#foreignTextEnd(end) : end);
    return { name, start, end, attributes, textEnd };
  }

  #afterEndTag(at: number, name: string): number {
    return this.#attributes(at + '</'.length + name.length)?.end ?? this.#html.length;
  }

  /** Goes into and out of SVG and MathML. Returns whether the tag itself is part of one. */
  #enter(name: string, closesItself: boolean): boolean {
    const within = this.#namespace;
    if (within === 'html') {
      if (FOREIGN.has(name) && !closesItself) this.#within.push(name as Namespace);
      return FOREIGN.has(name);
    }
    if (ENDS_FOREIGN.has(name)) {
      this.#leaveForeign();
      return false;
    }
    if (closesItself) return true;
    if (FOREIGN.has(name)) this.#within.push(name as Namespace);
    else if (HTML_WITHIN[within].has(name)) this.#within.push('html');
    return true;
  }

  /** The position after an end tag. */
  #endTag(start: number): number | undefined {
    const html = this.#html;
    TAG_NAME.lastIndex = start + 2;
    const name = TAG_NAME.exec(html)?.[0];
    // `</>` is nothing, and any other `</` a comment up to its `>`.
    if (name === undefined) return after(html, '>', start + 2);
    const read = this.#attributes(start + 2 + name.length);
    if (!read) return undefined;
    this.#leave(name.toLowerCase());
    return read.end;
  }

  #leave(name: string): void {
    const within = this.#namespace;
    if (within === name) this.#within.pop();
    else if (within !== 'html' && (name === 'p' || name === 'br')) this.#leaveForeign();
    else if (within === 'html') {
      const around = this.#within.at(-2);
      if (around !== undefined && around !== 'html' && HTML_WITHIN[around].has(name)) {
        this.#within.pop();
      }
    }
  }

  #leaveForeign(): void {
    while (this.#namespace !== 'html') this.#within.pop();
  }

  get #namespace(): Namespace {
    return this.#within.at(-1) ?? 'html';
  }

  /** The position after a comment, a doctype, or a `<` that begins nothing. */
  #other(start: number): number | undefined {
    const html = this.#html;
    if (html.startsWith('<!--', start)) {
      const opened = start + '<!--'.length;
      if (html[opened] === '>') return opened + 1;
      if (html.startsWith('->', opened)) return opened + 2;
      COMMENT_END.lastIndex = opened;
      return COMMENT_END.test(html) ? COMMENT_END.lastIndex : undefined;
    }
    if (this.#namespace !== 'html' && html.startsWith('<![CDATA[', start)) {
      return after(html, ']]>', start);
    }
    const next = html[start + 1];
    return next === '!' || next === '?' ? after(html, '>', start) : start + 1;
  }

  /** Reads attributes up to the tag's `>`; `undefined` where the page ends first, or they are too many. */
  #attributes(from: number) {
    const attributes: Attribute[] = [];
    ATTRIBUTE.lastIndex = from;
    while (attributes.length < ATTRIBUTES_MOST) {
      const found = ATTRIBUTE.exec(this.#html);
      if (!found) return undefined;
      const [, gap = '', close, name = '', double, single, bare] = found;
      const end = ATTRIBUTE.lastIndex;
      if (close) return { attributes, end, closesItself: gap.endsWith('/') };
      this.#steps += 1;
      const value = double ?? single ?? bare ?? '';
      attributes.push({ name: name.toLowerCase(), value, start: found.index + gap.length, end });
    }
    return undefined;
  }

  /** Where the text of an element ends that has nothing else in it. */
  #textEnd(name: string, from: number): number | undefined {
    const html = this.#html;
    if (name === PLAINTEXT) return html.length;
    if (name === 'script') return endOfScript(html, from);
    const closing = TEXT_ENDS.get(name);
    if (!closing) return undefined;
    closing.lastIndex = from;
    return closing.exec(html)?.index ?? html.length;
  }

  /** A style sheet of an SVG goes on to the next tag; markup in it is markup. */
  #foreignTextEnd(from: number): number {
    const end = this.#html.indexOf('<', from);
    return end < 0 ? this.#html.length : end;
  }
}

/**
 * Where a script ends. In a comment within it, a `<script>` and its `</script>` are part of the script (HTML standard,
 * 13.2.5.15 and on: script data escaped and double escaped).
 */
function endOfScript(html: string, from: number): number {
  const marks = /<!--|-->|<\/?script(?=[\t\n\f\r />])/gi;
  marks.lastIndex = from;
  let comment: 'none' | 'open' | 'with script' = 'none';
  for (let found = marks.exec(html); found; found = marks.exec(html)) {
    const [mark] = found;
    if (mark === '<!--') {
      if (comment === 'none') comment = 'open';
      // Its dashes may be those of the end as well: `<!-->`.
      marks.lastIndex -= 2;
    } else if (mark === '-->') comment = 'none';
    else if (mark[1] === '/') {
      if (comment !== 'with script') return found.index;
      comment = 'open';
    } else if (comment === 'open') comment = 'with script';
  }
  return html.length;
}

function after(html: string, mark: string, from: number): number | undefined {
  const at = html.indexOf(mark, from);
  return at < 0 ? undefined : at + mark.length;
}
