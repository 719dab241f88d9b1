import type { ErrorBody } from '#protocol';
import { withBase } from './base-path.ts';

const UNAUTHORIZED = 401;

/** A refusal of the server, in the words of its error body. */
export class ApiError extends Error {
  readonly code: string;
  readonly remedy: string;
  /** HTTP status; 0 where no answer came at all. */
  readonly status: number;

  constructor(body: ErrorBody, status: number, options?: ErrorOptions) {
    super(body.message, options);
    this.name = 'ApiError';
    this.code = body.code;
    this.remedy = body.remedy;
    this.status = status;
  }

  /** No answer came, or none of our server's. */
  get isOfNobody(): boolean {
    return this.code === NO_SERVER.code;
  }

  /** The server does not know this browser. */
  get isSignedOut(): boolean {
    return this.status === UNAUTHORIZED;
  }
}

const NO_SERVER: ErrorBody = {
  code: 'NO_SERVER',
  message: 'The Quayside server does not answer.',
  remedy: 'Start it with npm start. This page connects by itself.',
};

/**
 * Asks the server for something. `T` is what it answers with, as the protocol says.
 *
 * @param body bytes as they are; anything else as JSON
 * @throws ApiError when refused, or when no answer comes
 */
export async function request<T>(
  method: string,
  path: string,
  body?: object,
  signal?: AbortSignal,
): Promise<T> {
  const response = await fetch(withBase(path), {
    method,
    ...(body && {
      body: body instanceof Blob ? body : JSON.stringify(body),
      headers: {
        'content-type': body instanceof Blob ? 'application/octet-stream' : 'application/json',
      },
    }),
    ...(signal && { signal }),
  }).catch((cause: unknown) => {
    if (signal?.aborted) throw cause;
    throw new ApiError(NO_SERVER, 0, { cause });
  });
  const json: unknown = await response.json().catch(() => undefined);
  if (response.ok) return json as T;
  // Whatever serves the pages without our server answers in HTML.
  throw new ApiError(isErrorBody(json) ? json : NO_SERVER, response.status);
}

/** An address on this server. @param path a path, or a whole address, be it a socket's */
export function serverUrl(path: string): string {
  const address = path.startsWith('/') ? withBase(path) : path;
  return new URL(address, globalThis.location?.href).href.replace(/^ws/, 'http');
}

/** The address of a socket on this server. */
export function socketUrl(path: string): string {
  return serverUrl(path).replace(/^http/, 'ws');
}

function isErrorBody(json: unknown): json is ErrorBody {
  return typeof json === 'object' && json !== null && 'code' in json && 'message' in json;
}
