import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { expect, type Frame, type Page, test } from '@playwright/test';
import { WebSocketServer } from 'ws';
import { BrowserPane } from '../../server/browser/browser-pane.ts';
import { listening, localDial, type Served, serve, TLS } from '../unit/browser/stage.ts';
import { type Stage, stage } from '../unit/web/stage.ts';

/** What a hostile page tries, and writes down what it got. */
const SCRIPT = `
const name = (attempt) => { try { return String(attempt()); } catch (error) { return error.name; } };
const ask = (url) => fetch(url).then(
  async (answer) => answer.status + ((await answer.text()).includes('shop') ? ' of the shop' : ''),
  (error) => error.name);
const app = new URL(document.baseURI).origin;
// The browser's own ways, without what the pane has put around them.
const bare = document.body.appendChild(document.createElement('iframe'));
bare.srcdoc = \`<script>
  const ask = (url, init) => fetch(url, init).then(() => 'had', (error) => error.name);
  const socket = new Promise((done) => {
    try {
      const asked = new WebSocket('\${app.replace('http', 'ws')}/api/labs/docker-networking/events');
      asked.onopen = () => done('opened');
      asked.onerror = () => done('refused');
    } catch { done('refused'); }
  });
  Promise.all([ask('\${app}/api/labs'), ask('\${app}/api/labs', { credentials: 'include', mode: 'no-cors' }), socket])
    .then((got) => parent.postMessage(got, '*'));
</script>\`;
const bypassed = new Promise((done) => addEventListener('message', ({ data }) => Array.isArray(data) && done(data)));
Promise.all([ask('data.json'), ask(app + '/api/labs'), ask(app + '/healthz'), ask('http://127.0.0.1:1/'), bypassed])
  .then(([own, api, health, elsewhere, [ours, credentials, socket]]) => {
    document.querySelector('pre').textContent = JSON.stringify({
      own, api, health, elsewhere, ours, credentials, socket,
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
<a id="refused" href="http://127.0.0.1:1/">refused</a>
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
let app: Served;
let secureApp: Served;
let pane: BrowserPane;
const visits: string[] = [];

test.beforeAll(async () => {
  web = await stage();
  lab = await serve(shop);
  app = await listening(withSockets(createServer(application)));
  secureApp = await listening(withSockets(createTlsServer(TLS, application)));
  pane = new BrowserPane({
    from: 'client',
    dial: localDial({
      '10.1.10.11:80': lab.port,
      '10.1.10.12:80': app.port,
      '10.1.10.12:443': secureApp.port,
    }),
    onVisit: ({ url, outcome }) => visits.push(`${url} ${outcome}`),
  });
  web.sessions.panes.set(pane.key, pane);
});

test.afterAll(async () => {
  pane[Symbol.dispose]();
  for (const each of [lab, app, secureApp]) await each[Symbol.asyncDispose]();
  await web[Symbol.asyncDispose]();
});

/** What the page of an application finds, by the ways that applications go. */
const APP_SCRIPT = `
const says = (what, result) => {
  const item = document.createElement('li');
  item.textContent = what + ': ' + result;
  document.querySelector('ul').append(item);
};
const json = (url, init) => fetch(url, init).then((answer) => answer.json());
document.cookie = 'mine=2';
json('/echo').then(({ method, url }) => says('fetch', method + ' ' + url));
json('/echo?a', { method: 'PUT', body: 'x', headers: { 'x-csrf': 'token' } })
  .then(({ method, body, headers }) => says('PUT', method + ' ' + body + ' ' + headers['x-csrf']));
json(new Request('/echo', { method: 'DELETE' })).then(({ method }) => says('DELETE', method));
json('/echo', { credentials: 'include' }).then(({ headers }) => says('cookie sent', headers.cookie));
fetch('/echo', { method: 'POST', body: new Uint8Array(8e6) })
  .then(async (answer) => says('too large', answer.status + ' ' + (await answer.text()).includes('browser pane')));
const asked = new XMLHttpRequest();
asked.open('PATCH', 'http://' + location.host + '/echo');
asked.withCredentials = true;
asked.setRequestHeader('content-type', 'application/json');
asked.onload = () => says('XMLHttpRequest', JSON.parse(asked.responseText).headers['content-type']);
asked.send('{}');
const socket = new WebSocket(location.protocol.replace('http', 'ws') + '//' + location.host + '/ws');
socket.onopen = () => socket.send('hello');
socket.onmessage = ({ data }) => says('WebSocket', data);
const none = new WebSocket('/none');
none.onerror = () => says('no WebSocket', 'error');
const events = new EventSource('/events');
events.onmessage = ({ data }) => { events.close(); says('EventSource', data); };
says('document.cookie', document.cookie);
localStorage.setItem('a', 1);
says('localStorage', localStorage.getItem('a') + localStorage.a + localStorage.length);
says('confirm', confirm('Sure?') + ' ' + window.open('/'));
const picture = new Image();
picture.onload = () => says('picture', picture.naturalWidth);
picture.src = '/dot.svg';
const module = document.createElement('script');
module.src = '/late.js';
document.head.append(module);
const link = document.createElement('a');
link.id = 'made';
link.textContent = 'made';
link.href = '/made';
document.body.append(link);
`;

const APP_SAYS = [
  'fetch: GET /echo',
  'PUT: PUT x token',
  'DELETE: DELETE',
  'cookie sent: app=1; mine=2',
  'too large: 413 true',
  'XMLHttpRequest: application/json',
  'WebSocket: hello back',
  'no WebSocket: error',
  'EventSource: one',
  'document.cookie: app=1; mine=2',
  'localStorage: 111',
  'confirm: false null',
  'picture: 10',
  'late script: ran',
];

/** An application with a page, an interface, a WebSocket and events. */
function application(request: IncomingMessage, response: ServerResponse): void {
  const { method, url = '', headers } = request;
  const answer = (type: string, body: string) =>
    response.writeHead(200, { 'content-type': type, 'set-cookie': 'app=1' }).end(body);
  switch (url.split('?')[0]) {
    case '/echo':
      request.toArray().then((sent) => {
        const body = Buffer.concat(sent).toString();
        answer('application/json', JSON.stringify({ method, url, headers, body }));
      });
      return;
    case '/events':
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: one\n\n');
      return;
    case '/dot.svg':
      return void answer(...(FILES['/dot.svg'] ?? ['', '']));
    case '/late.js':
      return void answer('text/javascript', "says('late script', 'ran')");
    default:
      answer(
        'text/html',
        `<h1>${method} ${url}</h1><ul></ul><form method="post" enctype="multipart/form-data"><input type="file" name="f"><button>send</button></form><script>${APP_SCRIPT}</script>`,
      );
  }
}

function withSockets<S extends Server>(server: S): S {
  new WebSocketServer({ server, path: '/ws' }).on('connection', (socket) =>
    socket.on('message', (data) => socket.send(`${data} back`)),
  );
  return server;
}

/** A page of ours with the shop in its frame, as the browser pane shows it. */
async function shown(page: Page, address = '10.1.10.11'): Promise<Frame> {
  const { frame = '' } = await pane.visit(address);
  await page.route('**/around', (route) =>
    route.fulfill({
      contentType: 'text/html',
      body: `<title>around</title><script>notes = []; addEventListener('message', ({ data }) => notes.push(data.quaysidePane))</script><iframe src="${frame}">`,
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
    // Asked of the shop, and of the lab's network.
    api: '200 of the shop',
    health: '200 of the shop',
    elsewhere: 'TypeError',
    ours: 'TypeError',
    credentials: 'TypeError',
    socket: 'refused',
    origin: 'null',
    cookie: 'shop=1',
    storage: '0',
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

test('an application in the pane works: cookies, scripts, forms, sockets, events, files', async ({
  page,
}) => {
  const frame = await shown(page, '10.1.10.12');
  const said = () =>
    frame.locator('li').evaluateAll((each) => each.map(({ textContent }) => textContent).sort());
  await expect.poll(said).toEqual([...APP_SAYS].sort());
  // What cannot work, as the page around hears of it.
  const notes = await page.evaluate(() => (window as unknown as { notes: string[] }).notes);
  expect([...new Set(notes)].sort()).toEqual(
    ['begin', 'dialog', 'storage', 'stream', 'too_large', 'window'].sort(),
  );
  await frame.click('#made');
  await expect(frame.locator('h1')).toHaveText('GET /made');
  await frame.setInputFiles('input', { name: 'a.bin', mimeType: 'x/y', buffer: Buffer.alloc(8e6) });
  await frame.click('button');
  await expect(frame.locator('h1')).toHaveText(
    'The browser pane sends 5 MiB at once, and no more.',
  );
  expect(await page.context().cookies()).toEqual([]);
});

test('a page of https works as any other, whatever its certificate says', async ({ page }) => {
  const frame = await shown(page, 'https://10.1.10.12');
  await expect(frame.locator('li', { hasText: 'hello back' })).toHaveText('WebSocket: hello back');
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
