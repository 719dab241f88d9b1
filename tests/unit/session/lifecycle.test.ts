import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { answer, check, defineLab, type Lab, notYet, passed, passOf } from '#lab';
import type { SessionStatus } from '#protocol';
import { Background } from '../../../server/base/background.ts';
import { HostCannotRunError } from '../../../server/sandbox/host-cannot-run.ts';
import { LABEL } from '../../../server/sandbox/labels.ts';
import { Sandbox } from '../../../server/sandbox/sandbox.ts';
import { SessionManager } from '../../../server/session/manager.ts';
import type { Retention } from '../../../server/session/retention.ts';
import type { Session } from '../../../server/session/session.ts';
import { Store } from '../../../server/store/store.ts';
import { FaultyDatabase } from '../../fixtures/faulty-database.ts';
import { MemoryEngine } from '../../fixtures/memory-engine.ts';
import { MemoryMachine } from '../../fixtures/memory-machine.ts';
import { memoryRuntime } from '../../fixtures/memory-runtime.ts';
import { MemoryTerminals } from '../../fixtures/memory-terminals.ts';
import { simulatedLab } from '../../simulation/lab.ts';

const LAB = 'harbour';
const DAY = 24 * 3_600_000;
let undo: AsyncDisposableStack;
beforeEach(() => {
  undo = new AsyncDisposableStack();
});
afterEach(() => undo.disposeAsync());

interface ServerOptions {
  readonly pool: number;
  readonly lab?: Lab;
  /** What an earlier server has left. */
  readonly machine?: MemoryMachine;
  readonly database?: FaultyDatabase;
  /** Hosts are set up by then. */
  readonly setUp?: Promise<void>;
  /** How long stopped hosts are kept; a limit removes them if not given. */
  readonly retention?: Retention;
  readonly diskFill?: () => Promise<number>;
}

/** A database in memory, open until the test is over. */
function newDatabase(): FaultyDatabase {
  const database = new FaultyDatabase();
  undo.defer(() => database[Symbol.dispose]());
  return database;
}

/** A server on a machine in memory, with room for one sandbox. */
function serverWithRoomForOne({
  pool,
  lab = simulatedLab(LAB),
  machine = new MemoryMachine(),
  database = newDatabase(),
  setUp = Promise.resolve(),
  ...keeping
}: ServerOptions) {
  machine.hostEngineBootMs = 0;
  const engine = new MemoryEngine(machine);
  const limits = { idleMs: 0, totalMs: 0 };
  const begun = beginningsOn(engine, setUp);
  const background = new Background(() => undefined);
  const store = new Store(database, () => undefined);
  const runtime = undo.use(memoryRuntime(engine, store.instance));
  const sessions = new SessionManager({
    ...{ runtime, store, background, pool, ...keeping },
    limits,
    labs: new Map([[LAB, lab]]),
    sandboxesMost: 1,
    hasMemory: () => true,
    terminals: new MemoryTerminals(engine, background),
  });
  undo.defer(() => sessions.close({ clean: false }));
  sessions.open();
  const session = (learner = store.learners.create().learner) => sessions.of(learner, LAB);
  return { machine, engine, database, store, sessions, session, begun, limits };
}

/** The set-ups that hosts are asked for, as they are asked. */
function beginningsOn(engine: MemoryEngine, setUp: Promise<void>): string[] {
  const begun: string[] = [];
  const run = engine.run.bind(engine);
  engine.run = async (container, argv, options) => {
    if (argv[0] !== '/opt/quayside/begin') return run(container, argv, options);
    begun.push(options?.input ?? '');
    await setUp;
    return { status: 0, stdout: '1\n', stderr: '' };
  };
  return begun;
}

/** A lab of one host, which has no engine of its own. */
function withoutEngines(checks: Lab['checks'], setup: readonly string[] = []): Lab {
  return defineLab({
    title: 'T',
    hosts: { client: { address: '10.1.10.100/24', setup } },
    browser: 'client',
    sections: [{ page: 'first', title: 'First', checks }],
  });
}

/** Settles when the session's status is as asked. @returns every status on the way there */
async function until(session: Session, state: SessionStatus['state']): Promise<SessionStatus[]> {
  const seen = [session.status];
  if (session.status.state === state) return seen;
  const reached = Promise.withResolvers<void>();
  using _ = session.observe((event) => {
    if (event.type !== 'status') return;
    seen.push(event.status);
    if (event.status.state === state) reached.resolve();
  });
  await reached.promise;
  return seen;
}

const hostsOf = (machine: MemoryMachine, sandbox: string | undefined) =>
  [...machine.containers.values()].filter(({ labels }) => labels[LABEL.sandbox] === sandbox);

test('a start goes from the queue to running hosts, and an end leaves none', async () => {
  const { machine, session } = serverWithRoomForOne({ pool: 0 });
  const one = session();
  one.start();
  const states = (await until(one, 'ready')).map(({ state }) => state);
  expect([...new Set(states)]).toEqual(['queued', 'starting', 'ready']);
  expect(hostsOf(machine, one.sandbox)).toHaveLength(3);
  const { sandbox } = one;
  await one.end('enough');
  expect(one.status).toEqual({ state: 'ended', reason: 'enough' });
  expect(hostsOf(machine, sandbox)).toEqual([]);
});

test('a start on hosts that cannot run, however often it is tried, is tried once', async () => {
  const words = { message: 'Its engine cannot start: no overlay.', remedy: 'npm run doctor' };
  const reconcile = vi
    .spyOn(Sandbox.prototype, 'reconcile')
    .mockRejectedValue(new HostCannotRunError(words.message, words.remedy));
  undo.defer(() => reconcile.mockRestore());
  const one = serverWithRoomForOne({ pool: 0 }).session();
  one.start();
  await until(one, 'failed');
  expect(one.status).toMatchObject({ reason: words.message, remedy: words.remedy });
  expect(reconcile).toHaveBeenCalledTimes(1);
});

test('whoever starts while the machine is full waits, and is let in when the other ends', async () => {
  const { session } = serverWithRoomForOne({ pool: 0 });
  const [first, second] = [session(), session()];
  using _ = second.subscribe(() => undefined);
  first.start();
  await until(first, 'ready');
  second.start();
  expect(second.status).toMatchObject({ state: 'queued', place: 1 });
  await first.end();
  await until(second, 'ready');
  expect(second.sandbox).toBeDefined();
});

test('a reset gives other hosts, and the ones before are gone by the time these run', async () => {
  const { machine, session } = serverWithRoomForOne({ pool: 0 });
  const one = session();
  one.start();
  await until(one, 'ready');
  const before = one.sandbox;
  await one.reset();
  await until(one, 'ready');
  expect(one.sandbox).not.toBe(before);
  expect(hostsOf(machine, before)).toEqual([]);
});

test('what comes after a step can be passed on later hosts, where that step is done again', async () => {
  const knows = answer('knows', { title: 't', question: 'Which?', judge: () => passed() });
  const then = check('then', {
    title: 't',
    test: (sandbox) =>
      sandbox.journal.all('answer').length < 2 ? notYet('Not yet.') : passOf('knows')(sandbox),
  });
  const { session } = serverWithRoomForOne({ pool: 0, lab: withoutEngines([knows, then]) });
  const one = session();
  one.start();
  await until(one, 'ready');
  const first = await one.answer('knows', 'this');
  await one.end();
  one.start();
  await until(one, 'ready');
  expect(one.snapshot().checks[0]).toEqual(first);
  expect(await one.answer('knows', 'this')).toEqual(first);
  await one.answer('knows', 'that');
  await expect.poll(() => one.snapshot().checks[1]?.state).toBe('passed');
});

describe('a server that comes back to hosts', () => {
  const knows = answer('knows', { title: 't', question: 'Which?', judge: () => notYet('No.') });
  const labSetUpBy = (...setup: readonly string[]) => withoutEngines([knows], setup);

  test('does not set them up again once something has happened on them, by a newer lab neither', async () => {
    const first = serverWithRoomForOne({ pool: 0, lab: labSetUpBy('touch one') });
    const { learner } = first.store.learners.create();
    const one = first.session(learner);
    one.start();
    await until(one, 'ready');
    expect(first.begun).toEqual([expect.stringContaining('touch one')]);
    const { sandbox } = one;
    await one.answer('knows', 'this');
    await first.sessions.close({ clean: false });
    const lab = labSetUpBy('touch one', 'touch two');
    const second = serverWithRoomForOne({ ...first, pool: 0, lab });
    await until(second.session(learner), 'ready');
    expect(second.session(learner).sandbox).toBe(sandbox);
    expect(second.begun).toEqual([]);
  });

  test('does not set them up again where nothing has happened on them yet', async () => {
    const first = serverWithRoomForOne({ pool: 0, lab: labSetUpBy('touch one') });
    const { learner } = first.store.learners.create();
    const one = first.session(learner);
    one.start();
    await until(one, 'ready');
    await first.sessions.close({ clean: false });
    const lab = labSetUpBy('touch one', 'touch two');
    const second = serverWithRoomForOne({ ...first, pool: 0, lab });
    await until(second.session(learner), 'ready');
    expect(second.begun).toEqual([]);
  });

  test('goes on with a start that was broken off, whatever has happened on the hosts before', async () => {
    const lab = labSetUpBy('touch one');
    const first = serverWithRoomForOne({ pool: 0, lab, setUp: new Promise(() => undefined) });
    const { learner } = first.store.learners.create();
    const { journal } = first.store.session(learner, LAB);
    journal.add({ kind: 'answer', check: 'knows', text: 'this' });
    journal.pass({ check: 'knows', at: 1, about: 'past', assisted: false });
    const one = first.session(learner);
    one.start();
    await expect.poll(() => first.begun).toHaveLength(1);
    const { sandbox } = one;
    await first.sessions.close({ clean: false });
    const second = serverWithRoomForOne({ ...first, pool: 0, lab });
    await until(second.session(learner), 'ready');
    expect(second.session(learner).sandbox).toBe(sandbox);
    expect(second.begun).toEqual(first.begun);
  });
});

test('a lab of another version, and one with other hosts, is told until fresh hosts are made of it', async () => {
  const { sessions, session } = serverWithRoomForOne({ pool: 0 });
  const lab = simulatedLab(LAB);
  const one = session();
  one.start();
  await until(one, 'ready');
  sessions.reload(LAB, { ...lab, title: 'Other words' });
  expect(one.snapshot().changed).toBeUndefined();
  sessions.reload(LAB, { ...lab, version: 2 });
  expect(one.snapshot().changed).toBe(true);
  await one.reset();
  await until(one, 'ready');
  expect(one.snapshot().changed).toBeUndefined();
  const hosts = lab.hosts.map((host) => ({ ...host, aliases: ['another'] }));
  expect(sessions.reload(LAB, { ...lab, version: 2, hosts })).toContain('Its hosts have changed');
  expect(one.snapshot().changed).toBe(true);
  await one.end();
  expect(one.snapshot().changed).toBeUndefined();
});

test('a warm sandbox of which the switch ends while its hand-over is written is repaired before the learner is let in', async () => {
  const { machine, database, sessions, session } = serverWithRoomForOne({ pool: 1 });
  await expect.poll(() => sessions.capacity.counts().warm).toBe(1);
  const one = session();
  database.obstacle = 'lock';
  one.start();
  await until(one, 'starting');
  const theSwitch = () =>
    hostsOf(machine, one.sandbox).find(({ labels }) => labels[LABEL.role] === 'switch');
  const { id } = theSwitch() ?? {};
  machine.die(id ?? '');
  database.obstacle = undefined;
  await until(one, 'ready');
  expect(theSwitch()?.state).toBe('running');
  const links = hostsOf(machine, one.sandbox).filter(({ labels }) => labels[LABEL.host]);
  expect(links.map(({ linkedTo }) => linkedTo)).toEqual(links.map(() => theSwitch()?.pid));
});

test('the files of a host whose container is made anew are those of the new one', async () => {
  const { machine, engine, session } = serverWithRoomForOne({ pool: 0 });
  const one = session();
  one.start();
  await until(one, 'ready');
  const asked: string[] = [];
  const dial = engine.dial.bind(engine);
  vi.spyOn(engine, 'dial').mockImplementation(async (container, argv, options) => {
    if (!argv.includes('quayside-files')) return await dial(container, argv, options);
    asked.push(container);
    throw new Error('no files here');
  });
  const [name = ''] = simulatedLab(LAB).hosts.map((host) => host.name);
  const container = () =>
    hostsOf(machine, one.sandbox).find(({ labels }) => labels[LABEL.host] === name)?.id ?? '';
  const first = container();
  await expect(one.files(name).read('x')).rejects.toThrow('could not be reached');
  machine.remove(first, true);
  await one.live?.repair();
  // That the first one died may be heard during the look that makes the other, and the next look answers it.
  await vi.waitFor(() => expect(one.live?.sandbox.host(name).availability.aborted).toBe(false));
  await expect(one.files(name).read('x')).rejects.toThrow('could not be reached');
  expect(container()).not.toBe(first);
  expect(asked).toEqual([first, container()]);
});

describe('hosts that a limit has stopped', () => {
  const retention = { keepMs: 14 * DAY, fillPercent: 80 };

  /** A session with a file on its hosts, a container that runs, and one that was stopped a while ago. */
  async function atWork(given: Partial<ServerOptions> = {}) {
    const server = serverWithRoomForOne({ pool: 0, retention, ...given });
    const { learner } = server.store.learners.create();
    const one = server.session(learner);
    one.start();
    await until(one, 'ready');
    const host = hostsOf(server.machine, one.sandbox).find(({ engine }) => engine);
    host?.files.set('work', 'mine');
    for (const name of ['web', 'old']) host?.engine?.run(name, 'nginx');
    const old = host?.engine?.containers.at(-1);
    Object.assign(old ?? {}, { running: false, finishedAt: 1 });
    return { ...server, learner, one, host, sandbox: one.sandbox };
  }

  /** The limit for idle sessions strikes. */
  async function strike({ limits, one }: Awaited<ReturnType<typeof atWork>>): Promise<void> {
    limits.idleMs = 1;
    one.extend();
    await until(one, 'stopped');
    limits.idleMs = 0;
  }

  const statesOf = ({ machine, sandbox }: Awaited<ReturnType<typeof atWork>>) =>
    hostsOf(machine, sandbox).map(({ state }) => state);

  const ALL_STOPPED = ['exited', 'exited', 'exited'];

  test('take no slot, and come back with files, containers and terminals', async () => {
    const at = await atWork();
    const { one, host, sandbox, sessions } = at;
    const { terminals } = one.snapshot();
    await strike(at);
    expect(one.status).toMatchObject({ reason: expect.stringContaining('Nothing was done here') });
    expect(one.snapshot().checks[0]).toMatchObject({
      reason: 'The hosts of this lab are stopped.',
    });
    await expect.poll(() => statesOf(at)).toEqual(ALL_STOPPED);
    await expect
      .poll(() => sessions.capacity.counts())
      .toEqual({ running: 0, stopped: 1, warm: 0, waiting: 0 });
    await expect.poll(() => sessions.capacity.queue.slots.size).toBe(0);
    one.start();
    await until(one, 'ready');
    expect(one.sandbox).toBe(sandbox);
    expect(host?.files.get('work')).toBe('mine');
    expect(host?.engine?.containers.map(({ name, running }) => [name, running])).toEqual([
      ['web', true],
      ['old', false],
    ]);
    expect(one.snapshot().terminals).toEqual(terminals);
  });

  test('give their room to another, whom their learner waits for', async () => {
    const at = await atWork();
    await strike(at);
    const other = at.session();
    other.start();
    await until(other, 'ready');
    using _ = at.one.subscribe(() => undefined);
    at.one.start();
    expect(at.one.status).toMatchObject({ state: 'queued', because: 'full' });
    await other.end();
    await until(at.one, 'ready');
    expect(at.one.sandbox).toBe(at.sandbox);
  });

  test('come back although they were asked for while they were being stopped', async () => {
    const at = await atWork();
    await strike(at);
    at.one.start();
    await until(at.one, 'ready');
    expect(at.one.sandbox).toBe(at.sandbox);
    expect(statesOf(at)).toEqual(['running', 'running', 'running']);
  });

  test.each(['end', 'reset'] as const)('are removed by an %s', async (how) => {
    const at = await atWork();
    await strike(at);
    await at.one[how]();
    await expect.poll(() => hostsOf(at.machine, at.sandbox)).toEqual([]);
    if (how === 'reset') {
      await until(at.one, 'ready');
      expect(at.one.sandbox).not.toBe(at.sandbox);
    }
    await expect.poll(() => at.sessions.capacity.counts().stopped).toBe(0);
  });

  test('are removed by a reset while their learner waits for room', async () => {
    const at = await atWork();
    await strike(at);
    const other = at.session();
    other.start();
    await until(other, 'ready');
    using _ = at.one.subscribe(() => undefined);
    at.one.start();
    await at.one.reset();
    await expect.poll(() => hostsOf(at.machine, at.sandbox)).toEqual([]);
    await other.end();
    await until(at.one, 'ready');
    expect(at.one.sandbox).not.toBe(at.sandbox);
  });

  test('stay stopped when the server comes back, and so do those that it had not stopped yet', async () => {
    const at = await atWork();
    await strike(at);
    await at.sessions.close({ clean: false });
    for (const { id } of hostsOf(at.machine, at.sandbox)) {
      if (at.machine.containers.get(id)?.pid === 0) at.machine.start(id);
    }
    const next = serverWithRoomForOne({ ...at, pool: 0, retention });
    const again = next.session(at.learner);
    expect(again.status).toMatchObject({ state: 'stopped' });
    await expect.poll(() => statesOf(at)).toEqual(ALL_STOPPED);
    again.start();
    await until(again, 'ready');
    expect(again.sandbox).toBe(at.sandbox);
    expect(at.host?.engine?.containers[0]?.running).toBe(true);
  });

  test('come back on the next server where they were asked for', async () => {
    const at = await atWork();
    await strike(at);
    const other = at.session();
    other.start();
    await until(other, 'ready');
    using _ = at.one.subscribe(() => undefined);
    at.one.start();
    await other.end();
    await at.sessions.close({ clean: false });
    const next = serverWithRoomForOne({ ...at, pool: 0, retention });
    await until(next.session(at.learner), 'ready');
    expect(next.session(at.learner).sandbox).toBe(at.sandbox);
    expect(at.host?.engine?.containers[0]?.running).toBe(true);
  });

  test('are stopped only once that is on disk', async () => {
    const at = await atWork();
    at.database.obstacle = 'disk';
    at.limits.idleMs = 1;
    at.one.extend();
    await expect.poll(() => at.store.obstacle).toBe('disk');
    expect(at.one.status.state).toBe('ready');
    expect(statesOf(at)).toEqual(['running', 'running', 'running']);
  });

  test('are removed after the time for which they are kept, and their learner reads since when they were stopped', async () => {
    const at = await atWork({ retention: { ...retention, keepMs: 1 } });
    await strike(at);
    await at.sessions.close({ clean: false });
    const next = serverWithRoomForOne({ ...at, pool: 0, retention: { ...retention, keepMs: 1 } });
    const again = next.session(at.learner);
    await until(again, 'ended');
    expect(again.status).toMatchObject({
      reason: expect.stringMatching(/stopped since .* removed on/),
    });
    await expect.poll(() => hostsOf(at.machine, at.sandbox)).toEqual([]);
  });

  test('are removed when all of the server’s sandboxes are', async () => {
    const at = await atWork();
    await strike(at);
    await at.sessions.close({ clean: true });
    expect(hostsOf(at.machine, at.sandbox)).toEqual([]);
    expect(at.store.stoppedSessions()).toEqual([]);
  });
});
