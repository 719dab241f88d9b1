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
  await expect(page.locator('.panel:visible').getByRole('status')).toContainText('5,000 bytes');
  await page.getByRole('button', { name: 'Cancel', exact: true }).tap();
  await expect(line).toHaveValue(/^x{5000}$/);
  await page.keyboard.press('Control+c');
  await page.getByRole('button', { name: 'Close the line' }).tap();

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
