import { expect, test } from 'vitest';
import { type HttpClient, opened, signIn } from '../../../client-driver/http.ts';
import { LAB, START_TOKEN, type Stage, stage } from '../web/stage.ts';

const SOON = { ms: 10_000 } as const;
const SESSION = `/api/labs/${LAB}/session`;

const signedIn = ({ origin }: Stage): Promise<HttpClient> =>
  signIn(`${origin}/sign-in?token=${START_TOKEN}`);

test('whoever signs in by the printed URL is known by their cookie from then on', async () => {
  await using web = await stage();
  const http = await signedIn(web);
  expect(web.learners.find(http.secret)).toBe('learner1');
  expect(await http.ask('GET', SESSION)).toMatchObject({ lab: LAB, status: { state: 'none' } });
});

test('a start token that is wrong is told', async () => {
  await using web = await stage();
  const attempt = signIn(`${web.origin}/sign-in?token=wrong`);
  await expect(attempt).rejects.toMatchObject({ name: 'RequestRefused', status: 401 });
});

test('requests that change something carry the server’s own origin', async () => {
  await using web = await stage();
  const http = await signedIn(web);
  await http.ask('POST', SESSION);
  expect(web.sessions.asked).toContain('start learner1');
});

test('what the server refuses is told by its code and in its words', async () => {
  await using web = await stage();
  const http = await signedIn(web);
  const body = { host: 'nowhere' };
  const refused = http.ask('POST', `/api/labs/${LAB}/terminals`, body);
  await expect(refused).rejects.toMatchObject({
    status: 404,
    code: 'HOST_UNKNOWN',
    message: `expected POST /api/labs/${LAB}/terminals to be done; seen: 404, HOST_UNKNOWN: No such host.`,
  });
  expect(await http.send('POST', `/api/labs/${LAB}/terminals`, body)).toMatchObject({
    status: 404,
  });
});

test('a socket that is refused is told by its code', async () => {
  await using web = await stage();
  const http = await signedIn(web);
  const path = `/api/labs/${LAB}/terminals/not-mine`;
  await expect(opened(http.socket(path), SOON)).rejects.toMatchObject({
    status: 404,
    code: 'TERMINAL_UNKNOWN',
  });
});

test('a socket to a server that is gone is told', async () => {
  const web = await stage();
  const http = await signedIn(web);
  await web[Symbol.asyncDispose]();
  await expect(opened(http.socket('/'), SOON)).rejects.toThrow('ECONNREFUSED');
});
