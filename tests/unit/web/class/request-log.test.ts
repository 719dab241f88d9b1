import { once } from 'node:events';
import { expect, test } from 'vitest';
import { LAB } from '../stage.ts';
import { classStage } from './stage.ts';

test('the log of a class says who asked for what and how it went, and holds no secret and no word', async () => {
  await using web = await classStage({ logLevel: 'info' });
  const joined = await web.join('Ada Lovelace');
  const instructor = await web.instruct();
  const [, secret = ''] = joined.split('=');
  const cookie = { cookie: joined };
  const learner = web.room.members[0]?.learner ?? '';
  await web.send('POST', '/api/class/return', { key: secret });
  await web.send('POST', '/api/class/join', { code: 'WRONG-CODE', name: 'Typed-Name' });
  await web.send('POST', `/api/labs/${LAB}/answers/myapp2-runs`, { text: 'my-answer' }, cookie);
  await web.send(
    'POST',
    `/api/labs/${LAB}/visits`,
    { url: 'http://10.1.10.11:1/secret-page' },
    cookie,
  );
  await web.send('POST', '/api/class/messages', { text: 'a-message' }, { cookie: instructor });
  await web.fetch('/pane/a-key-of-somebody/page/');
  await web.fetch('/sign-in?token=a-start-token');
  const socket = web.socket('/api/class/me/events', cookie);
  await once(socket, 'open');
  socket.close();

  const log = web.log.join('');
  const lines = web.log.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines).toContainEqual(
    expect.objectContaining({ method: 'POST', route: '/api/class/join', status: 200 }),
  );
  expect(lines).toContainEqual(
    expect.objectContaining({ route: '/api/labs/:lab/visits', learner, status: 200 }),
  );
  for (const told of [
    secret,
    web.secret,
    web.room.code,
    'WRONG-CODE',
    'Ada',
    'Typed-Name',
    'my-answer',
    'secret-page',
    'a-message',
    'a-key-of-somebody',
    'a-start-token',
  ]) {
    expect(log, told).not.toContain(told);
  }
});
