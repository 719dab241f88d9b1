import { describe, expect, test } from 'vitest';
import { type CursorLine, Predictor } from '../../../src/client/terminal/prediction.ts';

const COLUMNS = 40;
const TRIP_MS = 200;
const PROMPT = '$ ';

/** A shell a round trip away: what is typed has its effect there, and what it prints is seen, each when it is due. */
class Far {
  readonly predictor: Predictor;
  now = 10_000;
  #line = 0;
  #text = '';
  #after = '';
  #isFullScreen = false;
  readonly #coming: { readonly at: number; readonly print: () => void }[] = [];

  /** What was learnt of the line: how long echoes took. */
  readonly took: number[] = [];

  constructor({ marked = true, text = PROMPT, measured = TRIP_MS } = {}) {
    this.predictor = new Predictor({ least: measured, most: measured }, marked);
    this.#text = text;
  }

  /** What a person sees in the cursor's line. */
  get seen(): string {
    return this.predictor.shown?.foreseen.before ?? this.#text;
  }

  get predicted(): string {
    const { foreseen, from } = this.predictor.shown ?? {};
    return foreseen?.before.slice(from) ?? '';
  }

  /** Types, and has the shell answer with `answer` in a round trip. */
  type(data: string, answer?: () => void): void {
    this.predictor.typed(data, this.#look(), COLUMNS, this.now);
    if (answer) this.#coming.push({ at: this.now + TRIP_MS, print: answer });
  }

  /** Types what is echoed. */
  echoed(text: string): void {
    for (const each of text) {
      this.type(each, () => this.print(each));
      this.wait(50);
    }
  }

  backspace(): void {
    this.type('\x7f', () => {
      this.#text = this.#text.slice(0, -1);
    });
  }

  enter(...answers: (() => void)[]): void {
    this.type('\r', () => {
      this.#nextLine();
      for (const answer of answers) answer();
    });
  }

  readonly prompt = (): void => {
    this.predictor.prompt(this.now);
    this.#nextLine();
    this.print(PROMPT);
  };

  readonly program = (): void => this.predictor.program(this.now);

  print(text: string): void {
    this.#text += text;
  }

  follows(text: string): void {
    this.#after = text;
  }

  fullScreen(): void {
    this.#isFullScreen = true;
  }

  /** Printed by nobody's key. */
  background(text: string): void {
    this.print(text);
    this.predictor.printed(this.#look(), this.now);
  }

  wait(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const [next] = this.#coming;
      const { due } = this.predictor;
      const at = Math.min(next?.at ?? end + 1, due ?? end + 1);
      if (at > end) break;
      this.now = at;
      if (next?.at === at) {
        this.#coming.shift();
        next.print();
        const took = this.predictor.printed(this.#look(), at);
        if (took !== undefined) this.took.push(took);
      } else this.predictor.late(this.#look(), at);
    }
    this.now = end;
  }

  #nextLine(): void {
    this.#line += 1;
    this.#text = '';
  }

  #look(): CursorLine | undefined {
    if (this.#isFullScreen) return undefined;
    const isEnd = this.#after === '';
    return { line: this.#line, column: this.#text.length, before: this.#text, isEnd };
  }
}

describe('at a prompt that the shell has marked', () => {
  test('each key is seen at once, and no longer as a prediction when its echo has come', () => {
    const far = new Far();
    far.echoed('docker');
    expect(far.seen).toBe('$ docker');
    expect(far.predicted).toBe('ker');
    far.wait(TRIP_MS);
    expect(far.predicted).toBe('');
    expect(far.seen).toBe('$ docker');
  });

  test('what was typed can be deleted, and nothing before it', () => {
    const far = new Far();
    far.echoed('ab');
    far.backspace();
    expect(far.seen).toBe('$ a');
    far.backspace();
    expect(far.seen).toBe('$ ');
    far.backspace();
    expect(far.seen).toBe('$ ');
  });

  test('a key and its removal leave nothing behind', () => {
    const far = new Far();
    far.type('a', () => undefined);
    far.type('\x7f', () => undefined);
    far.wait(2 * TRIP_MS);
    far.echoed('b');
    expect(far.predicted).toBe('b');
  });

  test('the next prompt is taken at its word once it can be the answer to Enter', () => {
    const far = new Far();
    far.echoed('ls');
    far.enter(far.program, far.prompt);
    far.wait(60);
    far.type('w', () => far.print('w'));
    expect(far.predicted).toBe('ls');
    far.wait(TRIP_MS - 60);
    expect(far.seen).toBe('$ w');
    far.echoed('x');
    expect(far.predicted).toBe('wx');
  });

  test('of two Enters only the second one’s prompt counts', () => {
    const far = new Far();
    far.enter(far.prompt);
    far.wait(100);
    far.enter(far.program);
    far.wait(120);
    far.type('secret');
    expect(far.predicted).toBe('');
    far.wait(TRIP_MS);
    far.type('s');
    expect(far.predicted).toBe('');
  });

  test('nothing is foreseen where more than one cell or another line would change', () => {
    const far = new Far();
    for (const each of ['漢', '👍', 'e\u0301', '\t', '\x1b[D', '\x12']) {
      const other = new Far();
      other.type(each);
      expect(other.predicted.replace('e', ''), each).toBe('');
    }
    far.echoed('x'.repeat(COLUMNS - PROMPT.length - 1));
    const full = far.seen;
    expect(full).toHaveLength(COLUMNS - 1);
    far.type('y');
    expect(far.seen).toBe(full);
  });

  test('nothing is foreseen in the middle of a line, and in a full-screen program', () => {
    const far = new Far();
    far.follows('er ps');
    far.type('k');
    expect(far.predicted).toBe('');
    const screen = new Far();
    screen.fullScreen();
    screen.type('x');
    expect(screen.predicted).toBe('');
  });

  test('after Ctrl-R nothing is shown until an echo comes as foreseen', () => {
    const far = new Far();
    far.type('\x12', () => far.background("(reverse-i-search)`': "));
    far.wait(TRIP_MS);
    far.type('d', () => far.background("d': docker ps"));
    expect(far.predicted).toBe('');
    far.wait(TRIP_MS);
    far.type('o');
    expect(far.predicted).toBe('');
  });
});

describe('what is held of keys under way', () => {
  test('is one of a paste, however long, and nothing of it is foreseen', () => {
    const far = new Far();
    far.type('x'.repeat(1024 * 1024));
    expect(far.predictor.underWay).toBe(1);
    expect(far.predicted).toBe('');
  });

  test.each(['a', '\x7f', '\r', '\x1b[A'])('has a limit while the line stalls: %j', (key) => {
    const far = new Far();
    far.echoed('b');
    for (let held = 0; held < 1_000; held++) {
      far.type(key);
      expect(far.predictor.underWay).toBeLessThanOrEqual(COLUMNS);
    }
    far.wait(2 * TRIP_MS);
    expect(far.predictor.underWay).toBe(0);
  });

  test('is compared with what was printed once for each key', () => {
    const far = new Far();
    const typed = 'x'.repeat(30);
    for (const each of typed) far.type(each);
    let looks = 0;
    const seen = new Proxy(
      { line: 0, column: 0, before: 'something else', isEnd: true },
      {
        get: (of, name) => {
          looks += 1;
          return Reflect.get(of, name);
        },
      },
    );
    far.predictor.printed(seen, far.now);
    expect(looks).toBeLessThanOrEqual(4 * typed.length + 8);
  });
});

describe('a line that is quicker than it was measured, as where the server was busy when the page came', () => {
  test('is known by the echo of a key that was under way alone', () => {
    const far = new Far({ marked: false, measured: 2 * TRIP_MS });
    far.type('a', () => far.print('a'));
    far.wait(TRIP_MS);
    expect(far.took).toEqual([TRIP_MS]);
    far.echoed('bc');
    expect(far.predicted).toBe('bc');
  });

  test('is not by that of one beside which another was under way', () => {
    const far = new Far({ marked: false, measured: 2 * TRIP_MS });
    far.type('\t', () => undefined);
    far.type('a', () => far.print('a'));
    far.wait(TRIP_MS);
    expect(far.took).toEqual([]);
    far.type('b');
    expect(far.predicted).toBe('');
  });
});

describe('what was foreseen wrongly', () => {
  test('is gone as soon as something else is printed, and comes again in its new place', () => {
    const far = new Far();
    far.echoed('ab');
    far.background('[job done]');
    expect(far.predicted).toBe('');
    far.wait(TRIP_MS);
    expect(far.seen).toBe('$ [job done]ab');
    far.echoed('c');
    expect(far.predicted).toBe('c');
  });

  test('is gone after a round trip and a quarter when nothing comes, and the next prompts are doubted', () => {
    const far = new Far();
    far.type('a');
    far.wait(TRIP_MS * 1.25 - 1);
    expect(far.predicted).toBe('a');
    far.wait(2);
    expect(far.predicted).toBe('');
    far.enter(far.prompt);
    far.wait(TRIP_MS);
    far.echoed('b');
    expect(far.predicted).toBe('');
    far.wait(TRIP_MS);
    far.echoed('c');
    expect(far.predicted).toBe('c');
  });
});

describe('while a program runs', () => {
  test('a line is foreseen once an echo has come, and the next line not before its own', () => {
    const far = new Far({ marked: false, text: '>>> ' });
    far.echoed('a');
    expect(far.predicted).toBe('');
    far.wait(TRIP_MS);
    far.echoed('bc');
    expect(far.predicted).toBe('bc');
    far.enter(() => far.print('>>> '));
    far.wait(2 * TRIP_MS);
    far.type('d');
    expect(far.predicted).toBe('');
  });

  test('nothing of a password is shown, also where it is typed before its prompt has come', () => {
    const far = new Far();
    far.echoed('sudo ls');
    far.enter(far.program, () => far.print('[sudo] password: '));
    for (const each of 'sudo ls') {
      far.type(each);
      expect('$ sudo ls').toContain(far.seen);
      far.wait(TRIP_MS / 10);
    }
    far.wait(TRIP_MS);
    expect(far.seen).toBe('[sudo] password: ');
    far.type('x');
    expect(far.predicted).toBe('');
  });

  test('the echo of a line says nothing of a password that begins the same', () => {
    const far = new Far({ marked: false, text: 'name: ' });
    far.type('a', () => far.print('a'));
    far.enter(() => far.print('password: '));
    far.type('a');
    far.wait(TRIP_MS);
    far.type('b');
    expect(far.predicted).toBe('');
    far.wait(TRIP_MS);
    expect(far.predicted).toBe('');
  });
});
