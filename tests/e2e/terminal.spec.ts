import { expect, test } from './learner.ts';

const PROMPT = /learner@server01/;

test('a full-screen program is drawn again after a reload, and leaves the screen as it was', async ({
  learner,
}) => {
  await learner.goTo('ephemeral-ports/');
  await learner.type('server01', 'clear; echo before-$((1 + 1)); seq 1 60 > numbers');
  await learner.read(/(before-2)/);
  await learner.type('server01', 'vim numbers');
  await learner.read(/"numbers" (60)L/);
  await learner.page.reload();
  await learner.ready();
  await learner.tab('server01').click();
  await learner.read(/"numbers" (60)L/);
  await expect(learner.terminal).not.toContainText('before-2');
  await learner.page.locator('.panel:visible .xterm-screen').click();
  await learner.page.keyboard.type(':q\n');
  await learner.read(/(before-2)/);
});

test('several lines pasted from a page wait for Enter, and bring no keys of their own', async ({
  learner,
}) => {
  const { page } = learner;
  await learner.goTo('ephemeral-ports/');
  await learner.type('server01', 'clear; echo ready-$((1 + 1))');
  // The shell takes a paste as a whole only while it stands at its prompt.
  await learner.read(/(ready-2)\s+learner@server01/);
  await page.evaluate(() =>
    navigator.clipboard.writeText('echo one-$((2 - 1))\u001b[201~\necho two-$((1 + 1))\n'),
  );
  await page.keyboard.press('Control+Shift+V');
  await expect(learner.terminal).toContainText('echo two');
  await expect(learner.terminal).not.toContainText('one-1');
  await page.keyboard.press('Enter');
  await learner.read(/(one-1)/);
  await learner.read(/(two-2)/);
});

test('where lines would run as they arrive, the learner is asked first', async ({ learner }) => {
  const { page } = learner;
  await learner.goTo('ephemeral-ports/');
  await learner.type('server01', 'clear; cat > notes');
  await expect(learner.terminal).not.toContainText(PROMPT);
  await page.evaluate(() => navigator.clipboard.writeText('first\nsecond\n'));
  await page.keyboard.press('Control+Shift+V');
  await page.locator('.panel:visible').getByRole('button', { name: 'Paste' }).click();
  await page.keyboard.press('Control+d');
  await learner.type('server01', 'clear; paste -s -d- notes');
  await learner.read(/(first-second)/);
});

test('a line too long for a program that reads line by line is told before it is sent', async ({
  learner,
}) => {
  const { page } = learner;
  const panel = page.locator('.panel:visible');
  const pasteLetters = async (count: number) => {
    await page.evaluate((text) => navigator.clipboard.writeText(text), 'x'.repeat(count));
    await page.keyboard.press('Control+Shift+V');
  };
  await learner.goTo('ephemeral-ports/');
  await learner.type('server01', 'clear; cat > notes');
  await expect(learner.terminal).not.toContainText(PROMPT);
  await pasteLetters(5000);
  await expect(panel.getByRole('status')).toContainText('a line of 5,000 bytes?');
  await panel.getByRole('button', { name: 'Cancel' }).click();
  await pasteLetters(4095);
  await page.keyboard.press('Enter');
  await pasteLetters(5000);
  await panel.getByRole('button', { name: 'Paste' }).click();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Control+d');
  await learner.type('server01', 'clear; tr -d "\\n" < notes | wc -c');
  await learner.read(/(8190)\s/);
});

test('a failed command is marked, prompts can be jumped to, and the scrollback searched', async ({
  learner,
}) => {
  const { page } = learner;
  await learner.goTo('ephemeral-ports/');
  await learner.type('server01', 'clear');
  await learner.type('server01', 'echo needle; ls /nowhere');
  await expect(page.locator('.panel:visible .qs-failed-command')).toHaveAttribute(
    'title',
    /status 2/,
  );
  await learner.type('server01', 'seq 1 200');
  await learner.read(/\n(200)\n/);
  await page.keyboard.press('Control+Shift+ArrowUp');
  await expect(learner.terminal).toContainText('seq 1 200');
  await page.keyboard.press('Control+Shift+F');
  await page.getByLabel('Find in terminal').fill('needle');
  await expect(page.getByText(/^[12] of [12]$/)).toBeVisible();
  await expect(learner.terminal).toContainText('needle');
  await page.keyboard.press('Escape');
  await expect(page.locator('.panel:visible textarea')).toBeFocused();
});

test('the size of the text is the learner’s, and is kept', async ({ learner }) => {
  const { page } = learner;
  await learner.goTo('ephemeral-ports/');
  await learner.type('server01', 'clear; echo $COLUMNS columns');
  const before = Number(await learner.read(/(\d+) columns/));
  for (let step = 0; step < 4; step++) await page.keyboard.press('Control+Shift+Period');
  await learner.type('server01', 'clear; echo $COLUMNS columns');
  await expect.poll(async () => Number(await learner.read(/(\d+) columns/))).toBeLessThan(before);
  await page.reload();
  await learner.ready();
  await learner.tab('server01').click();
  await expect(learner.terminal).toContainText(PROMPT);
  await learner.type('server01', 'clear; echo $COLUMNS columns');
  await expect.poll(async () => Number(await learner.read(/(\d+) columns/))).toBeLessThan(before);
});

test('a cursor that may blink no more is seen', async ({ learner }) => {
  await learner.goTo('ephemeral-ports/');
  await learner.type('server01', 'clear');
  const cursorIsOff = learner.page.locator('.panel:visible .xterm[data-cursor-off]');
  await cursorIsOff.waitFor();
  await learner.page.emulateMedia({ reducedMotion: 'reduce' });
  await expect(cursorIsOff).toHaveCount(0);
});
