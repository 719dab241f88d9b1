import { WebSocket } from 'ws';
import type { ErrorBody } from '#protocol';
import type { Patience } from './changes.ts';
import { ExpectationFailed } from './expectation-failed.ts';

/** A visit of a page that drops packets takes 10 s at most; what takes longer than this has no answer. */
const REQUEST_MS = 60_000;

/** What was answered to a request, whole. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** A request that the server did not do. */
export class RequestRefused extends ExpectationFailed {
  readonly status: number;
  /** The error's code, where the answer has one. */
  readonly code: string | undefined;

  constructor(request: string, { status, text }: Pick<Answer, 'status' | 'text'>) {
    const error = errorIn(text);
    const said = error ? `${error.code}: ${error.message}` : text.slice(0, 200);
    super(`${request} to be done`, `${status}, ${said}`);
    this.name = 'RequestRefused';
    this.status = status;
    this.code = error?.code;
  }
}

/** A browser that the server knows by its cookie: what it asks carries the cookie and the server's own `Origin`. */
export class HttpClient {
  readonly origin: string;
  /** What is sent in `Cookie`. */
  readonly cookie: string;

  /** The path of another site that the server is below; empty for none. */
  readonly basePath: string;

  constructor(origin: string, cookie: string, basePath = '') {
    this.origin = origin;
    this.basePath = basePath;
    this.cookie = cookie;
  }

  /** The secret in the cookie. */
  get secret(): string {
    return this.cookie.slice(this.cookie.indexOf('=') + 1);
  }

  /** The answer to a request, whatever it is. */
  send(method: string, path: string, body?: object): Promise<Answer> {
    return request(this.origin, method, this.basePath + path, { cookie: this.cookie }, body);
  }

  /**
   * The JSON in the answer.
   *
   * @throws RequestRefused for any status that is no success
   */
  async ask<T>(method: string, path: string, body?: object): Promise<T> {
    const answer = await this.send(method, path, body);
    if (answer.status >= 300) throw new RequestRefused(`${method} ${path}`, answer);
    return JSON.parse(answer.text) as T;
  }

  /** The page in a frame of the browser pane, as the pane's own sandboxed frame asks for it: without a cookie. */
  async framed(path: string): Promise<string> {
    return (await request(this.origin, 'GET', path, { 'sec-fetch-dest': 'iframe' })).text;
  }

  /** A socket as a page of this server opens it. */
  socket(path: string): WebSocket {
    const { origin, cookie, basePath } = this;
    return new WebSocket(`${origin.replace('http', 'ws')}${basePath}${path}`, {
      headers: { cookie, origin },
    });
  }
}

/**
 * Becomes a new learner of a server without a class.
 *
 * @param printed the URL of the ready line, with the start token
 * @throws RequestRefused where the token is wrong
 */
export async function signIn(printed: string): Promise<HttpClient> {
  const { origin, pathname, search } = new URL(printed);
  const answer = await request(origin, 'GET', `${pathname}${search}&learner=new`, {});
  return new HttpClient(origin, cookieOf(`GET ${pathname}`, answer), baseOf(pathname, '/sign-in'));
}

/**
 * Joins a class as a new learner.
 *
 * @param printed the URL of the ready line, with the class's code behind its `#`
 * @throws RequestRefused where the code or the name is refused
 */
export async function joinClass(printed: string, name: string): Promise<HttpClient> {
  const { origin, pathname, hash } = new URL(printed);
  const basePath = baseOf(pathname, '/join/');
  const code = new URLSearchParams(hash.slice(1)).get('code') ?? '';
  const path = `${basePath}/api/class/join`;
  const answer = await request(origin, 'POST', path, {}, { code, name });
  return new HttpClient(origin, cookieOf(`POST ${path} as ${name}`, answer), basePath);
}

/** Signs in as the instructor of a class. @throws RequestRefused where the secret is wrong */
export async function signInAsInstructor(origin: string, secret: string): Promise<HttpClient> {
  const path = '/api/class/instructor';
  const answer = await request(origin, 'POST', path, {}, { secret });
  return new HttpClient(origin, cookieOf(`POST ${path}`, answer));
}

/**
 * Settles when the socket is open.
 *
 * @throws RequestRefused where the server answers the upgrade with an error
 */
export function opened(socket: WebSocket, { ms, signal }: Patience): Promise<void> {
  return new Promise((resolve, reject) => {
    const path = new URL(socket.url).pathname;
    const stop = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
    const fail = (error: unknown): void => {
      stop();
      reject(error);
      socket.terminate();
    };
    const onAbort = (): void => fail(signal?.reason);
    const timer = setTimeout(
      () => fail(new ExpectationFailed(`${path} to open`, `after ${ms / 1_000} s, no answer`)),
      ms,
    );
    signal?.addEventListener('abort', onAbort, { once: true });
    // For the socket's whole life: an error that nobody hears ends the process. Its close tells the rest.
    socket.on('error', fail);
    socket.once('unexpected-response', (_request, response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (piece: string) => {
        text += piece;
      });
      response.once('end', () => {
        fail(new RequestRefused(`GET ${path}`, { status: response.statusCode ?? 0, text }));
      });
    });
    socket.once('open', () => {
      stop();
      resolve();
    });
  });
}

async function request(
  origin: string,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body?: object,
): Promise<Answer> {
  const limit = new AbortController();
  const timer = setTimeout(() => {
    const seen = `no answer after ${REQUEST_MS / 1_000} s`;
    limit.abort(new ExpectationFailed(`${method} ${path} to be answered`, seen));
  }, REQUEST_MS);
  try {
    const answer = await fetch(origin + path, {
      method,
      redirect: 'manual',
      headers: { origin, ...(body && { 'content-type': 'application/json' }), ...headers },
      body: body ? JSON.stringify(body) : null,
      signal: limit.signal,
    });
    return { status: answer.status, headers: answer.headers, text: await answer.text() };
  } finally {
    clearTimeout(timer);
  }
}

function baseOf(pathname: string, route: string): string {
  return pathname.slice(0, pathname.lastIndexOf(route));
}

function cookieOf(what: string, answer: Answer): string {
  const [cookie = ''] = (answer.headers.getSetCookie()[0] ?? '').split(';', 1);
  if (cookie === '') throw new RequestRefused(what, answer);
  return cookie;
}

function errorIn(body: string): ErrorBody | undefined {
  try {
    const { code, message, remedy } = JSON.parse(body) as Partial<ErrorBody>;
    return code !== undefined && message !== undefined
      ? { code, message, remedy: remedy ?? '' }
      : undefined;
  } catch {
    return undefined;
  }
}
