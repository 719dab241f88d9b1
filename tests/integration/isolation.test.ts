import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Learner } from '../../client-driver/learner.ts';
import { LAB, openClass, type RealClass, type Trouble } from './isolation-stage.ts';

const MIB = 1024 ** 2;
/** What a host may write here: little, so that the test need not write much. */
const DISK_MIB = 256;
/** No trouble outlives this, whatever becomes of the test (s). */
const TROUBLE_S = 60;
/** Lines that must come back in order while trouble lasts. */
const ECHOES = 20;
/** Two learners on two cores, one of whom takes all that there is to be had. */
const PATIENCE = { ms: 90_000 } as const;

let room: RealClass;
/** Two learners of one class: one who works, and one who makes trouble. */
let ada: Learner;
let eve: Learner;

beforeAll(async () => {
  room = await openClass(2, DISK_MIB);
  ada = await room.join('Ada');
  eve = await room.join('Eve');
  await Promise.all([ada.start(), eve.start()]);
});

afterAll(() => room?.[Symbol.asyncDispose]());

async function container(learner: string, host: string): Promise<string> {
  const [found] = await room.runtime.engine.docker.listContainers({
    filters: { label: [`quayside.sandbox=${room.sandboxOf(learner)}`, `quayside.host=${host}`] },
  });
  return found?.Id ?? '';
}

/** Something that goes wrong on a host of Eve's, from its first line until disposed. */
async function trouble(
  host: string,
  script: string,
  begun: RegExp,
): Promise<{ readonly isOver: () => boolean } & AsyncDisposable> {
  const { engine } = room.runtime;
  const argv = ['timeout', '-s', 'KILL', `${TROUBLE_S}`, 'bash', '-c', `exec 2>&1; ${script}`];
  const dialed = await engine.dial(await container('Eve', host), argv);
  let said = '';
  let over = false;
  const begins = new Promise<void>((resolve, reject) => {
    dialed.stream.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-4_096);
      if (begun.test(said)) resolve();
    });
    dialed.stream.once('close', () => {
      over = true;
      reject(new Error(`it ended before it began: ${said}`));
    });
  });
  await begins;
  return { isOver: () => over, [Symbol.asyncDispose]: () => dialed[Symbol.asyncDispose]() };
}

/** What Ada must be able to do at any time: see what she types, and have a step ticked. */
async function adaWorks(step: Trouble): Promise<void> {
  const terminal = await ada.terminal('server01');
  const { screen } = await terminal.run(`for n in $(seq ${ECHOES}); do echo "line $n"; done`);
  expect(screen.trim().split('\n')).toEqual(
    Array.from({ length: ECHOES }, (_, index) => `line ${index + 1}`),
  );
  await terminal.run(`docker create --name ${step} mycontainer:5.6`);
  await ada.events.until({
    ...PATIENCE,
    what: `${step} to be ticked`,
    look: () => ada.events.check(step).state === 'passed',
    seen: () => JSON.stringify(ada.events.check(step)),
  });
}

describe('one learner’s trouble leaves the other’s terminal answering and the checks ticking:', () => {
  test('a flood of output', async () => {
    const terminal = await eve.terminal('client');
    const before = terminal.received;
    terminal.type('yes flood\r');
    const flooded = (bytes: number) =>
      terminal.until({
        ...PATIENCE,
        what: `${bytes} bytes of the flood`,
        look: () => terminal.received >= bytes,
        seen: () => `${terminal.received}`,
      });
    await flooded(before + MIB);
    await adaWorks('flood');
    await flooded(terminal.received + 1);
    terminal.type('\u0003');
  });

  test('the firewall flushed and shut, and the routes thrown away', async () => {
    const shut =
      'iptables -F; iptables -t nat -F; iptables -P INPUT DROP; iptables -P FORWARD DROP';
    for (const host of ['server01', 'client']) {
      const { stderr, status } = await room.runtime.engine.run(await container('Eve', host), [
        'sh',
        '-c',
        `${shut}; ip route flush table main`,
      ]);
      expect([status, stderr]).toEqual([0, '']);
    }
    await adaWorks('firewall');
    // Nothing listens on port 9: refused is an answer, and a wall would give none.
    expect(
      (await room.sessions.of(room.idOf('Ada'), LAB).visit('http://10.1.10.11:9')).outcome,
    ).toBe('refused');
  });

  test('all memory taken, again and again', async () => {
    const hog = 'while :; do tail /dev/zero; echo "ended with $?"; done';
    await using taken = await trouble('client', hog, /ended with 137/);
    await adaWorks('memory');
    expect(taken.isOver()).toBe(false);
  });

  test('a fork bomb', async () => {
    // Everything that it forks looks at the clock, and ends with it.
    const bomb = `bomb() { while [ $SECONDS -lt ${TROUBLE_S} ]; do bomb & sleep 0.05; done; }; bomb`;
    await using forked = await trouble(
      'server01',
      bomb,
      /fork: .*Resource temporarily unavailable/,
    );
    await adaWorks('processes');
    expect(forked.isOver()).toBe(false);
  });

  test('a disk filled until the limit ends the session, bomb and all', async () => {
    const fill = `echo begun; head -c ${8 * DISK_MIB}M /dev/zero > /fill`;
    await using _ = await trouble('client', fill, /begun/);
    await adaWorks('disk');
    const why = await eve.events.until({
      ...PATIENCE,
      what: 'Eve’s session to end',
      look: () => eve.events.status.state === 'ended' && eve.events.status.reason,
      seen: () => eve.events.status.state,
    });
    expect(why).toMatch(/client wrote .* to its disk; a host may have 0\.3 GiB/);
    await expect.poll(() => room.live()).toEqual([room.sandboxOf('Ada')]);
  });
});
