import { setTimeout as delay } from 'node:timers/promises';
import type { Browser, BrowserContext, CDPSession, Page } from '@playwright/test';
import { Changes } from '../../client-driver/changes.ts';
import { ExpectationFailed } from '../../client-driver/expectation-failed.ts';
import { instrument, type Told } from './instrument.ts';
import type { TraceEvent } from './trace.ts';

/** A laptop's window. */
const VIEWPORT = { width: 1440, height: 900 } as const;
/** After what was prepared, and after the processor's speed was set, the page comes to rest in so many ms. */
const REST_MS = 1_000;
const PROMPT = '[$#]\\s*$';
/** Of `Performance.getMetrics`: seconds, or how often. */
type Metric =
  | 'RecalcStyleDuration'
  | 'LayoutDuration'
  | 'ScriptDuration'
  | 'TaskDuration'
  | 'LayoutCount';
export type Metrics = Readonly<Record<Metric, number>>;

/** What is opened. */
export interface Opening {
  readonly url: string;
  /** `name=value`, sent to the page's server. */
  readonly cookie?: string;
  /** Given the page before it loads anything. */
  readonly before?: ((page: BenchPage) => Promise<void>) | undefined;
}

/** A page under measurement: it is watched from within by {@link instrument}, and from outside by Chromium's protocol. */
export class BenchPage implements AsyncDisposable {
  readonly page: Page;
  readonly cdp: CDPSession;
  readonly #told: Told[] = [];
  readonly #changes = new Changes();
  #runs = 0;

  private constructor(page: Page, cdp: CDPSession) {
    this.page = page;
    this.cdp = cdp;
  }

  /** A page of a browser that has never been there. */
  static async open(browser: Browser, { url, cookie, before }: Opening): Promise<BenchPage> {
    const context = await browser.newContext({ viewport: VIEWPORT });
    const [name = '', value = ''] = cookie?.split('=', 2) ?? [];
    if (name !== '') await context.addCookies([{ name, value, url: new URL(url).origin }]);
    return BenchPage.in(context, url, before);
  }

  /** A page of a browser that may have been there before. */
  static async in(
    context: BrowserContext,
    url: string,
    before?: Opening['before'],
  ): Promise<BenchPage> {
    const page = await context.newPage();
    const bench = new BenchPage(page, await context.newCDPSession(page));
    await page.exposeFunction('benchTell', (told: Told) => bench.#hear(told));
    await page.addInitScript(instrument);
    await bench.cdp.send('Performance.enable');
    await before?.(bench);
    await page.goto(url);
    return bench;
  }

  /** A processor so many times slower, for the page's own thread; then the page comes to rest. */
  async slowDown(rate: number): Promise<void> {
    await this.cdp.send('Emulation.setCPUThrottlingRate', { rate });
    await delay(REST_MS);
  }

  /** Waits for the prompt of the terminal in sight and gives it the keyboard. */
  async prompt(): Promise<void> {
    await this.page.locator('.xterm-rows:visible', { hasText: /[$#]/ }).waitFor();
    await this.page.evaluate(() => bench.watch());
    await this.shown(PROMPT);
    await this.focus();
  }

  async focus(): Promise<void> {
    await this.page.evaluate(() => {
      [...document.querySelectorAll<HTMLElement>('.xterm-helper-textarea')]
        .find((text) => text.closest('.xterm')?.checkVisibility())
        ?.focus();
    });
  }

  /** Types a command, and Enter. */
  async command(text: string): Promise<void> {
    await this.page.keyboard.type(text);
    await this.page.keyboard.press('Enter');
  }

  /** Settles when a row of the terminal in sight matches and is drawn. */
  async shown(pattern: string): Promise<void> {
    await this.page.evaluate((row) => bench.shown(row), pattern);
  }

  /**
   * Runs a command to its end.
   *
   * @param onEnter awaited once it is typed
   * @returns ms from Enter until its end is drawn
   */
  async run(command: string, onEnter?: () => Promise<void>): Promise<number> {
    // What is typed does not match, what it prints does.
    this.#runs += 1;
    const end = String(this.#runs);
    await this.page.keyboard.type(`${command}; echo END-'${end}'`);
    await onEnter?.();
    const ended = this.page.evaluate((row) => bench.shown(row), `^END-${end}`);
    await this.page.keyboard.press('Enter');
    return (await ended) - (await this.page.evaluate(() => bench.keyAt));
  }

  /** A key goes down and up, as the keyboard has it: no answer of a busy page is waited for. */
  press(key: string): void {
    const send = (type: 'keyDown' | 'keyUp', text?: string) =>
      void this.cdp
        .send('Input.dispatchKeyEvent', {
          type,
          key,
          code: `Key${key.toUpperCase()}`,
          windowsVirtualKeyCode: key.toUpperCase().charCodeAt(0),
          ...(text === undefined ? {} : { text, unmodifiedText: text }),
        })
        .catch(() => undefined);
    send('keyDown', key);
    send('keyUp');
  }

  /** What the page has told, or tells within so many ms. */
  async told<Kind extends Told['kind']>(
    kind: Kind,
    ms: number,
    is: (told: Extract<Told, { kind: Kind }>) => boolean = () => true,
  ): Promise<Extract<Told, { kind: Kind }> | undefined> {
    const fits = (told: Told): told is Extract<Told, { kind: Kind }> =>
      told.kind === kind && is(told as Extract<Told, { kind: Kind }>);
    try {
      const look = () => this.#told.find(fits);
      return await this.#changes.until({ ms, what: kind, look, seen: () => 'nothing' });
    } catch (error) {
      if (error instanceof ExpectationFailed) return undefined;
      throw error;
    }
  }

  forgetTold(): void {
    this.#told.length = 0;
  }

  frames(ms: number): Promise<number> {
    return this.page.evaluate((span) => bench.frames(span), ms);
  }

  async metrics(): Promise<Metrics> {
    const { metrics } = await this.cdp.send('Performance.getMetrics');
    return Object.fromEntries(metrics.map(({ name, value }) => [name, value])) as Metrics;
  }

  /** What Chromium's trace has, while `action` goes on. */
  async traced(action: () => Promise<void>): Promise<readonly TraceEvent[]> {
    const browser = this.page.context().browser();
    if (!browser) throw new Error('the page has no browser');
    const categories = ['devtools.timeline', 'blink.user_timing'];
    await browser.startTracing(this.page, { categories });
    await action();
    const trace = await browser.stopTracing();
    return (JSON.parse(trace.toString()) as { traceEvents: TraceEvent[] }).traceEvents;
  }

  #hear(told: Told): void {
    this.#told.push(told);
    this.#changes.emit();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.page.context().close();
  }
}
