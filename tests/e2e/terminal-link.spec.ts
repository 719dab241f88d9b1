import type { Browser, BrowserContext } from '@playwright/test';
import { expect, Learner, test } from './learner.ts';
import { Link } from './link.ts';

/** Written slowly enough that every cut falls into the middle of them. */
const LINES = 400;
const CUTS = 3;

/** The same learner in a browser whose network goes through `link`, on the first terminal of a ready session. */
async function behind(
  link: Link,
  learner: Learner,
  browser: Browser,
): Promise<{ readonly learner: Learner; readonly context: BrowserContext }> {
  const storageState = await learner.page.context().storageState();
  const context = await browser.newContext({
    storageState,
    proxy: { server: link.address },
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  const page = await context.newPage();
  await page.goto(learner.page.url());
  const other = new Learner(page);
  await other.ready();
  await other.tab('server01').click();
  return { learner: other, context };
}

test('through cuts of the link nothing printed is lost or shown twice', async ({
  learner,
  browser,
}) => {
  await learner.goTo('ephemeral-ports/');
  await using link = await Link.open();
  const { learner: away, context } = await behind(link, learner, browser);
  await away.type(
    'server01',
    `clear; exec 9<> <(:); for ((i = 1; i <= ${LINES}; i++)); do echo "line $i"; read -rt 0.01 -u 9; done; echo all-$((1 + 1))`,
  );
  for (let cut = 1; cut <= CUTS; cut++) {
    const seen = (cut * LINES) / (CUTS * 3);
    await expect
      .poll(async () => Number(await away.read(/line (\d+)/)), { intervals: [50] })
      .toBeGreaterThan(seen);
    link.cut();
    await expect(away.page.locator('.panel:visible .qs-terminal')).toHaveAttribute(
      'data-state',
      'reconnecting',
    );
    link.heal();
    await expect(away.page.locator('.panel:visible .qs-terminal')).toHaveAttribute(
      'data-state',
      'open',
    );
  }
  await away.read(/(all-2)/);
  const lines = [...(await away.copyAll()).matchAll(/^line (\d+)$/gm)].map(([, n]) => Number(n));
  expect(lines).toEqual(Array.from({ length: LINES }, (_, index) => index + 1));
  await context.close();
});
