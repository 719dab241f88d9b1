import type { Browser, Page } from '@playwright/test';
import { LAB, TICKS, tickOf } from './lab.ts';
import type { BenchLearner } from './learner.ts';
import type { RunningServer } from './running-server.ts';

/** When each check's state changed in the page, and when a frame with it was drawn (ms since the epoch). */
export type Seen = Readonly<Record<string, { readonly changed: number; readonly drawn?: number }>>;

declare global {
  /** In the page only: what its observer has seen. */
  var benchSeen: Record<string, { changed: number; drawn?: number }>;
}

/** A lab's page in a real browser, with one check on it for each event, and an observer that notes every tick. */
export async function openPage(
  browser: Browser,
  server: RunningServer,
  { learner: { http } }: BenchLearner,
): Promise<Page> {
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    // Without a graphics card, each tick's small motion takes as much of the cores as all that is measured.
    reducedMotion: 'reduce',
  });
  const [name = '', value = ''] = http.cookie.split('=', 2);
  await context.addCookies([{ name, value, url: server.origin }]);
  const page = await context.newPage();
  await page.goto(`${server.origin}/labs/${LAB}/ephemeral-ports/`);
  await page.locator('[data-session-state="ready"]').first().waitFor({ state: 'attached' });
  await page.evaluate(
    addChecks,
    Array.from({ length: TICKS }, (_, index) => tickOf(index)),
  );
  return page;
}

export function seenBy(page: Page): Promise<Seen> {
  return page.evaluate(() => globalThis.benchSeen);
}

/** Runs in the page. */
function addChecks(ids: readonly string[]): void {
  const model = document.querySelector<HTMLElement>('.check:not(.answer)');
  for (const id of ids) {
    const check = model?.cloneNode(true) as HTMLElement;
    check.dataset.checkId = id;
    check.dataset.checkState = 'not-yet';
    model?.after(check);
  }
  globalThis.benchSeen = {};
  const now = () => performance.timeOrigin + performance.now();
  const observer = new MutationObserver((changes) => {
    const at = now();
    for (const { target } of changes) {
      const { checkId = '', checkState } = (target as HTMLElement).dataset;
      if (checkState !== 'passed' || globalThis.benchSeen[checkId]) continue;
      globalThis.benchSeen[checkId] = { changed: at };
      // A task that was queued in a frame's callback runs once that frame is drawn.
      requestAnimationFrame(() => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => {
          globalThis.benchSeen[checkId] = { changed: at, drawn: now() };
        };
        port2.postMessage('');
      });
    }
  });
  observer.observe(document.body, {
    subtree: true,
    attributes: true,
    attributeFilter: ['data-check-state'],
  });
}
