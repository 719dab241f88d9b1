import { expect, test } from 'vitest';
import type { LearnerSession } from '../../server/session/sessions.ts';
import { openApp, SMALL_LAB, started, type TestApp, until, untilReady } from './stage.ts';

const LAB = 'small';
const LABS = new Map([[LAB, SMALL_LAB]]);
/** A few seconds: no test waits for the least that an operator can say. */
const IDLE_MINUTES = 0.1;
/** Nothing listens there: refused is an answer, and hosts without a link would give none. */
const NOTHING_LISTENS = 'http://10.1.10.11:9';
const PUBLISHED = 'http://10.1.10.11:8080';

/** The learner is there until disposed: no limit strikes. */
function present(session: LearnerSession): Disposable {
  const touching = setInterval(() => session.touch(), 500);
  return { [Symbol.dispose]: () => clearInterval(touching) };
}

/** Types a line into the first terminal, and settles with what follows its mark. */
async function typed(session: LearnerSession, line: string): Promise<string> {
  const [first] = session.snapshot().terminals;
  const terminal = session.terminal(first?.id ?? '');
  await expect.poll(() => terminal.prompt).toBe('clear');
  const from = terminal.outputSince(0).length;
  terminal.sendText(`${line}; echo do""ne=$?\r`);
  const shown = () => Buffer.from(terminal.outputSince(0)).toString().slice(from);
  await expect.poll(shown, { timeout: 60_000 }).toMatch(/done=\d/);
  return shown();
}

/** Whether any container of the server's sandboxes runs. */
async function areRunning({ runtime, store }: TestApp): Promise<boolean> {
  const filters = { label: [`quayside.instance=${store.instance}`, 'quayside.sandbox'] };
  return (await runtime.engine.docker.listContainers({ filters })).length > 0;
}

test('hosts that a limit has stopped come back with files, images, volumes, ports and the containers that ran', async () => {
  await using first = await openApp({ labs: LABS, idleMinutes: IDLE_MINUTES });
  const { id, session } = first.newLearner(LAB);
  session.start();
  {
    using _ = present(session);
    await untilReady(session);
    await typed(session, 'echo mine > notes; docker tag mycontainer:5.6 mine:1');
    await typed(session, 'docker run -d --name web -p 8080:80 -v data:/data mycontainer:5.6');
    await typed(session, 'docker exec web sh -c "echo kept > /data/kept; echo kept > /tmp/kept"');
    await typed(session, 'docker run -d --name old mycontainer:5.6 && docker stop -t 0 old');
    expect((await session.visit(PUBLISHED)).outcome).toBe('page');
  }
  const { sandbox } = first.store.session(id, LAB).row;
  const { terminals } = session.snapshot();
  await until(session, 'the limit to stop the hosts', ({ status }) => status.state === 'stopped');
  await expect.poll(() => areRunning(first), { timeout: 30_000 }).toBe(false);
  expect(await first.live()).toEqual([sandbox]);
  // Another day, and another server.
  await first.close({ clean: false });
  await using second = await openApp({
    labs: LABS,
    data: first.data,
    idleMinutes: IDLE_MINUTES,
  });
  const again = second.sessions.of(id, LAB);
  expect(again.snapshot().status).toMatchObject({ state: 'stopped' });
  using _ = present(again);
  await started(again);
  expect(second.store.session(id, LAB).row.sandbox).toBe(sandbox);
  expect(again.snapshot().terminals).toEqual(terminals);
  const [shell] = terminals;
  expect(Buffer.from(again.terminal(shell?.id ?? '').outputSince(0)).toString()).toMatch(
    /server01 was stopped on .* and runs again with its files, images and containers\./,
  );
  expect(await typed(again, 'cat notes; docker images -q mine:1 | wc -l')).toMatch(/mine\r\n1\r\n/);
  expect(await typed(again, 'docker ps --format "{{.Names}} runs"')).toMatch(/web runs\r\ndone/);
  expect(await typed(again, 'docker exec web cat /data/kept /tmp/kept')).toMatch(
    /kept\r\nkept\r\n/,
  );
  expect(await typed(again, 'docker inspect -f "{{.State.Status}}" old')).toContain('exited');
  expect((await again.visit(PUBLISHED)).outcome).toBe('page');
  expect((await again.visit(NOTHING_LISTENS)).outcome).toBe('refused');
  expect(await typed(again, 'ping -c 1 -W 2 10.1.10.100')).toContain('1 received');
});
