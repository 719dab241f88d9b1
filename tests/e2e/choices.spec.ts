import { isAccessible } from './axe.ts';
import { expect, test } from './learner.ts';

test('questions with choices are answered by mouse and by keyboard, and the reasons are shown', async ({
  learner,
}) => {
  const { page } = learner;
  await learner.goTo('../components/components/');

  // A page that opens after a step is neither led to nor shown before it.
  await learner.goTo('../components/later/');
  await expect(page.locator('[data-closed-note]')).toContainText('opens when a step before it');
  await expect(learner.check('hello-top')).toBeHidden();
  await learner.goTo('../components/components/');
  const later = page.locator('a[href$="/labs/components/later/"]');
  await expect(later).toHaveCount(2);
  for (const link of await later.all()) await expect(link).toBeHidden();

  const one = learner.check('who-gives');
  await one.getByRole('button', { name: 'Check' }).click();
  await expect(one).toContainText('Choose something first.');
  await one.getByRole('radio', { name: 'a DHCP server' }).check();
  await one.getByRole('button', { name: 'Check' }).click();
  await learner.notYet('who-gives', 'No DHCP server is part of Docker.');
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await learner.ticked('who-gives');
  for (const link of await later.all()) await expect(link).toBeVisible();

  const several = learner.check('always-there');
  for (const name of ['bridge', 'mynet']) await several.getByRole('checkbox', { name }).click();
  await several.getByRole('button', { name: 'Check' }).click();
  await learner.notYet('always-there', 'mynet is there once somebody has made it.');
  for (const name of ['mynet', 'host', 'none']) {
    await several.getByRole('checkbox', { name }).click();
  }
  await several.getByRole('button', { name: 'Check' }).click();
  await learner.ticked('always-there');

  const order = learner.check('life-in-order');
  await order.getByRole('button', { name: 'Check' }).click();
  await learner.notYet('life-in-order', 'There is nothing to start before it is created.');
  const up = order.getByRole('button', { name: 'Up: It is created' });
  await up.focus();
  await page.keyboard.press('Enter');
  await expect(page.locator('#lab-announcer')).toContainText('It is created: 2 of 3');
  await expect(up).toBeFocused();
  await page.keyboard.press('Enter');
  await order.getByRole('button', { name: 'Down: It is removed' }).click();
  await order.getByRole('button', { name: 'Check' }).click();
  await learner.ticked('life-in-order');
  await isAccessible(page, 'with choices');

  // What was given stands there again.
  await page.reload();
  await learner.ticked('life-in-order');
  await expect(one.getByRole('radio', { name: 'the engine' })).toBeChecked();
  await expect(several.getByRole('checkbox', { name: 'mynet' })).not.toBeChecked();
  await expect(order.getByRole('listitem').first()).toContainText('It is created');

  await later.last().click();
  await expect(learner.check('hello-top')).toBeVisible();
  await expect(page.locator('[data-closed-note]')).toBeHidden();
});
