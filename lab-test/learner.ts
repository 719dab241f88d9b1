import { once } from 'node:events';
import { WebSocket } from 'ws';
import type {
  CheckView,
  ErrorBody,
  SessionEvent,
  SessionSnapshot,
  SessionStatus,
  TerminalView,
  VisitView,
} from '#protocol';
import { pageText } from '../server/labs/screen-text.ts';
import { ExpectationFailed } from './expectation-failed.ts';
import { Shell } from './shell.ts';

/** A sandbox is ready in two or three seconds; on a machine full of them it takes many times that. */
const READY_MS = 120_000;

/**
 * A person with a browser, for a program: signed in by the printed URL, told of everything by the event socket, and
 * asking over HTTP. Knows what the server shows and nothing else.
 */
export class Learner implements Disposable {
  readonly lab: string;
  readonly #origin: string;
  readonly #headers: Record<string, string>;
  readonly #events: WebSocket;
  readonly #changed = new EventTarget();
  readonly #shells = new Map<string, Promise<Shell>>();
  readonly #checks = new Map<string, CheckView>();
  readonly #values = new Map<string, string | undefined>();
  #terminals: readonly TerminalView[] = [];
  #status: SessionStatus = { state: 'none' };

  private constructor(origin: string, cookie: string, lab: string) {
    this.lab = lab;
    this.#origin = origin;
    this.#headers = { cookie, origin };
    this.#events = new WebSocket(`${origin.replace('http', 'ws')}/api/labs/${lab}/events`, {
      headers: this.#headers,
    });
    this.#events.on('message', (data: Buffer) => {
      this.#take(JSON.parse(data.toString()) as SessionEvent);
      this.#changed.dispatchEvent(new Event('change'));
    });
  }

  /** @param printedUrl what `npm start` prints, start token included */
  static async signIn(printedUrl: string, lab: string): Promise<Learner> {
    const answer = await fetch(printedUrl, { redirect: 'manual' });
    const cookie = answer.headers.getSetCookie()[0]?.split(';', 1)[0];
    if (cookie === undefined) throw new Error(`signing in answered ${answer.status}`);
    const learner = new Learner(new URL(printedUrl).origin, cookie, lab);
    await once(learner.#events, 'open');
    return learner;
  }

  /** The secret in the cookie. */
  get secret(): string {
    return this.#headers.cookie?.split('=', 2)[1] ?? '';
  }

  get status(): SessionStatus {
    return this.#status;
  }

  /** Ids of the checks that have passed. */
  get passed(): readonly string[] {
    return [...this.#checks.values()].filter(({ state }) => state === 'passed').map(({ id }) => id);
  }

  check(id: string): CheckView {
    return this.#checks.get(id) ?? { id, state: 'unknown', reason: 'never shown' };
  }

  /** A value's text as the page shows it. */
  value(id: string): string | undefined {
    return this.#values.get(id);
  }

  /** Starts the lab, or takes up what runs, and waits until its hosts are ready. */
  async start(): Promise<void> {
    this.#take({ type: 'snapshot', snapshot: await this.#ask('POST', 'session') });
    await this.#ready().catch(async (error: unknown) => {
      if (this.#status.state !== 'failed') throw error;
      // As the page offers it: try again. What fails twice is no hiccup of a busy engine.
      this.#take({ type: 'snapshot', snapshot: await this.#ask('POST', 'session') });
      await this.#ready();
    });
  }

  async reset(): Promise<void> {
    this.#closeShells();
    this.#take({ type: 'snapshot', snapshot: await this.#ask('POST', 'session/reset') });
    await this.#ready();
  }

  async end(): Promise<void> {
    this.#closeShells();
    await this.#ask('DELETE', 'session');
  }

  /** The first terminal of a host. */
  async shell(host: string): Promise<Shell> {
    const known = this.#shells.get(host);
    if (known) return known;
    const opening = this.#open(host);
    this.#shells.set(host, opening);
    return opening;
  }

  /** Opens a page in the browser pane; `text` is what it reads as, where one came. */
  async visit(url: string): Promise<{ readonly view: VisitView; readonly text: string }> {
    const view = await this.#ask<VisitView>('POST', 'visits', { url });
    if (view.frame === undefined) return { view, text: '' };
    const page = await fetch(this.#origin + view.frame, {
      headers: { 'sec-fetch-dest': 'iframe' },
    });
    return { view, text: pageText(await page.text()) };
  }

  answer(check: string, text: string): Promise<CheckView> {
    return this.#ask('POST', `answers/${check}`, { text });
  }

  /**
   * What `look` finds, asked anew after everything that the server tells.
   *
   * @throws Mismatch with `seen()` when it has found nothing in time
   */
  async until<T>(
    what: string,
    milliseconds: number,
    look: () => T | undefined,
    seen: () => string,
  ): Promise<T> {
    const late = AbortSignal.timeout(milliseconds);
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      await once(this.#changed, 'change', { signal: late }).catch(() => {
        throw new ExpectationFailed(what, `after ${milliseconds / 1000} s, ${seen()}`);
      });
    }
  }

  [Symbol.dispose](): void {
    this.#closeShells();
    this.#events.terminate();
  }

  async #ready(): Promise<void> {
    await this.until(
      'the hosts to be ready',
      READY_MS,
      () => {
        if (this.#status.state === 'failed') {
          throw new ExpectationFailed('the hosts to start', this.#status.reason);
        }
        return this.#status.state === 'ready' || undefined;
      },
      () => `the session is ${this.#status.state}`,
    );
  }

  async #open(host: string): Promise<Shell> {
    const there = this.#terminals.find((terminal) => terminal.host === host);
    const { id } = there ?? (await this.#ask<TerminalView>('POST', 'terminals', { host }));
    const socket = this.#origin.replace('http', 'ws');
    return Shell.open(`${socket}/api/labs/${this.lab}/terminals/${id}`, this.#headers, host);
  }

  #closeShells(): void {
    for (const shell of this.#shells.values()) {
      void shell.then((open) => open[Symbol.dispose]()).catch(() => undefined);
    }
    this.#shells.clear();
  }

  async #ask<T = SessionSnapshot>(method: string, path: string, body?: object): Promise<T> {
    const answer = await fetch(`${this.#origin}/api/labs/${this.lab}/${path}`, {
      method,
      headers: { ...this.#headers, ...(body ? { 'content-type': 'application/json' } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    if (!answer.ok) {
      const { code, message } = (await answer.json()) as ErrorBody;
      throw new ExpectationFailed(`${method} ${path} to be done`, `${code}: ${message}`);
    }
    return (await answer.json()) as T;
  }

  #take(event: SessionEvent): void {
    switch (event.type) {
      case 'snapshot':
        this.#checks.clear();
        this.#status = event.snapshot.status;
        this.#terminals = event.snapshot.terminals;
        for (const check of event.snapshot.checks) this.#checks.set(check.id, check);
        for (const { id, text } of event.snapshot.values) this.#values.set(id, text);
        break;
      case 'status':
        this.#status = event.status;
        break;
      case 'checks':
        for (const check of event.checks) this.#checks.set(check.id, check);
        break;
      case 'values':
        for (const { id, text } of event.values) this.#values.set(id, text);
        break;
      case 'terminals':
        this.#terminals = event.terminals;
        break;
    }
  }
}
