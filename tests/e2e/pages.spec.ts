import AxeBuilder from '@axe-core/playwright';
import { expect, test } from './learner.ts';

const PAGES = [
  '/',
  '/authors/',
  '/labs/docker-networking/',
  '/labs/docker-networking/ephemeral-ports/',
  '/labs/docker-networking/linux-bridge/',
  '/labs/docker-networking/docker-networks/',
];

for (const colorScheme of ['light', 'dark'] as const) {
  test(`axe finds nothing serious on any page (${colorScheme})`, async ({ learner }) => {
    await learner.page.emulateMedia({ colorScheme });
    for (const path of PAGES) {
      await learner.page.goto(new URL(path, learner.page.url()).href);
      if (path.includes('/labs/docker-networking/') && path.length > 25) await learner.ready();
      const { violations } = await new AxeBuilder({ page: learner.page }).analyze();
      const serious = violations.filter(
        ({ impact }) => impact === 'serious' || impact === 'critical',
      );
      expect(
        serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`),
        path,
      ).toEqual([]);
    }
  });
}

test('no page loads anything from another site, or scrolls sideways on a phone', async ({
  learner,
}) => {
  const own = new URL(learner.page.url()).origin;
  const elsewhere: string[] = [];
  learner.page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    if (protocol.startsWith('http') && origin !== own) elsewhere.push(request.url());
  });
  await learner.page.setViewportSize({ width: 390, height: 844 });
  for (const path of PAGES) {
    await learner.page.goto(new URL(path, own).href);
    const wide = await learner.page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    expect(wide, path).toBeLessThanOrEqual(0);
  }
  expect(elsewhere).toEqual([]);
});

test('whoever learns is led to no page for authors, and whoever has the server is', async ({
  learner,
}) => {
  const { page } = learner;
  await learner.goTo('ephemeral-ports/');
  await expect(page.locator('#starlight__sidebar a')).not.toHaveCount(0);
  await expect(page.locator('a[href^="/authors/"], a[href^="/labs/components/"]')).toHaveCount(0);
  await page.goto(new URL('/', page.url()).href);
  await expect(page.getByText('Every part, live')).toHaveCount(0);
  await page.getByRole('link', { name: 'Write a lab' }).click();
  await expect(page.locator('.sidebar-content a[href^="/labs/components/"]')).not.toHaveCount(0);
});

test('every card holds what stands in it, however narrow the text is', async ({ learner }) => {
  for (const section of ['ephemeral-ports/', 'docker-networks/']) {
    await learner.goTo(section);
    for (const width of [320, 390, 900, 1024, 1280]) {
      await learner.page.setViewportSize({ width, height: 844 });
      await expect(
        learner.page.getByRole('button', { name: 'Do it for me' }).first(),
      ).toBeVisible();
      const spilt = await learner.page.locator('main .check').evaluateAll((cards) =>
        cards.flatMap((card) => {
          const { left, right } = card.getBoundingClientRect();
          return [...card.querySelectorAll('*')]
            .filter((part) => part.checkVisibility() && !part.matches('.sr-only'))
            .filter((part) => {
              const box = part.getBoundingClientRect();
              return box.left < left || box.right > right;
            })
            .map((part) => part.outerHTML.slice(0, 120));
        }),
      );
      expect(spilt, `${section} at ${width} px`).toEqual([]);
    }
  }
});
