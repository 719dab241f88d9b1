import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test as base, type CDPSession, expect, type Page } from '@playwright/test';
import { ModuleKind, ScriptTarget, transpileModule } from 'typescript';

const ROOT = join(import.meta.dirname, '../..');
const XTERM = join(ROOT, 'node_modules/@xterm/xterm');
const IMPORTS = /^import .*$/gm;
const MODULE = ['text-input']
  .map((name) => readFileSync(join(ROOT, `src/client/terminal/${name}.ts`), 'utf8'))
  .map((source) => {
    const compilerOptions = { module: ModuleKind.ESNext, target: ScriptTarget.ESNext };
    return transpileModule(source, { compilerOptions }).outputText.replace(IMPORTS, '');
  })
  .join('\n');
/** What Android's Chromium says of a key whose text its keyboard gives by itself. */
const UNKNOWN_KEY = { key: 'Unidentified', windowsVirtualKeyCode: 229 } as const;

/** Hands on the keyboard of a phone, or at an input method, in events of the browser itself. */
class Typist {
  readonly #page: Page;
  readonly #devtools: CDPSession;

  constructor(page: Page, devtools: CDPSession) {
    this.#page = page;
    this.#devtools = devtools;
  }

  /** Of the word under way; `from` and `to` say which text it takes up again. */
  async compose(text: string, from?: number, to?: number): Promise<void> {
    await this.#devtools.send('Input.imeSetComposition', {
      text,
      selectionStart: text.length,
      selectionEnd: text.length,
      ...(from === undefined ? {} : { replacementStart: from, replacementEnd: to ?? from }),
    });
  }

  /** Letter by letter, as a prediction shows them. */
  async word(text: string): Promise<void> {
    for (let end = 1; end <= text.length; end++) await this.compose(text.slice(0, end));
    await this.commit(text);
  }

  /** A finished text, with or without a composition before it. */
  async commit(text: string): Promise<void> {
    await this.#devtools.send('Input.insertText', { text });
  }

  async unknownKey(type: 'rawKeyDown' | 'keyUp', commands: readonly string[] = []): Promise<void> {
    await this.#devtools.send('Input.dispatchKeyEvent', {
      ...UNKNOWN_KEY,
      type,
      commands: [...commands],
    });
  }

  /** What the shell's line holds of all that was sent, Backspaces done, and each Enter as a line's end. */
  async line(): Promise<string> {
    const sent = await this.#page.evaluate('window.sent');
    let line = '';
    for (const character of String(sent)) {
      if (character === '\x7f') line = [...line].slice(0, -1).join('');
      else line += character;
    }
    return line.replaceAll('\r', '⏎');
  }
}

const test = base.extend<{ typist: Typist }>({
  typist: async ({ page }, use) => {
    await page.setContent('<div id="holder" style="width: 800px; height: 400px"></div>');
    await page.addStyleTag({ path: join(XTERM, 'css/xterm.css') });
    await page.addScriptTag({ path: join(XTERM, 'lib/xterm.js') });
    await page.evaluate(`
      window.sent = '';
      window.rig = new Terminal({ allowProposedApi: true });
      rig.open(document.getElementById('holder'));
      rig.onData((data) => { window.sent += data; });
      rig.focus();
      new Promise((done) => rig.write('$ ', done));
    `);
    await page.addScriptTag({
      type: 'module',
      content: `${MODULE}\nonTextInput(window.rig, (text) => { window.sent += '<' + text + '>'; }); window.isReady = true;`,
    });
    await page.waitForFunction('window.isReady');
    await use(new Typist(page, await page.context().newCDPSession(page)));
  },
});

test('keys and words of a keyboard with predictions come out as they were typed', async ({
  typist,
  page,
}) => {
  await typist.word('docker');
  await typist.commit(' ');
  await typist.word('ps');
  await typist.commit(' -a');
  await page.keyboard.press('Enter');
  expect(await typist.line()).toBe('docker ps -a⏎');
});

test('text that comes in a later task than its key arrives whole', async ({ typist, page }) => {
  for (const letter of 'docker ps') {
    await typist.unknownKey('rawKeyDown');
    await page.evaluate(() => new Promise((done) => setTimeout(done)));
    await typist.commit(letter);
    await typist.unknownKey('keyUp');
  }
  expect(await typist.line()).toBe('docker ps');
});

test('what a keyboard puts in from its clipboard is a paste', async ({ typist }) => {
  await typist.commit('one\ntwo');
  expect(await typist.line()).toBe('<one\ntwo>');
  await typist.commit('x'.repeat(5000));
  expect(await typist.line()).toHaveLength('<one\ntwo>'.length + '<>'.length + 5000);
});

test('a Backspace in a word that is taken up again takes its letters away at once', async ({
  typist,
}) => {
  await typist.word('docker');
  await typist.compose('docke', 0, 6);
  expect(await typist.line()).toBe('docke');
  await typist.compose('dock');
  expect(await typist.line()).toBe('dock');
  await typist.commit('dock');
  expect(await typist.line()).toBe('dock');
  await typist.commit('er ps');
  expect(await typist.line()).toBe('docker ps');
});

test('a word that was swiped goes as a whole, and another comes in its place', async ({
  typist,
}) => {
  await typist.commit('docker');
  await typist.commit(' images');
  await typist.unknownKey('rawKeyDown', ['deleteWordBackward']);
  await typist.unknownKey('keyUp');
  expect((await typist.line()).trim()).toBe('docker');
  await typist.compose('contianer', 7, 7);
  await typist.compose('container');
  await typist.commit('container');
  expect(await typist.line()).toBe('docker container');
});

test('a suggestion replaces the word that was typed', async ({ typist }) => {
  await typist.word('dokcer');
  await typist.compose('docker', 0, 6);
  await typist.commit('docker ');
  expect(await typist.line()).toBe('docker ');
});

test('an input method shows what it composes, and sends what is chosen', async ({
  typist,
  page,
}) => {
  const preview = page.locator('.composition-view');
  await typist.compose('に');
  await typist.compose('にほん');
  await expect(preview).toHaveText('にほん');
  expect(await typist.line()).toBe('');
  await typist.compose('日本');
  // Enter chooses: it is no Enter for the shell.
  await typist.unknownKey('rawKeyDown');
  await typist.commit('日本');
  await typist.unknownKey('keyUp');
  await expect(preview).toBeHidden();
  expect(await typist.line()).toBe('日本');
  await typist.compose('x');
  await typist.compose('');
  expect(await typist.line(), 'a composition that is emptied').toBe('日本');
});

test('Ctrl-C while a word is composed comes after it', async ({ typist, page }) => {
  await typist.compose('sleep');
  await page.keyboard.press('Control+c');
  expect(await typist.line()).toBe('sleep\x03');
  await typist.word('ls');
  expect(await typist.line()).toBe('sleep\x03ls');
});

test('keys of a real keyboard are xterm’s, and what was composed before them is not typed again', async ({
  typist,
  page,
}) => {
  await page.keyboard.type('ab');
  await typist.word('cd');
  await page.keyboard.press('Backspace');
  await typist.word('e');
  expect(await typist.line()).toBe('abce');
});

test('a phone’s Backspace where nothing was typed reaches the shell', async ({ typist, page }) => {
  await page.evaluate("window.sent = 'ls'");
  await typist.unknownKey('rawKeyDown', ['deleteBackward']);
  await typist.unknownKey('keyUp');
  expect(await typist.line()).toBe('l');
});
