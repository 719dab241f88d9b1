import type { Browser, BrowserContext } from '@playwright/test';
import { expect, Learner, test } from './learner.ts';
import { Link } from './link.ts';

/** Written slowly enough that every cut falls into the middle of them. */
const LINES = 400;
const CUTS = 3;
/** Two beats and a half, and a new socket. */
const NOTICED_MS = 30_000;

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
  await page.clock.install();
  await page.goto(learner.page.url());
  const other = new Learner(page);
  await other.ready();
  await other.tab('server01').click();
  return { learner: other, context };
}

/** What the terminal in front says of its link. */
async function linkIs({ page }: Learner, state: 'open' | 'reconnecting'): Promise<void> {
  const terminal = page.locator('.panel:visible .qs-terminal');
  await expect(terminal).toHaveAttribute('data-state', state);
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
    await linkIs(away, 'reconnecting');
    link.heal();
    await linkIs(away, 'open');
  }
  await away.read(/(all-2)/);
  const lines = [...(await away.copyAll()).matchAll(/^line (\d+)$/gm)].map(([, n]) => Number(n));
  expect(lines).toEqual(Array.from({ length: LINES }, (_, index) => index + 1));
  await context.close();
});

test('what is typed while the link is down waits, and goes out once', async ({
  learner,
  browser,
}) => {
  await learner.goTo('ephemeral-ports/');
  await using link = await Link.open();
  const { learner: away, context } = await behind(link, learner, browser);
  await away.type('server01', 'clear');
  link.cut();
  await linkIs(away, 'reconnecting');
  await away.page.keyboard.type('echo typed-$((1 + 1))');
  await expect(away.page.locator('.panel:visible')).toContainText(/21 keys/);
  await away.page.keyboard.press('Enter');
  link.heal();
  await linkIs(away, 'open');
  await away.read(/(typed-2)/);
  expect([...(await away.copyAll()).matchAll(/typed-2/g)]).toHaveLength(1);
  await context.close();
});

test('a link that falls silent without a close is noticed: steps tick again within half a minute', async ({
  learner,
  browser,
}) => {
  await learner.goTo('ephemeral-ports/');
  await using link = await Link.open();
  const { learner: away, context } = await behind(link, learner, browser);
  link.fallSilent();
  await learner.type('server01', 'docker run -d --name myapp2 -p :80 mycontainer:5.6');
  await learner.ticked('myapp2-on-ephemeral-port');
  await expect(away.check('myapp2-on-ephemeral-port')).toHaveAttribute(
    'data-check-state',
    'passed',
    { timeout: NOTICED_MS },
  );
  await linkIs(away, 'open');
  await context.close();
});

test('after an hour under a closed lid the terminal shows all that came meanwhile, once', async ({
  learner,
  browser,
}) => {
  await learner.goTo('ephemeral-ports/');
  await using link = await Link.open();
  const { learner: away, context } = await behind(link, learner, browser);
  await away.type('server01', 'clear; echo before');
  await away.read(/\n?(before)/);
  link.cut();
  await linkIs(away, 'reconnecting');
  await learner.type('server01', `seq -f 'line %g' 1 ${LINES}; echo all-$((1 + 1))`);
  await learner.read(/(all-2)/);
  await away.page.clock.fastForward('01:00:00');
  link.heal();
  await linkIs(away, 'open');
  await away.read(/(all-2)/);
  const lines = [...(await away.copyAll()).matchAll(/^line (\d+)$/gm)].map(([, n]) => Number(n));
  expect(lines).toEqual(Array.from({ length: LINES }, (_, index) => index + 1));
  await context.close();
});
