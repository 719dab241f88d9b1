import type {
  CheckView,
  GuideView,
  RunView,
  SessionSnapshot,
  TerminalView,
  VisitView,
} from '#protocol';
import { request } from './request.ts';

export { ApiError } from './request.ts';

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

  /** Fresh hosts, on which all before a section is done. */
  startFrom(page: string): Promise<SessionSnapshot> {
    return this.#ask('POST', '/start-from', { page });
  }

  /** Does a step for the learner. */
  doStep(step: string): Promise<GuideView> {
    return this.#ask('POST', `/steps/${encodeURIComponent(step)}/do`);
  }

  /** Stops what is being done, or puts away how it ended. */
  stopGuide(): Promise<GuideView> {
    return this.#ask('DELETE', '/guide');
  }

  /** More time before the session ends by itself. */
  extend(): Promise<SessionSnapshot> {
    return this.#ask('POST', '/session/extend');
  }

  /** Somebody reads. */
  async attend(signal?: AbortSignal): Promise<void> {
    await this.#ask('POST', '/session/activity', undefined, signal);
  }

  /** Restarts a host, and waits until it is ready; what is on its disk stays. */
  async restartHost(host: string): Promise<void> {
    await this.#ask('POST', `/hosts/${encodeURIComponent(host)}/restart`);
  }

  openTerminal(host: string): Promise<TerminalView> {
    return this.#ask('POST', '/terminals', { host });
  }

  async closeTerminal(id: string): Promise<void> {
    await this.#ask('DELETE', `/terminals/${encodeURIComponent(id)}`);
  }

  /** Types a block on a host; `second`: in a second terminal of it. */
  run(host: string, block: string, second: boolean): Promise<RunView> {
    return this.#ask('POST', '/runs', { host, block, ...(second && { second }) });
  }

  answer(check: string, text: string): Promise<CheckView> {
    return this.#ask('POST', `/answers/${encodeURIComponent(check)}`, { text });
  }

  visit(url: string, signal?: AbortSignal): Promise<VisitView> {
    return this.#ask('POST', '/visits', { url }, signal);
  }

  /** Address of the link for events. */
  get eventsUrl(): string {
    return `${this.#root}/events`;
  }

  /** Address of a terminal's link. */
  terminalUrl(id: string): string {
    return `${this.#root}/terminals/${encodeURIComponent(id)}`;
  }

  #ask<T>(method: string, path: string, body?: object, signal?: AbortSignal): Promise<T> {
    return request<T>(method, `${this.#root}${path}`, body, signal);
  }
}
