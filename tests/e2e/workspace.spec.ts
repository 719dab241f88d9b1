import { expect, test } from './learner.ts';

test('moving between the pages keeps the document, the terminals and what was typed', async ({
  learner,
}) => {
  const { page } = learner;
  await learner.goTo('ephemeral-ports/');
  await learner.type('server01', 'clear; echo kept-$((40 + 2))');
  await learner.read(/(kept-42)/);
  const screen = await page.locator('.panel:visible .xterm').elementHandle();

  await page.getByRole('link', { name: 'The Linux bridge' }).first().click();
  await expect(page).toHaveURL(/linux-bridge/);
  await expect(page).toHaveTitle(/The Linux bridge/);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('The Linux bridge');
  await expect(page.locator('#starlight__sidebar [aria-current="page"]')).toContainText(
    'The Linux bridge',
  );
  expect(await screen?.evaluate((element) => element.isConnected)).toBe(true);
  // The new page's blocks and checks work like those of the first.
  await page
    .getByRole('button', { name: /^Run on/ })
    .first()
    .click();
  await learner.read(/(inet 172\.17\.0\.1)/);
  const copied = () => page.evaluate(() => navigator.clipboard.readText());
  await page.evaluate(() => navigator.clipboard.writeText(''));
  await page.locator('.copy button').first().click();
  await expect.poll(copied).not.toBe('');

  await page.goBack();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Ephemeral ports');
  expect(await screen?.evaluate((element) => element.isConnected)).toBe(true);
});

test('the separator moves with the keyboard, and stays where it was put', async ({ learner }) => {
  await learner.goTo('ephemeral-ports/');
  const separator = learner.page.getByRole('separator', { name: 'Width of the text' });
  await separator.press('Home');
  await expect(separator).toHaveAttribute('aria-valuenow', '30');
  await separator.press('ArrowRight');
  await expect(separator).toHaveAttribute('aria-valuenow', '32');
  const width = (await learner.page.locator('#lab-prose').boundingBox())?.width;
  await learner.page.reload();
  await expect(separator).toHaveAttribute('aria-valuenow', '32');
  expect((await learner.page.locator('#lab-prose').boundingBox())?.width).toBe(width);
});

for (const width of [1280, 1440]) {
  test(`a window of ${width} px has a terminal of 80 columns or more`, async ({ learner }) => {
    await learner.page.setViewportSize({ width, height: 800 });
    await learner.goTo('ephemeral-ports/');
    await learner.type('server01', 'clear; echo $(tput cols) columns');
    expect(Number(await learner.read(/(\d+) columns/))).toBeGreaterThanOrEqual(80);
  });
}

test('a block that calls a host by another name leads to a tab that says that name', async ({
  learner,
}) => {
  await learner.goTo('linux-bridge/');
  await expect(learner.tab('server01')).toContainText('agent01');
  await learner.goTo('ephemeral-ports/');
  await expect(learner.tab('server01')).not.toContainText('agent01');
});

test('the separator, a menu and a dialog give the keyboard back to the terminal', async ({
  learner,
}) => {
  const { page } = learner;
  await learner.goTo('ephemeral-ports/');
  await learner.type('server01', 'clear');
  const keyboard = page.locator('.panel:visible .xterm-helper-textarea');
  await expect(keyboard).toBeFocused();

  const separator = page.getByRole('separator', { name: 'Width of the text' });
  const box = await separator.boundingBox();
  if (!box) throw new Error('the separator is not there');
  await page.mouse.move(box.x + box.width / 2, 400);
  await page.mouse.down();
  await page.mouse.move(box.x - 40, 400);
  await expect(separator).toBeFocused();
  await page.mouse.up();
  await expect(keyboard).toBeFocused();

  await page.getByRole('button', { name: 'New terminal, restart or close' }).click();
  await expect(page.getByRole('menuitem').first()).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(keyboard).toBeFocused();

  await page.getByRole('button', { name: 'Reset', exact: true }).click();
  await page.getByRole('button', { name: 'Keep going' }).click();
  await expect(keyboard).toBeFocused();

  // Reached by keyboard, a menu gives it back to its button.
  const plus = page.getByRole('button', { name: 'New terminal, restart or close' });
  await plus.press('Enter');
  await page.keyboard.press('Escape');
  await expect(plus).toBeFocused();
});

test('tabs follow the arrow keys, Delete closes one, and a shell that ended can be had anew', async ({
  learner,
}) => {
  const { page } = learner;
  await learner.goTo('ephemeral-ports/');
  await learner.tab('server01').focus();
  await page.keyboard.press('ArrowRight');
  await expect(learner.tab('server02')).toHaveAttribute('aria-selected', 'true');
  await expect(learner.tab('server02')).toBeFocused();
  await page.keyboard.press('Delete');
  await expect(learner.tab('server02')).toBeHidden();

  await learner.type('client', 'exit');
  await page.getByRole('button', { name: 'New shell' }).click();
  await expect(learner.tab('client')).toHaveAttribute('aria-selected', 'true');
  await learner.type('client', 'clear; echo new-$((40 + 2))');
  await learner.read(/(new-42)/);
});

test('a terminal in which a program runs can be had back; a shell at its prompt closes at once', async ({
  learner,
}) => {
  const { page } = learner;
  await page.clock.install();
  await learner.goTo('ephemeral-ports/');
  await learner.type('server01', 'clear; echo begun-$((40 + 2)); sleep 1000');
  await learner.read(/(begun-42)/);
  await learner.tab('server01').click({ button: 'middle' });
  await expect(learner.tab('server01')).toBeHidden();
  const undo = page.getByRole('button', { name: 'Undo' });
  await expect(
    page.getByText('server01 is being closed, and what runs in it ends.').filter({ visible: true }),
  ).toHaveCount(1);
  await undo.click();
  await learner.tab('server01').click();
  await learner.read(/(begun-42)/);
  await page.clock.fastForward('00:30');
  await expect(learner.tab('server01')).toBeVisible();

  await learner.tab('server01').click({ button: 'middle' });
  await expect(undo).toBeVisible();
  const closed = page.waitForResponse((answer) => answer.request().method() === 'DELETE');
  await page.clock.fastForward('00:11');
  expect((await closed).status()).toBe(204);
  await expect(undo).toBeHidden();

  await learner.type('client', 'clear; echo done-$((40 + 2))');
  await expect(learner.terminal).toContainText(/done-42.*\$/);
  await learner.tab('client').click({ button: 'middle' });
  await expect(learner.tab('client')).toBeHidden();
  await expect(undo).toBeHidden();
});

test('whoever had the keyboard has it again when the separator was dragged', async ({
  learner,
}) => {
  const { page } = learner;
  await learner.goTo('ephemeral-ports/');
  await learner.type('server01', 'clear');
  const box = await page.getByRole('separator', { name: 'Width of the text' }).boundingBox();
  if (!box) throw new Error('no separator');
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x - 90, y, { steps: 5 });
  await page.mouse.up();
  await page.keyboard.type('echo dragged-$((40 + 2))\n');
  await learner.read(/(dragged-42)/);
});

test('however many terminals there are, the tab in front is in sight', async ({ learner }) => {
  const { page } = learner;
  await learner.goTo('ephemeral-ports/');
  for (let count = 2; count <= 6; count++) {
    await page.getByRole('button', { name: 'New terminal, restart or close' }).click();
    await page.getByRole('menuitem', { name: /New terminal on server01/ }).click();
    await expect(learner.tab(`server01 (${count})`)).toHaveAttribute('aria-selected', 'true');
  }
  const last = learner.tab('server01 (6)');
  // The browser's tab lies over the border of the last one, and letters have fractions of a pixel.
  const covered = 2;
  const isInSight = async () => {
    const [tab, browser] = [await last.boundingBox(), await learner.tab('Browser').boundingBox()];
    return !!tab && !!browser && tab.x + tab.width <= browser.x + covered;
  };
  await expect.poll(isInSight).toBe(true);
  // What the others print puts a dot on each, which makes it wider.
  for (let count = 2; count <= 5; count++) {
    await learner
      .tab(`server01 (${count})`)
      .evaluate((tab) => tab.setAttribute('data-activity', ''));
  }
  await expect.poll(isInSight).toBe(true);
  await page.setViewportSize({ width: 1024, height: 800 });
  await expect.poll(isInSight).toBe(true);
});

test('from the terminal the keyboard returns to where it was in the text', async ({ learner }) => {
  const { page } = learner;
  await learner.goTo('linux-bridge/');
  const run = page.getByRole('button', { name: /^Run on/ }).first();
  await run.press('Enter');
  await learner.read(/(inet 172\.17\.0\.1)/);
  await page.keyboard.press('Control+Shift+Enter');
  // The terminal's own menu may lie on the way.
  const back = page.getByRole('button', { name: 'Return to the text' });
  await expect(async () => {
    await page.keyboard.press('Tab');
    await expect(back).toBeFocused({ timeout: 500 });
  }).toPass();
  await page.keyboard.press('Enter');
  await expect(run).toBeFocused();
});

test('the browser pane goes back and forward, and says what a failure tells', async ({
  learner,
}) => {
  const { page } = learner;
  await learner.goTo('linux-bridge/');
  await learner.visit('10.1.10.11:9');
  await expect(page.getByText('10.1.10.11:9 refused to connect')).toBeVisible();
  await expect(page.getByText('10.1.10.11 said no: nothing listens on that port')).toBeVisible();
  await learner.visit('nowhere.example');
  await expect(page.getByText('nowhere.example: name not found')).toBeVisible();
  const address = page.getByRole('textbox', { name: 'Address' });
  await page.getByRole('button', { name: 'Back', exact: true }).click();
  await expect(address).toHaveValue('http://10.1.10.11:9/');
  await expect(page.getByText('10.1.10.11:9 refused to connect')).toBeVisible();
  await page.getByRole('button', { name: 'Forward', exact: true }).click();
  await expect(address).toHaveValue('http://nowhere.example/');
});

test('the search finds a page, and is loaded when it is opened', async ({ learner }) => {
  const { page } = learner;
  const asked: string[] = [];
  page.on('request', (request) => asked.push(new URL(request.url()).pathname));
  await page.reload();
  expect(asked.filter((path) => path.startsWith('/pagefind/'))).toEqual([]);
  await page.keyboard.press('Control+k');
  // What the authors' guide is about is found from there alone.
  await page.getByRole('searchbox').fill('defineLab');
  await expect(page.getByText('Nothing found for “defineLab”')).toBeVisible();
  await page.getByRole('searchbox').fill('linux bridge');
  await page.getByRole('link', { name: 'The Linux bridge', exact: true }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('The Linux bridge');
});

test('a terminal whose code cannot be fetched says so, and is there after a reload', async ({
  learner,
}) => {
  const { page } = learner;
  await page.route('**/_astro/pane.*.js', (route) => route.abort());
  await learner.goTo('ephemeral-ports/');
  await expect(page.locator('.panel:visible')).toContainText(
    'could not be fetched. Reload the page.',
  );
  await page.unroute('**/_astro/pane.*.js');
  await page.reload();
  await expect(learner.terminal).toContainText('$');
});
