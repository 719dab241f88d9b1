import type { Page } from '@playwright/test';
import { expect, test } from './learner.ts';
import { nextFrame, PageWork } from './page-work.ts';

/**
 * Prints lines, then asks the terminal where its cursor is: the answer comes when xterm has parsed all of them. Only then
 * is there a file `name`.
 */
const printing = (name: string) =>
  `clear; for i in {1..60}; do echo "line $i of many"; sleep 0.02; done; IFS='[;' read -rsd R -p $'\\e[6n' _ row _; touch ${name}`;
const waitingFor = (name: string) =>
  `clear; until [ -e ${name} ]; do sleep 0.1; done; echo parsed-$((1 + 1))`;

test('a terminal that prints behind another one touches the page no more', async ({ learner }) => {
  const { page } = learner;
  // A cursor that blinks is drawn again each time.
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await learner.goTo('ephemeral-ports/');
  await learner.tab('server01').click();
  const first = page.locator('.panel:visible .qs-terminal');
  await first.evaluate((element) => {
    element.id = 'printing';
  });
  // Seen, it is drawn: the counter counts. How often depends on how many frames a second the machine draws.
  const whileSeen = await PageWork.count(page, first);
  await learner.type('server01', printing('seen'));
  await learner.read(/(line 60 of many)/);
  const seen = await whileSeen.done();
  expect(seen.mutations).toBeGreaterThan(20);
  expect(seen.layouts).toBeGreaterThan(0);
  await learner.read(/(\$) *$/);
  await learner.type('server01', printing('hidden'));

  // A second terminal of the same host, in front, says when the first one has parsed everything.
  await page.getByRole('button', { name: 'New terminal, restart or close' }).click();
  await page.getByRole('menuitem', { name: /New terminal on server01/ }).click();
  await learner.read(/(\$)/);
  await page.keyboard.type(waitingFor('hidden'));
  await page.keyboard.press('Enter');
  await nextFrame(page);
  const whileHidden = await PageWork.count(page, page.locator('#printing'));
  await learner.read(/(parsed-2)/);
  const hidden = await whileHidden.done();
  expect(hidden.mutations).toBe(0);
  // Those of the terminal in front, which shows that file and a prompt; not one for each line.
  expect(hidden.layouts).toBeLessThan(20);
  await learner.tab('server01').click();
  await learner.read(/(line 60 of many)/);
});

test('a terminal that is hidden again while it loads is opened when it is shown', async ({
  learner,
}) => {
  const { page } = learner;
  await learner.goTo('ephemeral-ports/');
  await learner.tab('server01').click();
  await learner.read(/(\$)/);
  const held = Promise.withResolvers<void>();
  await page.route(/\/_astro\/xterm\./, async (route) => {
    await held.promise;
    await route.continue();
  });
  await page.reload();
  await learner.ready();
  await learner.tab('server01').click();
  await learner.tab('client').click();
  held.resolve();
  // The one that was asked for first is there by then.
  await learner.read(/(\$)/);
  await expect(page.locator('.qs-terminal .xterm')).toHaveCount(1);
  await learner.tab('server01').click();
  await learner.read(/(\$)/);
  await expect(page.locator('.qs-terminal .xterm')).toHaveCount(2);
});

test('terminals that are closed are gone from memory', async ({ learner }) => {
  const { page } = learner;
  await learner.goTo('ephemeral-ports/');
  await learner.tab('server01').click();
  await learner.read(/(\$)/);
  const tabs = page.locator('.workspace [role="tab"]');
  const before = await tabs.count();
  for (let opened = 0; opened < 4; opened++) {
    await page.getByRole('button', { name: 'New terminal, restart or close' }).click();
    await page.getByRole('menuitem', { name: /New terminal on server01/ }).click();
    await expect(tabs).toHaveCount(before + 1);
    await learner.read(/(\$)/);
    await page.locator('.workspace [aria-selected="true"] .tab-close').click();
    await expect(tabs).toHaveCount(before);
  }
  // The browser itself holds on to the last that had the keyboard and the mouse.
  await expect.poll(() => closedTerminals(page)).toBeLessThanOrEqual(2);
});

/** Terminals' elements that are in no document and not yet collected, though all garbage is. */
async function closedTerminals(page: Page): Promise<number> {
  const devtools = await page.context().newCDPSession(page);
  const { result } = await devtools.send('Runtime.evaluate', {
    expression: 'HTMLDivElement.prototype',
  });
  const { objects } = await devtools.send('Runtime.queryObjects', {
    prototypeObjectId: result.objectId ?? '',
  });
  const closed = await devtools.send('Runtime.callFunctionOn', {
    objectId: objects.objectId ?? '',
    functionDeclaration: `function () {
      return this.filter((each) => each.className === 'qs-terminal' && !each.isConnected).length;
    }`,
    returnByValue: true,
  });
  await devtools.detach();
  return Number(closed.result.value);
}
