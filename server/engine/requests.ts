import { type ClientRequest, IncomingMessage, type RequestOptions, request } from 'node:http';
import { type Duplex, type Readable, Stream } from 'node:stream';
import type Dockerode from 'dockerode';
import { engineCall } from './engine-call.ts';
import { OutputLimitError, readAll } from './output-limit.ts';
import { PIECE_BYTES, type ReadBudget } from './read-budget.ts';

/** How much a client reads. */
export interface RequestLimits {
  /** The longest answer that is put together. */
  readonly answerBytes: number;
  /** What may come over all its connections, where that is bounded. */
  readonly budget?: ReadBudget;
}

/** An engine that is given something to read (a file system, an image) may begin its answer when it has read all of it. */
const UPLOAD_MS = 600_000;
/** The message of an engine's error is a sentence. */
const ERROR_BYTES = 64 * 1024;
/** HTTP: from here on an answer is an error. */
const CLIENT_ERROR = 400;

type Modem = Dockerode['modem'];
type Context = Parameters<Modem['dial']>[0];
type Body = string | Buffer | Readable | undefined;
type Answer = Parameters<NonNullable<Parameters<Modem['dial']>[1]>>[1];
type Callback = (error: Error | null, answer: Answer) => void;

/**
 * Lets a client's requests go over node:http, each with a time limit and a longest answer. docker-modem's own way to put
 * them follows an answer's redirect to any address, puts together whatever comes, and writes out all of a request's
 * options for its debug log.
 */
export function limitRequests(docker: Dockerode, limits: RequestLimits): Dockerode {
  const buildRequest = (options: RequestOptions, context: Context, body: Body, done: Callback) => {
    const limitMs = context.file ? UPLOAD_MS : undefined;
    engineCall(
      options.signal,
      (signal) => send({ ...options, signal }, context, body, limits),
      limitMs,
    ).then(
      (answer) => done(null, answer),
      (error: Error) => done(error, null),
    );
  };
  Object.defineProperty(docker.modem, 'buildRequest', { value: buildRequest });
  return docker;
}

/** @throws OutputLimitError; what the engine said; why it could not be asked */
async function send(
  options: RequestOptions,
  { isStream, hijack, openStdin, statusCodes = {} }: Context,
  body: Body,
  { answerBytes, budget }: RequestLimits,
): Promise<Answer> {
  budget?.assertOpen();
  try {
    const sent = request(options);
    if (budget) count(sent, budget);
    const answered = answerTo(sent);
    if (body instanceof Stream) {
      body.once('error', (error) => sent.destroy(error)).pipe(sent);
    } else {
      if (body !== undefined) sent.write(body);
      // A process's stdin goes over the same connection.
      if (!openStdin) sent.end();
    }
    const answer = await answered;
    // The engine refuses to give its connection to a process with an ordinary answer.
    if (!(answer instanceof IncomingMessage)) return answer;
    const { statusCode = 0 } = answer;
    if (hijack && statusCode < CLIENT_ERROR)
      throw new Error('the engine kept the connection to itself');
    if (statusCodes[statusCode] !== true) throw await engineError(answer, statusCodes[statusCode]);
    return isStream ? answer : parsed(await readAll(answer, answerBytes));
  } catch (error) {
    if (error instanceof OutputLimitError) budget?.close(error);
    // Node reports an answer that broke off as "aborted", whatever the cause.
    budget?.assertOpen();
    throw error;
  }
}

/** The answer, or the connection itself once the engine has given it to a process. */
function answerTo(sent: ClientRequest): Promise<IncomingMessage | Duplex> {
  return new Promise((resolve, reject) => {
    sent.once('response', resolve);
    sent.once('upgrade', (_, socket: Duplex, head: Buffer) => {
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    // The listener stays: an error after the answer has begun also reaches the answer's reader.
    sent.on('error', reject);
  });
}

/** Counts all that comes over a request's connection: heads, wrapping and what belongs to no answer as well. */
function count(sent: ClientRequest, budget: ReadBudget): void {
  sent.once('socket', (socket: Duplex) => {
    const take = (bytes: number): void => {
      try {
        budget.take(bytes);
      } catch (error) {
        socket.destroy(error as Error);
      }
    };
    const onData = (chunk: Buffer): void => take(chunk.length);
    socket.on('data', onData);
    sent.once('close', () => socket.off('data', onData));
    for (const head of ['continue', 'information']) sent.on(head, () => take(PIECE_BYTES));
    sent.once('response', (answer) => {
      const push = answer.push.bind(answer);
      // Each piece is counted as it is put into the answer, read or not.
      answer.push = (...piece) => {
        take(PIECE_BYTES);
        return push(...piece);
      };
    });
  });
}

/** In docker-modem's own form. Callers go by `statusCode`. */
async function engineError(answer: IncomingMessage, reason: string | boolean | undefined) {
  const json = parsed(await readAll(answer, ERROR_BYTES));
  const { message, error } = json as { readonly message?: unknown; readonly error?: unknown };
  const text = `(HTTP code ${answer.statusCode}) ${reason || 'unexpected'} - ${message || error || json} `;
  return Object.assign(new Error(text), { reason, statusCode: answer.statusCode, json });
}

/** JSON where it is some, and bytes where it is not. */
function parsed(bytes: Buffer): object {
  try {
    return (JSON.parse(bytes.toString()) as object | null) ?? bytes;
  } catch {
    return bytes;
  }
}
