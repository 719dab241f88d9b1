import type {
  CommandAnswer,
  ContainerView,
  HostView,
  ImageView,
  Judge,
  ListedImage,
  NetworkView,
  RouteView,
  SandboxView,
  Signal,
  SignalBody,
  SignalKind,
  SignalOf,
  Test,
  Verdict,
  VisitOutcome,
} from '#lab';
import { lab } from '../../../src/content/docs/labs/docker-networking/lab.ts';

type Server = 'server01' | 'server02';

/** What a learner may write behind `docker run`. */
interface Run {
  readonly on?: Server;
  readonly name: string;
  readonly image?: string;
  /** The host side of `:80` as written; `undefined` publishes nothing. */
  readonly publish?: string;
  /** The address of the host as written; absent for all of them. */
  readonly publishOn?: string;
  readonly publishAll?: boolean;
  readonly containerPort?: string;
  readonly network?: string;
  readonly command?: string;
  readonly status?: string;
  /** The port that Docker bound. */
  readonly port?: number;
  readonly address?: string;
}

interface Made {
  readonly on: Server;
  view: ContainerView;
}

/** An image of a server, and how it was made. */
interface BuiltImage extends ListedImage {
  readonly on: Server;
  readonly steps: readonly string[];
  readonly view: ImageView;
}

const IMAGE_ID = 'sha256:56';
const LABS_IMAGE: ImageView = {
  id: IMAGE_ID,
  command: ['/bin/serve'],
  isLabs: true,
  labels: {},
  layers: ['sha256:one', 'sha256:two'],
};
const DOCKERS_OWN: Record<string, NetworkView> = {
  bridge: network('bridge', 'b51d9e000000beef', 'bridge', ['172.17.0.0/16']),
  host: network('host', 'c0ffee000000beef', 'host'),
  none: network('none', 'd00dad000000beef', 'null'),
};

/** A sandbox made of plain data, on which a learner's steps are played as the hosts would report them. */
export class World {
  readonly routes: RouteView[] = [{ destination: '10.1.10.0/24', via: undefined, device: 'eth1' }];
  /** The servers' own routes to their containers. */
  bridges: RouteView[] = [{ destination: '172.17.0.0/16', via: undefined, device: 'docker0' }];
  /** Their firewall, their sockets and whether they forward, as myapp2 on port 32768 has them. */
  rules: string[] = [
    ':FORWARD DROP',
    '-A FORWARD -j DOCKER-USER',
    '-A FORWARD -o docker0 -j DOCKER',
    '-A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT',
    '-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP',
    '-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER',
    '-A DOCKER ! -i docker0 -p tcp -m tcp --dport 32768 -j DNAT --to-destination 172.17.0.2:80',
  ];
  sockets = '   0: 00000000:8000 00000000:0000 0A 00000000:00000000 00:00000000 00000000';
  ipForward = '1';
  /** Which engine the servers have. */
  engine = '26.1.5';
  readonly #made: Made[] = [];
  readonly #networks: Record<Server, Record<string, NetworkView>> = {
    server01: { ...DOCKERS_OWN },
    server02: { bridge: network('bridge', 'e2e2e2e20000beef', 'bridge', ['172.17.0.0/16']) },
  };
  readonly #built: BuiltImage[] = [];
  readonly #files = new Map<string, { readonly stat?: string; readonly text?: string }>();
  readonly #said = new Map<string, CommandAnswer>();
  readonly #signals: Signal[] = [];
  #ids = 0;

  /** `docker network disconnect`, with the networks that are left. */
  disconnect(name: string, addresses: Readonly<Record<string, string>> = {}): this {
    this.#change(name, { addresses });
    return this;
  }

  /** `docker run -d --name myapp2 -p :80 mycontainer:5.6`, or another. */
  run(run: Run): this {
    const { on = 'server01', name, image = 'mycontainer:5.6', network: mode = 'bridge' } = run;
    this.#ids += 1;
    const id = `a${this.#ids}`.padEnd(64, '0');
    const port80 = run.containerPort ?? '80/tcp';
    const bound = run.port === undefined ? {} : { [port80]: [run.port] };
    const status = run.status ?? 'running';
    const running = status === 'running' || status === 'paused';
    const address = run.address ?? (mode === 'bridge' ? '172.17.0.2' : '172.18.0.2');
    const view: ContainerView = {
      id,
      name,
      image,
      imageId: image.includes('mycontainer') ? IMAGE_ID : image,
      command: wordsOf(run.command ?? '/bin/serve'),
      running,
      restarts: 0,
      status,
      exitCode: 0,
      networkMode: mode,
      addresses: { [mode]: running && mode !== 'none' && mode !== 'host' ? address : '' },
      ports: running ? bound : {},
      requestedPorts: run.publish === undefined ? {} : { [port80]: [run.publish] },
      requestedAddresses: run.publish === undefined ? {} : { [port80]: [run.publishOn ?? ''] },
      publishAll: run.publishAll ?? false,
      startedAt: 0,
    };
    this.#made.push({ on, view });
    if (status !== 'created') {
      this.#container(name, 'start', {
        ports: bound,
        networkMode: mode,
        command: run.command ?? '/bin/serve',
      });
    }
    return this;
  }

  /** myapp2 as the lab says, on port 32768. */
  runMyapp2(): this {
    return this.run({ name: 'myapp2', publish: '', port: 32768 });
  }

  /** `docker restart`: the same container, with the port and address that Docker gives it now. */
  restart(name: string, port: number, address?: string): this {
    this.stop(name);
    return this.start(name, port, address);
  }

  stop(name: string): this {
    this.#change(name, { running: false, status: 'exited', ports: {}, addresses: { bridge: '' } });
    for (const action of ['kill', 'die', 'stop']) this.#container(name, action, {});
    return this;
  }

  start(name: string, port: number, address = '172.17.0.2'): this {
    const ports = { '80/tcp': [port] };
    this.#change(name, { running: true, status: 'running', ports, addresses: { bridge: address } });
    this.#container(name, 'start', { ports, networkMode: 'bridge', command: '/bin/serve' });
    this.#container(name, 'restart', {});
    return this;
  }

  remove(name: string): this {
    const index = this.#made.findIndex((each) => each.view.name === name);
    this.#container(name, 'destroy', {});
    this.#made.splice(index, 1);
    return this;
  }

  rename(name: string, to: string): this {
    this.#change(name, { name: to });
    return this.#container(to, 'rename', {});
  }

  /** @param status how it ends, if it does */
  exec(name: string, command: string, status: number | 'never' = 0): this {
    this.#ids += 1;
    const exec = `e${this.#ids}`;
    this.#container(name, 'exec_start', { command, exec });
    return status === 'never' ? this : this.#container(name, 'exec_die', { exec, status });
  }

  /** @param text what the page says, where that is known */
  visit(url: string, outcome: VisitOutcome = 'page', status = 200, text?: string): this {
    const { hostname, port } = new URL(url);
    const answered = outcome === 'page' ? { status } : {};
    return this.signal({
      kind: 'visit',
      from: 'client',
      url,
      hostname,
      port: Number(port || 80),
      outcome,
      ...answered,
      ...(text !== undefined && { text }),
    });
  }

  /** The server noted that a check has passed. */
  pass(check: string): this {
    return this.signal({ kind: 'pass', check, about: 'past' });
  }

  answer(check: string, text: string): this {
    return this.signal({ kind: 'answer', check, text });
  }

  route(destination: string, via: string | undefined = '10.1.10.11'): this {
    this.routes.push({ destination, via, device: 'eth1' });
    return this;
  }

  createNetwork(name: string, { driver = 'bridge', on = 'server01' as Server } = {}): this {
    this.#networks[on][name] = network(name, `f00d${name}`.padEnd(64, '0'), driver, [
      '172.18.0.0/16',
    ]);
    return this;
  }

  /** `docker build`: on mycontainer:5.6, with one layer more, unless said otherwise. An empty name gives it none. */
  build(
    name: string,
    built: Partial<Pick<ImageView, 'id' | 'labels' | 'layers'>> & { readonly on?: Server } = {},
  ): this {
    this.#ids += 1;
    const { on = 'server01', id = `sha256:${this.#ids}`.padEnd(71, '0') } = built;
    const names = name === '' ? [] : [name];
    const view = { ...LABS_IMAGE, labels: {}, layers: [...LABS_IMAGE.layers, id], ...built, id };
    const steps = ['/bin/sh -c #(nop) COPY file:1 in /www ', 'CMD ["/bin/serve"]'];
    this.#built.unshift({ on, id, names, created: this.#ids, steps, view });
    return name === '' ? this : this.signal({ kind: 'image', host: on, action: 'tag', id, name });
  }

  /** A file of a host, or with no text a directory. @param stat its mode, owner, group and kind */
  file(host: string, path: string, stat: string, text?: string): this {
    this.#files.set(`${host}:${path}`, { stat, ...(text !== undefined && { text }) });
    return this;
  }

  /** What a command that reads says on a host, a script, or a probe: `probe 10.1.20.11 80`, `web> probe app`. */
  says(host: string, command: string, output: string, status = 0): this {
    this.#said.set(`${host}: ${command}`, { status, output });
    return this;
  }

  /** Something breaks on the servers. */
  broken(change: Partial<Pick<World, 'bridges' | 'rules' | 'sockets' | 'ipForward'>>): this {
    Object.assign(this, change);
    return this;
  }

  /** `iptables -F` takes the rules and leaves the policies. */
  flushed(table: RegExp): this {
    return this.broken({ rules: this.rules.filter((rule) => !table.test(rule)) });
  }

  signal(body: SignalBody): this {
    this.#signals.push({ ...body, seq: this.#signals.length + 1, at: 0 });
    return this;
  }

  /** What a check of the lab says about this world. */
  async ask(id: string): Promise<Verdict> {
    const check = lab.checks.find((each) => each.id === id);
    if (!check) throw new Error(`the lab has no check "${id}"`);
    return await check.test(this.view());
  }

  /** What a question says about this world. */
  async put(test: Test): Promise<Verdict> {
    return await test(this.view());
  }

  /** What a judge says about an answer in this world. */
  async judge(judge: Judge, given: string): Promise<Verdict> {
    return await judge(given, this.view());
  }

  /** The servers have an engine that drops what comes to a container by the direct way. */
  closesDirectWay(address = '172.17.0.2'): this {
    this.engine = '28.5.2';
    this.rules.push(`-A PREROUTING -d ${address}/32 ! -i docker0 -j DROP`);
    return this;
  }

  /** A value of the prose. */
  async value(id: string): Promise<string | undefined> {
    return await lab.values[id]?.read(this.view());
  }

  /** The hosts and the journal, as a check sees them. */
  view(): SandboxView {
    const signals = this.#signals;
    const host = (name: string) => this.#host(name);
    const of = <K extends SignalKind>(kind: K): SignalOf<K>[] =>
      signals.filter((signal): signal is SignalOf<K> => signal.kind === kind);
    return {
      host: (name) => this.#host(name),
      // New views each time, as the server's.
      get hosts() {
        return ['server01', 'server02', 'client'].map(host);
      },
      journal: { all: of, last: (kind, fits = () => true) => of(kind).findLast(fits) },
      signal: new AbortController().signal,
    };
  }

  #host(name: string): HostView {
    const here = this.#made.filter((each) => each.on === name);
    const find = (nameOrId: string) =>
      here.find(({ view }) => view.name === nameOrId || view.id === nameOrId);
    const networks = Object.values(this.#networks[name as Server] ?? {}).map((each) => ({
      ...each,
      containers: Object.fromEntries(
        here
          .filter(({ view }) => view.running && view.addresses[each.name])
          .map(({ view }) => [view.name, view.addresses[each.name] ?? '']),
      ),
    }));
    const images = this.#built.filter(({ on }) => on === name);
    const addresses: Record<string, string> = {
      server01: '10.1.10.11',
      server02: '10.1.10.12',
      client: '10.1.10.100',
    };
    return {
      name,
      aliases: name === 'server01' ? ['agent01', 'mesos-agent01'] : [],
      hasEngine: name !== 'client',
      address: addresses[name] ?? '',
      addresses: [addresses[name] ?? ''],
      get docker(): HostView['docker'] {
        throw new Error('no check of this lab asks the engine itself');
      },
      container: async (nameOrId) => find(nameOrId)?.view,
      containers: async () => here.map(({ view }) => view),
      engineVersion: async () => this.engine,
      image: async (nameOrId) => {
        if (nameOrId === IMAGE_ID || nameOrId.startsWith('mycontainer')) return LABS_IMAGE;
        return images.find(({ id, names }) => id === nameOrId || names.includes(nameOrId))?.view;
      },
      images: async () => images,
      imageSteps: async (id) => images.find((each) => each.id === id)?.steps ?? [],
      networks: async () => networks,
      routes: async () => (name === 'client' ? this.routes : this.bridges),
      addressOf: async (device) =>
        device === 'docker0' ? this.bridges[0] && '172.17.0.1' : addresses[name],
      firewall: async () => this.rules,
      read: async (path) => {
        if (path === '/proc/net/tcp') return this.sockets;
        if (path.startsWith('/proc')) return this.ipForward;
        return this.#files.get(`${name}:${path}`)?.text;
      },
      ask: async (command) => {
        const said = this.#said.get(`${name}: ${command.join(' ')}`);
        const path = command[0] === 'stat' ? (command.at(-1) ?? '') : '';
        const file = this.#files.get(`${name}:${path}`) ?? (path.startsWith('/proc') && {});
        if (!file) return said ?? { status: path === '' ? 0 : 1, output: '' };
        return { status: 0, output: file.stat ?? '444 root root regular file' };
      },
      probe: async (to, port, from) => {
        const inside = from === undefined ? '' : `${find(from)?.view.name}> `;
        const line = `${inside}probe ${to}${port === undefined ? '' : ` ${port}`}`;
        return this.#said.get(`${name}: ${line}`) ?? { status: 1, output: '' };
      },
      script: async (lines) => this.#said.get(`${name}: ${lines}`) ?? { status: 1, output: '' },
    };
  }

  #change(name: string, change: Partial<ContainerView>): void {
    const made = this.#made.find((each) => each.view.name === name);
    if (made) made.view = { ...made.view, ...change };
  }

  #container(
    name: string,
    action: string,
    rest: Partial<
      Pick<SignalOf<'container'>, 'ports' | 'networkMode' | 'command' | 'exec' | 'status'>
    >,
  ): this {
    const made = this.#made.findLast((each) => each.view.name === name);
    if (!made) throw new Error(`no container ${name}`);
    const { on, view } = made;
    return this.signal({
      kind: 'container',
      host: on,
      action,
      id: view.id,
      name,
      image: view.image,
      ...rest,
    });
  }
}

/** A command as Docker keeps it; what a shell is told is one word. */
function wordsOf(command: string): readonly string[] {
  const [, shell = '', script = ''] = /^(sh) -c (.*)$/.exec(command) ?? [];
  return shell === '' ? command.split(' ') : [shell, '-c', script];
}

function network(
  name: string,
  id: string,
  driver: string,
  subnets: readonly string[] = [],
): NetworkView {
  return { name, id, driver, subnets, containers: {} };
}
