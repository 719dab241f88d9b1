import type { Browser, Page } from '@playwright/test';
import { SlowLine } from '../../client-driver/slow-line.ts';
import { expect, Learner, test } from './learner.ts';
import { Link } from './link.ts';

/** To the other side of the world and back, twice: echoes come many keys later, and a busy machine's delays are small beside it. */
const RTT_MS = 1_000;
const FIRST = '#';
const COMMAND = ' as quick as a word';
/** Of the keys, that have to be there at once. */
const SHARE = 0.7;

/** The last that stands on the screen. */
const AT_PROMPT = /(\$)\s*$/;
const FIRST_ECHOED = /\$ (#)\s*$/;
/** Some ten lines, each of a few round trips. */
const LINES_MS = 60_000;

/** What the page shows as a key is let go: the cells up to the terminal's own cursor, and what is foreseen behind it. */
interface Shown {
  readonly cells: string;
  readonly foreseen: string;
}

interface Seen {
  readonly atKeys: Shown[];
  /** Everything that was foreseen in a frame. */
  readonly ever: string[];
}

interface FarPage extends AsyncDisposable {
  readonly page: Page;
  readonly learner: Learner;
}

/** A page of the same learner, a long way from the server. */
async function openFarPage(near: Learner, browser: Browser, link: Link): Promise<FarPage> {
  const line = await SlowLine.open(Number(new URL(link.address).port), { rttMs: RTT_MS });
  const context = await browser.newContext({
    storageState: await near.page.context().storageState(),
    proxy: { server: `http://127.0.0.1:${line.port}` },
  });
  const page = await context.newPage();
  await page.addInitScript(() => {
    const seen: Seen = { atKeys: [], ever: [] };
    const foreseen = () => document.querySelector('.qs-prediction u')?.textContent ?? '';
    const cells = () => {
      let text = '';
      const cursor = document.querySelector('.panel:not([hidden]) .xterm-rows .xterm-cursor');
      for (let is = cursor?.previousSibling; is; is = is.previousSibling)
        text = is.textContent + text;
      return text;
    };
    addEventListener('keyup', () => seen.atKeys.push({ cells: cells(), foreseen: foreseen() }), {
      capture: true,
    });
    const look = () => {
      if (foreseen() !== '') seen.ever.push(foreseen());
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
    Object.assign(window, { seen });
  });
  await page.goto(near.page.url());
  const learner = new Learner(page);
  await learner.ready();
  return {
    page,
    learner,
    [Symbol.asyncDispose]: async () => {
      await context.close();
      await line[Symbol.asyncDispose]();
    },
  };
}

/** What was seen since this was asked last. */
const seenOn = (page: Page): Promise<Seen> =>
  page.evaluate(() => {
    const { seen } = window as unknown as { seen: Seen };
    return { atKeys: seen.atKeys.splice(0), ever: seen.ever.splice(0) };
  });

test('far away what is typed at a prompt is there at once, marked until the host has it; a secret and the commands of vim never', async ({
  learner: near,
  browser,
}) => {
  await near.goTo('ephemeral-ports/');
  await using link = await Link.open();
  await using away = await openFarPage(near, browser, link);
  const { page, learner } = away;
  const foreseen = page.locator('.panel:visible .qs-prediction');

  await learner.type('server01', 'clear; echo begun-$((1 + 1))');
  await learner.read(/(begun-2)\n.*\$/);
  // A busy machine that holds an echo up by a quarter of a round trip makes the page show nothing until another has come in time.
  await expect(async () => {
    await page.keyboard.press('Enter');
    await learner.read(AT_PROMPT);
    await page.keyboard.type(FIRST);
    await learner.read(FIRST_ECHOED);
    await seenOn(page);
    await page.keyboard.type(COMMAND);
    const { atKeys } = await seenOn(page);
    const atOnce = atKeys.filter(
      ({ cells, foreseen }, key) =>
        foreseen !== '' && `${cells}${foreseen}`.endsWith(COMMAND.slice(0, key + 1)),
    );
    expect(atOnce.length / COMMAND.length, JSON.stringify(atKeys)).toBeGreaterThanOrEqual(SHARE);
    // The cells are the host's alone.
    expect(atKeys[0]?.cells).toMatch(/\$ #$/);
  }).toPass({ timeout: LINES_MS });
  await expect(learner.terminal).toContainText(COMMAND);
  await expect(foreseen).toHaveCount(0);
  await page.keyboard.press('Enter');
  await learner.type('server01', 'echo far-$((40 + 2))');
  await learner.read(/\n(far-42)/);

  await page.keyboard.type('read -sp "Secret: " secret\n');
  await learner.read(/\n(Secret:)/);
  expect((await seenOn(page)).ever).not.toEqual([]);
  await page.keyboard.type('hunter2\n');
  await learner.read(/Secret: *\n?.*(\$) *\n/);
  expect((await seenOn(page)).ever).toEqual([]);
  await page.keyboard.type('echo "$secret" | wc -c\n');
  await learner.read(/\n(8)\n/);

  await page.keyboard.type('vim /etc/hostname\n');
  await learner.read(/(1,1 +All)/);
  await seenOn(page);
  await page.keyboard.type('xiX');
  await learner.read(/(Xerver01)/);
  await page.keyboard.press('Escape');
  await page.keyboard.type(':q!\n');
  await learner.read(/\n(far-42)/);
  expect((await seenOn(page)).ever).toEqual([]);
});
