import { nginx, PASSES } from '../fixtures/nginx.ts';
import { endSession, expect, Learner, printedUrl, test } from './learner.ts';

/** A page that nothing comes to says so within this. */
const WORDS_MS = 10_000;

// One after the other: they stand behind one address.
test.describe.configure({ mode: 'default' });

/** The address of the proxy that a walk may start: the server knows it (global-setup.ts). */
function proxyPort(): number {
  return Number(process.env.QUAYSIDE_E2E_PROXY_PORT);
}

test('behind a proxy that stops WebSockets the lab works all the same, and says whom to ask', async ({
  page,
}) => {
  const printed = new URL(printedUrl());
  await using proxy = await nginx(
    proxyPort(),
    `location / { proxy_pass ${printed.origin}; ${PASSES.host} }`,
  );
  const learner = new Learner(page);
  await page.goto(proxy.origin + printed.pathname + printed.search);
  await page.goto(`${proxy.origin}/labs/docker-networking/docker-networks/`);
  const line = page.locator('#lab-workspace [data-part="detour"]');
  await expect(line).toContainText(`let WebSockets through to ${new URL(proxy.origin).host}`, {
    timeout: WORDS_MS,
  });
  await learner.ready();
  await learner.type('server01', 'echo it-works-$((40 + 2))');
  await learner.read(/(it-works-42)/);
  await line.getByRole('button', { name: 'Dismiss' }).click();
  await expect(line).toBeHidden();
  await endSession(page);
});

test('behind a proxy that stops WebSockets the page for the day before says so, that the labs work, and whom to ask', async ({
  page,
}) => {
  const { origin } = new URL(printedUrl());
  const port = proxyPort();
  await using proxy = await nginx(port, `location / { proxy_pass ${origin}; ${PASSES.host} }`);
  await page.goto(`${proxy.origin}/check/`);
  const connection = page.locator('[data-probe="links"]');
  await expect(connection).toContainText('This network stops WebSockets.', { timeout: WORDS_MS });
  await expect(connection).toContainText(`let WebSockets through to 127.0.0.1:${port}.`);
  await expect(page.locator('[data-probe="latency"]')).toContainText('A key comes back after');
  await expect(page.getByText('Ready for the class; one thing could be better.')).toBeVisible();
});
