import type { Locator, Page } from '@playwright/test';
import { expect, type Learner } from './learner.ts';

/** What a learner has at hand. Each reaches all that the others reach. */
export type Hands = 'mouse' | 'keyboard' | 'touch';

/** More than any page of the path has that the Tab key stops at. */
const STOPS_MAX = 90;
/** WCAG 2.2, 2.5.8: a target is this high and wide, in CSS pixels; a link within a sentence may be less. */
const TARGET_PX = 24;
const STEP = 'myapp2-on-ephemeral-port';
const SECOND_STEP = 'docker0-address-read';

/** From the home page into the lab, its first steps by hand, by Run and by the guide, the settings and the reset. */
export async function walkMainPath(learner: Learner, hands: Hands): Promise<void> {
  const { page } = learner;
  const press = (target: Locator) => pressWith(hands, target);
  const heading = page.getByRole('heading', { level: 1 });
  const inText = page.getByRole('main');

  await press(page.getByRole('link', { name: 'Docker Networking', exact: true }));
  await press(inText.getByRole('link', { name: 'Ephemeral ports' }).first());
  await expect(heading).toHaveText('Ephemeral ports');
  await learner.ready();
  await turnTo('Terminals', page, press);
  await expect(learner.terminal).toContainText('$');
  await enterTerminal(page, hands);
  await page.keyboard.type('docker run -d --name myapp2 -p :80 mycontainer:5.6\n');
  await learner.ticked(STEP);

  await turnTo('Read', page, press);
  await press(inText.getByRole('link', { name: /^Next/ }));
  await expect(heading).toHaveText('The Linux bridge');
  await press(inText.getByRole('button', { name: /^Run on/ }).first());
  await expect(learner.tab('server01')).toHaveAttribute('aria-selected', 'true');
  await learner.read(/(inet 172\.17\.0\.1)/);

  await turnTo('Read', page, press);
  if (hands === 'touch') expect(await page.evaluate(smallTargets, TARGET_PX)).toEqual([]);
  const overlap = page.waitForFunction(overTerminal, '#lab-guide');
  await press(learner.check(SECOND_STEP).getByRole('button', { name: 'Do it for me' }));
  expect(await (await overlap).jsonValue(), 'of the terminal under the strip').toEqual([0]);
  await learner.ticked(SECOND_STEP);

  await turnTo('Terminals', page, press);
  const settings = page.getByRole('button', { name: /^Settings and keys/ });
  await press(settings.filter({ visible: true }));
  const menu = page.getByRole('dialog', { name: 'Terminal settings' });
  await expect(menu).toBeVisible();
  if (hands === 'touch') expect(await page.evaluate(smallTargets, TARGET_PX)).toEqual([]);
  if (hands === 'keyboard') await page.keyboard.press('Escape');
  else await press(settings.filter({ visible: true }));
  await expect(menu).toBeHidden();

  const more = page.getByRole('button', { name: 'Hosts and session' });
  if (await more.isVisible()) await press(more);
  await press(page.getByRole('button', { name: 'Reset', exact: true }));
  const dialog = page.getByRole('dialog', { name: 'Reset the lab?' });
  await press(dialog.getByRole('button', { name: 'Keep going' }));
  await expect(dialog).toBeHidden();
  await learner.ticked(SECOND_STEP);
}

async function pressWith(hands: Hands, target: Locator): Promise<void> {
  if (hands === 'mouse') await target.click();
  else if (hands === 'touch') await target.tap();
  else {
    await tabTo(target);
    await target.page().keyboard.press('Enter');
  }
}

/** Goes on with the Tab key from where the focus is, until it is there and can be seen to be. */
async function tabTo(target: Locator): Promise<void> {
  await expect(target).toBeVisible();
  const { keyboard } = target.page();
  for (let stops = 0; stops < STOPS_MAX; stops++) {
    const at = await target.evaluate((element) => {
      if (element === document.activeElement) return 'there';
      return document.activeElement?.matches('.xterm-helper-textarea') ? 'in a terminal' : 'before';
    });
    if (at === 'there') break;
    // A terminal takes the Tab key itself.
    await keyboard.press(at === 'in a terminal' ? 'Control+Shift+Enter' : 'Tab');
  }
  await expect(target, 'reached with the Tab key').toBeFocused();
  expect(await target.evaluate((element) => element.matches(':focus-visible'))).toBe(true);
}

/** On a narrow screen text and terminals take turns. */
async function turnTo(
  view: 'Read' | 'Terminals',
  page: Page,
  press: (target: Locator) => Promise<void>,
): Promise<void> {
  const tab = page.getByRole('tab', { name: view });
  if (await tab.isVisible()) await press(tab);
}

async function enterTerminal(page: Page, hands: Hands): Promise<void> {
  const panel = page.locator('.panel:visible');
  if (hands === 'keyboard') await tabTo(panel.locator('.xterm-helper-textarea'));
  else await pressWith(hands, panel.locator('.xterm-screen'));
}

/**
 * For the page itself: how many pixels of the terminal in front lie under that element.
 *
 * @returns a list of one, or nothing until both are in sight
 */
export function overTerminal(selector: string): readonly number[] | undefined {
  const over = document.querySelector(selector);
  const screen = document.querySelector('.panel:not([hidden]) .terminal-screen');
  if (!over?.checkVisibility() || !screen?.checkVisibility({ visibilityProperty: true })) return;
  const [a, b] = [over.getBoundingClientRect(), screen.getBoundingClientRect()];
  const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  return [Math.max(0, wide) * Math.max(0, high)];
}

/** What can be pressed and is in sight, and is smaller than that. */
function smallTargets(least: number): readonly string[] {
  const all = document.querySelectorAll<HTMLElement>(
    'a[href], button, input, select, summary, [role="tab"], [role="menuitem"], [tabindex="0"]',
  );
  return (
    [...all]
      .filter((target) =>
        target.checkVisibility({ visibilityProperty: true, opacityProperty: true }),
      )
      .filter((target) => !target.closest('[inert], .sr-only'))
      // Within a sentence; and what Starlight makes larger by a pseudo-element, which has no box to ask for.
      .filter((target) => !target.matches('p a, li a, p button, .sl-anchor-link'))
      .map((target) => ({
        target,
        box: (target.closest('label') ?? target).getBoundingClientRect(),
      }))
      .filter(({ box }) => Math.min(box.width, box.height) < least && box.width > 2)
      .map(({ target, box }) => `${box.width} × ${box.height}: ${target.outerHTML.slice(0, 160)}`)
  );
}
