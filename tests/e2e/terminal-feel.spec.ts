import AxeBuilder from '@axe-core/playwright';
import type { BrowserContext, Locator, Page } from '@playwright/test';
import { decodeClientFrame } from '#protocol';
import { expect, Learner, test } from './learner.ts';
import { nextFrame } from './page-work.ts';

const ROWS = '.panel:visible .xterm-rows';
/** With this byte begins what the server says of the size (docs/terminal-protocol.md). */
const SIZE = 0x86;

/** The middle of what the terminal shows: its own layer for the mouse lies over the rows. */
async function middleOf(drawn: Locator): Promise<readonly [x: number, y: number]> {
  const box = await drawn.boundingBox();
  if (!box) throw new Error('nothing is drawn there');
  return [box.x + box.width / 2, box.y + box.height / 2];
}

test('the keys that a shell lives by reach it', async ({ learner }) => {
  const { page } = learner;
  await learner.goTo('ephemeral-ports/');
  await learner.type('server01', 'clear; echo again-$((1 + 1))');
  await learner.read(/(again-2)/);
  await learner.type('server01', 'clear');
  await page.keyboard.press('Control+p');
  await page.keyboard.press('Control+p');
  await page.keyboard.press('Enter');
  await learner.read(/(again-2)/);

  await page.keyboard.type('clear; echo word-$((2 + 1)) dropped');
  await page.keyboard.press('Control+w');
  await page.keyboard.type('kept');
  await page.keyboard.press('Enter');
  await learner.read(/(word-3 kept)/);

  await page.keyboard.type('clear; echo last-$((2 + 2))');
  // A word back, past "2))" and "((2 + ", and on to the beginning of "last".
  for (let word = 0; word < 3; word++) await page.keyboard.press('Alt+b');
  await page.keyboard.type('at-');
  await page.keyboard.press('Enter');
  await learner.read(/(at-last-4)/);
});

test('the browser’s own menu copies what is selected', async ({ learner }) => {
  const { page } = learner;
  await learner.goTo('ephemeral-ports/');
  await learner.type('server01', 'clear; echo select$((40 + 2))me');
  await learner.read(/(select42me)/);
  const word = page.locator(ROWS).getByText('select42me', { exact: true });
  const [x, y] = await middleOf(word);
  await page.mouse.dblclick(x, y);
  await page.mouse.click(x, y, { button: 'right' });
  // What "Copy" in the menu does: the page's copy command, on what lies under the pointer.
  await page.evaluate(() => document.execCommand('copy'));
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('select42me');
});

test('a link that a program prints opens apart from the page, and only to the web', async ({
  learner,
}) => {
  const { page, terminal } = learner;
  await page.context().route('http://example.invalid/**', (route) => route.fulfill({ body: 'ok' }));
  await learner.goTo('ephemeral-ports/');
  await learner.type('server01', 'clear; echo see http://example.invalid/$((6 * 7))');
  await learner.read(/(invalid\/42)/);
  const row = terminal.getByText('see http://example.invalid/42');
  const [x, y] = await middleOf(row.last());
  const opened = page.context().waitForEvent('page');
  await page.mouse.move(x, y);
  await expect(page.locator('.panel:visible .xterm-cursor-pointer')).toBeVisible();
  await page.mouse.click(x, y);
  const link = await opened;
  await expect(link).toHaveURL('http://example.invalid/42');
  expect(await link.evaluate(() => window.opener)).toBeNull();
  await link.close();
});

test('the font is there before the first line is drawn', async ({ learner }) => {
  const { page } = learner;
  await page.addInitScript(() => {
    const drawn = new MutationObserver(() => {
      if (!document.querySelector('.xterm-rows')) return;
      drawn.disconnect();
      const faces = [...document.fonts].filter(({ family }) => /Quayside Mono/.test(family));
      Object.assign(window, { facesAtFirstPaint: faces.map(({ status }) => status) });
    });
    drawn.observe(document, { childList: true, subtree: true });
  });
  await learner.goTo('ephemeral-ports/');
  await learner.tab('server01').click();
  await expect(learner.terminal).toContainText('$');
  const faces = await page.evaluate(() => Reflect.get(window, 'facesAtFirstPaint'));
  expect(faces).toContain('loaded');
  expect(faces).not.toContain('loading');
});

test('widths and colours are those that the program meant', async ({ learner }) => {
  const { page } = learner;
  await learner.goTo('ephemeral-ports/');
  // The terminal itself says in which column the cursor stands: two and two, two for the whole family, and the next.
  await learner.type(
    'server01',
    `clear; printf '世界👩‍👩‍👧'; IFS='[;' read -rsd R -p $'\\e[6n' _ _ column; echo; echo column $column`,
  );
  expect(await learner.read(/\ncolumn (\d+)/)).toBe('7');
  await learner.type('server01', `clear; printf '\\e[48;2;10;20;30mtrue%s\\e[0m\\n' -colour`);
  await learner.read(/(true-colour)/);
  await expect(page.locator(ROWS).getByText('true-colour', { exact: true })).toHaveCSS(
    'background-color',
    'rgb(10, 20, 30)',
  );
});

test('a flood in a terminal that nobody looks at stands there whole when somebody does', async ({
  learner,
}) => {
  await learner.goTo('ephemeral-ports/');
  await learner.type('server01', 'clear; seq 1 400000; echo flood-$((1 + 1)); touch /tmp/flooded');
  await learner.tab('client').click();
  await learner.type('client', 'clear; echo still-$((1 + 1))');
  await learner.read(/(still-2)/);
  await learner.tab('server01').click();
  await learner.read(/(399998)\n399999\n400000\nflood-2/);
});

test('two windows of different sizes: the one that types has its own', async ({
  learner,
  browser,
}) => {
  await learner.goTo('ephemeral-ports/');
  const columns = 'clear; echo $(tput cols) columns';
  await learner.type('server01', columns);
  const wide = Number(await learner.read(/(\d+) columns/));
  const storageState = await learner.page.context().storageState();
  const context = await browser.newContext({ storageState, viewport: { width: 900, height: 700 } });
  const page = await context.newPage();
  await page.goto(learner.page.url());
  const other = new Learner(page);
  await other.ready();
  await other.type('server01', columns);
  await expect.poll(async () => Number(await other.read(/(\d+) columns/))).toBeLessThan(wide);
  const narrow = Number(await other.read(/(\d+) columns/));
  // The wide window shows what the narrow one has, and takes its own size again with its first key.
  await learner.read(new RegExp(`(${narrow}) columns`));
  await learner.type('server01', columns);
  await expect.poll(async () => Number(await learner.read(/(\d+) columns/))).toBe(wide);
  await context.close();
});

/** Where the terminal's text stands, and whether something lies over it. */
async function coversText(page: Page, over: Locator): Promise<boolean> {
  await expect(over).toBeVisible();
  const [text, box] = [
    await page.locator('.panel:visible .xterm-screen').boundingBox(),
    await over.boundingBox(),
  ];
  if (!text || !box) throw new Error('nothing to see');
  return box.y < text.y + text.height && box.y + box.height > text.y;
}

test('the settings and the search lie over nothing of the terminal', async ({ learner }) => {
  const { page } = learner;
  await learner.goTo('ephemeral-ports/');
  await learner.tab('server01').click();
  const panel = page.locator('.panel:visible');
  await panel.getByRole('button', { name: /^Settings and keys/ }).click();
  await expect.poll(() => coversText(page, panel.getByRole('dialog'))).toBe(false);
  await panel.getByRole('button', { name: 'Find', exact: true }).click();
  await expect(panel.getByRole('dialog')).toBeHidden();
  await expect.poll(() => coversText(page, panel.getByRole('search'))).toBe(false);
});

/** What is on the clipboard, as another page of this browser sees it. */
async function clipboard(context: BrowserContext, url: string): Promise<string> {
  const page = await context.newPage();
  await page.goto(new URL('/healthz', url).href);
  const text = await page.evaluate(() => navigator.clipboard.readText());
  await page.close();
  return text;
}

test('every row and column of a terminal is in sight, whatever the window’s size', async ({
  learner,
}) => {
  const { page } = learner;
  await learner.goTo('ephemeral-ports/');
  await learner.type('server01', 'clear; echo in-sight');
  for (let height = 700; height < 720; height += 3) {
    await page.setViewportSize({ width: 1200 + height, height });
    await expect
      .poll(() =>
        page.locator('.panel:visible .qs-terminal-surface').evaluate((surface) => {
          const room = surface.getBoundingClientRect();
          const drawn = surface.querySelector('.xterm-screen')?.getBoundingClientRect();
          return drawn && [drawn.bottom <= room.bottom, drawn.right <= room.right];
        }),
      )
      .toEqual([true, true]);
  }
});

test('a menu that goes before it is drawn leaves the terminal its size', async ({ learner }) => {
  const { page } = learner;
  let isFar = false;
  await page.routeWebSocket(/\/terminals\//, (route) => {
    const server = route.connectToServer();
    route.onMessage((message) => server.send(message));
    // The server's answer to a size comes far later than the next frame.
    server.onMessage((message) => {
      if (!isFar || message[0] !== SIZE) route.send(message);
    });
  });
  await learner.goTo('ephemeral-ports/');
  await learner.tab('server01').click();
  await learner.read(/(\$)/);
  const rows = page.locator(`${ROWS} > div`);
  const before = await rows.count();
  const panel = page.locator('.panel:visible');
  await panel.getByRole('button', { name: /^Settings and keys/ }).click();
  await expect.poll(() => rows.count()).toBeLessThan(before);
  await page.keyboard.press('Escape');
  await expect(rows).toHaveCount(before);
  await nextFrame(page);
  isFar = true;
  // All of it in one task: no frame is drawn meanwhile.
  await panel.locator('.qs-terminal-settings').evaluate((menu: HTMLElement) => {
    menu.hidden = false;
    menu.querySelector('input')?.click();
    menu.hidden = true;
  });
  await nextFrame(page);
  await expect(rows).toHaveCount(before);
});

test('a shell hears of one size, that of its terminal, and of the same after a reload', async ({
  learner,
}) => {
  const { page } = learner;
  const sizes = new Set<string>();
  const told = Promise.withResolvers<void>();
  page.on('websocket', (socket) => {
    socket.on('framereceived', ({ payload }) => typeof payload !== 'string' && told.resolve());
    socket.on('framesent', ({ payload }) => {
      if (typeof payload === 'string') return;
      const frame = decodeClientFrame(new Uint8Array(payload));
      if (frame.type === 'resize') sizes.add(`${frame.rows} ${frame.cols}`);
    });
  });
  // What the server says of a terminal is there before its screen.
  await page.route(/\/_astro\/xterm\./, async (route) => {
    await told.promise;
    await route.continue();
  });
  await learner.goTo('ephemeral-ports/');
  await learner.type('server01', 'clear; echo size $(stty size)');
  const size = await learner.read(/size (\d+ \d+)\s/);
  await page.reload();
  await learner.ready();
  await learner.type('server01', 'clear; echo size $(stty size)');
  await learner.read(/size (\d+ \d+)\s/);
  expect([...sizes]).toEqual([size]);
});

test('on plain http everything can be copied, for which there is no clipboard of the page', async ({
  learner,
  context,
}) => {
  const { page } = learner;
  // What a browser leaves out of a page that came by plain http from another machine.
  await page.addInitScript(() => {
    Object.defineProperty(navigator, 'clipboard', { value: undefined });
  });
  await learner.goTo('ephemeral-ports/');
  await learner.type('server01', 'clear; echo copied-$((40 + 2))');
  await learner.read(/(copied-42)/);
  const panel = page.locator('.panel:visible');
  await panel.getByRole('button', { name: /^Settings and keys/ }).click();
  await panel.getByRole('button', { name: 'Copy all' }).click();
  await expect(panel.getByText('Copied.')).toBeVisible();
  expect(await clipboard(context, page.url())).toContain('copied-42\n');
});

test('a program writes to the clipboard right after a key, not by itself, and never reads it', async ({
  learner,
  context,
}) => {
  const { page } = learner;
  await learner.goTo('ephemeral-ports/');
  const write = (text: string) => `printf '\\e]52;c;%s\\a' $(printf ${text} | base64)`;
  await learner.type('server01', write('asked-for'));
  await expect(
    page.getByText('A program here has put 9 characters on the clipboard.'),
  ).toBeVisible();
  expect(await clipboard(context, page.url())).toBe('asked-for');
  await learner.type(
    'server01',
    `clear; sleep 7; ${write('by-itself')}; printf '\\e]52;c;?\\a'; echo end-$((40 + 2))`,
  );
  await learner.read(/(end-42)/);
  await expect(page.getByText('A program here wanted to put text on the clipboard')).toBeVisible();
  expect(await clipboard(context, page.url())).toBe('asked-for');
  // An answer would have been typed at the prompt.
  await expect(learner.terminal).not.toContainText('52;c');
});

test('a paste beyond the limit says its size; a shell that ended says that it has', async ({
  learner,
}) => {
  const { page } = learner;
  await learner.goTo('ephemeral-ports/');
  await learner.type('server01', 'clear; echo here-$((40 + 2))');
  // At its prompt the shell takes a paste as a whole, and no question comes before it.
  await learner.read(/here-42\s+(learner@server01)/);
  await page.evaluate(() => {
    const data = new DataTransfer();
    data.setData('text/plain', 'x'.repeat(5 * 1024 * 1024));
    document.activeElement?.dispatchEvent(
      new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }),
    );
  });
  const panel = page.locator('.panel:visible');
  await expect(
    panel.getByText(/it has 5\.0 MiB, and at most 4\.0 MiB can be on the way/),
  ).toBeVisible();
  await learner.type('server01', 'exit');
  await expect(panel.getByText('The shell has ended')).toBeVisible();
  await page.keyboard.press('a');
  await expect(panel.getByText('The shell has ended')).toBeVisible();
});

test('a screen reader is read what comes, once it is asked for', async ({ learner }) => {
  const { page } = learner;
  await learner.goTo('ephemeral-ports/');
  await learner.tab('server01').click();
  const panel = page.locator('.panel:visible');
  await panel.getByRole('button', { name: /^Settings and keys/ }).click();
  await panel.getByLabel('Read output to a screen reader').check();
  await page.keyboard.press('Escape');
  await learner.type('server01', 'clear; echo spoken-$((1 + 1)); ls /nowhere');
  await expect(panel.locator('.xterm-accessibility')).toContainText('spoken-2');
  await expect(panel.getByRole('status')).toContainText('status 2');
});

test('the last command’s output is there as text, by a key and from the menu', async ({
  learner,
}) => {
  const { page } = learner;
  await learner.goTo('ephemeral-ports/');
  await learner.type('server01', 'clear; echo before');
  await learner.type('server01', 'seq 1 200; printf "%0150d" 7; printf "; end"');
  await learner.read(/(7; end)/);
  await page.keyboard.press('Control+Shift+L');
  const shown = page.getByRole('dialog', { name: /^Output of seq 1 200; printf "%0150d" 7/ });
  const text = shown.getByRole('region', { name: 'Output' });
  await expect(text).toBeFocused();
  const lines = Array.from({ length: 200 }, (_, at) => `${at + 1}\n`).join('');
  expect(await text.textContent()).toBe(`${lines}${'7'.padStart(150, '0')}; end`);
  const { violations } = await new AxeBuilder({ page }).include('.qs-terminal-output').analyze();
  expect(violations.map(({ id }) => id)).toEqual([]);
  await page.keyboard.press('Escape');
  await expect(shown).toBeHidden();

  await page.keyboard.type('clear; echo typed-$((40 + 2))');
  await page.keyboard.press('Enter');
  await learner.read(/(typed-42)/);
  const panel = page.locator('.panel:visible');
  await panel.getByRole('button', { name: /^Settings and keys/ }).click();
  await panel.getByRole('button', { name: 'Last output' }).click();
  await expect(page.getByRole('region', { name: 'Output' })).toHaveText('typed-42');
  await page.getByRole('button', { name: 'Close', exact: true }).click();
  await expect(panel.locator('.xterm-helper-textarea')).toBeFocused();
});

test('marks of failed commands are there again after a reload', async ({ learner }) => {
  const { page } = learner;
  await learner.goTo('ephemeral-ports/');
  await learner.type('server01', 'clear');
  await learner.type('server01', 'ls /nowhere');
  const failed = page.locator('.panel:visible .qs-failed-command');
  await expect(failed).toHaveAttribute('title', /status 2/);
  await page.reload();
  await learner.ready();
  await learner.tab('server01').click();
  await expect(failed).toHaveAttribute('title', /status 2/);
});
