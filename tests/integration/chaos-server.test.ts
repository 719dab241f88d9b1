import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SessionEvent, SessionStatus } from '#protocol';
import { Changes } from '../../client-driver/changes.ts';
import { liveSandboxes } from '../../server/sandbox/removal.ts';
import type { Sandbox } from '../../server/sandbox/sandbox.ts';
import { Store } from '../../server/store/store.ts';
import { CHAOS_LAB, CHECK, LAB, MADE } from './chaos-lab.ts';
import { openApp, openRuntime, startSandbox, type TestApp, until } from './stage.ts';

const LABS = new Map([[LAB, CHAOS_LAB]]);
const SOON = { timeout: 90_000 } as const;

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
  readonly #changes = new Changes();

  private constructor(data: string, learner: string, pool: number) {
    this.#child = fork(join(import.meta.dirname, 'chaos-victim.ts'), [data, learner, `${pool}`], {
      execArgv: ['--disable-warning=ExperimentalWarning'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child.on('message', (said: Said) => {
      this.#said.push(said);
      this.#changes.emit();
    });
    this.#child.once('exit', (code) => this.#changes.close(`it has ended with ${code}`));
  }

  /** Settles when it serves. */
  static async open(data: string, learner: string, pool = 0): Promise<Victim> {
    const victim = new Victim(data, learner, pool);
    await victim.heard(({ type }) => type === 'open', 0);
    return victim;
  }

  /** Settles once it has said something that fits, from now on or from that message on. */
  async heard(fits: (said: Said) => boolean, from = this.#said.length): Promise<void> {
    await this.#changes.until({
      ms: SOON.timeout,
      what: 'a victim to say what is waited for',
      look: () => this.#said.slice(from).some(fits),
      seen: () => JSON.stringify(this.#said.at(-1)),
    });
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
const isBeingLinked = (said: Said) => {
  const now = status(said);
  return now?.state === 'starting' && now.hosts.some(({ detail }) => detail === 'being wired up');
};
const isPassed = (said: Said) =>
  said.type === 'checks' && said.checks.some(({ id, state }) => id === CHECK && state === 'passed');

/** A data folder with one learner, for one life and what comes after. */
class Life {
  readonly data = mkdtempSync(join(directory, 'data-'));
  readonly learner: string;

  constructor() {
    using store = this.store();
    this.learner = store.learners.create().learner;
  }

  /** What is on the disk now. */
  store(): Store {
    return new Store(join(this.data, 'quayside.sqlite'));
  }

  get sandbox(): string | undefined {
    using store = this.store();
    return store.session(this.learner, LAB).row.sandbox;
  }

  victim(pool?: number): Promise<Victim> {
    return Victim.open(this.data, this.learner, pool);
  }

  /** The next server on that data, with all that is asked of it afterwards; leaves nothing. */
  async comeBack(
    wanted: SessionStatus['state'],
    look: (app: TestApp) => Promise<void> | void = () => undefined,
  ): Promise<void> {
    await using app = await openApp({ labs: LABS, data: this.data });
    const session = app.sessions.of(this.learner, LAB);
    await until(session, `the session to be ${wanted}`, (now) => now.status.state === wanted);
    const { sandbox } = app.store.session(this.learner, LAB).row;
    await expect.poll(() => app.live(), SOON).toEqual(sandbox ? [sandbox] : []);
    await look(app);
    await app.close({ clean: true });
    expect(await liveSandboxes(stage.runtime, stage.instance)).toEqual([
      bystander.sandbox.labels.sandbox,
    ]);
  }
}

test('killed while nothing but the row of a starting sandbox is there, the start goes on', async () => {
  const life = new Life();
  const victim = await life.victim();
  await victim.do('start', becomes('starting'));
  await victim.kill();
  await life.comeBack('ready');
});

test('killed between the hosts and their links, the start goes on', async () => {
  const life = new Life();
  const victim = await life.victim();
  await victim.do('start', isBeingLinked);
  await victim.kill();
  await life.comeBack('ready', async ({ sessions }) => {
    const visit = await sessions.of(life.learner, LAB).visit('http://10.1.10.11:9');
    expect(visit.outcome).toBe('refused');
  });
});

test('killed in the middle of work, the hosts, the pass, the journal and the shells are there', async () => {
  const life = new Life();
  const victim = await life.victim();
  await victim.do('start', becomes('ready'));
  const passed = victim.heard(isPassed);
  await doTheStep(life);
  await passed;
  using before = life.store();
  const linkers = () => labelled(before.instance, 'quayside.role=wirer');
  expect(await linkers()).toBe(1);
  await victim.kill();
  // What reaches into every host's network goes with its server, before another comes.
  await expect.poll(linkers, SOON).toBe(0);
  using left = life.store();
  const { row, journal, terminals } = left.session(life.learner, LAB);
  const { id, sandbox } = row;
  const { passes, size } = journal;
  expect([passes.size, terminals.length]).toEqual([1, 2]);
  await life.comeBack('ready', ({ sessions, store }) => {
    expect(store.session(life.learner, LAB).row).toMatchObject({ id, sandbox });
    expect(store.session(life.learner, LAB).journal.passes).toEqual(passes);
    expect(store.session(life.learner, LAB).journal.size).toBeGreaterThanOrEqual(size);
    const snapshot = sessions.of(life.learner, LAB).snapshot();
    expect(snapshot.terminals).toEqual(terminals);
    expect(snapshot.checks).toMatchObject([{ id: CHECK, state: 'passed' }]);
  });
});

test('killed in the middle of a reset, the new hosts come and the old ones go', async () => {
  const life = new Life();
  const victim = await life.victim();
  await victim.do('start', becomes('ready'));
  const old = life.sandbox;
  await victim.do('reset', becomes('starting'));
  await victim.kill();
  await life.comeBack('ready', ({ store }) => {
    expect(store.session(life.learner, LAB).row.sandbox).not.toBe(old);
  });
});

test('killed in the middle of ending, it has ended, and nothing of it is left', async () => {
  const life = new Life();
  const victim = await life.victim();
  await victim.do('start', becomes('ready'));
  await victim.do('end', becomes('ended'));
  await victim.kill();
  await life.comeBack('ended');
});

test('killed while the pool fills itself, what it had begun goes', async () => {
  const life = new Life();
  const victim = await life.victim(1);
  using store = life.store();
  await expect.poll(() => labelled(store.instance), SOON).not.toBe(0);
  await victim.kill();
  await life.comeBack('none');
});

/** Does the lab's one step, as the learner would. */
async function doTheStep({ sandbox }: Life): Promise<void> {
  const { engine } = stage.runtime;
  const [server01] = await engine.docker.listContainers({
    filters: { label: [`quayside.sandbox=${sandbox}`, 'quayside.host=server01'] },
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
