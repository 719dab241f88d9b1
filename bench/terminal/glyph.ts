import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join, resolve } from 'node:path';
import { build } from 'vite';
import { openBrowser } from '../browser.ts';
import type { Figures } from './measures.ts';

const PROJECT = resolve(import.meta.dirname, '../..');
const KEYS = 200;
const BETWEEN_KEYS_MS = 30;
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
};

/** The page under test: our own pane, and a clock on its keys. */
const PAGE = `<!doctype html><title>bench</title><div id="pane" style="width:800px;height:480px"></div>
<script type="module" src="./page.ts"></script>`;
const SCRIPT = `
import { TerminalPane } from ${JSON.stringify(join(PROJECT, 'src/client/terminal/pane.ts'))};
const url = new URLSearchParams(location.search).get('terminal');
const pane = new TerminalPane(document.querySelector('#pane'), { url, label: 'bench' });
pane.show();
pane.focus();
window.times = [];
let pressed = 0;
addEventListener('keydown', () => { pressed = performance.now(); }, { capture: true });
new MutationObserver(() => {
  if (pressed === 0) return;
  const since = pressed;
  pressed = 0;
  // The frame with the glyph in it; a message sent from it arrives after it was painted.
  requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => window.times.push(performance.now() - since);
    channel.port2.postMessage(0);
  });
}).observe(document.querySelector('#pane'), { subtree: true, childList: true, characterData: true });
`;

/** From a key going down to its glyph painted, in headless Chromium on our own page. @param server of our-server.ts */
export async function measureGlyph(server: string): Promise<Figures> {
  const directory = await mkdtemp(join(tmpdir(), 'bench-glyph-'));
  try {
    await writeFile(join(directory, 'index.html'), PAGE);
    await writeFile(join(directory, 'page.ts'), SCRIPT);
    const outDir = join(directory, 'dist');
    const alias = {
      '#protocol': join(PROJECT, 'protocol/index.ts'),
      '@xterm': join(PROJECT, 'node_modules/@xterm'),
    };
    await build({
      root: directory,
      configFile: false,
      logLevel: 'error',
      resolve: { alias },
      build: { outDir },
    });
    const files = createServer(async (request, response) => {
      const path = new URL(request.url ?? '/', 'http://bench').pathname;
      const file = path === '/' ? '/index.html' : path;
      const body = await readFile(join(outDir, file)).catch(() => undefined);
      response.writeHead(body ? 200 : 404, {
        'content-type': TYPES[extname(file)] ?? 'text/plain',
      });
      response.end(body);
    }).listen(0, '127.0.0.1');
    const browser = await openBrowser();
    try {
      const id = await (await fetch(`${server}/terminals`, { method: 'POST' })).text();
      const page = await browser.newPage();
      const { port } = files.address() as AddressInfo;
      const terminal = encodeURIComponent(`${server}/terminals/${id}`);
      await page.goto(`http://127.0.0.1:${port}/?terminal=${terminal}`);
      await page.locator('.xterm-rows', { hasText: /[$#]/ }).waitFor();
      await page.keyboard.type("stty raw -echo; echo R'A'W; cat\n");
      await page.locator('.xterm-rows', { hasText: 'RAW' }).waitFor();
      await page.evaluate('window.times = []');
      for (let key = 0; key < KEYS; key++) {
        await page.keyboard.press(String.fromCharCode(97 + (key % 26)));
        await page.waitForTimeout(BETWEEN_KEYS_MS);
      }
      const times = ((await page.evaluate('window.times')) as number[]).sort((a, b) => a - b);
      return {
        'key to painted glyph p50 ms': times[Math.floor(times.length * 0.5)] ?? 0,
        'key to painted glyph p99 ms': times[Math.floor(times.length * 0.99)] ?? 0,
      };
    } finally {
      await browser.close();
      files.close();
    }
  } finally {
    await rm(directory, { recursive: true });
  }
}
