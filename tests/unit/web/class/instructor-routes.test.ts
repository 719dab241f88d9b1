import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import type WebSocket from 'ws';
import {
  type ClassStatus,
  type ClientFrame,
  decodeServerFrame,
  type ErrorBody,
  encodeClientFrame,
  type RosterEvent,
  type RosterLearner,
  TERMINAL_PROTOCOL_VERSION,
} from '#protocol';
import { cell } from '../../../../server/class/progress-csv.ts';
import { Terminal } from '../../../../server/terminal/terminal.ts';
import { background, FakeShell } from '../../terminal/fake-shell.ts';
import { LAB, TERMINAL } from '../stage.ts';
import { type ClassStage, classStage } from './stage.ts';

/** Keeps the frames of a socket, and waits for the one that is meant. */
class Frames<Frame> {
  readonly #socket: WebSocket;
  readonly #seen: Frame[] = [];
  readonly #read: (data: Buffer) => Frame;

  constructor(socket: WebSocket, read = (data: Buffer) => JSON.parse(String(data)) as Frame) {
    this.#socket = socket;
    this.#read = read;
    socket.on('message', (data: Buffer) => this.#seen.push(this.#read(data)));
  }

  async until(fits: (frame: Frame) => boolean): Promise<Frame> {
    for (;;) {
      const found = this.#seen.find(fits);
      if (found) {
        this.#seen.splice(0, this.#seen.indexOf(found) + 1);
        return found;
      }
      await once(this.#socket, 'message');
    }
  }
}

async function codeOf(answer: Promise<Response>): Promise<string> {
  return ((await (await answer).json()) as ErrorBody).code;
}

/** A room with Ada in it, her page open, and the instructor looking at the roster. */
async function room(web: ClassStage) {
  const ada = await web.join('Ada');
  const instructor = await web.instruct();
  const id = web.room.members[0]?.learner ?? '';
  const status = new Frames<ClassStatus>(web.socket('/api/class/me/events', { cookie: ada }));
  const roster = new Frames<RosterEvent>(
    web.socket('/api/class/roster/events', { cookie: instructor }),
  );
  const { learners, origin } = (await roster.until(({ type }) => type === 'roster')) as Extract<
    RosterEvent,
    { type: 'roster' }
  >;
  const as = (cookie: string) => (method: string, path: string, body?: object) =>
    web.send(method, path, body, { cookie });
  const learner = async (fits: (learner: RosterLearner) => boolean) =>
    roster.until((event) => event.type === 'learner' && fits(event.learner));
  return {
    id,
    ada: as(ada),
    cookie: ada,
    instructor: as(instructor),
    instructorCookie: instructor,
    status,
    roster,
    learners,
    origin,
    learner,
  };
}

describe('the roster', () => {
  test('shows who is in the room, how far they are, and what they are at', async () => {
    await using web = await classStage();
    const { id, learner } = await room(web);
    web.sessions.change(id, {
      status: { state: 'ready', hosts: [] },
      checks: [
        { id: 'myapp2-runs', state: 'passed', passedAt: 1 },
        { id: 'port-changed', state: 'not-yet', reason: 'No.' },
      ],
    });
    const event = await learner(({ labs }) => labs[LAB]?.at !== undefined);
    expect(event).toMatchObject({
      learner: {
        id,
        name: 'Ada',
        labs: {
          [LAB]: {
            state: 'ready',
            passed: { 'myapp2-runs': 1 },
            at: { check: 'port-changed', reason: 'No.', since: expect.any(Number) },
          },
        },
      },
    });
  });

  test('hands out the address at which learners find the server', async () => {
    await using web = await classStage();
    web.roster.origin = 'http://192.0.2.7:4321';
    expect((await room(web)).origin).toBe('http://192.0.2.7:4321');
  });

  test('shows a raised hand with its time, lowered by either, and kept over a restart', async () => {
    await using web = await classStage();
    const { id, ada, instructor, status, learner } = await room(web);
    await ada('PUT', '/api/class/me/hand', { raised: true });
    await learner(({ handAt }) => handAt !== undefined);
    expect((await status.until(({ handAt }) => handAt !== undefined)).handAt).toBeGreaterThan(0);
    expect(web.room.members[0]?.handAt).toBeGreaterThan(0);
    await instructor('DELETE', `/api/class/learners/${id}/hand`);
    await status.until(({ handAt }) => handAt === undefined);
    expect(web.room.members[0]?.handAt).toBeUndefined();
  });

  test('shows whoever joins at once, before they have opened anything', async () => {
    await using web = await classStage();
    const { learner } = await room(web);
    await web.join('Grace');
    const event = await learner(({ name }) => name === 'Grace');
    expect(event).toMatchObject({ learner: { present: false } });
  });

  test('tells a page that left from one that stays', async () => {
    await using web = await classStage();
    const { cookie, learner } = await room(web);
    const second = web.socket('/api/class/me/events', { cookie });
    await once(second, 'open');
    await learner(({ present }) => present);
    for (const each of [second]) each.close();
    await once(second, 'close');
    expect(web.roster.entries[0]?.view().present).toBe(true);
  });
});

describe('a message', () => {
  test('to all reaches all, one to a learner only them, and neither whoever joins later', async () => {
    await using web = await classStage();
    const { id, instructor, status } = await room(web);
    const grace = new Frames<ClassStatus>(
      web.socket('/api/class/me/events', { cookie: await web.join('Grace') }),
    );
    await instructor('POST', '/api/class/messages', { text: ' Five minutes. ' });
    await instructor('POST', '/api/class/messages', { text: 'Well done', to: id });
    const texts = (at: ClassStatus) => at.messages.map(({ text }) => text);
    await status.until((at) => texts(at).join() === 'Five minutes.,Well done');
    expect(texts(await grace.until((at) => at.messages.length > 0))).toEqual(['Five minutes.']);
  });

  test.each([
    { text: '' },
    { text: '   ' },
    { text: 'x'.repeat(501) },
    { text: 'a', to: 'nobody' },
  ])('is refused where it is none: %j', async (body) => {
    await using web = await classStage();
    const { instructor } = await room(web);
    expect((await instructor('POST', '/api/class/messages', body)).status).toBe(400);
  });
});

describe('the instructor', () => {
  test('gives a learner more time, and the learner is told', async () => {
    await using web = await classStage();
    const { id, instructor, status } = await room(web);
    expect((await instructor('POST', `/api/class/learners/${id}/labs/${LAB}/extend`)).status).toBe(
      204,
    );
    await status.until(({ messages }) => messages.some(({ text }) => text.includes('more time')));
    expect(web.sessions.asked).toContain(`extend ${id}`);
  });

  test('resets and ends a learner’s session, and the learner is told by whom', async () => {
    await using web = await classStage();
    const { id, instructor, status } = await room(web);
    expect((await instructor('POST', `/api/class/learners/${id}/labs/${LAB}/reset`)).status).toBe(
      204,
    );
    await status.until(({ messages }) => messages.some(({ text }) => text.includes('instructor')));
    expect((await instructor('DELETE', `/api/class/learners/${id}/labs/${LAB}`)).status).toBe(204);
    expect(web.sessions.asked).toEqual(expect.arrayContaining([`reset ${id}`, `end ${id}`]));
  });

  test('can do nothing to somebody who is not in the class', async () => {
    await using web = await classStage();
    const { instructor } = await room(web);
    const stranger = web.store.learners.create().learner;
    for (const [method, path] of [
      ['POST', `/labs/${LAB}/extend`],
      ['POST', `/labs/${LAB}/reset`],
      ['DELETE', `/labs/${LAB}`],
      ['DELETE', '/hand'],
      ['DELETE', ''],
      ['POST', '/link'],
    ] as const) {
      const answer = await instructor(method, `/api/class/learners/${stranger}${path}`);
      expect(await answer.json()).toMatchObject({ code: 'LEARNER_UNKNOWN' });
    }
    expect(web.sessions.asked.filter((each) => each.endsWith(stranger))).toEqual([]);
  });

  test('gives a new personal link: the old one and its pages are signed out', async () => {
    await using web = await classStage();
    const { id, ada, cookie, instructor } = await room(web);
    const open = web.socket('/api/class/me/events', { cookie });
    await once(open, 'open');
    const closed = once(open, 'close');
    const { link } = (await (
      await instructor('POST', `/api/class/learners/${id}/link`)
    ).json()) as {
      link: string;
    };
    expect((await closed)[0]).toBe(1008);
    expect(await codeOf(ada('GET', '/api/class/me'))).toBe('LINK_REPLACED');
    expect(await (await ada('GET', '/api/class')).json()).toMatchObject({
      out: { code: 'LINK_REPLACED' },
    });
    const key = cookie.split('=')[1] ?? '';
    expect(await codeOf(web.send('POST', '/api/class/return', { key }))).toBe('LINK_REPLACED');
    const back = await web.send('POST', '/api/class/return', { key: link.split('#me=')[1] ?? '' });
    expect(await back.json()).toMatchObject({ name: 'Ada' });
  });

  test('removes a learner, of whom nothing stays', async () => {
    await using web = await classStage();
    const { id, ada, instructor, roster } = await room(web);
    await instructor('DELETE', `/api/class/learners/${id}`);
    await roster.until((event) => event.type === 'left' && event.id === id);
    for (const path of ['/api/class/me', `/api/labs/${LAB}/session`]) {
      expect(await codeOf(ada('GET', path))).toBe('LEARNER_REMOVED');
    }
    expect(web.room.members).toEqual([]);
    expect(web.sessions.asked).toContain(`forget ${id}`);
  });

  test('exports the progress as CSV, a line for each learner and step', async () => {
    await using web = await classStage();
    const { instructor } = await room(web);
    await web.join('=HYPERLINK("http://evil.example"), "x"');
    const answer = await instructor('GET', '/api/class/progress.csv');
    expect(answer.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    const bytes = Buffer.from(await answer.arrayBuffer());
    expect([...bytes.subarray(0, 3)]).toEqual([0xef, 0xbb, 0xbf]);
    const lines = bytes.toString().slice(1).trimEnd().split('\r\n');
    expect(lines[0]).toBe('Learner,Joined,Lab,Section,Step,Check,State,Passed at,How');
    expect(lines[1]).toMatch(
      /^Ada,\d{4}-.+Z,Docker Networking,Ports,Step myapp2-runs,myapp2-runs,passed,1970-01-01T00:00:00.001Z,by hand$/,
    );
  });
});

test.each([
  ['=1+1', "'=1+1"],
  ['+1', "'+1"],
  ['-1', "'-1"],
  ['@SUM(A1)', "'@SUM(A1)"],
  ['\t=1', "'\t=1"],
  ['a,b', '"a,b"'],
  ['say "hi"', '"say ""hi"""'],
  ['=a,"b"', `"'=a,""b"""`],
  ['two\nlines', '"two\nlines"'],
  ['Ada', 'Ada'],
])('a cell with %j is text to every spreadsheet', (text, written) => {
  expect(cell(text)).toBe(written);
});

describe('watching a terminal', () => {
  test('the learner is told; nothing is typed until they allow it, nor once they no longer do', async () => {
    await using web = await classStage();
    const { id, ada, instructorCookie, status } = await room(web);
    const shell = new FakeShell();
    web.sessions.carried = await Terminal.on(
      { id: TERMINAL, host: 'server01', title: 'server01' },
      shell,
      { cols: 80, rows: 24 },
      { background },
    );
    web.sessions.terminals.set(TERMINAL, id);
    const path = `/api/class/learners/${id}/labs/${LAB}/terminals/${TERMINAL}`;
    const socket = web.socket(path, { cookie: instructorCookie });
    await once(socket, 'open');
    const frames = new Frames(socket, decodeServerFrame);
    const send = (frame: ClientFrame) => socket.send(encodeClientFrame(frame));
    expect((await status.until(({ watched }) => watched.length > 0)).watched).toEqual([TERMINAL]);

    let offset = 0;
    const type = (text: string) => {
      send({ type: 'input', offset, bytes: new TextEncoder().encode(text) });
      offset += text.length;
    };
    const version = TERMINAL_PROTOCOL_VERSION;
    send({ type: 'hello', version, client: 7n, epoch: 0n, offset: 0, attention: 'active' });
    await frames.until(({ type: kind }) => kind === 'attached');
    expect(await frames.until(({ type: kind }) => kind === 'size')).toMatchObject({ yours: false });
    send({ type: 'resize', cols: 200, rows: 50 });
    type('rm -rf /\r');
    // Frames go in order, so an answer to a later one says that the earlier have been looked at.
    await settled(socket);
    expect(shell.input).toEqual([]);

    await ada('PUT', '/api/class/me/typing', { allowed: true });
    type('ls\r');
    await settled(socket);
    expect(shell.input).toEqual(['ls\r']);

    await ada('PUT', '/api/class/me/typing', { allowed: false });
    type('whoami\r');
    await settled(socket);
    expect(shell.input).toEqual(['ls\r']);
    expect(shell.sizes).not.toContain('200x50');

    socket.close();
    await status.until(({ watched }) => watched.length === 0);
    web.sessions.carried.detach();
  });

  test('is of that learner’s own terminals only', async () => {
    await using web = await classStage();
    const { id, instructorCookie } = await room(web);
    web.sessions.terminals.set(TERMINAL, 'somebody-else');
    const path = `/api/class/learners/${id}/labs/${LAB}/terminals/${TERMINAL}`;
    const socket = web.socket(path, { cookie: instructorCookie });
    const [, response] = (await once(socket, 'unexpected-response')) as [
      unknown,
      { statusCode: number },
    ];
    expect(response.statusCode).toBe(404);
  });
});

/** The server has read everything that was sent before. */
async function settled(socket: WebSocket): Promise<void> {
  socket.ping();
  await once(socket, 'pong');
}
