import { isAccessible } from './axe.ts';
import { expect, test } from './learner.ts';

/** Of black and its nearest greys, each part: what is darker is read well on white paper. */
const DARK = 0x60;

test('a page prints black on white, with its ticks, its hints and the hosts’ own numbers', async ({
  learner,
}) => {
  const { page } = learner;
  await page.emulateMedia({ colorScheme: 'dark' });
  await learner.goTo('ephemeral-ports/');
  await page
    .getByRole('button', { name: /^Run on/ })
    .first()
    .click();
  await learner.ticked('myapp2-on-ephemeral-port');
  const inProse = page.locator('.value[data-value-id="myapp2-port"]');
  await expect(inProse).toHaveText(/^\d+$/);
  const port = (await inProse.textContent()) ?? '';
  await page.emulateMedia({ colorScheme: 'dark', media: 'print' });

  await expect(page.locator('.drawing [data-value-id="myapp2-port"]')).toHaveText([
    port,
    port,
    port,
  ]);
  await expect(page.locator('button:visible')).toHaveCount(0);
  await expect(page.locator('input:visible')).toHaveCount(0);
  await expect(page.getByText('publishes every port that the image declares')).toBeVisible();
  const folded = page.locator('.hint summary').first();
  expect(await folded.evaluate((mark) => getComputedStyle(mark, '::before').display)).toBe('none');
  const tick = page.locator('[data-check-id="myapp2-on-ephemeral-port"] .check-mark');
  expect(await tick.evaluate((mark) => getComputedStyle(mark, '::after').borderBottom)).toBe(
    '2px solid rgb(0, 0, 0)',
  );
  expect(await page.locator('main').evaluate(lightInkOf, DARK)).toEqual([]);
  await isAccessible(page, 'on paper');
});

test('a block shows the hosts’ own number once it is known: read, copied and printed', async ({
  learner,
}) => {
  const { page } = learner;
  await page.goto(new URL('/labs/components/components/', page.url()).href);
  await learner.ready();
  const block = page.locator('figure[data-host-block="client"]').filter({ hasText: 'curl' });
  await expect(block).toContainText('curl http://agent01:{hello-port}');
  await page
    .getByRole('button', { name: /^Run on/ })
    .first()
    .click();
  await learner.ticked('hello-runs');
  const port = page.locator('.value[data-value-id="hello-port"]');
  await expect(port).toHaveText(/^\d+$/);
  const command = `curl http://agent01:${await port.textContent()}`;
  await expect(block.locator('pre')).toHaveText(command);
  await block.getByRole('button', { name: 'Copy to clipboard' }).click();
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe(command);
  await page.emulateMedia({ media: 'print' });
  await expect(block.locator('pre')).toHaveText(command);
  const { origin } = new URL(page.url());
  const ended = await page.request.delete(`${origin}/api/labs/components/session`, {
    headers: { origin },
  });
  expect(ended.ok()).toBe(true);
});

/** Texts whose colour is none for white paper, and boxes that are filled with one. */
function lightInkOf(main: Element, dark: number): readonly string[] {
  const partsOf = (colour: string) => (colour.match(/[\d.]+/g) ?? []).slice(0, 3).map(Number);
  return [...main.querySelectorAll('*')]
    .filter((element) => element.checkVisibility() && element.textContent?.trim() !== '')
    .filter((element) => {
      const style = getComputedStyle(element);
      const ink = element instanceof SVGElement ? style.fill : style.color;
      const isText = [...element.childNodes].some(({ nodeType }) => nodeType === Node.TEXT_NODE);
      const isFilled = !/^rgba\(.*, 0\)$|^rgb\(255, 255, 255\)$/.test(style.backgroundColor);
      return isFilled || (isText && partsOf(ink).some((part) => part > dark));
    })
    .map((element) => element.outerHTML.slice(0, 200));
}
