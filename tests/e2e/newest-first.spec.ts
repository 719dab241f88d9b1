import type { Page, WebSocketRoute } from '@playwright/test';
import { OUTPUT_WINDOW } from '#protocol';
import { expect, test } from './learner.ts';

/** The first byte of the frames that are looked at (docs/terminal-protocol.md), and what stands before their bytes. */
const OUTPUT = 0x82;
const OLDER = 0x88;
const OUTPUT_HEAD = 9;
/** More than the 5,000 that a page keeps. */
const LINES = 7_000;
const KEPT = 4_900;
const print = `clear; seq -f 'line %g of many that fill the scrollback' 1 ${LINES}; echo all-$((1 + 1))`;
const COMING = 'Older output is on its way.';

/** Stands between a page and its server, and keeps older output back until it is let through. */
class Gate {
  /** Output bytes that the page was sent. */
  output = 0;
  #kept: (() => void)[] = [];
  #isOpen = false;

  static async at(page: Page): Promise<Gate> {
    const gate = new Gate();
    await page.routeWebSocket(/\/terminals\//, (route) => gate.#carry(route));
    return gate;
  }

  get kept(): number {
    return this.#kept.length;
  }

  open(): void {
    this.#isOpen = true;
    for (const pass of this.#kept) pass();
    this.#kept = [];
  }

  #carry(route: WebSocketRoute): void {
    const server = route.connectToServer();
    route.onMessage((message) => server.send(message));
    server.onMessage((message) => {
      const kind = typeof message === 'string' ? undefined : message[0];
      if (kind === OUTPUT) this.output += message.length - OUTPUT_HEAD;
      if (kind === OLDER && !this.#isOpen) this.#kept.push(() => route.send(message));
      else route.send(message);
    });
  }
}

const numbersIn = (text: string): readonly number[] =>
  [...text.matchAll(/^line (\d+) of many/gm)].map(([, n]) => Number(n));

test('after a reload the newest screen takes keys first; then the whole scrollback is there, once and in order', async ({
  learner,
}) => {
  const { page } = learner;
  await learner.goTo('ephemeral-ports/');
  await learner.type('server01', print);
  await learner.read(/(all-2)/);
  const gate = await Gate.at(page);
  await page.reload();
  await learner.ready();
  await learner.tab('server01').click();
  await learner.read(/(all-2)/);
  expect(gate.output).toBeLessThan(OUTPUT_WINDOW);

  await learner.type('server01', 'echo typed-$((1 + 1))');
  await learner.read(/(typed-2)/);
  await expect.poll(() => gate.kept).toBe(1);
  // Whoever scrolls up is told that there will be more.
  const panel = page.locator('.panel:visible');
  await expect(panel).not.toContainText(COMING);
  await page.keyboard.press('Shift+PageUp');
  await expect(panel).toContainText(COMING);
  const inView = await learner.read(/(line \d+ of many)/);
  await page.keyboard.press('Control+Shift+F');
  await page.getByLabel('Find in terminal').fill('line 2500 of');
  await expect(panel).toContainText('No match');

  gate.open();
  await expect(panel).not.toContainText(COMING);
  // What was searched for is found, in the lines that have come.
  await expect(panel).toContainText('1 of 1');
  await expect(learner.terminal).toContainText('line 2500 of many');
  await page.keyboard.press('Escape');
  await expect(panel.locator('textarea')).toBeFocused();
  await page.keyboard.type('echo on-$((1 + 1))\n');
  await learner.read(/(on-2)/);

  const all = await learner.copyAll();
  const numbers = numbersIn(all);
  expect(numbers.length).toBeGreaterThan(KEPT);
  expect(numbers).toEqual(
    Array.from({ length: numbers.length }, (_, at) => LINES - numbers.length + 1 + at),
  );
  expect([...all.matchAll(/^(all|typed|on)-2$/gm)].map(([, word]) => word)).toEqual([
    'all',
    'typed',
    'on',
  ]);
  expect(inView).toMatch(/line 6\d\d\d of many/);
});

test('what is selected and in view stays while older output comes in above', async ({
  learner,
}) => {
  const { page } = learner;
  await learner.goTo('ephemeral-ports/');
  await learner.type('server01', print);
  await learner.read(/(all-2)/);
  const gate = await Gate.at(page);
  await page.reload();
  await learner.ready();
  await learner.tab('server01').click();
  await learner.read(/(all-2)/);
  await expect.poll(() => gate.kept).toBe(1);
  const rows = learner.terminal.locator('> div');
  await page.locator('.panel:visible .xterm-screen').click();
  await page.keyboard.press('Shift+PageUp');
  await expect(page.locator('.panel:visible')).toContainText(COMING);
  const before = await rows.allInnerTexts();
  const word = await rows.nth(3).boundingBox();
  if (!word) throw new Error('no such row');
  await page.mouse.dblclick(word.x + 5, word.y + 5);
  gate.open();
  await expect(page.locator('.panel:visible')).not.toContainText(COMING);
  expect(await rows.allInnerTexts()).toEqual(before);
  await page.keyboard.press('Control+Shift+C');
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('line');
});

test('a full-screen program has its screen at once, and the scrollback once it has ended', async ({
  learner,
}) => {
  const { page } = learner;
  await learner.goTo('ephemeral-ports/');
  await learner.type('server01', `${print}; seq 1 60 > numbers; vim numbers`);
  await learner.read(/"numbers" (60)L/);
  const gate = await Gate.at(page);
  await page.reload();
  await learner.ready();
  await learner.tab('server01').click();
  await learner.read(/\n(15)\n/);
  await page.locator('.panel:visible .xterm-screen').click();
  expect(gate.kept).toBe(0);
  gate.open();
  await page.keyboard.type(':q\n');
  await learner.read(/(all-2)/);
  await expect
    .poll(async () => numbersIn(await learner.copyAll()).length, { intervals: [500] })
    .toBeGreaterThan(KEPT);
});
