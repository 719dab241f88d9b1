import { BoundedBytes } from './output-limit.ts';

/** An event names a container and its labels: a KiB or two. A step of a build is one line of its output. */
const LONGEST_LINE_BYTES = 256 * 1024;
const LINE_FEED = 0x0a;

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
