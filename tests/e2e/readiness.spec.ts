import AxeBuilder from '@axe-core/playwright';
import { expect, printedUrl, test } from './learner.ts';

const { origin } = new URL(printedUrl());
/** A page that nothing comes to says so within this. */
const WORDS_MS = 10_000;

for (const colorScheme of ['light', 'dark'] as const) {
  test(`the day before, whoever comes finds all well, signs in nowhere and starts nothing (${colorScheme})`, async ({
    page,
    context,
  }) => {
    await page.emulateMedia({ colorScheme });
    const asked: string[] = [];
    page.on('request', (request) => {
      const { pathname } = new URL(request.url());
      if (pathname.startsWith('/api/')) asked.push(pathname);
    });
    await page.goto(`${origin}/check/`);
    await expect(page.getByText('All is well')).toBeVisible({ timeout: WORDS_MS });
    const rows = page.locator('[data-probe]');
    await expect(rows).toHaveCount(7);
    await expect(page.locator('[data-probe][data-state="fine"]')).toHaveCount(7);
    expect(asked.filter((path) => !/^\/api\/(streams|echo)/.test(path))).toEqual([]);
    expect(await context.cookies()).toEqual([]);

    await page.getByRole('button', { name: 'Copy this report' }).click();
    await expect(page.getByText('Copied.')).toBeVisible();
    const report = await page.evaluate(() => navigator.clipboard.readText());
    expect(report).toContain(`Quayside readiness of ${origin}`);
    expect(report).toMatch(/^Fine {4}Connection: WebSockets come through/m);

    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id }) => id)).toEqual([]);
    const list = await page.locator('.readiness-list').boundingBox();
    const tools = await page.locator('.readiness-tools').boundingBox();
    if (!list || !tools) throw new Error('the list and the report are not there');
    expect(tools.x, 'the report is beside the list').toBeGreaterThan(list.x + list.width);
    expect(tools.y).toBe(list.y);
    await page.setViewportSize({ width: 390, height: 844 });
    await page.getByRole('button', { name: 'Check again' }).click();
    await expect(page.getByText('390 pixels wide')).toBeVisible();
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(wide).toBeLessThanOrEqual(390);
  });
}
