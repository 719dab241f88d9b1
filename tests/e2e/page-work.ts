import type { CDPSession, Locator, Page } from '@playwright/test';

/** What a page did between two looks. */
export interface Work {
  /** Changes of what was watched: of elements, attributes and text. */
  readonly mutations: number;
  /** Layouts of the whole page, forced ones included. */
  readonly layouts: number;
  /** How often styles of the page were reckoned anew, forced by a measurement included. */
  readonly restyles: number;
}

export const NOTHING: Work = { mutations: 0, layouts: 0, restyles: 0 };

/** Counts what the browser does to draw a page; measures no time. */
export class PageWork {
  readonly #page: Page;
  readonly #devtools: CDPSession;
  readonly #watched: Locator;
  #before: Omit<Work, 'mutations'> = NOTHING;

  private constructor(page: Page, devtools: CDPSession, watched: Locator) {
    this.#page = page;
    this.#devtools = devtools;
    this.#watched = watched;
  }

  /** Counts from now on. @param watched whose changes are counted, and those of all that is in it */
  static async count(page: Page, watched: Locator): Promise<PageWork> {
    const devtools = await page.context().newCDPSession(page);
    await devtools.send('Performance.enable');
    const work = new PageWork(page, devtools, watched);
    await nextFrame(page);
    await watched.evaluate((element) => {
      const counter = { mutations: 0 };
      const observer = new MutationObserver((records) => {
        counter.mutations += records.length;
      });
      observer.observe(element, {
        attributes: true,
        characterData: true,
        childList: true,
        subtree: true,
      });
      Object.assign(element, { workCounter: counter });
    });
    work.#before = await work.#drawing();
    return work;
  }

  /** What was done since counting began, the next frame included. */
  async done(): Promise<Work> {
    await nextFrame(this.#page);
    const { layouts, restyles } = await this.#drawing();
    const { mutations } = await this.#watched.evaluate(
      (element) => Reflect.get(element, 'workCounter') as { readonly mutations: number },
    );
    return {
      mutations,
      layouts: layouts - this.#before.layouts,
      restyles: restyles - this.#before.restyles,
    };
  }

  async #drawing(): Promise<Omit<Work, 'mutations'>> {
    const { metrics } = await this.#devtools.send('Performance.getMetrics');
    const metric = (wanted: string) => {
      const found = metrics.find(({ name }) => name === wanted);
      if (!found) throw new Error(`this browser does not count: ${wanted}`);
      return found.value;
    };
    return { layouts: metric('LayoutCount'), restyles: metric('RecalcStyleCount') };
  }
}

/** Until a frame has been drawn, and what follows from it has been told. */
export function nextFrame(page: Page): Promise<void> {
  return page.evaluate(
    () =>
      new Promise<void>((drawn) => {
        requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(drawn)));
      }),
  );
}
