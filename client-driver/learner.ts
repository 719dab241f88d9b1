import { isDeepStrictEqual } from 'node:util';
import type { CheckView, SessionSnapshot, TerminalView, VisitView } from '#protocol';
import { pageText } from '../server/labs/screen-text.ts';
import type { Patience } from './changes.ts';
import { ExpectationFailed } from './expectation-failed.ts';
import type { HttpClient } from './http.ts';
import { SessionEvents } from './session-events.ts';
import { TerminalClient } from './terminal-client.ts';

/** A first snapshot comes at once; a machine with a hundred learners on it takes its time. */
const ANSWER_MS = 60_000;
/** A sandbox is ready in two or three seconds; the last of a hundred that start at once waits many times that. */
const READY_MS = 900_000;

/** A page that was opened in the browser pane. */
export interface Visit {
  readonly view: VisitView;
  /** What it reads as; empty where no page came. */
  readonly text: string;
}

/**
 * A person with a browser, for a program: signed in, told of everything by the event socket, asking over HTTP, typing
 * into terminals. It knows what the server shows and nothing else.
 */
export class Learner implements Disposable {
  readonly lab: string;
  readonly http: HttpClient;
  readonly events: SessionEvents;
  readonly #terminals = new Map<string, Promise<TerminalClient>[]>();

  private constructor(http: HttpClient, lab: string, events: SessionEvents) {
    this.http = http;
    this.lab = lab;
    this.events = events;
  }

  /** Opens the lab as a page does. */
  static async open(
    http: HttpClient,
    lab: string,
    patience: Patience = { ms: ANSWER_MS },
  ): Promise<Learner> {
    return new Learner(http, lab, await SessionEvents.open(http, lab, patience));
  }

  /**
   * Starts the lab, or takes up what runs, and waits until its hosts are ready.
   *
   * @throws ExpectationFailed with the session's own reason where they cannot be
   */
  async start(patience: Patience = { ms: READY_MS }): Promise<void> {
    const before = this.events.statusesHeard;
    const { status } = await this.#ask<SessionSnapshot>('POST', 'session');
    // What was told before the start says nothing of it, unless nothing has changed.
    const isNews = () =>
      this.events.statusesHeard > before || isDeepStrictEqual(status, this.events.status);
    await this.#ready(isNews, patience);
  }

  /** Asks for fresh hosts, and waits until they are ready. */
  async reset(patience: Patience = { ms: READY_MS }): Promise<void> {
    this.#leaveTerminals();
    const before = this.events.statusesHeard;
    await this.#ask('POST', 'session/reset');
    await this.#ready(() => this.events.statusesHeard > before, patience);
  }

  /** Ends the lab. */
  async end(): Promise<void> {
    this.#leaveTerminals();
    await this.#ask('DELETE', 'session');
  }

  /** A terminal of a host, the first if no other is said, opened where there is none. @param nth from 0, without gaps */
  terminal(host: string, nth = 0): Promise<TerminalClient> {
    const known = this.#terminals.get(host) ?? [];
    this.#terminals.set(host, known);
    known[nth] ??= this.#openTerminal(host, nth);
    return known[nth];
  }

  /** The terminals of a host in which something was typed. */
  terminals(host: string): Promise<readonly TerminalClient[]> {
    return Promise.all(this.#terminals.get(host) ?? []);
  }

  /** Closes the page's end of a host's terminals. What runs in them runs on. */
  leaveTerminal(host: string): void {
    for (const opening of this.#terminals.get(host) ?? []) {
      opening.then((terminal) => terminal[Symbol.dispose]()).catch(() => undefined);
    }
    this.#terminals.delete(host);
  }

  /** Opens a page in the browser pane. */
  async visit(url: string): Promise<Visit> {
    const view = await this.#ask<VisitView>('POST', 'visits', { url });
    if (view.frame === undefined) return { view, text: '' };
    return { view, text: await pageText(await this.http.framed(view.frame)) };
  }

  answer(check: string, text: string): Promise<CheckView> {
    return this.#ask('POST', `answers/${check}`, { text });
  }

  [Symbol.dispose](): void {
    this.#leaveTerminals();
    this.events[Symbol.dispose]();
  }

  async #ready(isNews: () => boolean, patience: Patience): Promise<void> {
    const { events } = this;
    await events.until({
      ...patience,
      what: 'the hosts to be ready, with a terminal',
      look: () => {
        if (!isNews()) return undefined;
        const { status } = events;
        if (['failed', 'ended', 'stopped'].includes(status.state) && 'reason' in status) {
          const remedy = status.state === 'failed' ? ` → ${status.remedy}` : '';
          const seen = `${status.state}: ${status.reason}${remedy}`;
          throw new ExpectationFailed('the hosts to start', seen);
        }
        return status.state === 'ready' && events.terminals.length > 0;
      },
      seen: () => `${JSON.stringify(events.status)}, ${events.terminals.length} terminals`,
    });
  }

  async #openTerminal(host: string, nth: number): Promise<TerminalClient> {
    const there = this.events.terminals.filter((terminal) => terminal.host === host)[nth];
    const { id } = there ?? (await this.#ask<TerminalView>('POST', 'terminals', { host }));
    return TerminalClient.open(this.http, `/api/labs/${this.lab}/terminals/${id}`, host);
  }

  #leaveTerminals(): void {
    for (const host of this.#terminals.keys()) this.leaveTerminal(host);
  }

  #ask<T>(method: string, path: string, body?: object): Promise<T> {
    return this.http.ask(method, `/api/labs/${this.lab}/${path}`, body);
  }
}
