import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import type { RosterEvent } from '#protocol';
import { type ServerProcess, startServer } from '../../client-driver/server-process.ts';
import { test as base, expect, Learner } from './learner.ts';
import { overTerminal } from './main-path.ts';

const LAB = '/labs/docker-networking/ephemeral-ports/';
const STEP = 'myapp2-on-ephemeral-port';
const READ = 'myapp2-port-read';
const PHONE = { width: 390, height: 844 };
/** As long as a name may be, and a text, whatever stands in it. */
const LONG_NAME = '<b>Bartholomäus von Hinterwinkel-Obe</b>';
/** A server of a department may be found by a name like this. */
const LONG_ORIGIN = 'https://quayside.informatik.universitaet-hinterwinkel.example';
/** A name of four words is broken within one where it is as high as this (px). */
const FIVE_LINES = 128;
/** What a server on a Swarm tells of its machines. */
const SWARM: RosterEvent = {
  type: 'nodes',
  nodes: [
    { id: 'a'.repeat(25), name: 'lab10 (a1b2c3)', state: 'drained', learners: 0, room: 0 },
    { id: 'd'.repeat(25), name: 'lab2 (d4e5f6)', state: 'ready', learners: 14, room: 12 },
  ],
};
const DESK = { width: 1440, height: 900 };

/** A class with an instructor who is signed in and whose page shows the room. */
interface Room {
  readonly server: ServerProcess;
  readonly instructor: Page;
  /** A page in a browser of its own, with nothing of anybody's. */
  newBrowser(viewport?: { readonly width: number; readonly height: number }): Promise<Page>;
  /** Joins as a person would: the address with the code, a name, a press. */
  join(name: string): Promise<Learner>;
  /** Joins, opens the lab and waits for the hosts. */
  joinLab(name: string): Promise<Learner>;
}

const test = base.extend<{ room: Room }>({
  room: async ({ browser }, use) => {
    await using open = new AsyncDisposableStack();
    const data = await mkdtemp(join(tmpdir(), 'quayside-class-'));
    open.defer(() => rm(data, { recursive: true }));
    const args = ['--clean', '--class', 'Docker 101', '--labs', 'docker-networking'];
    // What stands ready in a pool would be made and removed for each of these walks.
    const env = { QUAYSIDE_POOL: '0' };
    const server = await startServer({ data, args, env, log: 'ignore' });
    open.defer(() => server.stop());
    const newBrowser: Room['newBrowser'] = async (viewport) => {
      const context = await browser.newContext(viewport && { viewport });
      open.defer(() => context.close());
      return context.newPage();
    };
    const joinClass = async (name: string) => {
      const page = await newBrowser();
      await page.goto(server.url);
      await page.getByLabel('Your name').fill(name);
      await page.getByRole('button', { name: 'Join', exact: true }).click();
      await expect(page.getByText(`You are in the class as ${name}`)).toBeVisible();
      return new Learner(page);
    };
    const instructor = await newBrowser();
    await signIn(instructor, server);
    await use({
      server,
      instructor,
      newBrowser,
      join: joinClass,
      joinLab: async (name) => {
        const learner = await joinClass(name);
        await learner.page.goto(new URL(LAB, server.url).href);
        await learner.ready();
        return learner;
      },
    });
  },
});

async function signIn(instructor: Page, server: ServerProcess): Promise<void> {
  const secret = /secret, shown this once: (\S+)/.exec(server.said.join('\n'))?.[1] ?? '';
  await instructor.goto(new URL('/class/', server.url).href);
  await instructor.getByLabel('The instructor’s secret').fill(secret);
  await instructor.getByRole('button', { name: 'Sign in' }).click();
  await expect(instructor.getByText('Nobody has joined yet')).toBeVisible();
  // A class has no lab of the authors' examples.
  const labs = instructor.getByRole('combobox', { name: /^Lab/ });
  await expect(labs.getByRole('option')).toHaveText(['Docker Networking']);
}

async function isAccessible(page: Page): Promise<void> {
  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme });
    await expect(page.locator('html')).toHaveAttribute('data-theme', colorScheme);
    const { violations } = await new AxeBuilder({ page }).include('main').analyze();
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
  }
}

/** Opens what the instructor can do for a learner, and one of their terminals to look at. */
async function watch(instructor: Page, name: string, terminal: string): Promise<void> {
  await instructor.getByRole('button', { name, exact: true }).click();
  await instructor.getByRole('button', { name: `Watch ${terminal}`, exact: true }).click();
}

test('a wrong code is told beside its box, and lets nobody in', async ({ room }) => {
  const stranger = await room.newBrowser();
  await stranger.goto(new URL('/join/#code=AAAA-AAAA', room.server.url).href);
  await stranger.getByLabel('Your name').fill('Eve');
  await stranger.getByRole('button', { name: 'Join', exact: true }).click();
  await expect(stranger.getByText('That is not the code of this class')).toBeVisible();
  await isAccessible(stranger);
  await stranger.goto(new URL(LAB, room.server.url).href);
  await expect(stranger.getByRole('link', { name: 'Join the class' })).toBeVisible();
  await expect(room.instructor.getByText('Nobody has joined yet')).toBeVisible();
});

test('the address to join at opens beside the class, which stays', async ({ room }) => {
  const opened = room.instructor.context().waitForEvent('page');
  await room.instructor.locator('.room-address').click();
  await expect((await opened).getByLabel('Your name')).toBeVisible();
  await expect(room.instructor.getByText('Nobody has joined yet')).toBeVisible();
});

test('a learner joins, is seen at work, and comes back with the personal link on a phone', async ({
  room,
}) => {
  const ada = await room.join('Ada');
  const link = await ada.page.getByRole('textbox', { name: 'Your personal link' }).inputValue();
  await room.join(LONG_NAME);
  await expect(room.instructor.getByText('2 learners')).toBeVisible();
  await expect(room.instructor.getByRole('button', { name: LONG_NAME })).toBeVisible();
  await room.instructor.locator('.room-address').evaluate((address, origin) => {
    address.textContent = address.textContent?.replace(/^.*(?=\/join)/, origin) ?? null;
  }, LONG_ORIGIN);
  for (const width of [1440, 1024, 390]) {
    await room.instructor.setViewportSize({ width, height: 900 });
    const cut = await room.instructor
      .locator('.roster-open, .roster-section, .room-address, .room-ready')
      .evaluateAll((parts) =>
        parts.filter((part) => part.scrollWidth > part.clientWidth).map((part) => part.outerHTML),
      );
    expect(cut, `cut at ${width} px`).toEqual([]);
    const long = await room.instructor.getByRole('button', { name: LONG_NAME }).boundingBox();
    expect(long?.height, `broken between words at ${width} px`).toBeLessThan(FIVE_LINES);
  }
  await room.instructor.setViewportSize(DESK);

  await ada.page.goto(new URL(LAB, room.server.url).href);
  await ada.ready();
  const row = room.instructor.getByRole('row', { name: /Ada/ });
  await expect(row).toContainText('running');
  await ada.type('server01', 'docker run -d --name myapp2 -p :80 mycontainer:5.6');
  await ada.ticked(STEP);
  await expect(row).toContainText(/1 of \d+/);
  await ada.check(READ).getByRole('button', { name: 'Do it for me' }).click();
  await ada.ticked(READ);
  await expect(row.getByTitle(/^passed [\d:]+( [AP]M)?$/)).toHaveCount(1);
  await expect(row.getByTitle(/^passed .*, shown by Do it for me$/)).toHaveCount(1);
  await isAccessible(room.instructor);

  await ada.page.goto(new URL('/', room.server.url).href);
  const lab = ada.page.locator('[data-lab="docker-networking"]');
  await expect(lab.locator('[data-lab-count]')).toContainText('2 of');
  await expect(ada.page.getByRole('link', { name: 'Write a lab' })).toBeHidden();

  const phone = new Learner(await room.newBrowser(PHONE));
  await phone.page.goto(link);
  await expect(phone.page.getByText('You are in the class as Ada')).toBeVisible();
  expect(phone.page.url(), 'the secret stays out of the history').not.toContain('me=');
  await phone.page.goto(new URL(LAB, room.server.url).href);
  await phone.ticked(STEP);
});

test('on a Swarm the instructor sees the machines, and is told what a drain does', async ({
  room: { instructor },
}) => {
  await expect(instructor.getByRole('heading', { name: 'Machines' })).toHaveCount(0);
  // This server has one machine: those of a Swarm are put into the roster's socket on its way.
  await instructor.routeWebSocket(/roster\/events/, (page) => {
    page.connectToServer().onMessage((text) => {
      page.send(text);
      if (String(text).includes('"type":"roster"')) page.send(JSON.stringify(SWARM));
    });
  });
  await instructor.reload();
  const machines = instructor.getByRole('table', { name: 'Machines' });
  for (const viewport of [DESK, PHONE]) {
    await instructor.setViewportSize(viewport);
    await expect(machines.getByRole('rowheader')).toHaveText(['lab2 (d4e5f6)', 'lab10 (a1b2c3)']);
    const cells = machines.getByRole('row', { name: /^lab2 / }).getByRole('cell');
    await expect(cells).toHaveText([
      '14 learners',
      'room for 12 more',
      'in service',
      'Drain… lab2 (d4e5f6)',
    ]);
    expect(await instructor.evaluate(() => document.body.scrollWidth)).toBeLessThanOrEqual(
      viewport.width,
    );
  }
  await isAccessible(instructor);
  const drain = machines.getByRole('button', { name: 'Drain… lab2' });
  await drain.click();
  const ask = instructor.getByRole('dialog', { name: 'Drain lab2 (d4e5f6)?' });
  await expect(ask).toContainText('Its 14 learners get fresh hosts on another machine');
  await ask.getByRole('button', { name: 'Cancel' }).click();
  await expect(drain).toBeFocused();
  await machines.getByRole('button', { name: 'Take back into service lab10' }).click();
  await expect(instructor.getByText('This server has one machine and no nodes.')).toBeVisible();
});

test('the instructor watches, the learner sees it, and lets them type', async ({ room }) => {
  const ada = await room.joinLab('Ada');
  await ada.type('server01', 'echo mine-$((20 + 1))');
  await watch(room.instructor, 'Ada', 'server01');
  const dialog = room.instructor.locator('.room-watch');
  const screen = dialog.locator('.xterm-rows');
  await expect(screen).toContainText('mine-21');
  await expect(ada.page.locator('.terminal-watched')).toHaveText('The instructor watches');
  await expect(ada.page.locator('[data-class-watched]')).toHaveText('Watched');
  const [told, text] = [
    await ada.page.locator('.terminal-watched').boundingBox(),
    await ada.page.locator('.panel:visible .xterm-screen').boundingBox(),
  ];
  expect(told?.y, 'below the text').toBeGreaterThanOrEqual((text?.y ?? 0) + (text?.height ?? 0));
  await isAccessible(room.instructor);

  await dialog.locator('.xterm-screen').click();
  await room.instructor.keyboard.type('echo typed-too-early\n');
  await ada.page.getByRole('button', { name: 'Class', exact: true }).click();
  await ada.page.getByRole('switch', { name: /Let the instructor type/ }).check();
  await expect(dialog.getByText('Ada lets you type')).toBeVisible();
  await dialog.locator('.xterm-screen').click();
  await room.instructor.keyboard.type('echo helped-$((40 + 2))\n');
  await expect(screen).toContainText('helped-42');
  await expect(ada.terminal).toContainText('helped-42');
  await expect(ada.terminal).not.toContainText('typed-too-early');

  await room.instructor.setViewportSize(PHONE);
  const words = await dialog.getByText('Ada lets you type').boundingBox();
  expect(words?.width, 'a line, and no column of words').toBeGreaterThan(PHONE.width / 2);

  await dialog.getByRole('button', { name: 'Close' }).click();
  await expect(ada.page.locator('.terminal-watched')).toHaveCount(0);
});

/** Counts what a page asks of the server from now on. */
function countRequests(page: Page): () => number {
  let asked = 0;
  page.on('request', () => {
    asked += 1;
  });
  page.on('websocket', () => {
    asked += 1;
  });
  return () => asked;
}

test('a browser whose link was replaced says just that, stops asking, and goes on with the new one', async ({
  room,
}) => {
  const ada = await room.join('Ada');
  await ada.page.clock.install();
  await ada.page.goto(new URL(LAB, room.server.url).href);
  await ada.ready();
  await room.instructor.getByRole('button', { name: 'Ada', exact: true }).click();
  await room.instructor.getByRole('button', { name: 'New personal link' }).click();
  await room.instructor.getByRole('button', { name: 'Make a new link' }).click();
  const box = room.instructor.locator('[data-card="link-text"]');
  await expect(box).not.toHaveValue('');
  const link = await box.inputValue();

  const replaced = 'Your personal link was replaced by a new one.';
  await expect(ada.page.getByRole('heading', { name: replaced })).toBeVisible();
  await expect(ada.check(STEP)).toContainText(replaced);
  await expect(ada.page.getByRole('button', { name: 'Raise hand' })).toBeHidden();
  await expect(ada.page.locator('[data-host-chip][data-phase="ready"]')).toHaveCount(0);
  await expect(ada.page.getByText(/^Connection lost/).filter({ visible: true })).toHaveCount(0);
  const asked = countRequests(ada.page);
  await ada.page.clock.fastForward('01:00');
  // By its answer every timer that was due has asked.
  await ada.page.evaluate(() => fetch('/healthz'));
  expect(asked()).toBe(1);

  const other = await ada.page.context().newPage();
  await other.goto(link);
  await expect(other.getByText('You are in the class as Ada')).toBeVisible();
  await other.close();
  await ada.page.bringToFront();
  await ada.page.evaluate(() => window.dispatchEvent(new Event('focus')));
  await ada.ready();
  await expect(ada.page.getByRole('heading', { name: replaced })).toBeHidden();
  await expect(ada.page.getByRole('button', { name: 'Raise hand' })).toBeVisible();
});

test('a raised hand is seen and lowered, and a message reaches everybody', async ({ room }) => {
  const ada = await room.joinLab('Ada');
  const row = room.instructor.getByRole('row', { name: /Ada/ });
  await ada.page.getByRole('button', { name: 'Raise hand' }).click();
  await expect(row).toContainText('Hand up');

  await room.instructor.getByLabel('Message to all').fill('Break in five minutes');
  await room.instructor.keyboard.press('Enter');
  await expect(ada.page.getByText('Break in five minutes')).toBeVisible();
  await ada.page.setViewportSize(PHONE);
  await ada.page.getByRole('tab', { name: 'Terminals' }).click();
  const covered = await ada.page.waitForFunction(overTerminal, '.class-message');
  expect(await covered.jsonValue(), 'of the terminal under the message').toEqual([0]);
  await ada.page.getByRole('button', { name: 'Dismiss' }).click();
  await expect(ada.page.getByText('Break in five minutes')).toBeHidden();

  await ada.page.setViewportSize(DESK);
  await room.instructor.getByRole('button', { name: 'Ada', exact: true }).click();
  await isAccessible(room.instructor);
  await room.instructor.getByRole('button', { name: 'Lower the hand' }).click();
  await expect(ada.page.getByRole('button', { name: 'Raise hand' })).toBeVisible();
  await expect(row).not.toContainText('Hand up');
});

test('on a phone the place in the queue, and every warning, stands on the page that is open', async ({
  browser,
}) => {
  await using open = new AsyncDisposableStack();
  const data = await mkdtemp(join(tmpdir(), 'quayside-class-'));
  open.defer(() => rm(data, { recursive: true }));
  const server = await startServer({
    data,
    args: ['--clean', '--class', 'Docker 101', '--labs', 'docker-networking'],
    // Five minutes is how long before its end a session warns.
    env: { QUAYSIDE_POOL: '0', QUAYSIDE_SANDBOXES: '1', QUAYSIDE_TOTAL_MINUTES: '5' },
    log: 'ignore',
  });
  open.defer(() => server.stop());
  const joinLab = async (name: string) => {
    const context = await browser.newContext({ viewport: PHONE });
    open.defer(() => context.close());
    const page = await context.newPage();
    await page.goto(server.url);
    await page.getByLabel('Your name').fill(name);
    await page.getByRole('button', { name: 'Join', exact: true }).click();
    await expect(page.getByText(`You are in the class as ${name}`)).toBeVisible();
    await page.goto(new URL(LAB, server.url).href);
    return new Learner(page);
  };
  const ada = await joinLab('Ada');
  await ada.ready();
  const warning = ada.page.getByText(/Your hosts stop in \d:\d\d/).filter({ visible: true });
  await expect(warning).toBeVisible();
  await ada.page.getByRole('tab', { name: 'Terminals' }).click();
  await expect(warning).toHaveCount(1);
  const grace = await joinLab('Grace');
  const place = grace.page.getByText(/You are next/).filter({ visible: true });
  await expect(place).toHaveCount(1);
  await isAccessible(grace.page);
  await grace.page.getByRole('tab', { name: 'Terminals' }).click();
  await expect(place).toHaveCount(1);

  await grace.page.getByRole('tab', { name: 'Read' }).click();
  await server.stop();
  const lost = grace.page.getByText(/This page comes back by itself/).filter({ visible: true });
  await expect(lost).toHaveCount(1);
});

test('a session that the instructor ends leaves its progress, on the page and in the CSV', async ({
  room,
}) => {
  const ada = await room.joinLab('Ada');
  await ada.type('server01', 'docker run -d --name myapp2 -p :80 mycontainer:5.6');
  await ada.ticked(STEP);
  await room.instructor.getByRole('button', { name: 'Ada', exact: true }).click();
  await room.instructor.getByRole('button', { name: 'End', exact: true }).click();
  await room.instructor.getByRole('button', { name: 'End the session' }).click();
  await expect(ada.page.getByText('Your instructor ended this session').first()).toBeVisible();
  await ada.ticked(STEP);
  await room.instructor.keyboard.press('Escape');

  const download = room.instructor.waitForEvent('download');
  await room.instructor.getByRole('link', { name: 'Progress as CSV' }).click();
  const csv = await readFile(await (await download).path(), 'utf8');
  expect(csv).toMatch(new RegExp(`^Ada,.*,${STEP},passed,\\d{4}-.*,by hand\r?$`, 'm'));
});

test('a server that is stopped says so on the learners’ pages, and what stays', async ({
  room,
}) => {
  const ada = await room.joinLab('Ada');
  const stopped = room.server.stop();
  const told = ada.page
    .getByText('The server is stopping; its hosts are removed, and your progress is kept')
    .first();
  await expect(told).toBeVisible();
  await stopped;
});

test('the instructor reads a page with its notes, and a learner beside them reads it without', async ({
  room,
}) => {
  const { instructor, server } = room;
  await instructor.getByText('Pages with notes for you').click();
  await instructor.getByRole('link', { name: 'Docker Networking: Ephemeral ports' }).click();
  const note = instructor.getByRole('note', { name: 'For the instructor' });
  await expect(note).toContainText('out of habit');
  await isAccessible(instructor);
  await instructor.emulateMedia({ media: 'print' });
  await expect(note).toBeVisible();
  await isAccessible(instructor);

  const learner = await room.join('Ada');
  await learner.page.goto(new URL(LAB, server.url).href);
  await expect(learner.page.getByRole('heading', { name: 'Let Docker pick' })).toBeVisible();
  await expect(learner.page.getByRole('note')).toHaveCount(0);
});
