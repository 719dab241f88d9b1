import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, type Page, test } from '@playwright/test';
import { ModuleKind, ScriptTarget, transpileModule } from 'typescript';
import { NOTHING, nextFrame, PageWork } from './page-work.ts';

const ROOT = join(import.meta.dirname, '../..');
const MODULE = { module: ModuleKind.ESNext, target: ScriptTarget.ESNext };
const XTERM = join(ROOT, 'node_modules/@xterm/xterm');
/** Modules of the page, each after those it imports. */
const MEND = ['insides', 'xterm-6.0.0', 'readable-colours']
  .map((name) => readFileSync(join(ROOT, `src/client/terminal/${name}.ts`), 'utf8'))
  .map((source) => source.replaceAll(/^import .*$/gm, ''))
  .map((source) => transpileModule(source, { compilerOptions: MODULE }).outputText)
  .join('\n');
/** What a hidden terminal may get, and what of xterm it would set to work. */
const OUTPUTS: readonly (readonly [what: string, text: string])[] = [
  ['lines', 'line\r\n'.repeat(40)],
  ['glyphs that no line had before', 'αβγδεζηθικλμ\r\n'.repeat(40)],
  ['a cursor that moves', '\u001b[5;7H'],
  ['a full-screen program', '\u001b[?1049h\u001b[2Jfull screen'],
  ['the end of a full-screen program', '\u001b[?1049l'],
];

interface Rig {
  /** Letters of 14 px are 8.4 px wide. */
  readonly options: { fontSize: number };
  readonly cols: number;
  readonly rows: number;
  write(bytes: Uint8Array, done: () => void): void;
  resize(cols: number, rows: number): void;
  scrollToBottom(): void;
  scrollToTop(): void;
  scrollLines(lines: number): void;
  select(column: number, row: number, length: number): void;
  registerMarker(offset: number): unknown;
  registerDecoration(options: { readonly marker: unknown }): unknown;
}

declare global {
  interface Window {
    rig: Rig;
    /** Writes to it as the page does. */
    write: Rig['write'];
    mended: { hold(isHeld: boolean): void; see(isShown: boolean): void };
  }
}

/** xterm alone on a page, as it is or mended, with more lines than it shows. */
async function open(page: Page, how: 'as it is' | 'mended'): Promise<void> {
  await page.setContent('<div id="holder" style="width: 800px; height: 400px"></div>');
  await page.addStyleTag({ path: join(XTERM, 'css/xterm.css') });
  await page.addScriptTag({ path: join(XTERM, 'lib/xterm.js') });
  await page.evaluate(`
    window.rig = new Terminal({ allowProposedApi: true, minimumContrastRatio: 4.5, scrollback: 100 });
    rig.open(document.getElementById('holder'));
    window.write = (bytes, done) => rig.write(bytes, done);
  `);
  if (how === 'mended') {
    await page.addScriptTag({
      type: 'module',
      content: `${MEND}
window.mended = mendXterm(window.rig);
window.write = window.mended.write;
shareReadableColours(window.rig);
window.isMended = true;`,
    });
    await page.waitForFunction('window.isMended');
    expect(await page.evaluate(parsesAtOnce), 'whether it could be mended').toBe(true);
  }
  await write(page, 'before\r\n'.repeat(200));
  // The scroll bar, which the lines have brought forth, goes by itself.
  await expect(page.locator('.xterm .scrollbar.vertical')).toHaveClass(/invisible/);
  await nextFrame(page);
}

function parsesAtOnce(): boolean {
  let isParsed = false;
  window.write(new TextEncoder().encode('before'), () => {
    isParsed = true;
  });
  return isParsed;
}

function write(page: Page, text: string): Promise<void> {
  return page.evaluate(
    (all) => new Promise<void>((done) => window.write(new TextEncoder().encode(all), done)),
    text,
  );
}

async function hide(page: Page): Promise<void> {
  await page.evaluate(
    () =>
      new Promise<void>((hidden) => {
        const screen = document.querySelector('.xterm-screen') as Element;
        const seen = new IntersectionObserver(([entry]) => {
          if (entry?.isIntersecting) return;
          seen.disconnect();
          hidden();
        });
        seen.observe(screen);
        (document.getElementById('holder') as HTMLElement).hidden = true;
      }),
  );
  await nextFrame(page);
}

async function show(page: Page): Promise<void> {
  await page.evaluate(() => {
    (document.getElementById('holder') as HTMLElement).hidden = false;
  });
  await nextFrame(page);
  await nextFrame(page);
}

function rowsOf(page: Page): Promise<readonly string[]> {
  return page
    .locator('.xterm-rows > div')
    .evaluateAll((rows) => rows.map(({ textContent }) => textContent?.trimEnd() ?? ''));
}

test('xterm as it is draws a hidden terminal: when this fails, src/client/terminal/xterm-6.0.0.ts is no longer needed', async ({
  page,
}) => {
  await open(page, 'as it is');
  await hide(page);
  const work = await PageWork.count(page, page.locator('.xterm-rows'));
  await write(page, 'αβγδεζηθικλμ\r\n'.repeat(40));
  expect((await work.done()).mutations).toBeGreaterThan(20);
});

for (const [what, text] of OUTPUTS) {
  test(`mended, a hidden terminal takes in ${what} without touching the page`, async ({ page }) => {
    await open(page, 'mended');
    await hide(page);
    const work = await PageWork.count(page, page.locator('#holder'));
    await write(page, text);
    await write(page, text);
    expect(await work.done()).toEqual(NOTHING);
  });
}

test('mended, a hidden terminal is resized and gets marks without touching the page', async ({
  page,
}) => {
  await open(page, 'mended');
  await hide(page);
  const work = await PageWork.count(page, page.locator('#holder'));
  await page.evaluate(
    () =>
      new Promise<void>((done) => {
        window.rig.resize(60, 15);
        window.rig.registerDecoration({ marker: window.rig.registerMarker(0) });
        requestIdleCallback(() => done());
      }),
  );
  expect(await work.done()).toEqual(NOTHING);
  await show(page);
  expect(await rowsOf(page)).toHaveLength(15);
  await expect(page.locator('.xterm-decoration')).toHaveCount(1);
});

test('mended, what came while it was hidden is there when it is seen, and can be scrolled', async ({
  page,
}) => {
  await open(page, 'mended');
  await page.evaluate(() => window.rig.scrollLines(-10));
  await hide(page);
  const lines = Array.from({ length: 60 }, (_, index) => `line ${index}`);
  await write(page, lines.join('\r\n'));
  await show(page);
  await page.evaluate(() => window.rig.scrollToBottom());
  await nextFrame(page);
  expect(await rowsOf(page)).toEqual(lines.slice(-24));
  await page.evaluate(() => window.rig.scrollLines(-5));
  await nextFrame(page);
  expect(await rowsOf(page)).toEqual(lines.slice(-29, -5));
});

test('mended, it is drawn in the frame in which it is shown', async ({ page }) => {
  await open(page, 'mended');
  await hide(page);
  await write(page, '\u001b[2J\u001b[Hnews');
  const first = await page.evaluate(async () => {
    (document.getElementById('holder') as HTMLElement).hidden = false;
    window.mended.see(true);
    await new Promise(requestAnimationFrame);
    return document.querySelector('.xterm-rows > div')?.textContent;
  });
  expect(first).toMatch(/^news/);
});

test('mended, it is drawn where it was hidden and shown within one frame', async ({ page }) => {
  await open(page, 'mended');
  await page.evaluate(() => {
    window.mended.see(false);
    window.mended.see(true);
  });
  await write(page, '\u001b[2J\u001b[Hnews');
  await nextFrame(page);
  expect((await rowsOf(page))[0]).toBe('news');
});

for (const deviceScaleFactor of [1, 1.25, 2]) {
  test.describe(`on a display of ${deviceScaleFactor} pixels for each of a page`, () => {
    test.use({ deviceScaleFactor });
    test('mended, a cell is a whole number of them wide', async ({ page }) => {
      await open(page, 'mended');
      const pixels = await page.evaluate(() => {
        window.rig.options.fontSize = 14;
        const { width } = (
          document.querySelector('.xterm-screen') as Element
        ).getBoundingClientRect();
        return (width / window.rig.cols) * devicePixelRatio;
      });
      expect(pixels).toBeCloseTo(Math.round(pixels), 1);
    });
  });
}

test('mended, the scroll bar follows what is printed, and is set once for all that is parsed at once', async ({
  page,
}) => {
  await open(page, 'mended');
  const slider = page.locator('.xterm .scrollbar.vertical .slider');
  await write(page, '\u001b[3J\u001b[2J\u001b[H');
  await nextFrame(page);
  const work = await PageWork.count(page, slider);
  await write(page, 'line\r\n'.repeat(80));
  expect((await work.done()).mutations).toBeLessThanOrEqual(4);
  await page.evaluate(() => window.rig.scrollToTop());
  await nextFrame(page);
  expect((await rowsOf(page))[0]).toBe('line');
  await expect(slider).toHaveCSS('top', '0px');
});

test('mended, a selection is drawn, follows its lines, and goes', async ({ page }) => {
  await open(page, 'mended');
  await page.evaluate(() => window.rig.select(0, 110, 6));
  await nextFrame(page);
  const selected = page.locator('.xterm-selection > div').first();
  const before = (await selected.boundingBox())?.y ?? 0;
  await write(page, 'more\r\n'.repeat(3));
  await nextFrame(page);
  expect((await selected.boundingBox())?.y ?? 0).toBeLessThan(before);
  await page.locator('.xterm-screen').click();
  await nextFrame(page);
  await expect(page.locator('.xterm-selection > div')).toHaveCount(0);
});

test('mended, a terminal in front draws each row once for a line', async ({ page }) => {
  await open(page, 'mended');
  const { rows } = await page.evaluate(() => ({ rows: window.rig.rows }));
  const work = await PageWork.count(page, page.locator('.xterm-rows'));
  await write(page, 'line\r\n');
  const { mutations, layouts, restyles } = await work.done();
  expect(mutations).toBeGreaterThan(0);
  expect(mutations).toBeLessThanOrEqual(rows);
  expect(layouts).toBeGreaterThan(0);
  expect(restyles).toBeGreaterThan(0);
});

test('mended, a terminal that is held is drawn once it is held no more', async ({ page }) => {
  await open(page, 'mended');
  const work = await PageWork.count(page, page.locator('#holder'));
  await page.evaluate(() => window.mended.hold(true));
  const lines = Array.from({ length: 60 }, (_, index) => `line ${index}`);
  await write(page, lines.join('\r\n'));
  expect(await work.done()).toMatchObject({ mutations: 0, layouts: 0 });
  await page.evaluate(() => window.mended.hold(false));
  await nextFrame(page);
  expect(await rowsOf(page)).toEqual(lines.slice(-24));
});

/** What every colour of the palette looks like, for letters and shapes, dim, bold and inverse, on several backgrounds. */
const COLOURS = ['', '7;', '2;', '1;']
  .flatMap((style) => ['', '48;5;17;', '48;5;236;', '48;5;250;'].map((behind) => style + behind))
  .flatMap((style) =>
    Array.from(
      { length: 256 },
      (_, colour) => `\u001b[0;${style}38;5;${colour}m${colour % 2 ? 'a' : '\u2588'}b`,
    ),
  )
  .join('');

function coloursOf(page: Page): Promise<readonly string[]> {
  return page.locator('.xterm-rows span').evaluateAll((cells) =>
    cells.map((cell) => {
      const { color, backgroundColor } = getComputedStyle(cell);
      return `${cell.textContent} ${color} on ${backgroundColor}`;
    }),
  );
}

test('mended, every colour looks as it did', async ({ page }) => {
  const looks: (readonly string[])[] = [];
  for (const how of ['as it is', 'mended'] as const) {
    await open(page, how);
    await page.evaluate(() => window.rig.resize(200, 45));
    await write(page, `\u001b[2J\u001b[H${COLOURS}`);
    await nextFrame(page);
    looks.push(await coloursOf(page));
  }
  expect(looks[0]?.length).toBeGreaterThan(4_000);
  expect(looks[1]).toEqual(looks[0]);
});

test('mended, a colour is made readable once, and not in each cell', async ({ page }) => {
  const palette = Array.from({ length: 256 }, (_, colour) => `\u001b[38;5;${colour}mab`).join('');
  await open(page, 'as it is');
  await write(page, palette);
  await nextFrame(page);
  const own = page.locator('.xterm-rows span[style*="color"]');
  expect(await own.count()).toBeGreaterThan(20);
  await open(page, 'mended');
  await write(page, palette);
  await nextFrame(page);
  expect(await own.count()).toBe(0);
});
