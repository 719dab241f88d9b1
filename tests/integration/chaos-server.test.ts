import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SessionEvent, SessionStatus } from '#protocol';
import { createSandboxRuntime } from '../../server/sandbox/runtime.ts';
import { liveSandboxes, type Sandbox } from '../../server/sandbox/sandbox.ts';
import { SessionManager } from '../../server/session/manager.ts';
import { Store } from '../../server/store/store.ts';
import { CHAOS_LAB, CHECK, LAB, MADE } from './chaos-lab.ts';
import { openRuntime, PROJECT, sessionParts, startSandbox } from './stage.ts';

const LABS = new Map([[LAB, CHAOS_LAB]]);

let stage: Awaited<ReturnType<typeof openRuntime>>;
/** Somebody else's sandbox on the same engine, which no sweep of ours may touch. */
let bystander: { readonly sandbox: Sandbox } & AsyncDisposable;
let directory: string;

beforeAll(async () => {
  stage = await openRuntime(LABS);
  bystander = await startSandbox(stage.runtime, stage.instance, CHAOS_LAB);
  directory = mkdtempSync(join(tmpdir(), 'quayside-chaos-'));
});

afterAll(async () => {
  await bystander?.[Symbol.asyncDispose]();
  await stage?.[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

/** What a victim says: its session's events, and once that it is open. */
type Said = SessionEvent | { readonly type: 'open' };

/** A server in a process of its own, to be killed. */
class Victim {
  readonly #child: ChildProcess;
  readonly #said: Said[] = [];
  readonly #bell = new EventTarget();

  constructor(path: string, learner: string, pool = 0) {
    this.#child = fork(join(import.meta.dirname, 'chaos-victim.ts'), [path, learner, `${pool}`], {
      execArgv: ['--disable-warning=ExperimentalWarning'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child.on('message', (said: Said) => {
      this.#said.push(said);
      this.#bell.dispatchEvent(new Event('said'));
    });
  }

  /** Settles once it has said something that fits, from now on or (`ever`) before. */
  async heard(fits: (said: Said) => boolean, from = this.#said.length): Promise<void> {
    while (!this.#said.slice(from).some(fits)) {
      await once(this.#bell, 'said', { signal: AbortSignal.timeout(90_000) });
    }
  }

  async open(): Promise<void> {
    await this.heard(({ type }) => type === 'open', 0);
  }

  /** Asks for something, and settles at the moment given. */
  async do(wish: 'start' | 'reset' | 'end', moment: (said: Said) => boolean): Promise<void> {
    const heard = this.heard(moment);
    this.#child.send(wish);
    await heard;
  }

  async kill(): Promise<void> {
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }
}

const status = (said: Said): SessionStatus | undefined => {
  if (said.type === 'status') return said.status;
  return said.type === 'snapshot' ? said.snapshot.status : undefined;
};
const becomes = (state: SessionStatus['state']) => (said: Said) => status(said)?.state === state;
const wiring = (said: Said) => {
  const now = status(said);
  return now?.state === 'starting' && now.hosts.some(({ detail }) => detail === 'being wired up');
};
const isPassed = (said: Said) =>
  said.type === 'checks' && said.checks.some(({ id, state }) => id === CHECK && state === 'passed');

/** A store with one learner, for one life and what comes after. */
function fresh(): { readonly path: string; readonly learner: string } {
  const path = join(mkdtempSync(join(directory, 'store-')), 'quayside.sqlite');
  using store = new Store(path);
  return { path, learner: store.createLearner().learner };
}

/** The next server on that store, with all that is asked of it afterwards; leaves nothing. */
async function comeBack(
  path: string,
  learner: string,
  wanted: SessionStatus['state'],
  look: (sessions: SessionManager, store: Store) => Promise<void> | void = () => undefined,
): Promise<void> {
  using store = new Store(path);
  const runtime = await createSandboxRuntime(
    PROJECT,
    stage.runtime.engine,
    LABS,
    store.instance,
    () => undefined,
  );
  const logged: string[] = [];
  const sessions = new SessionManager({
    runtime,
    store,
    labs: LABS,
    sandboxesMost: 4,
    ...sessionParts((message, error) => void logged.push(`${message}: ${error}`)),
  });
  sessions.open();
  await expect
    .poll(() => sessions.of(learner, LAB).snapshot().status.state, { timeout: 90_000 })
    .toBe(wanted);
  const { sandbox } = store.session(learner, LAB);
  await expect
    .poll(() => liveSandboxes(runtime, store.instance), { timeout: 60_000 })
    .toEqual(sandbox ? [sandbox] : []);
  await look(sessions, store);
  expect(logged).toEqual([]);
  await sessions.close(true);
  await runtime[Symbol.asyncDispose]();
  expect(await liveSandboxes(runtime, store.instance)).toEqual([]);
  expect(await liveSandboxes(stage.runtime, stage.instance)).toEqual([
    bystander.sandbox.labels.sandbox,
  ]);
}

test('killed while nothing but the row of a starting sandbox is there, the start goes on', async () => {
  const { path, learner } = fresh();
  const victim = new Victim(path, learner);
  await victim.open();
  await victim.do('start', becomes('starting'));
  await victim.kill();
  await comeBack(path, learner, 'ready');
});

test('killed between the hosts and their wires, the start goes on', async () => {
  const { path, learner } = fresh();
  const victim = new Victim(path, learner);
  await victim.open();
  await victim.do('start', wiring);
  await victim.kill();
  await comeBack(path, learner, 'ready', async (sessions) => {
    expect((await sessions.of(learner, LAB).visit('http://10.1.10.11:9')).outcome).toBe('refused');
  });
});

test('killed in the middle of work, the hosts, the pass, the journal and the shells are there', async () => {
  const { path, learner } = fresh();
  const victim = new Victim(path, learner);
  await victim.open();
  await victim.do('start', becomes('ready'));
  const passed = victim.heard(isPassed);
  await make(path, learner);
  await passed;
  using before = new Store(path);
  const wirers = () => labelled(before.instance, 'quayside.role=wirer');
  expect(await wirers()).toBe(1);
  await victim.kill();
  // What reaches into every host's network goes with its server, before another comes.
  await expect.poll(wirers, { timeout: 20_000 }).toBe(0);
  using left = new Store(path);
  const { id, sandbox } = left.session(learner, LAB);
  const { passes, size } = left.journal(id);
  const terminals = left.terminals(id);
  expect([passes.size, terminals.length]).toEqual([1, 2]);
  await comeBack(path, learner, 'ready', (sessions, store) => {
    expect(store.session(learner, LAB)).toMatchObject({ id, sandbox });
    expect(store.journal(id).passes).toEqual(passes);
    expect(store.journal(id).size).toBeGreaterThanOrEqual(size);
    const snapshot = sessions.of(learner, LAB).snapshot();
    expect(snapshot.terminals).toEqual(terminals);
    expect(snapshot.checks).toMatchObject([{ id: CHECK, state: 'passed' }]);
  });
});

test('killed in the middle of a reset, the new hosts come and the old ones go', async () => {
  const { path, learner } = fresh();
  const victim = new Victim(path, learner);
  await victim.open();
  await victim.do('start', becomes('ready'));
  const old = sandboxOf(path, learner);
  await victim.do('reset', becomes('starting'));
  await victim.kill();
  await comeBack(path, learner, 'ready', (_sessions, store) => {
    expect(store.session(learner, LAB).sandbox).not.toBe(old);
  });
});

test('killed in the middle of ending, it has ended, and nothing of it is left', async () => {
  const { path, learner } = fresh();
  const victim = new Victim(path, learner);
  await victim.open();
  await victim.do('start', becomes('ready'));
  await victim.do('end', becomes('ended'));
  await victim.kill();
  await comeBack(path, learner, 'ended');
});

test('killed while the pool fills itself, what it had begun goes', async () => {
  const { path, learner } = fresh();
  const victim = new Victim(path, learner, 1);
  await victim.open();
  using store = new Store(path);
  await expect.poll(() => labelled(store.instance), { timeout: 60_000 }).not.toBe(0);
  await victim.kill();
  await comeBack(path, learner, 'none');
});

function sandboxOf(path: string, learner: string): string | undefined {
  using store = new Store(path);
  return store.session(learner, LAB).sandbox;
}

/** Does the lab's one step, as the learner would. */
async function make(path: string, learner: string): Promise<void> {
  const { engine } = stage.runtime;
  const [server01] = await engine.docker.listContainers({
    filters: {
      label: [`quayside.sandbox=${sandboxOf(path, learner)}`, 'quayside.host=server01'],
    },
  });
  const argv = ['docker', 'create', '--name', MADE, 'mycontainer:5.6'];
  const { status: exit, stderr } = await engine.run(server01?.Id ?? '', argv);
  expect([exit, stderr]).toEqual([0, '']);
}

/** How many containers of a server there are. */
async function labelled(instance: string, ...more: readonly string[]): Promise<number> {
  const filters = { label: [`quayside.instance=${instance}`, ...more] };
  return (await stage.runtime.engine.docker.listContainers({ all: true, filters })).length;
}
