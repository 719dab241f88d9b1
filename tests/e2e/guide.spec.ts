import type { Locator } from '@playwright/test';
import { expect, type Learner, test } from './learner.ts';

/** All before a section, on a machine that runs other walks as well. */
const START_MS = 150_000;
const STRIP = '#lab-guide';

const doIt = (learner: Learner, check: string): Locator =>
  learner.check(check).getByRole('button', { name: 'Do it for me' });

test('a learner who is stuck has a step done, sees it typed and finds it marked', async ({
  learner,
}) => {
  await learner.goTo('ephemeral-ports/');
  await learner.tab('client').click();
  await doIt(learner, 'myapp2-on-ephemeral-port').focus();
  await learner.page.keyboard.press('Enter');
  // Its own terminal comes to the front, and the focus stays where it can be stopped.
  await learner.read(/(docker run -d --name myapp2 -p :80)/);
  await learner.ticked('myapp2-on-ephemeral-port');
  await expect(learner.check('myapp2-on-ephemeral-port')).toContainText('done for you');
  await expect(doIt(learner, 'myapp2-on-ephemeral-port')).toBeHidden();
  await expect(learner.page.locator('#lab-announcer')).toContainText('Passed: ');
});

test('hints come one after the other, and the last one offers the step', async ({ learner }) => {
  await learner.goTo('ephemeral-ports/');
  await learner.type('server01', 'docker run -d --name myapp2 -p :80 mycontainer:5.6');
  await learner.ticked('myapp2-on-ephemeral-port');
  await learner.goTo('linux-bridge/');
  const second = learner.page.locator('details.hint', { hasText: 'Hint 2 of 2' });
  await expect(second).toBeHidden();
  await learner.page.getByText('Hint 1 of 2').click();
  await expect(second).toBeVisible();
  await learner.page.getByText('Hint 2 of 2').click();
  await second.getByRole('button', { name: 'Do it for me' }).click();
  await learner.ticked('client-route');
  await learner.read(/(route add 172\.17\.0\.0)/);
});

test('a learner starts from a section, after a word about the hosts, and after the session has ended', async ({
  learner,
}) => {
  await learner.goTo('linux-bridge/');
  const button = learner.page.getByRole('button', { name: 'Start from here' }).first();
  await button.click();
  const dialog = learner.page.getByRole('dialog');
  await expect(dialog).toContainText('Your present hosts are removed');
  await dialog.getByRole('button', { name: 'Keep going' }).click();
  await expect(learner.page.getByText('0 of 23', { exact: true }).first()).toBeVisible();

  await button.click();
  await dialog.getByRole('button', { name: 'Start from here' }).click();
  const strip = learner.page.locator(STRIP);
  const stop = strip.getByRole('button', { name: 'Stop', exact: true });
  await expect(stop).toBeVisible();
  // Whoever reads on meanwhile, and goes back, still sees what is being done.
  await learner.page.getByRole('link', { name: 'Ephemeral ports' }).first().click();
  await expect(learner.page).toHaveURL(/ephemeral-ports/);
  await expect(stop).toBeVisible();
  await learner.page.goBack();
  await expect(learner.page).toHaveURL(/linux-bridge/);
  await expect(stop).toBeVisible();
  await expect(strip).toContainText('Go on from here', { timeout: START_MS });
  await expect(learner.page.getByText('5 of 23', { exact: true }).first()).toBeVisible();

  await learner.page.getByRole('button', { name: 'End', exact: true }).click();
  await dialog.getByRole('button', { name: 'End the session' }).click();
  await learner.page.getByRole('button', { name: 'Start from “The Linux bridge”' }).click();
  await expect(strip).toContainText('Go on from here', { timeout: START_MS });
  await learner.type('server01', 'clear; docker port myapp2');
  await learner.read(/80\/tcp -> 0\.0\.0\.0:(\d+)/);
});

test('a link starts from its section, and the home page leads back to it', async ({ learner }) => {
  const link = new URL('/labs/docker-networking/ephemeral-ports/?start-here', learner.page.url());
  await learner.page.goto(link.href);
  await learner.ready();
  await expect(learner.page).toHaveURL(/ephemeral-ports\/$/);
  await doIt(learner, 'myapp2-on-ephemeral-port').click();
  await learner.ticked('myapp2-on-ephemeral-port');
  // Where there are hosts to lose, the link asks first.
  await learner.page.goto(link.href);
  await learner.page.getByRole('dialog').getByRole('button', { name: 'Keep going' }).click();
  await learner.ticked('myapp2-on-ephemeral-port');

  await learner.page.goto(new URL('/', link).href);
  await expect(learner.page.getByText('1 of 23 steps')).toBeVisible();
  await learner.page.getByRole('link', { name: 'Continue with Ephemeral ports' }).click();
  await learner.ticked('myapp2-on-ephemeral-port');
});
