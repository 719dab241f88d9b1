import {
  type ContainerView,
  defineLab,
  type HostView,
  type ImageView,
  type Lab,
  type NetworkView,
  type RouteView,
  type SandboxView,
  type Signal,
  type SignalBody,
  type SignalKind,
  type SignalOf,
} from '#lab';
import type { CheckView, ValueView } from '#protocol';
import { Background } from '../../../server/base/background.ts';
import { CheckRunner } from '../../../server/checks/runner.ts';
import type { Assisted, Pass } from '../../../server/store/journal.ts';

/** What a stage's host has; a test changes it and sends the signal that goes with the change. */
export interface FakeHost {
  containers: ContainerView[];
  /** By id. */
  images: Record<string, ImageView>;
  networks: NetworkView[];
  routes: RouteView[];
  files: Record<string, string>;
  /** What every command that reads says, every probe and every script, and how often one was run. */
  system: string;
  asked: number;
  /** Stands before every answer. */
  before: () => Promise<void>;
}

/** A runner on hosts made of plain data. Time, where a test has to let it pass, is vitest's. */
export class CheckStage implements Disposable {
  readonly runner: CheckRunner;
  readonly passes: Map<string, Pass>;
  readonly checks: CheckView[] = [];
  readonly values: ValueView[] = [];
  /** What the runner could not do, as the operator's log has it. */
  readonly failures: string[] = [];
  /** A guide does the steps. */
  assisted: Assisted = false;
  /** What a test puts in the way of the session that is told of passes and news. */
  failing: { onPass?: Error; onChecks?: Error; view?: Error } = {};
  /** Somebody has a page of the lab open. */
  hasPage = true;
  readonly #hosts = new Map<string, FakeHost>();
  readonly #signals: Signal[] = [];

  constructor(lab: Lab, passes: ReadonlyMap<string, Pass> = new Map()) {
    this.passes = new Map(passes);
    this.runner = new CheckRunner({
      lab,
      background: new Background((name, error) =>
        this.failures.push(`${name}: ${(error as Error).message}`),
      ),
      view: (signal) => {
        if (this.failing.view) throw this.failing.view;
        return this.#view(signal);
      },
      passes: () => this.passes,
      hasPage: () => this.hasPage,
      onPass: (id, about) => {
        if (this.failing.onPass) throw this.failing.onPass;
        const pass = { at: Date.now(), assisted: this.assisted, ...this.passes.get(id), about };
        this.passes.set(id, pass);
        this.#note({ kind: 'pass', check: id, about });
        return pass;
      },
      onChecks: (checks) => {
        if (this.failing.onChecks) throw this.failing.onChecks;
        this.checks.push(...checks);
      },
      onValues: (values) => void this.values.push(...values),
    });
  }

  host(name: string): FakeHost {
    const known = this.#hosts.get(name);
    if (known) return known;
    const host: FakeHost = {
      containers: [],
      images: { [LABS_IMAGE.id]: LABS_IMAGE },
      networks: [],
      routes: [],
      files: {},
      system: '',
      asked: 0,
      before: async () => undefined,
    };
    this.#hosts.set(name, host);
    return host;
  }

  /** Notes a signal in the journal and wakes the checks, as a session does. */
  signal(body: SignalBody): void {
    this.#note(body);
    this.runner.wake(body);
  }

  view(check: string): CheckView | undefined {
    return this.runner.checks.find(({ id }) => id === check);
  }

  [Symbol.dispose](): void {
    this.runner[Symbol.dispose]();
  }

  #note(body: SignalBody): void {
    this.#signals.push({ ...body, seq: this.#signals.length + 1, at: Date.now() });
  }

  #view(signal: AbortSignal): SandboxView {
    const of = <K extends SignalKind>(kind: K): SignalOf<K>[] =>
      this.#signals.filter((each): each is SignalOf<K> => each.kind === kind);
    return {
      signal,
      journal: { all: of, last: (kind, fits = () => true) => of(kind).findLast(fits) },
      host: (name) => this.#hostView(name),
      hosts: ['one', 'two'].map((name) => this.#hostView(name)),
    };
  }

  #hostView(name: string): HostView {
    const host = this.host(name);
    const answer = async <T>(of: () => T): Promise<T> => {
      await host.before();
      return of();
    };
    const said = () =>
      answer(() => {
        host.asked += 1;
        return { status: host.system === '' ? 1 : 0, output: host.system };
      });
    return {
      name,
      aliases: [],
      hasEngine: true,
      address: '10.0.0.1',
      addresses: ['10.0.0.1'],
      get docker(): HostView['docker'] {
        throw new Error('no check of these tests asks the engine itself');
      },
      container: (id) => answer(() => host.containers.find((each) => each.name === id)),
      containers: () => answer(() => host.containers),
      engineVersion: () => answer(() => '26.1.5'),
      image: (id) => answer(() => host.images[id]),
      images: () => answer(() => []),
      imageSteps: () => answer(() => []),
      networks: () => answer(() => host.networks),
      routes: () => answer(() => host.routes),
      addressOf: () => answer(() => undefined),
      firewall: () => answer(() => []),
      read: (path) => answer(() => host.files[path]),
      ask: said,
      probe: said,
      script: said,
    };
  }
}

/** A lab with two hosts, one and two, and these checks. */
export function labWith(checks: Lab['checks'], values: Lab['values'] = {}): Lab {
  return defineLab({
    title: 'T',
    hosts: { one: { address: '10.0.0.1/24' }, two: { address: '10.0.0.2/24' } },
    browser: 'one',
    values,
    sections: [{ page: 'p', title: 'P', checks }],
  });
}

/** An image that the lab brought, and what it makes of a container: one that stays up until somebody stops it. */
const LABS_IMAGE: ImageView = {
  id: 'sha256:labs',
  command: ['/bin/serve'],
  isLabs: true,
  labels: {},
  layers: [],
};
export const LABS_OWN = { imageId: LABS_IMAGE.id, command: LABS_IMAGE.command } as const;

/** A container that has been up for long, unless said otherwise. */
export function containerView(view: Partial<ContainerView> & { name: string }): ContainerView {
  return {
    id: view.name.padEnd(64, '0'),
    image: 'debian',
    imageId: 'sha256:debian',
    command: ['sleep', '60'],
    running: true,
    restarts: 0,
    status: 'running',
    exitCode: 0,
    networkMode: 'bridge',
    addresses: {},
    ports: {},
    requestedPorts: {},
    requestedAddresses: {},
    publishAll: false,
    startedAt: 0,
    ...view,
  };
}

/** An event of a host's engine. */
export function containerSignal(host: string, action: string, name: string): SignalBody {
  return { kind: 'container', host, action, id: name.padEnd(64, '0'), name, image: 'i' };
}
