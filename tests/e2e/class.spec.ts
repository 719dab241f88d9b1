import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, Page } from '@playwright/test';
import { expect, Learner, test } from './learner.ts';
import { type RunningServer, startServer } from './server.ts';

const LAB = '/labs/docker-networking/ephemeral-ports/';

/** Joins as a person would: the address with the code, a name, a press. */
async function joinClass(browser: Browser, server: RunningServer, name: string): Promise<Learner> {
  const page = await (await browser.newContext()).newPage();
  await page.goto(server.url);
  await page.getByLabel('Your name').fill(name);
  await page.getByRole('button', { name: 'Join', exact: true }).click();
  await expect(page.getByText(`You are in the class as ${name}`)).toBeVisible();
  return new Learner(page);
}

async function signInInstructor(browser: Browser, server: RunningServer): Promise<Page> {
  const secret = server.said.join('\n').match(/secret, shown this once: (\S+)/)?.[1] ?? '';
  const page = await (await browser.newContext()).newPage();
  await page.goto(new URL('/class/', server.url).href);
  await page.getByLabel('The instructor’s secret').fill(secret);
  await page.getByRole('button', { name: 'Sign in' }).click();
  return page;
}

async function accessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).include('main').analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
}

test('an instructor and three learners: join, come back, be seen, be helped, and end', async ({
  browser,
}) => {
  const data = await mkdtemp(join(tmpdir(), 'quayside-class-'));
  const server = await startServer(data, { args: ['--clean', '--class', 'Docker 101'] });
  try {
    const room = await signInInstructor(browser, server);
    await expect(room.getByText('Nobody has joined yet')).toBeVisible();
    await accessible(room);

    // A wrong code is told beside the box, and nobody is in.
    const stranger = await (await browser.newContext()).newPage();
    await stranger.goto(new URL('/join/#code=AAAA-AAAA', server.url).href);
    await stranger.getByLabel('Your name').fill('Eve');
    await stranger.getByRole('button', { name: 'Join', exact: true }).click();
    await expect(stranger.getByText('That is not the code of this class')).toBeVisible();
    await accessible(stranger);
    await stranger.goto(new URL(LAB, server.url).href);
    await expect(stranger.getByRole('link', { name: 'Join the class' })).toBeVisible();

    const ada = await joinClass(browser, server, 'Ada');
    for (const name of ['Grace', 'Joan']) await joinClass(browser, server, name);
    await expect(room.getByText('3 learners')).toBeVisible();
    const link = await ada.page.getByRole('textbox', { name: 'Your personal link' }).inputValue();

    // Progress appears by itself.
    await ada.page.goto(new URL(LAB, server.url).href);
    await ada.ready();
    await room.getByRole('combobox', { name: /^Lab/ }).selectOption('Docker Networking');
    const row = room.getByRole('row', { name: /Ada/ });
    await expect(row).toContainText('running');
    await ada.type('server01', 'docker run -d --name myapp2 -p :80 mycontainer:5.6');
    await ada.ticked('myapp2-on-ephemeral-port');
    await expect(row).toContainText(/1 of \d+/);

    // The personal link on another device: the same hosts, the same progress.
    const phone = new Learner(
      await (await browser.newContext({ viewport: { width: 390, height: 844 } })).newPage(),
    );
    await phone.page.goto(link);
    await expect(phone.page.getByText('You are in the class as Ada')).toBeVisible();
    expect(phone.page.url()).not.toContain('me=');
    await phone.page.goto(new URL(LAB, server.url).href);
    await phone.ticked('myapp2-on-ephemeral-port');
    await phone.page.context().close();

    await ada.page.getByRole('button', { name: 'Raise hand' }).click();
    await expect(row).toContainText('Hand up');

    await room.getByLabel('Message to all').fill('Break in five minutes');
    await room.keyboard.press('Enter');
    await expect(ada.page.getByText('Break in five minutes')).toBeVisible();
    await ada.page.getByRole('button', { name: 'Dismiss' }).click();
    await expect(ada.page.getByText('Break in five minutes')).toBeHidden();

    // Watched, and the learner sees it; typing goes nowhere until they allow it.
    await room.getByRole('button', { name: 'Ada', exact: true }).click();
    await accessible(room);
    await room.getByRole('button', { name: 'Watch server01', exact: true }).click();
    const screen = room.locator('.room-watch .xterm-rows');
    await expect(screen).toContainText('docker run -d --name myapp2');
    await expect(ada.page.locator('.terminal-watched')).toHaveText('The instructor watches');
    await expect(ada.page.locator('[data-class-watched]')).toHaveText('Watched');
    await room.locator('.room-watch .xterm-screen').click();
    await room.keyboard.type('echo typed-too-early\n');
    await ada.page.getByRole('button', { name: 'Class', exact: true }).click();
    await ada.page.getByRole('switch', { name: /Let the instructor type/ }).check();
    await expect(room.getByText('Ada lets you type')).toBeVisible();
    await room.locator('.room-watch .xterm-screen').click();
    await room.keyboard.type('echo helped-$((40 + 2))\n');
    await expect(screen).toContainText('helped-42');
    await expect(ada.terminal).toContainText('helped-42');
    await expect(ada.terminal).not.toContainText('typed-too-early');
    await room.getByRole('button', { name: 'Close' }).first().click();
    await expect(ada.page.locator('.terminal-watched')).toHaveCount(0);

    await room.getByRole('button', { name: 'Lower the hand' }).click();
    await expect(ada.page.getByRole('button', { name: 'Raise hand' })).toBeVisible();
    await room.getByRole('button', { name: 'End', exact: true }).click();
    await room.getByRole('button', { name: 'End the session' }).click();
    await expect(ada.page.getByText('Your instructor ended this session').first()).toBeVisible();
    await ada.ticked('myapp2-on-ephemeral-port');
    await room.keyboard.press('Escape');

    const download = room.waitForEvent('download');
    await room.getByRole('link', { name: 'Progress as CSV' }).click();
    const csv = await readFile(await (await download).path(), 'utf8');
    expect(csv).toMatch(/^Ada,.*,myapp2-on-ephemeral-port,passed,\d{4}-/m);

    // The server says goodbye, and the page says what that means.
    const stopping = server.stop();
    await expect(
      ada.page.getByText('The server is stopping; your hosts and your work stay').first(),
    ).toBeVisible();
    await stopping;
  } finally {
    if (server.child.exitCode === null) await server.stop();
    await rm(data, { recursive: true });
  }
});
