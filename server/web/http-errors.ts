import type { ErrorBody } from '#protocol';
import { QuaysideError } from '../base/errors.ts';

/** Where a visitor without a valid cookie is sent; the same words everywhere. @param inClass there is a class to join */
export function notSignedIn(inClass: boolean): QuaysideError {
  if (inClass) {
    return new QuaysideError(
      'NOT_JOINED',
      'This browser has not joined the class.',
      'Join it at /join/, or open your personal link.',
    );
  }
  return new QuaysideError(
    'NOT_SIGNED_IN',
    'This browser is not signed in.',
    'Open the address that `npm start` printed; it signs this browser in.',
  );
}

export function notInstructor(): QuaysideError {
  return new QuaysideError(
    'NOT_INSTRUCTOR',
    'This browser is not signed in as the instructor.',
    'Sign in with the instructor’s secret at /class/.',
  );
}

export function wrongHost(): QuaysideError {
  return new QuaysideError(
    'WRONG_HOST',
    'This server does not answer to the name it was asked by.',
    'Open the address that `npm start` printed, or start the server with QUAYSIDE_ORIGINS set to the origin you want to use.',
  );
}

export function wrongOrigin(): QuaysideError {
  return new QuaysideError(
    'WRONG_ORIGIN',
    'The request does not come from a page of this server.',
    'Open the address that `npm start` printed. A program sends an Origin header with that address (docs/automation.md).',
  );
}

export function notFound(): QuaysideError {
  return new QuaysideError(
    'NOT_FOUND',
    'There is nothing at this address.',
    'Check the address against /api/openapi.json.',
  );
}

export function tooMany(what: string): QuaysideError {
  return new QuaysideError(
    'TOO_MANY',
    `This browser has too many ${what} open at once.`,
    'Close some tabs of this lab, then try again.',
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
export function bodyOf(error: QuaysideError): ErrorBody {
  return { code: error.code, message: error.message, remedy: error.remedy };
}

/**
 * What a visitor is told about anything that was thrown. An error that is neither ours nor the framework's word about
 * the request is a defect: its text stays here, in `cause`, for the log.
 */
export function httpErrorOf(error: unknown): QuaysideError {
  if (error instanceof QuaysideError) return error;
  const { statusCode, message } = error as { statusCode?: unknown; message?: unknown };
  if (statusCode === 413) {
    return new QuaysideError(
      'TOO_LARGE',
      'The request is larger than this server takes.',
      'Send less.',
    );
  }
  // The file server says 403 of paths such as `/a/../b`; whoever asks learns no more than of any other missing page.
  if (statusCode === 403 || statusCode === 404) return notFound();
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
