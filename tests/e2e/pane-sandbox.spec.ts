import type { IncomingMessage, ServerResponse } from 'node:http';
import { expect, type Frame, type Page, test } from '@playwright/test';
import { BrowserPane } from '../../server/browser/browser-pane.ts';
import { localDial, type Served, serve } from '../unit/browser/stage.ts';
import { type Stage, stage } from '../unit/web/stage.ts';

/** What a hostile page tries, and writes down what it got. */
const SCRIPT = `
const name = (attempt) => { try { return String(attempt()); } catch (error) { return error.name; } };
const ask = (url) => fetch(url).then((answer) => String(answer.status), (error) => error.name);
const app = new URL(document.baseURI).origin;
Promise.all([ask('data.json'), ask(app + '/api/labs'), ask(app + '/healthz'), ask('http://127.0.0.1:1/')])
  .then(([own, api, health, elsewhere]) => {
    document.querySelector('pre').textContent = JSON.stringify({
      own, api, health, elsewhere,
      origin: self.origin,
      cookie: name(() => document.cookie),
      storage: name(() => localStorage.length),
      around: name(() => parent.document.title),
      above: name(() => { top.location = 'about:blank'; return 'gone'; }),
      window: name(() => window.open('about:blank')),
    });
  });`;

const PAGE = `<!doctype html><title>shop</title><link rel="stylesheet" href="/shop.css">
<script type="module" src="module.js"></script><h1></h1><pre></pre><img src="/dot.svg">
<a id="here" href="#there">here</a><a id="next" href="/next?a=b" target="_top">next</a>
<a id="refused" href="http://127.0.0.1:1/">refused</a><a id="https" href="https://10.1.10.11/">https</a>
<form method="post" action="/buy"><button>buy</button></form>
<script src="script.js"></script>`;

const FILES: Readonly<Record<string, readonly [type: string, body: string]>> = {
  '/shop.css': ['text/css', 'body { background: rgb(1, 2, 3) url(/dot.svg) }'],
  '/module.js': ['text/javascript', 'document.body.dataset.module = "ran";'],
  '/script.js': ['text/javascript', SCRIPT],
  '/data.json': ['application/json', '{}'],
  '/dot.svg': [
    'image/svg+xml',
    '<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"></svg>',
  ],
};

function shop(request: IncomingMessage, response: ServerResponse): void {
  const [type, body] = FILES[request.url ?? ''] ?? [
    'text/html',
    PAGE.replace('<h1>', `<h1>${request.method} ${request.url}`),
  ];
  response.writeHead(200, { 'content-type': type, 'set-cookie': 'shop=1' }).end(body);
}

let web: Stage;
let lab: Served;
let pane: BrowserPane;
const visits: string[] = [];

test.beforeAll(async () => {
  web = await stage();
  lab = await serve(shop);
  pane = new BrowserPane({
    from: 'client',
    dial: localDial({ '10.1.10.11:80': lab.port }),
    onVisit: ({ url, outcome }) => visits.push(`${url} ${outcome}`),
  });
  web.sessions.panes.set(pane.key, pane);
});

test.afterAll(async () => {
  pane[Symbol.dispose]();
  await lab[Symbol.asyncDispose]();
  await web[Symbol.asyncDispose]();
});

/** A page of ours with the shop in its frame, as the browser pane shows it. */
async function shown(page: Page): Promise<Frame> {
  const { frame = '' } = await pane.visit('10.1.10.11');
  await page.route('**/around', (route) =>
    route.fulfill({
      contentType: 'text/html',
      body: `<title>around</title><iframe src="${frame}">`,
    }),
  );
  await page.goto(`${web.origin}/around`);
  const element = await page.waitForSelector('iframe');
  const content = await element.contentFrame();
  if (!content) throw new Error('the frame shows nothing');
  return content;
}

test('a page in the pane works, and gets at nothing but its own parts', async ({ page }) => {
  const frame = await shown(page);
  await expect(frame.locator('pre')).toHaveText(/own/);
  expect(JSON.parse((await frame.locator('pre').textContent()) ?? '')).toEqual({
    own: '200',
    api: 'TypeError',
    health: 'TypeError',
    elsewhere: 'TypeError',
    origin: 'null',
    cookie: 'SecurityError',
    storage: 'SecurityError',
    around: 'SecurityError',
    above: 'SecurityError',
    window: 'null',
  });
  await expect(frame.locator('body')).toHaveCSS('background-color', 'rgb(1, 2, 3)');
  await expect(frame.locator('body')).toHaveAttribute('data-module', 'ran');
  expect(await frame.locator('img').evaluate((each: HTMLImageElement) => each.naturalWidth)).toBe(
    10,
  );
  expect(await page.context().cookies()).toEqual([]);
});

test('links and forms in the pane lead on, each as a visit', async ({ page }) => {
  const frame = await shown(page);
  const before = visits.length;
  await frame.click('#here');
  await frame.click('#next');
  await expect(frame.locator('h1')).toHaveText('GET /next?a=b');
  await frame.click('button');
  await expect(frame.locator('h1')).toHaveText('POST /buy');
  await frame.click('#refused');
  await expect(frame.locator('h1')).toHaveText('127.0.0.1:1 refused to connect.');
  expect(visits.slice(before)).toEqual([
    'http://10.1.10.11/next?a=b page',
    'http://10.1.10.11/buy page',
    'http://127.0.0.1:1/ refused',
  ]);
});

test('a link to https says that there is none', async ({ page }) => {
  const frame = await shown(page);
  await frame.click('#https');
  await expect(frame.locator('h1')).toContainText('plain http');
});

test('nobody else’s page may show the pane', async ({ page }) => {
  const { frame = '' } = await pane.visit('10.1.10.11');
  await using other = await serve((_request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(`<iframe src="${web.origin}${frame}">`);
  });
  const refused = page.waitForEvent('console', (message) =>
    message.text().includes('frame-ancestors'),
  );
  await page.goto(other.url);
  await refused;
});
