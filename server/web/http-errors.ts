import type { ErrorBody } from '#protocol';
import { type ErrorCode, QuaysideError } from '../base/errors.ts';
import { isOrigin } from './allow-list.ts';

/** What the edge says whenever it has to: what happened, and what to do about it. */
const WORDS = {
  NOT_JOINED: [
    'This browser has not joined the class.',
    'Join it at BASE/join/, or open your personal link.',
  ],
  NOT_SIGNED_IN: [
    'This browser is not signed in.',
    'Open the address that `npm start` printed; it signs this browser in.',
  ],
  NOT_INSTRUCTOR: [
    'This browser is not signed in as the instructor.',
    'Sign in with the instructor’s secret at BASE/class/.',
  ],
  NOT_FOUND: [
    'There is nothing at this address.',
    'Check the address against BASE/api/openapi.json.',
  ],
  METRICS_REFUSED: [
    'The metrics are read with a token.',
    'Send Authorization: Bearer and the token of the config file or QUAYSIDE_METRICS_TOKEN.',
  ],
  TOO_LARGE: ['The request is larger than this server takes.', 'Send less.'],
} as const satisfies Partial<Record<ErrorCode, readonly [string, string]>>;

/**
 * An error of the edge whose words are always the same.
 *
 * @param basePath the path of another site that this server is below
 */
export function httpError(code: keyof typeof WORDS, basePath = ''): QuaysideError {
  const [message, remedy] = WORDS[code];
  return new QuaysideError(code, message, remedy.replace('BASE', basePath));
}

/** A `Host` header as a browser sends it; whatever else came is not said again. */
const HOST = /^[a-z0-9.[\]:-]{1,255}$/i;
/** What a proxy in front has to be told, in the words of nginx: its own default names the server behind it. */
const PASS_HOST =
  'A proxy in front passes Host on unchanged (nginx: proxy_set_header Host $http_host;).';

/** @param host the `Host` header; none of this server's names */
export function wrongHost(host: string): QuaysideError {
  const isName = HOST.test(host);
  return new QuaysideError(
    'WRONG_HOST',
    `This server does not answer to the name ${isName ? host : 'it was asked by'}.`,
    `Open the address that npm start printed. If browsers are to use this one, start the server with QUAYSIDE_ORIGINS=${isName ? `http://${host} (or https://${host})` : 'that address'}. ${PASS_HOST}`,
  );
}

/** @param origin the `Origin` header; the page of none of this server's addresses */
export function wrongOrigin(origin: string): QuaysideError {
  if (!isOrigin(origin)) {
    return new QuaysideError(
      'WRONG_ORIGIN',
      'The request does not come from a page of this server.',
      'Open the address that npm start printed. A program sends an Origin header with that address (docs/automation.md).',
    );
  }
  return new QuaysideError(
    'WRONG_ORIGIN',
    `This server does not know the address of this page, ${origin}.`,
    `Open the address that npm start printed. If browsers are to use this one, start the server with QUAYSIDE_ORIGINS=${origin}. ${PASS_HOST}`,
  );
}

/** @param waitMs how long it takes until it may be asked for again */
export function tooOften(waitMs: number): QuaysideError {
  const seconds = Math.ceil(waitMs / 1_000);
  return new QuaysideError(
    'TOO_MANY',
    'This browser asked for this too often within a short time.',
    `Wait ${seconds} ${seconds === 1 ? 'second' : 'seconds'}, then try again.`,
  );
}

/** The body that goes with an error. */
export function bodyOf({ code, message, remedy }: QuaysideError): ErrorBody {
  return { code, message, remedy };
}

/**
 * What a visitor is told about anything that was thrown. An error that is neither ours nor the framework's word about
 * the request is a defect: its text stays here, in `cause`, for the log.
 */
export function httpErrorOf(error: unknown): QuaysideError {
  if (error instanceof QuaysideError) return error;
  const { statusCode, message } = error as { statusCode?: unknown; message?: unknown };
  if (statusCode === 413) return httpError('TOO_LARGE');
  // The file server says 403 of paths such as `/a/../b`; whoever asks learns no more than of any other missing page.
  if (statusCode === 403 || statusCode === 404) return httpError('NOT_FOUND');
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return new QuaysideError(
      'BAD_REQUEST',
      `The request is not understood: ${String(message)}.`,
      'Compare it with /api/openapi.json.',
    );
  }
  return new QuaysideError(
    'INTERNAL',
    'Something in Quayside itself went wrong.',
    'Try again. If it stays so, look at what the terminal running `npm start` says, and report it.',
    { cause: error },
  );
}
