import type { Locator, Page } from '@playwright/test';
import { expect, type Learner, test } from './learner.ts';
import { nextFrame, PageWork } from './page-work.ts';

/** A browser that has WebGL, drawn by the processor. Terminals take that for no graphics card, unless they are told to. */
test.use({
  launchOptions: {
    executablePath: process.env.QUAYSIDE_CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--no-first-run',
      '--disable-background-networking',
      '--use-angle=swiftshader',
      '--enable-unsafe-swiftshader',
    ],
  },
});

/**
 * What may differ of a cell's mean colour (of 255): the edges of glyphs are smoothed in two ways, which comes to 3.2. A
 * letter in bold instead of regular comes to 29, one in a colour instead of its bright sister to 6.1 or more.
 */
const MOST_DIFFERENCE = 5;
/** At 14 px (px). */
const ROW_HEIGHT = 18;
/** The older lines come when the page is idle. */
const OLDER_MS = 30_000;
/** The name of the driver, as `WEBGL_debug_renderer_info` has it. */
const UNMASKED_RENDERER = 0x9246;
/** What says how the terminal is drawn, in words of the menu. */
type Choice = 'If there is one' | 'Always' | 'Never';

function panel(page: Page): Locator {
  return page.locator('.panel:visible');
}

function canvasOf(page: Page): Locator {
  return panel(page).locator('.xterm-screen > canvas:not(.xterm-link-layer)');
}

function rowsOf(page: Page): Locator {
  return panel(page).locator('.xterm-rows');
}

/** What a screen reader is read, which is the same however the terminal is drawn. */
function spoken(page: Page): Locator {
  return panel(page).locator('.xterm-accessibility');
}

async function inSettings(page: Page, change: (panel: Locator) => Promise<unknown>): Promise<void> {
  await panel(page)
    .getByRole('button', { name: /^Settings and keys/ })
    .click();
  await change(panel(page));
  await page.keyboard.press('Escape');
  await nextFrame(page);
  await fitted(page);
}

/** Until the terminal has the room that a menu or a search leaves it: a new size undoes a selection. */
async function fitted(page: Page): Promise<void> {
  const rowsThatFit = () =>
    panel(page)
      .locator('.qs-terminal-surface')
      .evaluate((surface, height) => {
        const screen = surface.querySelector('.xterm-screen');
        return (
          screen &&
          Math.floor(
            (Number.parseFloat(getComputedStyle(surface).height) - screen.clientHeight) / height,
          )
        );
      }, ROW_HEIGHT);
  await expect.poll(rowsThatFit).toBe(0);
}

async function draw(page: Page, choice: Choice): Promise<void> {
  await inSettings(page, (menu) =>
    menu.getByLabel('Draw with the graphics card').selectOption(choice),
  );
  await expect(choice === 'Always' ? canvasOf(page) : rowsOf(page)).toBeVisible();
  await expect(choice === 'Always' ? rowsOf(page) : canvasOf(page)).toHaveCount(0);
}

/** Opens a terminal of server01 with a screen reader's text beside what is drawn. */
async function open(learner: Learner): Promise<void> {
  const { page } = learner;
  await learner.goTo('ephemeral-ports/');
  await learner.tab('server01').click();
  await inSettings(page, (menu) => menu.getByLabel('Read output to a screen reader').check());
  await expect(spoken(page)).toContainText('$');
}

async function enter(page: Page, command: string): Promise<void> {
  await panel(page).locator('.xterm-screen').click();
  await page.keyboard.type(command);
  await page.keyboard.press('Enter');
}

/** The middle of a cell, counted from the upper left one. */
async function cellAt(page: Page, column: number, row: number): Promise<[x: number, y: number]> {
  const screen = await panel(page).locator('.xterm-screen').boundingBox();
  // The text area stands where the cursor is, and is as large as a cell.
  const cell = await panel(page).locator('.xterm-helper-textarea').boundingBox();
  if (!screen || !cell) throw new Error('there is no terminal in front');
  return [screen.x + (column + 0.5) * cell.width, screen.y + (row + 0.5) * cell.height];
}

for (const choice of ['Never', 'Always'] as const) {
  test(`drawn with the graphics card: ${choice}. Text is selected, links open, output is searched, failures are marked and read`, async ({
    learner,
  }) => {
    const { page } = learner;
    await page.context().route('http://example.invalid/**', (route) => route.fulfill({ body: '' }));
    await open(learner);
    await draw(page, choice);
    await enter(page, 'clear; echo select$((40 + 2))me http://example.invalid/$((6 * 7))');
    await expect(spoken(page)).toContainText('select42me http://example.invalid/42');

    await page.mouse.dblclick(...(await cellAt(page, 3, 0)));
    await page.keyboard.press('Control+Shift+C');
    await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe('select42me');

    const opened = page.context().waitForEvent('page');
    await page.mouse.move(...(await cellAt(page, 20, 0)));
    await expect(panel(page).locator('.xterm-cursor-pointer')).toBeVisible();
    await page.mouse.click(...(await cellAt(page, 20, 0)));
    await expect(await opened).toHaveURL('http://example.invalid/42');
    await (await opened).close();

    await page.keyboard.press('Control+Shift+F');
    await page.getByLabel('Find in terminal').fill('select42me');
    await expect(page.getByText(/^1 of 1$/)).toBeVisible();
    await page.keyboard.press('Escape');

    await enter(page, 'ls /nowhere');
    const failed = panel(page).locator('.qs-failed-command');
    await expect(failed).toHaveAttribute('title', /status 2/);
    await expect(panel(page).getByRole('status')).toContainText('status 2');
    // Jumped to from below, the prompt is where it was.
    await enter(page, 'seq 1 100');
    await expect(spoken(page)).toContainText('100');
    for (let prompt = 0; prompt < 2; prompt++) await page.keyboard.press('Control+Shift+ArrowUp');
    await expect(failed).toBeVisible();
    await expect(panel(page).locator('.qs-pointed-out')).toBeVisible();
  });
}

/**
 * Sixteen colours on two backgrounds, styles, box drawing, and a colour that is too weak for its background. xterm's
 * elements give inverse text less contrast than it asks for, so of that there is only the background.
 */
const SAMPLE = String.raw`printf '\e[H\e[2J'; for i in {0..15}; do printf '\e[38;5;%dmColour \e[48;5;%dm   \e[0m' $i $i; done; printf '\n\e[1mbold\e[0m \e[3mitalic\e[0m \e[4munderlined\e[0m \e[7m       \e[0m \e[2mdim\e[0m\n\e(0lqwqk\nx x x\nmqvqj\e(B\n\e[38;2;60;60;60mweak\e[0m\n'`;

test('both ways of drawing look the same, in each theme', async ({ learner }) => {
  const { page } = learner;
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await open(learner);
  await enter(page, 'clear');
  await enter(page, SAMPLE);
  // What is typed while it is printed would stand in the middle of it.
  await expect(spoken(page)).toContainText(/weak\s*learner@\S*\$/);
  await enter(page, 'ls /nowhere');
  await expect(panel(page).locator('.qs-failed-command')).toBeVisible();
  for (const theme of ['dark', 'light']) {
    await page.evaluate((name) => {
      document.documentElement.dataset.theme = name;
    }, theme);
    await draw(page, 'Never');
    const withElements = await pictures(page);
    await draw(page, 'Always');
    const withCard = await pictures(page);
    for (const [what, picture] of Object.entries(withElements)) {
      const difference = await compare(page, picture, withCard[what] ?? '');
      expect.soft(difference, `${what}, ${theme}`).toBeLessThan(MOST_DIFFERENCE);
    }
  }
});

/** The screen with a word selected, and with what was searched for. */
async function pictures(page: Page): Promise<Readonly<Record<string, string>>> {
  const picture = async () => {
    await nextFrame(page);
    const screen = panel(page).locator('.xterm-screen');
    return (await screen.screenshot()).toString('base64');
  };
  await page.mouse.dblclick(...(await cellAt(page, 1, 2)));
  const selected = await picture();
  await page.keyboard.press('Control+Shift+F');
  await expect(page.getByRole('search')).toBeVisible();
  await nextFrame(page);
  await fitted(page);
  const found = page.getByRole('search').getByRole('status');
  for (const [text, count] of [
    ['absent', 'No match'],
    ['colour', /of 1[67]/],
  ] as const) {
    await page.getByLabel('Find in terminal').fill(text);
    await expect(found).toHaveText(count);
  }
  const searched = await picture();
  await page.keyboard.press('Escape');
  return { selected, searched };
}

/** By how much (of 255) the mean colours of two pictures' cells differ where they differ most. */
async function compare(page: Page, one: string, other: string): Promise<number> {
  const cell = await panel(page).locator('.xterm-helper-textarea').boundingBox();
  if (!cell) throw new Error('there is no terminal in front');
  return page.evaluate(
    async ([pictures, width, height]) => {
      const cells = async (picture: string) => {
        const image = new Image();
        image.src = `data:image/png;base64,${picture}`;
        await image.decode();
        const [columns, rows] = [
          Math.round(image.width / width),
          Math.round(image.height / height),
        ];
        const canvas = new OffscreenCanvas(image.width, image.height);
        const context = canvas.getContext('2d');
        if (!context) throw new Error('no canvas to compare with');
        context.drawImage(image, 0, 0);
        const { data } = context.getImageData(0, 0, image.width, image.height);
        const sums = new Float64Array(columns * rows * 3);
        for (let at = 0; at < data.length; at += 4) {
          const [x, y] = [(at / 4) % image.width, Math.floor(at / 4 / image.width)];
          const cell = Math.floor(y / height) * columns + Math.floor(x / width);
          for (let channel = 0; channel < 3; channel++)
            sums[cell * 3 + channel] = (sums[cell * 3 + channel] ?? 0) + (data[at + channel] ?? 0);
        }
        return sums.map((sum) => sum / (width * height));
      };
      const [before, after] = await Promise.all([cells(pictures[0]), cells(pictures[1])]);
      if (before.length !== after.length) throw new Error('of different sizes');
      return Math.max(...before.map((value, at) => Math.abs(value - (after[at] ?? 0))));
    },
    [[one, other], cell.width, cell.height] as const,
  );
}

/** Contexts that the page has asked for and not lost, of canvases below an element. */
function contexts(page: Page, below = 'html'): Promise<number> {
  return page.evaluate((selector) => {
    const all = Reflect.get(window, 'contexts') as readonly WebGL2RenderingContext[];
    const isBelow = ({ canvas }: WebGL2RenderingContext) =>
      selector === 'html' || (canvas as HTMLCanvasElement).closest(selector) !== null;
    return all.filter((context) => !context.isContextLost() && isBelow(context)).length;
  }, below);
}

async function keepContexts(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const contexts: unknown[] = [];
    Object.assign(window, { contexts });
    const { getContext } = HTMLCanvasElement.prototype;
    Object.assign(HTMLCanvasElement.prototype, {
      getContext(this: HTMLCanvasElement, kind: string, ...rest: unknown[]) {
        const context: unknown = Reflect.apply(getContext, this, [kind, ...rest]);
        if (kind === 'webgl2' && context && !contexts.includes(context)) contexts.push(context);
        return context;
      },
    });
  });
}

test('a hidden terminal has no context and touches the page no more, and what it printed is there when it is shown', async ({
  learner,
}) => {
  const { page } = learner;
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await keepContexts(page);
  await open(learner);
  await draw(page, 'Always');
  await enter(page, 'clear; until [ -e /tmp/go ]; do sleep 0.1; done; seq 1 3000; touch /tmp/gone');
  const first = panel(page).locator('.qs-terminal');
  await first.evaluate((element) => {
    element.id = 'first';
  });
  await page.getByRole('button', { name: 'New terminal, restart or close' }).click();
  await page.getByRole('menuitem', { name: /New terminal on server01/ }).click();
  await expect(spoken(page)).toContainText('$');
  await expect(canvasOf(page)).toBeVisible();
  await expect.poll(() => contexts(page, '#first')).toBe(0);
  await expect.poll(() => contexts(page)).toBe(1);
  // Beside what is drawn there may be a canvas of the glyphs that both share; it goes when the other needs new ones.
  const hidden = await PageWork.count(page, page.locator('#first .xterm-scrollable-element'));
  await enter(
    page,
    'clear; touch /tmp/go; until [ -e /tmp/gone ]; do sleep 0.1; done; echo $((1 + 1))gone',
  );
  await expect(spoken(page)).toContainText('2gone');
  expect((await hidden.done()).mutations).toBe(0);

  await learner.tab('server01').click();
  await expect(canvasOf(page)).toBeVisible();
  await expect(spoken(page)).toContainText('3000');
  await expect.poll(() => contexts(page)).toBe(1);
  // Elements that were made while it was hidden are spaced as those that were made in front.
  await learner.tab('client').click();
  await expect(spoken(page)).toContainText('$');
  await expect.poll(() => contexts(page)).toBe(1);
  await draw(page, 'Never');
  // No change of xterm's options has them measured.
  await inSettings(page, (menu) => menu.getByLabel('Read output to a screen reader').uncheck());
  const spacing = () => rowsOf(page).evaluate((rows) => getComputedStyle(rows).letterSpacing);
  const inFront = await spacing();
  await learner.tab('server01').click();
  await expect(rowsOf(page)).toContainText('3000');
  expect(await spacing()).toBe(inFront);
  await draw(page, 'Always');
  // Its newest lines come first after a reload; the terminal that has the others takes its place, and its context.
  await page.reload();
  await learner.ready();
  await learner.tab('server01').click();
  await expect(async () => expect(await learner.copyAll()).toMatch(/^1\n2\n3\n/)).toPass({
    timeout: OLDER_MS,
  });
  await expect(canvasOf(page)).toBeVisible();
  await expect.poll(() => contexts(page)).toBe(1);
});

test('a context that is lost leaves the terminal to elements until the page is loaded anew, and so does the setting', async ({
  learner,
}) => {
  const { page } = learner;
  await keepContexts(page);
  await open(learner);
  await draw(page, 'Always');
  await enter(page, 'clear; echo kept-$((40 + 2))');
  await expect(spoken(page)).toContainText('kept-42');
  await canvasOf(page).evaluate((canvas: HTMLCanvasElement) => {
    canvas.getContext('webgl2')?.getExtension('WEBGL_lose_context')?.loseContext();
  });
  await expect(rowsOf(page)).toContainText('kept-42');
  await expect(canvasOf(page)).toHaveCount(0);
  await learner.tab('client').click();
  await expect(rowsOf(page)).toContainText('$');
  await learner.tab('server01').click();
  await expect(rowsOf(page)).toContainText('kept-42');
  expect(await contexts(page)).toBe(0);

  await page.reload();
  await learner.ready();
  await learner.tab('server01').click();
  await expect(canvasOf(page)).toBeVisible();
  await draw(page, 'Never');
  await expect(rowsOf(page)).toContainText('kept-42');
  expect(await contexts(page)).toBe(0);
  await page.reload();
  await learner.ready();
  await learner.tab('server01').click();
  await expect(rowsOf(page)).toContainText('kept-42');
  expect(await contexts(page)).toBe(0);
});

test('left to itself, a terminal takes a graphics card after its first screen, and no driver that is software', async ({
  learner,
}) => {
  const { page } = learner;
  const loaded: string[] = [];
  page.on('request', (request) => loaded.push(request.url()));
  await keepContexts(page);
  await learner.goTo('ephemeral-ports/');
  await learner.tab('server01').click();
  await expect(rowsOf(page)).toContainText('$');
  await expect
    .poll(() => page.evaluate(() => (Reflect.get(window, 'contexts') as []).length))
    .toBe(1);
  await learner.tab('client').click();
  await expect(rowsOf(page)).toContainText('$');
  expect(loaded.filter((url) => url.includes('addon-webgl'))).toEqual([]);
  expect(await contexts(page)).toBe(0);

  // The same with a driver that names a card.
  await page.addInitScript((unmaskedRenderer) => {
    const { prototype } = WebGL2RenderingContext;
    const { getParameter } = prototype;
    prototype.getParameter = function (name) {
      return name === unmaskedRenderer ? 'a card' : getParameter.call(this, name);
    };
  }, UNMASKED_RENDERER);
  await page.reload();
  await learner.ready();
  await learner.tab('server01').click();
  await expect(canvasOf(page)).toBeVisible();
  const order = ['/xterm.', '/addon-webgl.'].map((file) =>
    loaded.findIndex((url) => url.includes(file)),
  );
  expect(order).toEqual(order.toSorted((a, b) => a - b));
});
