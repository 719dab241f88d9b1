/**
 * What the lexer is in the middle of. Those of `COMMANDS` hold commands; in the others a newline is a character like any.
 *
 * `words`: `a=( … )` and patterns in parentheses. `test`: `[[ … ]]`. `arithmetic`: `(( … ))`; `parentheses` within it.
 * `parameter`: `${ … }`. `substitution`: `$( … )`.
 */
type Kind =
  | 'block'
  | 'subshell'
  | 'substitution'
  | 'brace'
  | 'if'
  | 'loop'
  | 'case'
  | 'words'
  | 'test'
  | 'arithmetic'
  | 'parentheses'
  | 'parameter'
  | 'double'
  | 'backtick';

const COMMANDS: ReadonlySet<Kind> = new Set([
  'block',
  'subshell',
  'substitution',
  'brace',
  'if',
  'loop',
  'case',
]);

/**
 * What the next word is: a command, where reserved words count; what may follow a compound command, where they count as
 * well; an argument; a function's name; the words between `for` or `case` and their `do` or `in`; a pattern of `case`.
 */
type Position = 'command' | 'closed' | 'argument' | 'function' | 'head' | 'pattern';

interface Frame {
  readonly kind: Kind;
  position: Position;
  /** The word so far. What is quoted or expanded in it stands there as `QUOTED`. */
  word: string | undefined;
  /** How many words this command, or this head, has had. */
  words: number;
  /** The next word is where a redirection leads. */
  redirects: boolean;
  /** More has to come, on whichever line: after `|`, `&&`, `||`, and after `name()`. */
  awaits: boolean;
}

interface HereDocument {
  readonly delimiter: string;
  /** `<<-`: tabs before the delimiter do not count. */
  readonly indented: boolean;
}

const QUOTED = '\0';
const OPENING: Readonly<Record<string, Kind>> = {
  if: 'if',
  for: 'loop',
  select: 'loop',
  while: 'loop',
  until: 'loop',
  case: 'case',
  '{': 'brace',
  '[[': 'test',
};
const CLOSING: Readonly<Record<string, Kind>> = {
  fi: 'if',
  done: 'loop',
  esac: 'case',
  '}': 'brace',
};
/** A command comes after each of these. */
const LEADING: ReadonlySet<string> = new Set(['then', 'else', 'elif', 'do', '!', 'time', 'coproc']);

/**
 * The commands of a block of shell text, in order: each is what is typed at one prompt, as one paste. A command goes on
 * over several lines where the shell would ask for more: loops and other compound commands, functions, here-documents,
 * open quotes, and lines that end with `|`, `&&`, `||` or a backslash. Empty lines and comments between commands are
 * left out.
 *
 * One pass, in time that is linear in the text. Text that is no shell text comes back in some pieces, and the shell says
 * what is wrong.
 */
export function commandsOf(block: string): readonly string[] {
  return piecesOf(block).flatMap(({ text, isCommand }) => (isCommand ? [text] : []));
}

/** The block cut where a command ends; joined by line ends, the pieces are the block. */
export function piecesOf(
  block: string,
): readonly { readonly text: string; readonly isCommand: boolean }[] {
  return new Lexer(block).pieces();
}

class Lexer {
  readonly #text: string;
  #at = 0;
  #frames: Frame[] = [newFrame('block', 'command')];
  readonly #hereDocuments: HereDocument[] = [];
  #hasWord = false;

  constructor(text: string) {
    this.#text = text;
  }

  pieces(): readonly { readonly text: string; readonly isCommand: boolean }[] {
    const pieces: { text: string; isCommand: boolean }[] = [];
    let from = 0;
    const cut = (to: number): void => {
      pieces.push({ text: this.#text.slice(from, to), isCommand: this.#hasWord });
      from = to + 1;
      this.#hasWord = false;
    };
    while (this.#at < this.#text.length) {
      if (this.#step()) cut(this.#at - 1);
    }
    cut(this.#text.length);
    return pieces;
  }

  /** Takes one token or character. @returns whether it was the line end after a whole command */
  #step(): boolean {
    const frame = this.#frame;
    const { kind } = frame;
    if (COMMANDS.has(kind)) return this.#inCommands(frame);
    if (kind === 'words' || kind === 'test') this.#inWords(frame);
    else if (kind === 'arithmetic' || kind === 'parentheses') this.#inArithmetic(frame);
    else this.#inQuotes(frame);
    return false;
  }

  get #frame(): Frame {
    const frame = this.#frames.at(-1);
    if (!frame) throw new Error('the outermost frame is never closed');
    return frame;
  }

  #next(offset = 0): string {
    return this.#text[this.#at + offset] ?? '';
  }

  #open(kind: Kind, length: number, position: Position = 'command'): void {
    this.#at += length;
    this.#frames.push(newFrame(kind, position));
  }

  /** @param position what comes next in the frame around it; left as it is where it was part of a word */
  #close(length: number, position?: Position): void {
    this.#at += length;
    this.#frames.pop();
    const frame = this.#frame;
    if (position === undefined) return;
    frame.position = position;
    frame.word = undefined;
    frame.redirects = false;
  }

  #inCommands(frame: Frame): boolean {
    const c = this.#next();
    switch (c) {
      case '\n':
        return this.#lineEnd(frame);
      case ' ':
      case '\t':
      case '\r':
        this.#endWord(frame);
        this.#at += 1;
        return false;
      case '#':
        if (frame.word === undefined) this.#skipTo('\n');
        else this.#addToWord(frame, c);
        return false;
      case ';':
      case '&':
      case '|':
        this.#operator(frame, c);
        return false;
      case '<':
      case '>':
        this.#redirection(frame, c);
        return false;
      case '(':
        this.#parenthesis(frame);
        return false;
      case ')':
        this.#closingParenthesis(frame);
        return false;
      default:
        if (!this.#quotation(frame)) this.#addToWord(frame, c);
        return false;
    }
  }

  #lineEnd(frame: Frame): boolean {
    this.#endWord(frame);
    this.#at += 1;
    this.#readHereDocuments();
    // The closing word of what this line has closed may have left another frame.
    const now = this.#frame;
    if (now.position === 'argument' || now.position === 'closed') now.position = 'command';
    else if (now.position === 'head' && now.kind === 'loop') now.position = 'command';
    if (now.position !== 'head') now.words = 0;
    now.redirects = false;
    // A here-document without an end takes the rest.
    const isLineEnd = this.#text[this.#at - 1] === '\n';
    return now.kind === 'block' && !now.awaits && isLineEnd;
  }

  /** The frame may be another one afterwards. */
  #operator(frame: Frame, c: string): void {
    const redirectsBoth = c === '&' && this.#next(1) === '>' && frame.position !== 'pattern';
    this.#endWord(frame);
    const now = this.#frame;
    if (redirectsBoth) {
      this.#at += this.#next(2) === '>' ? 3 : 2;
      now.redirects = true;
      return;
    }
    if (c === ';' && (this.#next(1) === ';' || this.#next(1) === '&')) {
      this.#at += this.#next(1) === ';' && this.#next(2) === '&' ? 3 : 2;
      if (now.kind === 'case') now.position = 'pattern';
      return;
    }
    const isDouble = this.#next(1) === c || (c === '|' && this.#next(1) === '&');
    this.#at += isDouble ? 2 : 1;
    if (now.position === 'pattern') return;
    if (c === '|' || isDouble) now.awaits = true;
    now.position = 'command';
    now.words = 0;
  }

  #redirection(frame: Frame, c: string): void {
    // `2>`: the number belongs to the redirection.
    if (frame.word !== undefined && /^\d+$/.test(frame.word)) frame.word = undefined;
    this.#endWord(frame);
    const now = this.#frame;
    this.#hasWord = true;
    if (this.#next(1) === '(') {
      this.#addToWord(now, QUOTED);
      this.#open('substitution', 1);
    } else if (c === '<' && this.#next(1) === '<' && this.#next(2) === '<') {
      this.#at += 3;
      now.redirects = true;
    } else if (c === '<' && this.#next(1) === '<') {
      const indented = this.#next(2) === '-';
      this.#at += indented ? 3 : 2;
      const delimiter = this.#delimiter();
      if (delimiter !== undefined) this.#hereDocuments.push({ delimiter, indented });
    } else {
      this.#at += '&>|<'.includes(this.#next(1) || ' ') ? 2 : 1;
      now.redirects = true;
    }
  }

  /** The word after `<<`, without its quotes. */
  #delimiter(): string | undefined {
    while (this.#next() === ' ' || this.#next() === '\t') this.#at += 1;
    let delimiter = '';
    const from = this.#at;
    for (let c = this.#next(); c !== '' && !' \t\r\n;&|<>()'.includes(c); c = this.#next()) {
      if (c === '\\') {
        delimiter += this.#next(1);
        this.#at += 2;
      } else if (c === "'" || c === '"') {
        const end = this.#text.indexOf(c, this.#at + 1);
        delimiter += this.#text.slice(this.#at + 1, end < 0 ? undefined : end);
        this.#at = end < 0 ? this.#text.length : end + 1;
      } else {
        delimiter += c;
        this.#at += 1;
      }
    }
    return this.#at === from ? undefined : delimiter;
  }

  #readHereDocuments(): void {
    for (const { delimiter, indented } of this.#hereDocuments.splice(0)) {
      while (this.#at < this.#text.length) {
        const end = this.#text.indexOf('\n', this.#at);
        const line = this.#text.slice(this.#at, end < 0 ? undefined : end);
        this.#at = end < 0 ? this.#text.length : end + 1;
        if ((indented ? line.replace(/^\t+/, '') : line) === delimiter) break;
      }
    }
  }

  #parenthesis(frame: Frame): void {
    const { word, position } = frame;
    if (position === 'pattern' && word === undefined) {
      this.#at += 1;
    } else if (this.#isFunction(frame)) {
      this.#hasWord = true;
      this.#at = this.#text.indexOf(')', this.#at) + 1;
      frame.word = undefined;
      frame.position = 'command';
      frame.awaits = true;
    } else if (word !== undefined) {
      this.#open('words', 1);
    } else {
      this.#hasWord = true;
      frame.awaits = false;
      if (this.#next(1) === '(') this.#open('arithmetic', 2);
      else this.#open('subshell', 1);
    }
  }

  /** `name()` or `name ()`, of a command that has no other word yet; `function name ()`. */
  #isFunction({ word, words, position, awaits }: Frame): boolean {
    if (position === 'function') return true;
    const named =
      word === undefined
        ? (position === 'argument' && words === 1) || (position === 'command' && awaits)
        : position === 'command' && !/[=?*+@!]$/.test(word);
    if (!named) return false;
    let at = this.#at + 1;
    while (this.#text[at] === ' ' || this.#text[at] === '\t') at += 1;
    return this.#text[at] === ')';
  }

  #closingParenthesis(frame: Frame): void {
    this.#endWord(frame);
    const now = this.#frame;
    if (now.kind === 'subshell') this.#close(1, 'closed');
    else if (now.kind === 'substitution') this.#close(1);
    else {
      this.#at += 1;
      if (now.kind === 'case' && now.position === 'pattern') now.position = 'command';
    }
  }

  /** Quotes and expansions, which may be anywhere in a word. @returns whether there was one */
  #quotation(frame: Frame): boolean {
    switch (this.#next()) {
      case '\\':
        if (this.#next(1) !== '\n') this.#mark(frame);
        this.#at += 2;
        return true;
      case "'":
        this.#mark(frame);
        this.#at += 1;
        this.#skipPast("'");
        return true;
      case '"':
        this.#mark(frame);
        this.#open('double', 1);
        return true;
      case '`':
        this.#mark(frame);
        this.#open('backtick', 1);
        return true;
      case '$':
        this.#mark(frame);
        this.#expansion(frame.kind !== 'double');
        return true;
      default:
        return false;
    }
  }

  #expansion(mayQuote: boolean): void {
    const next = this.#next(1);
    if (next === '(' && this.#next(2) === '(') this.#open('arithmetic', 3);
    else if (next === '(') this.#open('substitution', 2);
    else if (next === '{') this.#open('parameter', 2);
    else if (next === "'" && mayQuote) this.#ansiQuote();
    else this.#at += 1;
  }

  /** `$'…'`, in which a backslash quotes. */
  #ansiQuote(): void {
    this.#at += 2;
    while (this.#at < this.#text.length && this.#next() !== "'") {
      this.#at += this.#next() === '\\' ? 2 : 1;
    }
    this.#at += 1;
  }

  #inWords(frame: Frame): void {
    const c = this.#next();
    if (frame.kind === 'test' && frame.word === ']]' && ' \t\n;&|)'.includes(c)) {
      this.#close(0, 'closed');
    } else if (c === '\n' || c === ' ' || c === '\t') {
      this.#at += 1;
      frame.word = undefined;
      if (c === '\n') this.#readHereDocuments();
    } else if (c === '#' && frame.word === undefined) this.#skipTo('\n');
    else if (c === '(') {
      frame.word = QUOTED;
      this.#open('words', 1);
    } else if (c === ')' && frame.kind === 'words') this.#close(1);
    else if (!this.#quotation(frame)) this.#addToWord(frame, c);
  }

  #inArithmetic(frame: Frame): void {
    const c = this.#next();
    if (c === '(') this.#open('parentheses', 1);
    else if (c === ')' && frame.kind === 'parentheses') this.#close(1);
    else if (c === ')') {
      // With one `)` alone it was no arithmetic but a subshell within another.
      const isWhole = this.#next(1) === ')';
      const position = this.#frames.at(-2)?.word === undefined ? 'closed' : undefined;
      this.#close(isWhole ? 2 : 1, isWhole ? position : undefined);
      if (!isWhole) this.#open(position ? 'subshell' : 'substitution', 0, 'closed');
    } else if (!this.#quotation(frame)) this.#at += 1;
  }

  /** In `"…"`, `` `…` `` and `${…}`. */
  #inQuotes(frame: Frame): void {
    const c = this.#next();
    const { kind } = frame;
    const end = kind === 'double' ? '"' : kind === 'parameter' ? '}' : '`';
    if (c === end) this.#close(1);
    else if (c === '\\') this.#at += 2;
    else if (kind === 'backtick') this.#at += 1;
    else if (c === "'" && kind === 'double') this.#at += 1;
    else if (!this.#quotation(frame)) this.#at += 1;
  }

  /** A word is whole. */
  #endWord(frame: Frame): void {
    const { word } = frame;
    if (word === undefined) return;
    frame.word = undefined;
    if (frame.redirects) {
      frame.redirects = false;
      return;
    }
    frame.words += 1;
    switch (frame.position) {
      case 'command':
      case 'closed':
        this.#commandWord(frame, word);
        return;
      case 'function':
        frame.position = 'command';
        frame.awaits = true;
        frame.words = 0;
        return;
      case 'head':
        if (frame.kind === 'case' && word === 'in' && frame.words > 1) frame.position = 'pattern';
        if (frame.kind === 'loop' && word === 'do' && frame.words === 2) frame.position = 'command';
        return;
      case 'pattern':
        if (word === 'esac') this.#close(0, 'closed');
        return;
      case 'argument':
        return;
      default:
        frame.position satisfies never;
    }
  }

  #commandWord(frame: Frame, word: string): void {
    const opened = Object.hasOwn(OPENING, word) ? OPENING[word] : undefined;
    const closed = Object.hasOwn(CLOSING, word) ? CLOSING[word] : undefined;
    if (word === 'function') frame.position = 'function';
    else if (LEADING.has(word)) {
      frame.position = 'command';
      frame.words = 0;
    } else if (opened) {
      frame.awaits = false;
      const hasHead = word === 'for' || word === 'select' || word === 'case';
      this.#open(opened, 0, hasHead ? 'head' : 'command');
    } else if (closed && closed === frame.kind) this.#close(0, 'closed');
    else {
      frame.awaits = false;
      frame.position = 'argument';
    }
  }

  #mark(frame: Frame): void {
    frame.word = (frame.word ?? '') + QUOTED;
    this.#hasWord = true;
  }

  #addToWord(frame: Frame, c: string): void {
    frame.word = (frame.word ?? '') + c;
    this.#hasWord = true;
    this.#at += 1;
  }

  #skipTo(c: string): void {
    const end = this.#text.indexOf(c, this.#at);
    this.#at = end < 0 ? this.#text.length : end;
  }

  #skipPast(c: string): void {
    this.#skipTo(c);
    this.#at += 1;
  }
}

function newFrame(kind: Kind, position: Position): Frame {
  return { kind, position, word: undefined, words: 0, redirects: false, awaits: false };
}
