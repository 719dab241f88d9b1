import { once } from 'node:events';
import { expect, test } from 'vitest';
import type { NodeView, RosterEvent } from '#protocol';
import { QuaysideError } from '../../../../server/base/errors.ts';
import { type ClassStage, classStage } from './stage.ts';

const NODE = 'a1b2c3d4e5f6g7h8i9j0k1l2m';
const VIEW: NodeView = { id: NODE, name: 'lab (a1b2c3)', state: 'ready', learners: 3, room: 12 };

/** A class whose server uses a Swarm of one node. */
async function swarmStage() {
  const web = await classStage();
  const asked: string[] = [];
  let looking = 0;
  web.sessions.nodeWatch = {
    subscribe: (listener) => {
      looking += 1;
      listener([VIEW]);
      return {
        [Symbol.dispose]: () => {
          looking -= 1;
        },
      };
    },
    setInService: async (node, isInService) => {
      if (node !== NODE) throw new QuaysideError('NODE_UNKNOWN', 'No such node.', 'Look.');
      asked.push(`${node} ${isInService}`);
    },
  };
  return Object.assign(web, { asked, looking: () => looking });
}

/** An instructor's page, and the events that it has heard until now. */
async function pageOf(web: ClassStage) {
  const cookie = await web.instruct();
  const socket = web.socket('/api/class/roster/events', { cookie });
  const events: RosterEvent[] = [];
  socket.on('message', (data: Buffer) => void events.push(JSON.parse(String(data)) as RosterEvent));
  return { cookie, socket, events };
}

test('the instructor’s page hears of the nodes after the roster, for as long as it is open', async () => {
  await using web = await swarmStage();
  const { socket, events } = await pageOf(web);
  while (events.length < 2) await once(socket, 'message');
  expect(events).toMatchObject([{ type: 'roster' }, { type: 'nodes', nodes: [VIEW] }]);
  expect(web.looking()).toBe(1);
  socket.close();
  await expect.poll(web.looking).toBe(0);
});

test('a node is drained and taken back by the instructor', async () => {
  await using web = await swarmStage();
  const cookie = await web.instruct();
  for (const does of ['drain', 'activate']) {
    const answer = await web.send('POST', `/api/class/nodes/${NODE}/${does}`, undefined, {
      cookie,
    });
    expect(answer.status).toBe(204);
  }
  expect(web.asked).toEqual([`${NODE} false`, `${NODE} true`]);
});

test('by nobody else, and no node but one there is', async () => {
  await using web = await swarmStage();
  const codeOf = async (path: string, cookie: string) => {
    const answer = await web.send('POST', `/api/class/nodes/${path}`, undefined, { cookie });
    return ((await answer.json()) as { code: string }).code;
  };
  expect(await codeOf(`${NODE}/drain`, await web.join('Ada'))).toBe('NOT_INSTRUCTOR');
  const instructor = await web.instruct();
  expect(await codeOf(`${NODE.replaceAll('a', 'z')}/drain`, instructor)).toBe('NODE_UNKNOWN');
  expect(await codeOf('node1/drain', instructor)).toBe('BAD_REQUEST');
  expect(web.asked).toEqual([]);
});

test('without a Swarm no event tells of nodes, and none is drained', async () => {
  await using web = await classStage();
  await web.join('Ada');
  const { cookie, socket, events } = await pageOf(web);
  while (events.length < 1) await once(socket, 'message');
  // Whatever was sent before the answer to a ping has been heard.
  socket.ping();
  await once(socket, 'pong');
  expect(events.map(({ type }) => type)).toEqual(['roster']);
  const answer = await web.send('POST', `/api/class/nodes/${NODE}/drain`, undefined, { cookie });
  expect(await answer.json()).toMatchObject({
    code: 'NODE_UNKNOWN',
    remedy: expect.stringContaining('--swarm'),
  });
});
