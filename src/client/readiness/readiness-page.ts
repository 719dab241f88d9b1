import { STREAM_PATH } from '#protocol';
import { copyText, NOT_COPIED } from '../copy-text.ts';
import { overHttp } from '../http-transport.ts';
import { ApiError, request } from '../request.ts';
import { set, setText } from '../set.ts';
import { overWebSocket } from '../transport.ts';
import { Echo } from './echo.ts';
import {
  type Finding,
  NOT_TRIED,
  ofBrowser,
  ofClipboard,
  ofClock,
  ofEchoes,
  ofLinks,
  ofStorage,
  ofWidth,
  summary,
} from './findings.ts';

/** Beside the words, for who does not see colours. */
const MARKS = { fine: '✓', note: '!', trouble: '✗' } as const;
const STATES = { fine: 'Fine', note: 'Note', trouble: 'Trouble' } as const;
/** No stream has such a key: the answer is a refusal, and says why. */
const NO_STREAM = 'A'.repeat(24);
/** How long "Copied" stands. */
const SAID_MS = 4_000;

/** What of a browser the labs' pages need, each by a name that a search finds. */
const NEEDED: Readonly<Record<string, () => boolean>> = {
  popovers: () => 'popover' in HTMLElement.prototype,
  dialogs: () => 'HTMLDialogElement' in globalThis,
  'Promise.withResolvers': () => 'withResolvers' in Promise,
  'AbortSignal.any': () => 'any' in AbortSignal,
  TextDecoderStream: () => 'TextDecoderStream' in globalThis,
  'CSS nesting': () => CSS.supports('selector(&)'),
};

/** The page for the day before a class. It asks nobody to sign in, and starts nothing. */
class ReadinessPage {
  readonly #page: HTMLElement;
  readonly #findings = new Map<string, Finding>();
  #isRunning = false;

  constructor(page: HTMLElement) {
    this.#page = page;
    this.#part('again').addEventListener('click', () => void this.run());
    this.#part('copy').addEventListener('click', () => void this.#copy());
  }

  async run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#findings.clear();
    set(this.#part('tools'), 'hidden', true);
    setText(this.#part('summary'), 'Checking…');
    delete this.#part('summary').dataset.state;
    for (const row of this.#rows) {
      row.dataset.state = 'waiting';
      setText(row.querySelector('[data-says]'), 'Checking…');
      setText(row.querySelector('[data-remedy]'), '');
    }
    const { host } = location;
    const lacking = Object.entries(NEEDED).filter(([, has]) => !has());
    this.#tell('browser', ofBrowser(lacking.map(([name]) => name)));
    this.#tell('storage', ofStorage(keepsData(), host));
    this.#tell('clipboard', ofClipboard('clipboard' in navigator));
    this.#tell('screen', ofWidth(innerWidth, matchMedia(this.#page.dataset.narrow ?? '').matches));
    try {
      if (lacking.length === 0) await this.#tryLinks(host);
      else for (const name of ['links', 'latency', 'clock']) this.#tell(name, NOT_TRIED);
      this.#finish();
    } finally {
      this.#isRunning = false;
    }
  }

  async #tryLinks(host: string): Promise<void> {
    const overSocket = new Echo(overWebSocket);
    const overStream = new Echo(overHttp);
    const [socket, http] = await Promise.all([
      overSocket.comesThrough(),
      overStream.comesThrough(),
    ]);
    const refusal = socket || http ? undefined : await whyRefused();
    this.#tell('links', ofLinks({ socket, http, refusal, host }));
    const echo = socket ? overSocket : overStream;
    this.#tell('clock', ofClock(echo.aheadMs));
    this.#tell('latency', ofEchoes(socket || http ? await echo.times() : []));
    overSocket.close();
    overStream.close();
  }

  #tell(name: string, finding: Finding): void {
    this.#findings.set(name, finding);
    const row = this.#rows.find(({ dataset }) => dataset.probe === name);
    if (!row) return;
    row.dataset.state = finding.state;
    setText(row.querySelector('[data-mark]'), MARKS[finding.state]);
    setText(row.querySelector('[data-state-word]'), `${STATES[finding.state]}: `);
    setText(row.querySelector('[data-says]'), finding.says);
    setText(row.querySelector('[data-remedy]'), finding.remedy ?? '');
  }

  #finish(): void {
    const findings = [...this.#findings.values()];
    const verdict = this.#part('summary');
    setText(verdict, summary(findings));
    verdict.dataset.state = findings.some(({ state }) => state === 'trouble') ? 'trouble' : 'fine';
    set(this.#part('tools'), 'hidden', false);
    (this.#part('report') as HTMLTextAreaElement).value = this.#report();
  }

  /** For whoever helps: everything that was found, and what with. */
  #report(): string {
    const lines = this.#rows.map((row) => {
      const found = this.#findings.get(row.dataset.probe ?? '');
      const name = row.querySelector('[data-name]')?.textContent ?? '';
      return found ? `${STATES[found.state].padEnd(8)}${name}: ${found.says}` : '';
    });
    return [
      `Quayside readiness of ${location.origin}, ${new Date().toISOString()}`,
      this.#part('summary').textContent ?? '',
      ...lines,
      `Browser: ${navigator.userAgent}`,
      `Window: ${innerWidth} × ${innerHeight}, ${devicePixelRatio} device pixels each`,
    ].join('\n');
  }

  async #copy(): Promise<void> {
    const report = this.#part('report') as HTMLTextAreaElement;
    const note = this.#part('copied');
    const copied = await copyText(report.value);
    setText(note, copied ? 'Copied. Paste it into a message to your instructor.' : NOT_COPIED);
    if (!copied) {
      report.select();
      return;
    }
    setTimeout(() => setText(note, ''), SAID_MS);
  }

  get #rows(): readonly HTMLElement[] {
    return [...this.#page.querySelectorAll<HTMLElement>('[data-probe]')];
  }

  #part(name: string): HTMLElement {
    return this.#page.querySelector(`[data-readiness="${name}"]`) as HTMLElement;
  }
}

/** Whether the browser keeps anything of this site. Where it is told not to, it throws. */
function keepsData(): boolean {
  try {
    sessionStorage.setItem('quayside-readiness', '');
    sessionStorage.removeItem('quayside-readiness');
    return navigator.cookieEnabled;
  } catch {
    return false;
  }
}

/** The server's words where no link was let in: it may not know the address that its page has here. */
async function whyRefused(): Promise<string | undefined> {
  try {
    await request('POST', `${STREAM_PATH}/${NO_STREAM}`, { sequence: 1, messages: [] });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.code !== 'NOT_FOUND') return `${error.message} ${error.remedy}`;
  }
  return undefined;
}

const page = document.querySelector<HTMLElement>('[data-page="readiness"]');
if (page) void new ReadinessPage(page).run();
