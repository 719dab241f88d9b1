import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { joinClass, opened, signIn } from '../../../client-driver/http.ts';
import { BrowserPane } from '../../../server/browser/browser-pane.ts';
import { localDial, serve } from '../browser/stage.ts';
import { classStage } from './class/stage.ts';
import { LAB, START_TOKEN, stage } from './stage.ts';

const basePath = '/quayside';
const SIGN_IN = `/sign-in?token=${START_TOKEN}`;
const SESSION = `/api/labs/${LAB}/session`;

async function dist(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'quayside-site-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, 'labs'));
  await writeFile(join(folder, 'labs/index.html'), 'the labs');
  return folder;
}

test('whoever signs in below a path stays there, with a cookie that other pages of that site do not get', async () => {
  await using web = await stage({ basePath });
  const answer = await web.fetch(basePath + SIGN_IN);
  expect(answer.status).toBe(303);
  expect(answer.headers.get('location')).toBe('/quayside/');
  expect(answer.headers.getSetCookie()[0]).toContain('; Path=/quayside;');
});

test('the routes are found below the path, and where a proxy has taken it away', async () => {
  await using web = await stage({ basePath, dist: await dist() });
  const http = await signIn(web.origin + basePath + SIGN_IN);
  expect(await http.ask('GET', SESSION)).toMatchObject({ lab: LAB });
  const cookie = http.cookie;
  expect((await web.fetch(SESSION, { headers: { cookie } })).status).toBe(200);
  expect((await web.fetch('/healthz')).status).toBe(200);
  expect((await web.fetch('/quayside/healthz')).status).toBe(200);
  // Another site's path that begins with the same letters.
  expect((await web.fetch('/quayside2/healthz')).status).toBe(404);
  const socket = http.socket(`/api/labs/${LAB}/events`);
  await opened(socket, { ms: 10_000 });
  socket.terminate();
});

test('a page’s address without its last slash leads to the page below the path', async () => {
  await using web = await stage({ basePath, dist: await dist() });
  const answer = await web.fetch('/quayside/labs?a=b');
  expect(answer.status).toBe(301);
  expect(answer.headers.get('location')).toBe('/quayside/labs/?a=b');
  expect(await (await web.fetch('/quayside/labs/')).text()).toBe('the labs');
});

test('personal links, and where to join or to sign in, are told with the path', async () => {
  await using web = await classStage({ basePath });
  const answer = await web.send('POST', '/quayside/api/class/join', {
    code: web.room.code,
    name: 'Ada',
  });
  const { link } = (await answer.json()) as { link: string };
  expect(link).toMatch(/^\/quayside\/join\/#me=/);
  const nobody = (await (await web.fetch('/quayside/api/labs')).json()) as { remedy: string };
  expect(nobody.remedy).toContain('Join it at /quayside/join/');
  const learner = await web.fetch('/quayside/api/class/progress.csv');
  expect(((await learner.json()) as { remedy: string }).remedy).toContain('/quayside/class/');
});

test('a program joins by the printed address as a browser does', async () => {
  await using web = await classStage({ basePath });
  const http = await joinClass(`${web.origin}/quayside/join/#code=${web.room.code}`, 'Grace');
  expect(await http.ask('GET', '/api/class/me')).toMatchObject({ name: 'Grace' });
});

test('the API’s description says where it is', async () => {
  await using web = await stage({ basePath });
  const api = await (await web.fetch('/quayside/api/openapi.json')).json();
  expect(api).toMatchObject({ servers: [{ url: '/quayside' }] });
});

test('pages of the browser pane, and all they lead to, are below the path', async () => {
  await using web = await stage({ basePath });
  await using lab = await serve((_request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end('<a href="/next">next</a>');
  });
  const dial = localDial({ '10.1.10.11:32768': lab.port });
  using pane = new BrowserPane({ from: 'client', dial, basePath, onVisit: () => undefined });
  web.sessions.panes.set(pane.key, pane);
  const { frame = '' } = await pane.visit('10.1.10.11:32768');
  expect(frame).toMatch(/^\/quayside\/pane\//);
  const shown = await web.fetch(frame);
  expect(shown.headers.get('content-security-policy')).toContain(
    `default-src ${web.origin}/quayside/pane/${pane.key}/`,
  );
  const next = `/quayside/pane/${pane.key}/http/10.1.10.11:32768/next`;
  expect(await shown.text()).toContain(`href="${next}"`);
  const followed = await web.fetch(next, { headers: { 'sec-fetch-dest': 'iframe' } });
  expect(followed.status).toBe(303);
  expect(followed.headers.get('location')).toMatch(/^\/quayside\/pane\//);
  expect((await web.fetch(next, { headers: { 'sec-fetch-dest': 'image' } })).status).toBe(200);
});
