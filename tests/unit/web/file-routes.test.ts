import { expect, test } from 'vitest';
import type { HostFiles } from '../../../server/files/host-files.ts';
import { TRANSFER_BYTES } from '../../../server/files/host-files.ts';
import { LAB, type Stage, stage } from './stage.ts';

const HOST = `/api/labs/${LAB}/hosts/agent01`;
const VERSION = 'a'.repeat(64);

/** Files that keep a list of what was asked of them. */
function filesOf(web: Stage) {
  const asked: unknown[][] = [];
  const answer =
    (what: string, given: object) =>
    async (...args: unknown[]) => {
      asked.push([what, ...args]);
      return given;
    };
  web.sessions.files = {
    list: answer('list', { path: '/', entries: [], complete: true }),
    read: answer('read', { path: '/a', text: 'x', version: 'none', writable: true }),
    download: answer('download', Buffer.from([0, 255])),
    write: answer('write', { state: 'saved', version: VERSION }),
    move: answer('move', {}),
    remove: answer('remove', {}),
  } as unknown as HostFiles;
  return asked;
}

function put(
  web: Stage,
  cookie: string,
  query: string,
  body: Buffer,
  type = 'application/octet-stream',
) {
  return web.fetch(`${HOST}/file?${query}`, {
    method: 'PUT',
    headers: { cookie, origin: web.origin, 'content-type': type },
    body: new Uint8Array(body),
  });
}

test('a learner’s files are those of their own host, by a path of any characters', async () => {
  await using web = await stage();
  const asked = filesOf(web);
  await web.signIn();
  const cookie = await web.signIn();
  const path = encodeURIComponent("~/a b/é'\n&");
  for (const what of ['folder', 'file', 'download']) {
    const answer = await web.fetch(`${HOST}/${what}?path=${path}`, { headers: { cookie } });
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store']);
  }
  expect(web.sessions.asked).toEqual(Array(3).fill('files agent01 learner2'));
  expect(asked).toEqual(['list', 'read', 'download'].map((what) => [what, "~/a b/é'\n&"]));
});

test('a download is saved and shown by no browser', async () => {
  await using web = await stage();
  filesOf(web);
  const cookie = await web.signIn();
  const answer = await web.fetch(`${HOST}/download?path=${encodeURIComponent('/a/é".html')}`, {
    headers: { cookie },
  });
  expect(answer.headers.get('content-type')).toBe('application/octet-stream');
  expect(answer.headers.get('content-disposition')).toBe(
    "attachment; filename*=UTF-8''%C3%A9%22.html",
  );
  expect(Buffer.from(await answer.arrayBuffer())).toEqual(Buffer.from([0, 255]));
});

test('a file is written with its bytes and the version that was read', async () => {
  await using web = await stage();
  const asked = filesOf(web);
  const cookie = await web.signIn();
  const answers = [
    await put(web, cookie, `path=a&version=${VERSION}`, Buffer.from([1, 0, 2])),
    await put(web, cookie, 'path=b&version=none', Buffer.alloc(0)),
  ];
  expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  expect(asked).toEqual([
    ['write', 'a', Buffer.from([1, 0, 2]), VERSION],
    ['write', 'b', Buffer.alloc(0), 'none'],
  ]);
});

test('what is larger than a file may be is refused by name, and nothing is written', async () => {
  await using web = await stage();
  const asked = filesOf(web);
  const cookie = await web.signIn();
  const answer = await put(web, cookie, 'path=a&version=none', Buffer.alloc(TRANSFER_BYTES + 1));
  expect([answer.status, await answer.json()]).toMatchObject([
    413,
    { code: 'FILE_TOO_LARGE', message: expect.stringContaining('2 MiB') },
  ]);
  expect(asked).toEqual([]);
});

test.each([
  ['no version', 'path=a', 'application/octet-stream'],
  ['a version that is none', 'path=a&version=1', 'application/octet-stream'],
  ['no path', 'version=none', 'application/octet-stream'],
  ['a NUL in its path', 'path=a%00b&version=none', 'application/octet-stream'],
  ['a body of another kind', 'path=a&version=none', 'application/json'],
])('a file with %s is not written', async (_, query, type) => {
  await using web = await stage();
  const asked = filesOf(web);
  const answer = await put(web, await web.signIn(), query, Buffer.from('"x"'), type);
  expect(answer.status).toBe(400);
  expect(asked).toEqual([]);
});

test('a file gets another path or is removed, and nothing is answered', async () => {
  await using web = await stage();
  const asked = filesOf(web);
  const cookie = await web.signIn();
  const headers = { cookie, origin: web.origin };
  const answers = [
    await web.fetch(`${HOST}/move?path=a%20b&to=~/c`, { method: 'POST', headers }),
    await web.fetch(`${HOST}/file?path=a%20b`, { method: 'DELETE', headers }),
    await web.fetch(`${HOST}/move?path=a`, { method: 'POST', headers }),
  ];
  expect(answers.map(({ status }) => status)).toEqual([204, 204, 400]);
  expect(asked).toEqual([
    ['move', 'a b', '~/c'],
    ['remove', 'a b'],
  ]);
});
