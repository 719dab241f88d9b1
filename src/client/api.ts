import type { CheckView, ErrorBody, SessionSnapshot, TerminalView, VisitView } from '#protocol';

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
}

const NO_SERVER: ErrorBody = {
  code: 'NO_SERVER',
  message: 'The Quayside server does not answer.',
  remedy: 'Start it with npm start. This page connects by itself.',
};

/** What a page may ask of the server about one lab. Every call throws an `ApiError` when refused. */
export class LabApi {
  readonly #root: string;

  /** @param lab a lab's folder name */
  constructor(lab: string) {
    this.#root = `/api/labs/${lab}`;
  }

  snapshot(signal?: AbortSignal): Promise<SessionSnapshot> {
    return this.#ask('GET', '/session', undefined, signal);
  }

  /** Starts the session where there is none or it has failed or ended. */
  start(): Promise<SessionSnapshot> {
    return this.#ask('POST', '/session');
  }

  /** A fresh sandbox and no passes. */
  reset(): Promise<SessionSnapshot> {
    return this.#ask('POST', '/session/reset');
  }

  /** Ends the session; progress is kept. */
  end(): Promise<SessionSnapshot> {
    return this.#ask('DELETE', '/session');
  }

  openTerminal(host: string): Promise<TerminalView> {
    return this.#ask('POST', '/terminals', { host });
  }

  async closeTerminal(id: string): Promise<void> {
    await this.#ask('DELETE', `/terminals/${encodeURIComponent(id)}`);
  }

  answer(check: string, text: string): Promise<CheckView> {
    return this.#ask('POST', `/answers/${encodeURIComponent(check)}`, { text });
  }

  visit(url: string, signal?: AbortSignal): Promise<VisitView> {
    return this.#ask('POST', '/visits', { url }, signal);
  }

  /** Address of the event socket. */
  get eventsUrl(): string {
    return socketUrl(`${this.#root}/events`);
  }

  /** Address of a terminal's socket. */
  terminalUrl(id: string): string {
    return socketUrl(`${this.#root}/terminals/${encodeURIComponent(id)}`);
  }

  async #ask<T>(method: string, path: string, body?: object, signal?: AbortSignal): Promise<T> {
    const response = await fetch(`${this.#root}${path}`, {
      method,
      ...(body && {
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
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
}

function socketUrl(path: string): string {
  const url = new URL(path, location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}

function isErrorBody(json: unknown): json is ErrorBody {
  return typeof json === 'object' && json !== null && 'code' in json && 'message' in json;
}
