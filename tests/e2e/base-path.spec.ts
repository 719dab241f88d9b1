import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BASE_PATH } from '../../client-driver/base-path.ts';
import { startServer } from '../../client-driver/server-process.ts';
import { freePort, nginx, PASSES } from '../fixtures/nginx.ts';
import { expect, Learner, test } from './learner.ts';

test('below a path of another site everything works as elsewhere', async ({ page }) => {
  await using opened = new AsyncDisposableStack();
  const data = await mkdtemp(join(tmpdir(), 'quayside-below-'));
  opened.defer(() => rm(data, { recursive: true }));
  const port = await freePort();
  const site = `http://127.0.0.1:${port}`;
  const env = { QUAYSIDE_BASE_PATH: BASE_PATH, QUAYSIDE_ORIGINS: site };
  const server = opened.use(await startServer({ data, args: ['--clean'], env }));
  const printed = new URL(server.url);
  opened.use(
    await nginx(
      port,
      `location ${BASE_PATH}/ { proxy_pass ${printed.origin}; ${PASSES.host} ${PASSES.upgrade} }`,
    ),
  );
  const astray: string[] = [];
  page.on('response', (answer) => {
    const { origin, pathname } = new URL(answer.url());
    const isBelow = pathname.startsWith(`${BASE_PATH}/`);
    if (origin === site && (!isBelow || answer.status() >= 400)) astray.push(answer.url());
  });
  page.on('websocket', (socket) => {
    if (!new URL(socket.url()).pathname.startsWith(`${BASE_PATH}/`)) astray.push(socket.url());
  });
  const learner = new Learner(page);

  await page.goto(site + printed.pathname + printed.search);
  await expect(page).toHaveURL(`${site}${BASE_PATH}/`);
  await page.getByRole('button', { name: /Search/ }).click();
  await page.getByRole('searchbox').fill('ephemeral');
  await page.locator('.search-page').first().click();
  await expect(page).toHaveURL(/\/quayside\/labs\/docker-networking\//);
  await page.goto(`${site}${BASE_PATH}/labs/docker-networking/ephemeral-ports/`);
  await learner.ready();
  await page
    .getByRole('button', { name: /^Run on/ })
    .first()
    .click();
  await learner.ticked('myapp2-on-ephemeral-port');
  await learner.type('server01', 'docker port myapp2');
  const publishedAt = await learner.read(/80\/tcp -> 0\.0\.0\.0:(\d+)/);
  await learner.visit(`10.1.10.11:${publishedAt}`);
  await expect(learner.pane.locator('body')).toContainText('Server IP');
  await learner.ticked('myapp2-page-opened');
  // The text changes, and the terminals stay.
  await page.getByRole('link', { name: 'The Linux bridge' }).first().click();
  await expect(page).toHaveURL(`${site}${BASE_PATH}/labs/docker-networking/linux-bridge/`);
  await expect(learner.pane.locator('body')).toContainText('Server IP');
  expect(astray).toEqual([]);
});
