import { type ClientRequest, type IncomingMessage, type RequestOptions, request } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex, Readable } from 'node:stream';
import type Dockerode from 'dockerode';
import { deadline } from '../base/deadline.ts';
import { OutputLimitError, readAll } from './output-limit.ts';
import { PIECE_BYTES, type ReadBudget } from './read-budget.ts';

/** How much a client reads, and how long it waits. */
export interface RequestLimits {
  /** The longest answer that is put together. */
  readonly answerBytes: number;
  /** What may come over all its connections, where that is bounded. */
  readonly budget?: ReadBudget;
}

/**
 * How long an engine may take for one answer, or to begin a stream. Most callers have a shorter limit of their own
 * (engine-call.ts); this one is for those that have none.
 */
const ANSWER_MS = 90_000;
/** An engine that is given something to read (a file system, an image) may begin its answer when it has read all of it. */
const UPLOAD_MS = 600_000;
/** The message of an engine's error is a sentence. */
const ERROR_BYTES = 64 * 1024;
/** HTTP: from here on an answer is a refusal. */
const REFUSED = 400;

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
    send(options, context, body, limits).then(
      (answer) => done(null, answer),
      (error: Error) => done(error, null),
    );
  };
  Object.defineProperty(docker.modem, 'buildRequest', { value: buildRequest });
  return docker;
}

/** @throws the signal's reason; OutputLimitError; what the engine said; why it could not be asked */
async function send(
  options: RequestOptions,
  context: Context,
  body: Body,
  { answerBytes, budget }: RequestLimits,
): Promise<Answer> {
  budget?.assertOpen();
  const { isStream, hijack, statusCodes = {} } = context;
  using limit = deadline(context.file ? UPLOAD_MS : ANSWER_MS, options.signal);
  try {
    const sent = request({ ...options, signal: limit.signal });
    if (budget) count(sent, budget);
    const upgraded = upgradeOf(sent);
    const answered = answerTo(sent);
    write(sent, body, context.openStdin === true);
    const answer = await Promise.race([upgraded, answered]);
    if (!('statusCode' in answer)) return answer;
    const { statusCode = 0 } = answer;
    if (hijack && statusCode < REFUSED) throw new Error('the engine kept the connection to itself');
    if (statusCodes[statusCode] !== true) throw await refusal(answer, statusCodes[statusCode]);
    return isStream ? answer : parsed(await readAll(answer, answerBytes));
  } catch (error) {
    // Node reports an answer that broke off as "aborted", whatever the cause.
    limit.signal.throwIfAborted();
    if (error instanceof OutputLimitError) budget?.close(error);
    budget?.assertOpen();
    throw error;
  }
}

function write(sent: ClientRequest, body: Body, isOpen: boolean): void {
  if (body !== undefined && typeof body !== 'string' && !Buffer.isBuffer(body)) {
    body.once('error', (error) => sent.destroy(error));
    body.pipe(sent);
    return;
  }
  if (body !== undefined) sent.write(body);
  // A process's stdin goes over the same connection.
  if (!isOpen) sent.end();
}

function answerTo(sent: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    sent.once('response', resolve);
    // The listener stays: an error after the answer has begun also reaches the answer's reader.
    sent.on('error', reject);
  });
}

/** The connection itself, once the engine has given it to a process. It refuses with an ordinary answer. */
function upgradeOf(sent: ClientRequest): Promise<Socket> {
  return new Promise((resolve, reject) => {
    sent.once('upgrade', (_, socket: Socket, head: Buffer) => {
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
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
async function refusal(answer: IncomingMessage, reason: string | boolean | undefined) {
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
