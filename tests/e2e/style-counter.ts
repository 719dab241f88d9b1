import type { CDPSession, Page } from '@playwright/test';

/** What of Chromium's trace is read: each pass over the styles, with the frame that it was for. */
interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly args: {
    readonly beginData?: { readonly frame?: string };
    readonly elementCount?: number;
  };
}

const CATEGORY = 'devtools.timeline';
const PASS = 'UpdateLayoutTree';

/**
 * Counts the elements of a page for which Chromium works out a style, as its own trace tells it. What is counted does not
 * depend on how fast the machine is.
 */
export class StyleCounter {
  readonly #page: Page;
  readonly #session: CDPSession;
  readonly #frame: string;

  private constructor(page: Page, session: CDPSession, frame: string) {
    this.#page = page;
    this.#session = session;
    this.#frame = frame;
  }

  static async of(page: Page): Promise<StyleCounter> {
    const session = await page.context().newCDPSession(page);
    const { frameTree } = await session.send('Page.getFrameTree');
    return new StyleCounter(page, session, frameTree.frame.id);
  }

  /** Elements restyled from before `act` until it is done and everything that moves for a while has come to rest. */
  async during(act: () => Promise<unknown>): Promise<number> {
    const events: TraceEvent[] = [];
    const collect = ({ value }: { value: object[] }) => {
      events.push(...(value as TraceEvent[]));
    };
    this.#session.on('Tracing.dataCollected', collect);
    await this.#session.send('Tracing.start', {
      transferMode: 'ReportEvents',
      traceConfig: { includedCategories: [CATEGORY], excludedCategories: ['*'] },
    });
    try {
      await act();
      await this.#atRest();
    } finally {
      const complete = new Promise((resolve) =>
        this.#session.once('Tracing.tracingComplete', resolve),
      );
      await this.#session.send('Tracing.end');
      await complete;
      this.#session.off('Tracing.dataCollected', collect);
    }
    return this.#sum(events);
  }

  async #atRest(): Promise<void> {
    await this.#page.evaluate(async () => {
      const passing = document
        .getAnimations()
        .filter(({ effect }) => Number.isFinite(effect?.getComputedTiming().endTime));
      await Promise.allSettled(passing.map(({ finished }) => finished));
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    });
  }

  /** A pass is one event with both its data, or two: the first names the frame, the second has the count. */
  #sum(events: readonly TraceEvent[]): number {
    const passes = events.filter(({ name }) => name === PASS).sort((a, b) => a.ts - b.ts);
    const begun = new Map<string, string | undefined>();
    let sum = 0;
    for (const { ph, pid, tid, args } of passes) {
      const thread = `${pid} ${tid}`;
      if (args.beginData) begun.set(thread, args.beginData.frame);
      if (ph !== 'B' && begun.get(thread) === this.#frame) sum += args.elementCount ?? 0;
    }
    return sum;
  }
}
