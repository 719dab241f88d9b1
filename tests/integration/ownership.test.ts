import { afterAll, beforeAll, expect, test } from 'vitest';
import { signInAsInstructor } from '../../client-driver/http.ts';
import type { Learner } from '../../client-driver/learner.ts';
import { refusalOfSocket } from '../unit/web/stage.ts';
import { routesOf } from '../unit/web/walk.ts';
import { LAB, openClass, type RealClass } from './isolation-stage.ts';

let room: RealClass;
let routes: Awaited<ReturnType<typeof routesOf>>;
/** Ada has hosts. Mallory is of the same class and has none, nor room for any. */
let ada: Learner;
let mallory: Learner;
let terminal: string;

beforeAll(async () => {
  routes = await routesOf(async () => {
    room = await openClass(1);
    return {
      port: Number(new URL(room.origin).port),
      [Symbol.asyncDispose]: async () => undefined,
    };
  });
  ada = await room.join('Ada');
  mallory = await room.join('Mallory');
  await ada.start();
  terminal = ada.events.terminals[0]?.id ?? '';
  await (await ada.terminal('server01')).run('secret=kept');
});

afterAll(() => room?.[Symbol.asyncDispose]());

/** What the routes want of a body; where none is named, none is sent. */
const BODIES: Readonly<Record<string, object>> = {
  'POST /api/labs/:lab/answers/:check': { text: '1' },
  'POST /api/labs/:lab/start-from': { step: 'flood' },
  'POST /api/labs/:lab/terminals': { host: 'server01' },
  'POST /api/labs/:lab/visits': { url: 'http://10.1.10.11:9' },
  'POST /api/class/messages': { text: 'hello' },
  'PUT /api/class/me/hand': { raised: true },
  'PUT /api/class/me/typing': { allowed: true },
};

/** A path with everything that is Ada's in it. */
const adas = (url: string) =>
  url
    .replace(':lab', LAB)
    .replace(':terminal', terminal)
    .replace(':learner', room.idOf('Ada'))
    .replace(':check', 'flood')
    .replace(':step', 'flood')
    .replace(':key', 'A'.repeat(24))
    .replace('*', 'index.html');

/** All that is Ada's and could be told or changed. */
const hers = () => {
  const { sandbox, id } = room.store.session(room.idOf('Ada'), LAB).row;
  const { status, terminals, answers, checks } = room.sessions.of(room.idOf('Ada'), LAB).snapshot();
  return { sandbox, id, status, terminals, answers, checks, hand: room.handOf('Ada') };
};

test('no route that is asked with another learner’s cookie and her ids tells or changes anything of hers', async () => {
  const before = hers();
  expect(routes.length).toBeGreaterThan(25);
  for (const { method, url } of routes) {
    const body = BODIES[`${method} ${url}`];
    const { text } = await mallory.http.send(method, adas(url), body);
    for (const own of [terminal, before.sandbox, before.id, room.idOf('Ada'), 'Ada']) {
      expect(text, `${method} ${url}`).not.toContain(own);
    }
  }
  expect(hers()).toEqual(before);
  const { screen } = await (await ada.terminal('server01')).run('echo $secret');
  expect(screen).toContain('kept');
});

test('no socket that is opened with another learner’s cookie shows her terminal', async () => {
  const own = `/api/labs/${LAB}/terminals/${terminal}`;
  const watched = `/api/class/learners/${room.idOf('Ada')}/labs/${LAB}/terminals/${terminal}`;
  expect(await refusalOfSocket(mallory.http.socket(own))).toEqual({
    status: 404,
    code: 'TERMINAL_UNKNOWN',
  });
  for (const path of [watched, '/api/class/roster/events']) {
    const refusal = await refusalOfSocket(mallory.http.socket(path));
    expect(refusal).toEqual({ status: 401, code: 'NOT_INSTRUCTOR' });
  }
  // Her events are told to her alone: his own tell of nothing.
  expect(mallory.events.terminals).toEqual([]);
});

test('an instructor’s cookie is no learner’s, and opens no terminal but by watching', async () => {
  const instructor = await signInAsInstructor(room.origin, room.secret);
  const socket = instructor.socket(`/api/labs/${LAB}/terminals/${terminal}`);
  expect(await refusalOfSocket(socket)).toEqual({ status: 401, code: 'NOT_JOINED' });
});
