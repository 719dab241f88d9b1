import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, type Page, test } from '@playwright/test';
import { ModuleKind, ScriptTarget, transpileModule } from 'typescript';

const ROOT = join(import.meta.dirname, '../..');
const XTERM = join(ROOT, 'node_modules/@xterm/xterm/lib/xterm.js');
const BLINK = transpileModule(
  readFileSync(join(ROOT, 'src/client/terminal/cursor-blink.ts'), 'utf8'),
  { compilerOptions: { module: ModuleKind.ESNext, target: ScriptTarget.ESNext } },
).outputText;

/** xterm alone on a page whose clock stands, with the keyboard and a cursor that blinks. */
async function open(page: Page): Promise<void> {
  await page.clock.install({ time: 0 });
  await page.clock.pauseAt(1_000);
  await page.setContent('<div id="holder" style="width: 800px; height: 400px"></div>');
  await page.addScriptTag({ path: XTERM });
  await page.addScriptTag({
    type: 'module',
    content: `${BLINK}
      window.rig = new Terminal({ cursorBlink: true });
      rig.open(document.getElementById('holder'));
      rig.loadAddon(new CursorBlink());
      rig.focus();
      window.changes = 0;
      new MutationObserver((all) => { changes += all.length; })
        .observe(rig.element, { attributeFilter: ['data-cursor-off'] });`,
  });
  await page.waitForFunction('window.changes === 0');
}

/** Changes of the cursor in so many ms, and whether it is there then. */
async function changesIn(page: Page, ms: number): Promise<readonly [number, boolean]> {
  await page.evaluate('changes = 0');
  await page.clock.runFor(ms);
  const isOff = await page.locator('.xterm[data-cursor-off]').count();
  return [await page.evaluate<number>('changes'), isOff === 0];
}

test('a cursor that nobody moves comes to rest, and blinks again where it moves', async ({
  page,
}) => {
  await open(page);
  expect(await changesIn(page, 2_000)).toEqual([4, true]);
  const [changes, isThere] = await changesIn(page, 20_000);
  expect(changes).toBeLessThanOrEqual(6);
  expect(isThere).toBe(true);
  expect(await changesIn(page, 20_000)).toEqual([0, true]);
  // xterm takes what is written at a timer's next turn.
  await page.evaluate('rig.write("moved")');
  await page.clock.runFor(1);
  expect(await changesIn(page, 500)).toEqual([1, false]);
});
