import { createInterface, type Interface } from 'node:readline';
import type { DialedProcess } from '../engine/engine.ts';

/** What a small question to a host came back with; stdout and stderr together, trimmed. */
export interface Answer {
  readonly status: number;
  readonly said: string;
}

/** Runs each line it reads; answers with one line: what was said, and the status last, in base64. */
const SCRIPT = `while IFS= read -r line; do
  said=$(eval "$line" 2>&1; printf '\\n%s' "$?")
  printf %s "$said" | base64 -w0
  echo
done`;

/** Starts a process in the host. */
type Dial = (argv: readonly string[]) => Promise<DialedProcess>;

/**
 * Asks a host small questions over one shell that stays, one after the other. A process of its own for each question
 * costs the engine 40 to 60 ms; a question here takes 2 to 3 ms (measured on a lab host).
 */
export class Asker {
  readonly #dial: Dial;
  #line: Promise<Line> | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(dial: Dial) {
    this.#dial = dial;
  }

  /** The answer to one command. A line that broke, or that was given up, is replaced at the next question. */
  ask(argv: readonly string[], signal: AbortSignal): Promise<Answer> {
    const answer = this.#last.then(async () => {
      signal.throwIfAborted();
      this.#line ??= this.#dial(['sh', '-c', SCRIPT]).then((dialed) => new Line(dialed));
      const line = this.#line;
      try {
        return await (await line).ask(argv, signal);
      } catch (error) {
        // Its answer may still come, and must not be taken for that of the next question.
        this.#line = undefined;
        void line.then((open) => open.close()).catch(() => undefined);
        throw error;
      }
    });
    this.#last = answer.catch(() => undefined);
    return answer;
  }
}

/** One open shell. */
class Line {
  readonly #dialed: DialedProcess;
  readonly #lines: Interface;
  readonly #ended: Promise<never>;

  constructor(dialed: DialedProcess) {
    this.#dialed = dialed;
    this.#lines = createInterface({ input: dialed.stream });
    this.#ended = new Promise((_, reject) => {
      this.#lines.once('close', () => reject(new Error('the host does not answer')));
    });
    // Nobody may be waiting when the host goes; the next question hears of it.
    this.#ended.catch(() => undefined);
    dialed.stream.on('error', () => this.#lines.close());
    dialed.exited.catch(() => undefined);
  }

  async ask(argv: readonly string[], signal: AbortSignal): Promise<Answer> {
    const given = Promise.withResolvers<string>();
    const onAbort = () => given.reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    this.#lines.once('line', given.resolve);
    try {
      this.#dialed.stream.write(`${argv.map(quoted).join(' ')}\n`);
      const text = Buffer.from(
        await Promise.race([given.promise, this.#ended]),
        'base64',
      ).toString();
      const cut = text.lastIndexOf('\n');
      return { status: Number(text.slice(cut + 1)), said: text.slice(0, cut).trim() };
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#lines.off('line', given.resolve);
    }
  }

  async close(): Promise<void> {
    this.#lines.close();
    await this.#dialed[Symbol.asyncDispose]();
  }
}

/** A word for the shell, taken to the letter. A line break would end the question early. */
function quoted(word: string): string {
  if (word.includes('\n')) throw new Error('a question to a host is one line');
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
