import { endSession, expect, type Learner, test } from './learner.ts';

const LAB = 'publish-an-image';

test('a learner publishes an image, runs it elsewhere, and sees its tag move on', async ({
  learner,
}) => {
  const { page } = learner;
  const heading = page.getByRole('heading', { level: 1 });
  const inText = page.getByRole('main');
  await page.goto(new URL(`/labs/${LAB}/`, page.url()).href);
  await learner.ready();

  await inText.getByRole('link', { name: 'Tag and push' }).first().click();
  await expect(heading).toHaveText('Tag and push');
  const run = runBlocks(learner);
  await run();
  await learner.answer('registry-port-read', await learner.read(/:(\d+)->5000/));
  await run();
  await learner.answer('catalog-read', await learner.read(/(\{"repositories":\[\]\})/));
  await run();
  await run();
  await run();
  await learner.ticked('registry-port-read', 'catalog-read', 'image-tagged', 'image-pushed');
  await run();
  await learner.answer('digest-read', await learner.read(/(sha256:[0-9a-f]{12})/));
  await learner.ticked('digest-read');
  await expect(inText.locator('[data-value-id="repositories"]').first()).toHaveText('mycontainer');

  await inText.getByRole('link', { name: /^Next/ }).click();
  await expect(heading).toHaveText('Run it elsewhere');
  const runThere = runBlocks(learner);
  await runThere();
  await learner.read(/(registry-1\.docker\.io)/);
  await learner.ticked('short-name-fails');
  await runThere('stays');
  await learner.ticked('runs-elsewhere');
  await inText.getByRole('link', { name: 'http://10.1.10.12:8080' }).click();
  await expect(learner.pane.locator('h1')).toHaveText('Hello from mycontainer');
  await learner.ticked('opened-elsewhere');
  await inText.getByRole('button', { name: 'Ctrl-C' }).click();
  await page.locator('.panel:visible .xterm-screen').click();
  await page.keyboard.press('Control+c');
  await runThere();
  await learner.ticked('gone-by-itself');

  await inText.getByRole('link', { name: /^Next/ }).click();
  await expect(heading).toHaveText('A newer version');
  const runAgain = runBlocks(learner);
  await runAgain();
  await learner.ticked('runs-again');
  await inText.getByRole('button', { name: /newer\/Dockerfile/ }).click();
  await expect(page.getByRole('textbox', { name: /newer\/Dockerfile on server01/ })).toContainText(
    'FROM mycontainer:5.6',
  );
  await page.keyboard.press('Control+s');
  await expect(page.locator('.files-status')).toContainText('is saved');
  await runAgain();
  await learner.ticked('newer-built');
  await runAgain();
  await learner.ticked('newer-pushed');
  const open = inText.getByRole('link', { name: 'http://10.1.10.12:8080' });
  await open.first().click();
  await learner.ticked('older-page-opened');
  await runAgain();
  await learner.ticked('newer-pulled');
  await runAgain();
  await learner.read(/([0-9a-f]{64})/);
  await open.last().click();
  await expect(learner.pane.locator('h1')).toHaveText('Hello from a newer mycontainer');
  await learner.ticked('newer-page-opened');
  await endSession(page, LAB);
});

/** Runs the page’s blocks, one at each call, and waits for its end unless it stays. */
function runBlocks({ page }: Learner): (how?: 'stays') => Promise<void> {
  let next = 0;
  return async (how) => {
    const buttons = page.getByRole('main').getByRole('button', { name: /^Run on/ });
    const button = buttons.nth(next);
    next += 1;
    await button.click();
    if (how === undefined) await expect(button).not.toHaveAttribute('aria-disabled');
  };
}
