import type { HostView, Lab, SandboxView, Verdict } from '#lab';
import type { Learner } from '../client-driver/learner.ts';
import { deadline, sleep } from '../server/base/deadline.ts';

export { CHECK_DEADLINE_MS } from '../server/checks/check-task.ts';

import { Dependencies } from '../server/checks/dependencies.ts';
import { ReadCache, viewThrough } from '../server/checks/read-cache.ts';
import { Host } from '../server/sandbox/host.ts';
import { hostView } from '../server/sandbox/host-view.ts';
import { imagesOf } from '../server/sandbox/image-name.ts';
import { LABEL } from '../server/sandbox/labels.ts';
import type { SandboxRuntime } from '../server/sandbox/runtime.ts';
import type { Store } from '../server/store/store.ts';
import type { StoredSession } from '../server/store/stored-session.ts';

/** The probe's own looks may take longer than a check's: they find out what is so, however busy the machine is. */
const LOOK_MS = 60_000;
/** Between two looks at what is starting in a host; a start takes a few times that. */
const SETTLING_MS = 25;

/**
 * Looks at a learner's sandbox from this process, past everything that the server remembers: asks checks and values
 * afresh, and the hosts themselves. It only looks, but for pausing a host to see what that does.
 */
export class Probe {
  readonly sandbox: string;
  readonly lab: Lab;
  readonly #runtime: SandboxRuntime;
  readonly #stored: StoredSession;
  readonly #hosts: ReadonlyMap<string, Host>;

  private constructor(
    runtime: SandboxRuntime,
    stored: StoredSession,
    sandbox: string,
    lab: Lab,
    hosts: ReadonlyMap<string, Host>,
  ) {
    this.#runtime = runtime;
    this.#stored = stored;
    this.sandbox = sandbox;
    this.lab = lab;
    this.#hosts = hosts;
  }

  /** Looks at the sandbox that the learner has now; after a reset there is another. */
  static async of(
    runtime: SandboxRuntime,
    store: Store,
    learner: Learner,
    labs: ReadonlyMap<string, Lab>,
  ): Promise<Probe> {
    const lab = labs.get(learner.lab);
    const stored = store.session(store.learners.find(learner.http.secret) ?? '', learner.lab);
    const { sandbox } = stored.row;
    if (!lab || sandbox === undefined) throw new Error('the learner has no sandbox');
    const containers = await runtime.engine.docker.listContainers({
      all: true,
      filters: { label: [`${LABEL.sandbox}=${sandbox}`] },
    });
    const hosts = new Map<string, Host>();
    for (const spec of lab.hosts) {
      const found = containers.find(({ Labels }) => Labels[LABEL.host] === spec.name);
      if (!found) throw new Error(`${spec.name} is not on the engine`);
      // As the server asks: by the engine's socket in the shared directory, where one process less is in between.
      const shared = runtime.sharedDirectories.of(sandbox, spec.name);
      const images = imagesOf(spec, lab, runtime.labImages);
      const host = new Host(runtime.engine, spec, found.Id, shared, runtime.wakes, images);
      await host.engineDown(deadline(LOOK_MS).signal);
      hosts.set(spec.name, host);
    }
    return new Probe(runtime, stored, sandbox, lab, hosts);
  }

  /** One look at the sandbox, as one round of checks has it: all of it afresh, and nothing of a host twice. */
  async look(signal = deadline(LOOK_MS).signal): Promise<SandboxView> {
    // One whose engine slept may have been used since; nobody tells this process.
    await Promise.all([...this.#hosts.values()].map((host) => host.noticeWake(signal)));
    const views = new Map([...this.#hosts].map(([name, host]) => [name, hostView(host, signal)]));
    const view: SandboxView = {
      signal,
      journal: this.#stored.journal,
      hosts: [...views.values()],
      host: (name) => named(views, name),
    };
    return viewThrough(new ReadCache().forRound(), view, new Dependencies());
  }

  /** A check's answer now. Rejects where it could not check. */
  async verdict(check: string): Promise<Verdict> {
    const found = this.lab.checks.find(({ id }) => id === check);
    if (!found) throw new Error(`there is no check ${check}`);
    return found.test(await this.look());
  }

  /** A value's text now. */
  async value(id: string): Promise<string | undefined> {
    return this.lab.values[id]?.read(await this.look());
  }

  /** How many signals the journal holds. */
  get signals(): number {
    return this.#stored.journal.size;
  }

  /** What a command on a host prints, without a terminal and so without a trace in the journal. */
  async read(host: string, script: string): Promise<string> {
    const { stdout } = await named(this.#hosts, host).run(['sh', '-c', script]);
    return stdout;
  }

  /**
   * Pauses a host, once nothing is just starting in it: with cgroup v1, a process that is frozen on its way in is waited
   * for by the engine, and the engine by whoever would let it go on.
   */
  async pause(host: string): Promise<void> {
    const container = this.#runtime.engine.docker.getContainer(named(this.#hosts, host).container);
    using late = deadline(LOOK_MS);
    for (;;) {
      const { ExecIDs } = await container.inspect();
      const execs = await Promise.all((ExecIDs ?? []).map((id) => this.#exec(id)));
      if (execs.every((exec) => !exec || exec.ExitCode !== null || exec.Pid > 0)) break;
      await sleep(SETTLING_MS, late.signal);
    }
    await container.pause();
  }

  /** A process that was put into a host; `undefined` once the engine has forgotten it. */
  #exec(id: string) {
    return this.#runtime.engine.docker
      .getExec(id)
      .inspect()
      .catch((error: { statusCode?: number }) => {
        if (error.statusCode === 404) return undefined;
        throw error;
      });
  }

  async unpause(host: string): Promise<void> {
    await this.#runtime.engine.docker.getContainer(named(this.#hosts, host).container).unpause();
  }
}

function named<T extends Host | HostView>(hosts: ReadonlyMap<string, T>, name: string): T {
  const found = hosts.get(name);
  if (!found) throw new Error(`there is no host ${name}`);
  return found;
}
