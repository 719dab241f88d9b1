/** Characters that every shell shows in one cell: ASCII, and Latin letters with marks. */
const SHOWN = /^[ -~À-ɏ]$/;
const BACKSPACE = '\x7f';
/** An echo that takes longer than the longest round trip by this part of it, and so many ms, will not come. */
const LATE = 0.25;
const LATE_MS = 40;
/** An answer may come so much sooner (times the shortest round trip) than was measured. */
const SOON = 0.8;

/** Where a terminal's cursor is, and what stands around it. */
export interface CursorLine {
  /** The line's number in the buffer. */
  readonly line: number;
  readonly column: number;
  /** The line's text up to the cursor. */
  readonly before: string;
  /** Nothing stands after the cursor. */
  readonly isEnd: boolean;
}

/** Round trips, in ms. */
export interface RoundTrips {
  readonly least: number;
  readonly most: number;
}

/** A key under way. Without an edit it is one whose effect nobody can tell: Enter, Tab, an arrow. */
interface Key {
  readonly edit: string | undefined;
  readonly at: number;
  /** No other was under way when it was typed: what comes as foreseen is its echo, however soon. */
  readonly isAlone: boolean;
}

/** What is shown before it has come. */
export interface Prediction {
  readonly seen: CursorLine;
  readonly foreseen: CursorLine;
  /** The leftmost column that changes. */
  readonly from: number;
}

/**
 * Foresees how a line of the shell changes by keys whose echo is under way: characters at its end, and their removal. It
 * knows no terminal: it is told of keys, of marks, and of what the cursor's line looks like.
 *
 * A key's effect is shown at once where the line is known to echo: at a prompt that the shell's own mark tells, or once
 * an echo of this very line has come as foreseen. Enter, control characters and whatever else cannot be foreseen end that.
 */
export class Predictor {
  readonly #times: RoundTrips;
  /** In the order typed. */
  #keys: Key[] = [];
  /** What the keys change. */
  #base: CursorLine | undefined;
  /** Whether keys up to the first without an edit are shown. */
  #isKnown: boolean;
  /** So many characters before the cursor were typed here: as many may be deleted. */
  #own = 0;
  /** When the last key without an edit was typed. */
  #brokenAt = Number.NEGATIVE_INFINITY;
  /** A mark that was printed since the line was last looked at. */
  #mark: { readonly of: 'prompt' | 'program'; readonly at: number } | undefined;
  /** The last prompt that was taken at its word did not echo: from now on an echo has to be seen. */
  #isDoubted = false;

  /** @param isAtPrompt the shell has marked a prompt, and nothing was typed since that is still under way */
  constructor(times: RoundTrips, isAtPrompt: boolean) {
    this.#times = times;
    this.#isKnown = isAtPrompt;
  }

  get shown(): Prediction | undefined {
    const seen = this.#base;
    const edits = this.#known();
    if (!seen || edits.length === 0) return undefined;
    let from = seen.column;
    let foreseen = seen;
    for (const edit of edits) {
      foreseen = edited(foreseen, edit);
      from = Math.min(from, foreseen.column);
    }
    return { seen, foreseen, from };
  }

  /** How many keys are held whose effect has not come: at most a line's. */
  get underWay(): number {
    return this.#keys.length;
  }

  /** When the oldest key's echo is late; `undefined`: none is under way. */
  get due(): number | undefined {
    const [first] = this.#keys;
    const { most } = this.#times;
    return first && first.at + most + Math.max(LATE_MS, LATE * most);
  }

  /**
   * @param data as it goes to the shell
   * @param seen the cursor's line as it is; `undefined` where nothing may be foreseen
   */
  typed(data: string, seen: CursorLine | undefined, columns: number, now: number): void {
    const characters = data.length > columns ? [undefined] : data;
    if (!seen || this.#keys.length + data.length > columns) this.clear();
    for (const character of characters) {
      if (this.#keys.length === 0) this.#base = seen;
      const isEdit = character !== undefined && (SHOWN.test(character) || character === BACKSPACE);
      if (isEdit && seen && this.#fits(character, seen, columns)) {
        this.#own += character === BACKSPACE ? -1 : 1;
        this.#push(character, now);
      } else this.#break(now);
    }
  }

  /** The shell is about to print its prompt. */
  prompt(now: number): void {
    this.#mark = { of: 'prompt', at: now };
  }

  /** A program begins to run. */
  program(now: number): void {
    this.#mark = { of: 'program', at: now };
  }

  /** Something was printed. @returns how long (ms) the echo took that has come with it */
  printed(seen: CursorLine | undefined, now: number): number | undefined {
    const mark = this.#mark;
    this.#mark = undefined;
    if (!seen) this.clear();
    else if (mark?.of === 'program') this.#doubt(seen);
    else if (mark) this.#begin(seen, mark.at);
    else return this.#compare(seen, now);
    return undefined;
  }

  /** Forgets keys whose echo is late. */
  late(seen: CursorLine | undefined, now: number): void {
    const { due } = this;
    if (due === undefined || now < due) return;
    const edits = this.#known();
    // Two keys may leave the line as it was.
    const { foreseen } = this.shown ?? {};
    const isAsShown = seen && foreseen && isSame(foreseen, seen);
    if (edits.length === 0) this.#drop(1, seen);
    else if (isAsShown) this.#confirm(edits.length, seen);
    else {
      this.clear();
      this.#isDoubted = true;
    }
  }

  /** Nothing is known of the line any more. */
  clear(): void {
    this.#keys = [];
    this.#base = undefined;
    this.#isKnown = false;
    this.#own = 0;
  }

  #fits(character: string, seen: CursorLine, columns: number): boolean {
    if (character === BACKSPACE) return this.#own > 0;
    if (this.#keys.length === 0) return seen.isEnd && seen.column < columns - 1;
    // Each key moves the cursor on by one at most.
    return !this.#isKnown || (this.#base?.column ?? 0) + this.#keys.length < columns - 1;
  }

  #break(now: number): void {
    this.#push(undefined, now);
    this.#isKnown = this.#known().length > 0;
    this.#own = 0;
    this.#brokenAt = now;
  }

  #push(edit: string | undefined, at: number): void {
    this.#keys.push({ edit, at, isAlone: this.#keys.length === 0 });
  }

  /** A program runs: of what is typed from now on, one echo has to be seen. */
  #doubt(seen: CursorLine): void {
    this.#keys = this.#afterBreak();
    this.#base = seen;
    this.#isKnown = false;
  }

  /** A prompt. It counts if it can be the answer to the last key that ends a line. */
  #begin(seen: CursorLine, at: number): void {
    this.#doubt(seen);
    const isAnswer = at - this.#brokenAt >= SOON * this.#times.least;
    // What was typed ahead stands in the line already, or comes yet.
    const isAhead = this.#keys.some((key) => at - key.at >= SOON * this.#times.least);
    this.#isKnown = isAnswer && !isAhead && !this.#isDoubted && seen.isEnd;
    this.#own = this.#keys.reduce((own, { edit }) => own + (edit === BACKSPACE ? -1 : 1), 0);
  }

  #compare(seen: CursorLine, now: number): number | undefined {
    const base = this.#base;
    if (!base || this.#keys.length === 0 || isSame(base, seen)) return undefined;
    const first = this.#keys.findIndex(({ edit }) => edit !== undefined);
    const edits = editsOf(this.#keys.slice(Math.max(0, first)));
    let foreseen = base;
    const echoed = edits.findIndex((edit) => {
      foreseen = edited(foreseen, edit);
      return isSame(foreseen, seen);
    });
    const { at = now, isAlone = false } = this.#keys[first + echoed] ?? {};
    const took = now - at;
    if (echoed >= 0 && (isAlone || took >= SOON * this.#times.least)) {
      this.#confirm(first + echoed + 1, seen);
      return took;
    }
    // What was not foreseen is the effect of the key that could not be.
    const isBroken = this.#keys.some(({ edit }) => edit === undefined);
    if (this.#isKnown && isBroken) this.#keys = this.#afterBreak();
    this.#isKnown = false;
    this.#base = seen;
    return undefined;
  }

  /** So many keys have had their effect: the line echoes. */
  #confirm(count: number, seen: CursorLine): void {
    this.#drop(count, seen);
    this.#isKnown = this.#keys[0] === undefined || this.#keys[0].edit !== undefined;
    this.#isDoubted = false;
  }

  /** The keys whose effect is shown. */
  #known(): readonly string[] {
    return this.#isKnown ? editsOf(this.#keys) : [];
  }

  #afterBreak(): Key[] {
    return this.#keys.slice(this.#keys.findLastIndex(({ edit }) => edit === undefined) + 1);
  }

  #drop(count: number, seen: CursorLine | undefined): void {
    this.#keys = this.#keys.slice(count);
    this.#base = seen;
  }
}

/** Up to the first key without an edit. */
function editsOf(keys: readonly Key[]): readonly string[] {
  const edits: string[] = [];
  for (const { edit } of keys) {
    if (edit === undefined) break;
    edits.push(edit);
  }
  return edits;
}

function edited({ before, column, ...line }: CursorLine, edit: string): CursorLine {
  return edit === BACKSPACE
    ? { ...line, before: before.slice(0, -1), column: column - 1 }
    : { ...line, before: before + edit, column: column + 1 };
}

function isSame(expected: CursorLine, seen: CursorLine): boolean {
  return (
    expected.line === seen.line &&
    expected.column === seen.column &&
    expected.before === seen.before &&
    seen.isEnd
  );
}
