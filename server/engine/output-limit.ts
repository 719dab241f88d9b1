import { addAbortSignal, type Readable } from 'node:stream';
import { finished } from 'node:stream/promises';

const KIB = 1024;
/** An event names a container and its labels: a KiB or two. A step of a build is one line of its output. */
const LONGEST_LINE_BYTES = 256 * KIB;
const LINE_FEED = 0x0a;
/** What a piece of a stream counts for at least: to take up one of a byte costs as much time as one of some KiB. */
const LEAST_PIECE_BYTES = 256;

/** More output came than is read. The program may be a learner's own, and write without end. */
export class OutputLimitError extends Error {
  /** How much is read, in words: "256 KiB". */
  readonly limit: string;

  constructor(bytes: number) {
    const limit = bytes < KIB ** 2 ? `${bytes / KIB} KiB` : `${bytes / KIB ** 2} MiB`;
    super(`more than ${limit} of output`);
    this.name = 'OutputLimitError';
    this.limit = limit;
  }
}

/**
 * Bytes put together up to a maximum. They are copied: a piece of a few bytes would otherwise keep the whole block
 * alive that it was read in.
 */
export class BoundedBytes {
  readonly #most: number;
  #bytes = Buffer.alloc(0);
  #length = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** @throws OutputLimitError where they become too many */
  add(chunk: Uint8Array): void {
    const length = this.#length + chunk.length;
    if (length > this.#most) throw new OutputLimitError(this.#most);
    if (length > this.#bytes.length) {
      const larger = Buffer.alloc(Math.min(this.#most, Math.max(length, 2 * this.#bytes.length)));
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    this.#bytes.set(chunk, this.#length);
    this.#length = length;
  }

  /** The last of them, at most so many. */
  end(bytes: number): Buffer {
    return this.#bytes.subarray(Math.max(0, this.#length - bytes), this.#length);
  }

  /** What has come since the last `take`. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#length);
    this.#bytes = Buffer.alloc(0);
    this.#length = 0;
    return taken;
  }
}

/**
 * All of a stream's bytes. The stream is destroyed where they, or its pieces, are too many.
 *
 * @throws OutputLimitError; whatever ended the stream
 */
export async function readAll(stream: Readable, most: number): Promise<Buffer> {
  const bytes = new BoundedBytes(most);
  let pieces = 0;
  // Not by `for await`, which hides how many pieces there are.
  stream.on('data', (piece: Buffer) => {
    try {
      bytes.add(piece);
      if (++pieces * LEAST_PIECE_BYTES > most) throw new OutputLimitError(most);
    } catch (error) {
      stream.destroy(error as Error);
    }
  });
  await finished(stream, { writable: false });
  return bytes.take();
}

/**
 * The lines of a stream that are not empty, without the space around them.
 *
 * @throws OutputLimitError at a line that does not end
 */
export async function* linesOf(stream: AsyncIterable<unknown>): AsyncGenerator<string> {
  const line = new BoundedBytes(LONGEST_LINE_BYTES);
  for await (const chunk of stream) {
    // Cut at line feeds before it is decoded: a character may be cut between two chunks.
    let rest = chunk instanceof Uint8Array ? chunk : Buffer.from(String(chunk));
    for (let end = rest.indexOf(LINE_FEED); end !== -1; end = rest.indexOf(LINE_FEED)) {
      line.add(rest.subarray(0, end));
      rest = rest.subarray(end + 1);
      const text = line.take().toString().trim();
      if (text !== '') yield text;
    }
    line.add(rest);
  }
  const text = line.take().toString().trim();
  if (text !== '') yield text;
}

/**
 * The values of a stream of JSON, one a line (the form of Docker's events and progress reports).
 *
 * @throws OutputLimitError at a line that does not end; SyntaxError at one that is no JSON
 */
export async function* jsonLines<T>(stream: AsyncIterable<unknown>): AsyncGenerator<T> {
  for await (const line of linesOf(stream)) yield JSON.parse(line) as T;
}

/** One step of what an engine reports while it pulls, builds or loads an image. */
export interface ReportedStep {
  readonly stream?: string;
  readonly error?: string;
}

/**
 * The steps of a report.
 *
 * @param silenceMs how long the engine may say nothing
 * @throws Error with the engine's own words where the work failed, or where it fell silent; the signal's reason
 */
export async function* stepsOf(
  report: NodeJS.ReadableStream,
  silenceMs: number,
  signal?: AbortSignal,
): AsyncGenerator<ReportedStep> {
  const silence = new AbortController();
  const fallSilent = () => silence.abort(new Error(`no progress for ${silenceMs / 1000} s`));
  const timer = setTimeout(fallSilent, silenceMs);
  const given = AbortSignal.any(signal ? [signal, silence.signal] : [silence.signal]);
  try {
    for await (const step of jsonLines<ReportedStep>(addAbortSignal(given, report as Readable))) {
      if (step.error) throw new Error(step.error);
      timer.refresh();
      yield step;
    }
  } catch (error) {
    given.throwIfAborted();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
