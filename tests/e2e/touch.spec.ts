import { expect, Learner, test } from './learner.ts';

test('on a phone the keys that its keyboard lacks stand below the terminal, and a line is written whole', async ({
  learner,
  browser,
}) => {
  const context = await browser.newContext({
    storageState: await learner.page.context().storageState(),
    viewport: { width: 390, height: 844 },
    hasTouch: true,
    isMobile: true,
  });
  const page = await context.newPage();
  await page.goto(learner.page.url());
  const phone = new Learner(page);
  await phone.goTo('linux-bridge/');
  await page.getByRole('tab', { name: 'Terminals' }).tap();
  await phone.tab('server01').tap();
  await expect(phone.terminal).toContainText('$');
  const keys = page.locator('.panel:visible').getByRole('toolbar', { name: 'Keys for server01' });
  const key = (name: string) => keys.getByRole('button', { name, exact: true });

  // It has no Ctrl and Shift to press together: nothing speaks of them.
  const twoKeys = page.locator('.panel:visible').getByText('Ctrl+Shift').filter({ visible: true });
  await expect(twoKeys).toHaveCount(0);
  const settings = page
    .locator('.panel:visible')
    .getByRole('button', { name: /^Settings and keys/ });
  await settings.tap();
  await expect(
    page.locator('.panel:visible').getByRole('button', { name: 'Copy all' }),
  ).toBeVisible();
  await expect(twoKeys).toHaveCount(0);
  await settings.tap();

  await key('Write a whole line').tap();
  const line = page.getByRole('textbox', { name: 'Line for server01' });
  await line.fill('clear; echo "whole-$((40 + 2))"');
  await line.press('Enter');
  await phone.read(/(whole-42)/);
  await expect(line).toBeFocused();
  await expect(line).toHaveValue('');
  // A line that would not arrive whole stays there until it is sent.
  await line.fill('clear; cat > /dev/null');
  await line.press('Enter');
  await expect(line).toHaveValue('');
  await expect(phone.terminal).not.toContainText('$');
  await line.fill('x'.repeat(5000));
  await line.press('Enter');
  const said = page.locator('.panel:visible').getByRole('status');
  await expect(said).toContainText('5,000 bytes');
  // What is asked is about the line as it was sent.
  await line.fill('y'.repeat(6000));
  await expect(said).not.toContainText('bytes');
  await line.press('Enter');
  await expect(said).toContainText('6,000 bytes');
  await page.getByRole('button', { name: 'Cancel', exact: true }).tap();
  await expect(line).toHaveValue(/^y{6000}$/);
  await expect(line).toBeFocused();
  await page.getByRole('button', { name: 'Close the line' }).tap();
  await page.keyboard.press('Control+c');
  await expect(phone.terminal).toContainText('$');

  // A suggestion of the phone's keyboard takes the place of the word that it has written before.
  const keyboard = await context.newCDPSession(page);
  await keyboard.send('Input.insertText', { text: 'echo sugested' });
  await keyboard.send('Input.imeSetComposition', {
    text: 'suggested',
    selectionStart: 9,
    selectionEnd: 9,
    replacementStart: 5,
    replacementEnd: 13,
  });
  await keyboard.send('Input.insertText', { text: 'suggested-$((40 + 1))' });
  await page.keyboard.press('Enter');
  await phone.read(/\n(suggested-41)/);

  await page.keyboard.type('clear; echo up-$((40 + 3)) ');
  await key('Pipe').tap();
  await page.keyboard.type(' cat');
  await page.keyboard.press('Enter');
  await phone.read(/(up-43)/);
  await page.keyboard.type('clear');
  await page.keyboard.press('Enter');
  await key('Up').tap();
  await key('Up').tap();
  await page.keyboard.press('Enter');
  await phone.read(/(up-43)/);
  await page.keyboard.type('clear; sleep 300');
  await page.keyboard.press('Enter');
  await key('Control').tap();
  await page.keyboard.type('c');
  await page.keyboard.type('echo stopped-$((40 + 4))');
  await page.keyboard.press('Enter');
  await phone.read(/(stopped-44)/);

  // A step that ticks meanwhile is seen from here.
  const read = page.getByRole('tab', { name: /^Read/ });
  await page.request.post(
    new URL('/api/labs/docker-networking/answers/docker0-address-read', page.url()).href,
    {
      headers: { origin: new URL(page.url()).origin },
      data: { text: '172.17.0.1' },
    },
  );
  await expect(read).toHaveAttribute('data-passed');
  await read.tap();
  await expect(read).not.toHaveAttribute('data-passed');
  await phone.ticked('docker0-address-read');
  await context.close();
});
