import { expect, test } from './learner.ts';

test('Run goes past an editor in front, types once for two clicks, and is held until the end', async ({
  learner,
}) => {
  const { page } = learner;
  await learner.goTo('ephemeral-ports/');
  await learner.type('server01', 'vim /tmp/x');
  await expect(learner.terminal).toContainText('"/tmp/x"');
  await page.keyboard.press('i');
  const run = page.getByRole('button', { name: /^Run on/ }).first();
  await run.dblclick();
  await expect(run).toHaveAttribute('aria-disabled', 'true');
  await learner.ticked('myapp2-on-ephemeral-port');
  await expect(learner.tab('server01 (2)')).toHaveAttribute('aria-selected', 'true');
  await expect(run).not.toHaveAttribute('aria-disabled');
  expect(await learner.copyAll()).not.toContain('Conflict');
  await learner.tab('server01').click();
  await expect(learner.terminal).not.toContainText('docker run');

  await page.route('**/runs', (route) => route.abort());
  await run.click();
  await expect(page.getByText('The Quayside server does not answer.').first()).toBeVisible();
});

test('on a phone a step that ticks while the terminals are in sight is told there', async ({
  learner,
}) => {
  const { page } = learner;
  await page.setViewportSize({ width: 390, height: 800 });
  await learner.goTo('ephemeral-ports/');
  await page
    .getByRole('button', { name: /^Run on/ })
    .first()
    .click();
  const read = page.getByRole('tab', { name: 'Read' });
  await expect(read).toHaveAttribute('data-passed', '');
  await read.click();
  await expect(read).not.toHaveAttribute('data-passed');
  await expect(learner.check('myapp2-on-ephemeral-port')).toBeInViewport();
});
