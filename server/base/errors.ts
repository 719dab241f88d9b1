/**
 * The catalogue of everything that Quayside refuses or fails at: a code, a sentence, a remedy and an HTTP status.
 * `docs/errors.md` lists the same codes; a test keeps the two equal.
 */
export const ERROR_STATUS = {
  ENGINE_MISSING: 503,
  ENGINE_REFUSES: 503,
  ENGINE_UNFIT: 503,
  ENGINE_SETUP_FAILED: 503,
  SWARM_UNFIT: 503,
  IMAGE_BUILD_FAILED: 503,
  SITE_BUILD_FAILED: 500,
  DISK_FULL: 507,
  PORT_TAKEN: 500,
  DATA_IN_USE: 500,
  CONFIG_INVALID: 500,
  LAB_INVALID: 500,
  LAB_UNKNOWN: 404,
  HOST_UNKNOWN: 404,
  CHECK_UNKNOWN: 404,
  TERMINAL_UNKNOWN: 404,
  TERMINAL_LIMIT: 429,
  SESSION_NOT_READY: 409,
  STEP_UNKNOWN: 404,
  FILE_UNKNOWN: 404,
  FILE_REFUSED: 403,
  FILE_TOO_LARGE: 413,
  FILE_NOT_TEXT: 415,
  GUIDE_BUSY: 409,
  NOT_RUN: 409,
  SANDBOX_FAILED: 503,
  INTERNET_REFUSED: 403,
  CODE_WRONG: 403,
  LINK_UNKNOWN: 403,
  SECRET_WRONG: 403,
  LEARNER_UNKNOWN: 404,
  NODE_UNKNOWN: 404,
  NAME_INVALID: 400,
  NAME_TAKEN: 409,
  CLASS_FULL: 409,
  TOO_MANY_TRIES: 429,
  NOT_SIGNED_IN: 401,
  NOT_JOINED: 401,
  LINK_REPLACED: 401,
  LEARNER_REMOVED: 401,
  NOT_INSTRUCTOR: 401,
  METRICS_REFUSED: 401,
  WRONG_ORIGIN: 403,
  WRONG_HOST: 421,
  BAD_REQUEST: 400,
  BAD_ADDRESS: 400,
  NOT_FOUND: 404,
  TOO_LARGE: 413,
  TOO_MANY: 429,
  INTERNAL: 500,
} as const;

export type ErrorCode = keyof typeof ERROR_STATUS;

/** An error that a person reads: what happened to what (`message`), and what to do about it (`remedy`). */
export class ReadableError extends Error {
  readonly remedy: string;

  constructor(message: string, remedy: string, options?: ErrorOptions) {
    super(message, options);
    this.remedy = remedy;
  }
}

/** One of the catalogue. Anything else that comes to the web edge is a defect of ours. */
export class QuaysideError extends ReadableError {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, remedy: string, options?: ErrorOptions) {
    super(message, remedy, options);
    this.name = 'QuaysideError';
    this.code = code;
  }

  /** The HTTP status that goes with the code. */
  get status(): number {
    return ERROR_STATUS[this.code];
  }
}

/** An error's own words. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The text with a full stop, where it has no end of its own. */
export function asSentence(text: string): string {
  return /[.!?…][”"')`]*$/.test(text) ? text : `${text.replace(/[:;,]$/, '')}.`;
}

/** What a person is told of an error. @param otherwise for a defect of ours; the error's own words follow its reason */
export function wordsFor(
  error: unknown,
  otherwise: { readonly reason: string; readonly remedy: string },
): { readonly reason: string; readonly remedy: string } {
  if (error instanceof ReadableError) return { reason: error.message, remedy: error.remedy };
  return {
    reason: asSentence(`${otherwise.reason}: ${messageOf(error)}`),
    remedy: otherwise.remedy,
  };
}
