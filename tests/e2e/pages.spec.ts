import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WebSocketRoute } from '@playwright/test';
import { startServer } from '../../client-driver/server-process.ts';
import { siteDirectory } from '../../server/site/build.ts';
import { lab as components } from '../../src/content/docs/labs/components/lab.ts';
import { isAccessible } from './axe.ts';
import { expect, printedUrl, test } from './learner.ts';

const SITE = await siteDirectory(join(import.meta.dirname, '../..'));
const PAGES = readdirSync(SITE, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('index.html'))
  .map((path) => `/${path.replace(/index\.html$/, '')}`);
/** Each width and each colour once. */
const LOOKS = [
  { width: 1440, height: 900, colorScheme: 'light' },
  { width: 390, height: 844, colorScheme: 'dark' },
] as const;

/** An entry of a menu that is broken has at least this height (px). */
const TWO_LINES = 50;

for (const { width, height, colorScheme } of LOOKS) {
  const look = `${width} px, ${colorScheme}`;

  test(`axe finds nothing serious on any page that has no hosts (${look})`, async ({ browser }) => {
    const context = await browser.newContext({ viewport: { width, height }, colorScheme });
    const page = await context.newPage();
    // As the pages are where no server answers.
    await page.route('**/api/**', (route) => route.abort());
    for (const path of PAGES) {
      await page.goto(new URL(path, printedUrl()).href);
      await isAccessible(page, path);
    }
    await context.close();
  });

  test(`axe finds nothing serious where a learner works (${look})`, async ({ learner }) => {
    const { page } = learner;
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme });
    await learner.goTo('linux-bridge/');
    await isAccessible(page, 'the text');
    await page.getByRole('button', { name: 'Search' }).click();
    await page.getByRole('searchbox').fill('linux bridge');
    await expect(page.getByRole('link', { name: 'The Linux bridge', exact: true })).toBeVisible();
    await isAccessible(page, 'the search');
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page
      .getByRole('button', { name: /^Run on/ })
      .first()
      .click();
    await learner.read(/(inet 172\.17\.0\.1)/);
    await page.locator('#lab-guide').evaluate((strip) => strip.removeAttribute('hidden'));
    await isAccessible(page, 'the terminal, and what is done for the learner');

    const settings = page.locator('.panel:visible').getByRole('button', { name: /^Settings and/ });
    await settings.click();
    await isAccessible(page, 'the settings');
    const choices = await page
      .locator('.panel:visible .qs-terminal-settings select')
      .evaluateAll((boxes) => boxes.map((box) => box.clientHeight));
    expect(Math.min(...choices), 'a choice is as high as a target').toBeGreaterThanOrEqual(24);
    await page.getByRole('button', { name: 'Last output' }).click();
    await expect(page.getByRole('dialog', { name: /^Output of/ })).toBeVisible();
    await isAccessible(page, 'the output as text');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'New terminal, restart or close' }).click();
    await isAccessible(page, 'the menu of hosts');
    const menu = await page.getByRole('menu').boundingBox();
    expect(menu && menu.x + menu.width, 'the menu keeps off the edge').toBeLessThanOrEqual(
      width - 8,
    );
    const lines = await page
      .locator('[data-restart-host]')
      .evaluateAll((items) => items.map((item) => item.clientHeight));
    expect(Math.max(...lines), 'each entry stands in one line').toBeLessThan(TWO_LINES);
    await page.keyboard.press('Escape');
    const more = page.getByRole('button', { name: 'Hosts and session' });
    if (await more.isVisible()) await more.click();
    await page.getByRole('button', { name: 'Reset', exact: true }).click();
    await isAccessible(page, 'the question before a reset');
    await page.keyboard.press('Escape');
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
  const fits = async (path: string) => {
    const wide = await learner.page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    expect(wide, path).toBeLessThanOrEqual(0);
  };
  for (const path of PAGES) {
    await learner.page.goto(new URL(path, own).href);
    await fits(path);
  }
  // The button of a lab that has been begun names a section.
  await learner.page.goto(own);
  await expect(learner.page.locator('[data-lab-continue]').first()).toContainText('Continue with');
  await fits('the home page with labs that have been begun');
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

test('the end of a lab leads on to the labs that this server has, and to no other', async ({
  learner,
  browser,
}) => {
  await using open = new AsyncDisposableStack();
  const data = await mkdtemp(join(tmpdir(), 'quayside-labs-'));
  open.defer(() => rm(data, { recursive: true }));
  const server = await startServer({ data, args: ['--labs', 'components'], log: 'ignore' });
  open.defer(() => server.stop());
  const context = await browser.newContext();
  open.defer(() => context.close());
  const alone = await context.newPage();
  await alone.goto(server.url);
  for (const page of [learner.page, alone]) {
    // Nobody needs hosts to see where a lab ends.
    await page.route('**/api/labs/components/**', (route) => route.abort());
    const events = Promise.withResolvers<WebSocketRoute>();
    await page.routeWebSocket(/components\/events/, (socket) => events.resolve(socket));
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).pathname));
    await page.goto(new URL('/labs/components/helpers/', page.url()).href);
    const socket = await events.promise;
    socket.send(session({ state: 'not-yet', reason: 'Not yet.' }));
    await expect(page.locator('[data-check-state="not-yet"]').first()).toBeVisible();
    expect(asked).not.toContain('/api/labs');
    const told = page.waitForResponse((response) => response.url().endsWith('/api/labs'));
    socket.send(session({ state: 'passed', passedAt: 1 }));
    await (await told).finished();
  }
  const other = '[data-lab-end] [data-lab="docker-networking"]';
  await expect(learner.page.locator(other)).not.toHaveAttribute('hidden');
  await expect(alone.locator(other)).toHaveAttribute('hidden');
  // In the colour of a browser without a style sheet it would be.
  await expect(learner.page.locator(`${other} a`)).not.toHaveCSS('color', 'rgb(0, 0, 238)');
});

/** A session of the lab with the examples that has ended, with all of its checks so. */
function session(so: object): string {
  const checks = components.checks.map(({ id }) => ({ id, ...so }));
  const status = { state: 'ended', reason: 'It has ended.' };
  const nothing = { values: [], terminals: [], answers: {}, runs: [], guide: { state: 'idle' } };
  const snapshot = { lab: 'components', status, checks, ...nothing };
  return JSON.stringify({ type: 'snapshot', snapshot });
}
