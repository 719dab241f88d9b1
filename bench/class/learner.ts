import { once } from 'node:events';
import { WebSocket } from 'ws';
import { fillIn, type Lab } from '#lab';
import type { CheckView, SessionEvent, SessionSnapshot, TerminalView, VisitView } from '#protocol';
import type { Step } from '#steps';
import { pageText, readOff } from '../../server/labs/screen-text.ts';
import { ScriptedTerminal } from './terminal.ts';

/** Everything is waited for so long, the last of a hundred starts too; what takes longer has failed. */
const PATIENCE_MS = 900_000;

/** One learner of a class, who does what is asked by script: joined as a browser joins, and told of everything by the event socket. */
export class ScriptedLearner {
  readonly name: string;
  readonly #origin: string;
  readonly #lab: string;
  readonly #headers: { readonly cookie: string; readonly origin: string };
  readonly #events: WebSocket;
  readonly #bell = new EventTarget();
  readonly #terminals = new Map<string, ScriptedTerminal>();
  readonly #values = new Map<string, string | undefined>();
  readonly #checks = new Map<string, CheckView>();
  /** When each check was heard to have passed, by this process's clock. */
  readonly #tickedAt = new Map<string, number>();
  #snapshot: SessionSnapshot | undefined;
  #state = 'none';
  #why = '';
  #screen = '';

  private constructor(name: string, origin: string, lab: string, cookie: string) {
    this.name = name;
    this.#origin = origin;
    this.#lab = lab;
    this.#headers = { cookie, origin };
    this.#events = new WebSocket(`${origin.replace('http', 'ws')}/api/labs/${lab}/events`, {
      headers: this.#headers,
    });
    this.#events.on('message', (data: Buffer) => {
      this.#take(JSON.parse(data.toString()) as SessionEvent);
      this.#bell.dispatchEvent(new Event('change'));
    });
  }

  /**
   * Joins the class as a browser does, and is told of the lab from then on.
   *
   * @param printed the URL that the server prints, with the code behind its `#`
   */
  static async join(printed: string, name: string, lab: string): Promise<ScriptedLearner> {
    const { origin, hash } = new URL(printed);
    const answer = await fetch(`${origin}/api/class/join`, {
      method: 'POST',
      headers: { origin, 'content-type': 'application/json' },
      body: JSON.stringify({ code: new URLSearchParams(hash.slice(1)).get('code'), name }),
    });
    if (!answer.ok) throw new Error(`${name} could not join: ${await answer.text()}`);
    const [cookie = ''] = (answer.headers.getSetCookie()[0] ?? '').split(';', 1);
    const learner = new ScriptedLearner(name, origin, lab, cookie);
    await once(learner.#events, 'open');
    await learner.until(() => learner.#snapshot !== undefined);
    return learner;
  }

  /** Presses Start. @returns milliseconds until the first host's prompt is there */
  async start(): Promise<number> {
    const from = performance.now();
    await this.#ask('POST', 'session');
    await this.until(() => {
      if (this.#state === 'failed') throw new Error(this.#why);
      return this.#state === 'ready' && (this.#snapshot?.terminals.length ?? 0) > 0;
    });
    const [first] = this.#snapshot?.terminals ?? [];
    await this.terminal(first?.host ?? '');
    return performance.now() - from;
  }

  /** The host's terminal, as it was opened with the sandbox. */
  async terminal(host: string): Promise<ScriptedTerminal> {
    const known = this.#terminals.get(host);
    if (known) return known;
    const view = this.#snapshot?.terminals.find((each) => each.host === host);
    if (!view) throw new Error(`there is no terminal on ${host}`);
    const url = `${this.#origin.replace('http', 'ws')}/api/labs/${this.#lab}/terminals/${view.id}`;
    const terminal = await ScriptedTerminal.open(url, this.#headers);
    this.#terminals.set(host, terminal);
    return terminal;
  }

  /** Does a step as its page says. @returns milliseconds from the end of the last deed to each tick */
  async follow(step: Step, lab: Lab): Promise<readonly number[]> {
    for (const deed of step.actions) {
      if (deed.kind === 'run') {
        this.#screen = await (await this.terminal(deed.host)).run(deed.command);
      } else if (deed.kind === 'open') {
        this.#screen = await this.#visit(deed.url);
      } else {
        const reads = lab.checks.find(({ id }) => id === deed.check)?.reads;
        const text = reads && readOff(reads, this.#screen);
        if (text === undefined) throw new Error(`no answer to ${deed.check} on: ${this.#screen}`);
        await this.#ask('POST', `answers/${deed.check}`, { text });
      }
    }
    const done = performance.now();
    for (const id of step.checks) {
      await this.until(
        () => this.#tickedAt.has(id),
        () => `${id}: ${JSON.stringify(this.#checks.get(id))}`,
      );
    }
    return step.checks.map((id) => Math.max(0, (this.#tickedAt.get(id) ?? done) - done));
  }

  /** What a browser sends in `Cookie`. */
  get cookie(): string {
    return this.#headers.cookie;
  }

  get terminals(): readonly TerminalView[] {
    return this.#snapshot?.terminals ?? [];
  }

  get state(): string {
    return this.#state;
  }

  /** Why it failed or ended. */
  get why(): string {
    return this.#why;
  }

  hasPassed(check: string): boolean {
    return this.#tickedAt.has(check);
  }

  close(): void {
    this.#events.terminate();
    for (const terminal of this.#terminals.values()) terminal.close();
  }

  async until(look: () => boolean, what: () => string = () => this.#state): Promise<void> {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    while (!look()) {
      await once(this.#bell, 'change', { signal }).catch(() => {
        throw new Error(`waited too long: ${what()}`);
      });
    }
  }

  async #visit(url: string): Promise<string> {
    const asked = [...url.matchAll(/\{([a-z0-9-]+)\}/g)].map(([, id = '']) => id);
    await this.until(() => asked.every((id) => this.#values.get(id) !== undefined));
    const view = await this.#ask<VisitView>('POST', 'visits', { url: fillIn(url, this.#values) });
    if (view.frame === undefined) return '';
    const page = await fetch(this.#origin + view.frame, {
      headers: { 'sec-fetch-dest': 'iframe' },
    });
    return pageText(await page.text());
  }

  /** A request under this learner's cookie. */
  send(method: string, path: string, body?: object): Promise<Response> {
    return fetch(this.#origin + path, {
      method,
      headers: { ...this.#headers, ...(body ? { 'content-type': 'application/json' } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
  }

  async #ask<T = SessionSnapshot>(method: string, path: string, body?: object): Promise<T> {
    const answer = await this.send(method, `/api/labs/${this.#lab}/${path}`, body);
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  }

  #take(event: SessionEvent): void {
    if (event.type === 'snapshot') {
      this.#snapshot = event.snapshot;
      this.#become(event.snapshot.status);
      this.#heard(event.snapshot.checks);
      for (const { id, text } of event.snapshot.values) this.#values.set(id, text);
    } else if (event.type === 'status') this.#become(event.status);
    else if (event.type === 'checks') this.#heard(event.checks);
    else if (event.type === 'values') {
      for (const { id, text } of event.values) this.#values.set(id, text);
    } else if (event.type === 'terminals' && this.#snapshot) {
      this.#snapshot = { ...this.#snapshot, terminals: event.terminals };
    }
  }

  #become(status: SessionSnapshot['status']): void {
    this.#state = status.state;
    if (status.state === 'failed' || status.state === 'ended') this.#why = status.reason;
  }

  #heard(checks: readonly CheckView[]): void {
    for (const check of checks) {
      this.#checks.set(check.id, check);
      if (check.state === 'passed' && !this.#tickedAt.has(check.id)) {
        this.#tickedAt.set(check.id, performance.now());
      }
    }
  }
}
