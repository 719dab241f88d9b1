import type { ContainerView, HostView, NetworkView, PublishedPorts, RouteView } from '#lab';
import type { Dockerode } from '../engine/engine.ts';
import type { Host } from './host.ts';

/**
 * A host as a check sees it: to ask and never to change. Made for one run of the checks; a question asked twice in a
 * run is asked of the host once, so that every check of the run sees the same world.
 */
export function viewOf(host: Host, signal: AbortSignal): HostView {
  const asked = new Map<string, Promise<unknown>>();
  const once = <T>(question: string, ask: () => Promise<T>): Promise<T> => {
    const known = asked.get(question) as Promise<T> | undefined;
    if (known) return known;
    const answer = ask();
    asked.set(question, answer);
    return answer;
  };
  const read = async (argv: readonly string[]): Promise<string> => {
    const { status, said } = await host.ask(argv, signal);
    if (status !== 0) throw new Error(`${argv.join(' ')} on ${host.name}: ${said}`);
    return said;
  };
  const view: HostView = {
    name: host.name,
    aliases: host.spec.aliases,
    hasEngine: host.spec.hasEngine,
    address: host.spec.address,
    get docker() {
      return readingOnly(host.docker);
    },
    container: (nameOrId) =>
      once(`container ${nameOrId}`, async () => {
        const found = await host.docker.getContainer(nameOrId).inspect().catch(undefinedIfNotFound);
        return found && containerView(found);
      }),
    containers: () =>
      once('containers', async () => {
        const all = await host.docker.listContainers({ all: true });
        const views = await Promise.all(all.map(({ Id }) => view.container(Id)));
        return views.filter((each) => each !== undefined);
      }),
    networks: () =>
      once('networks', async () => {
        const all = await host.docker.listNetworks();
        return Promise.all(
          all.map(async ({ Id }) => networkView(await host.docker.getNetwork(Id).inspect())),
        );
      }),
    routes: () =>
      once('routes', async () => parseRoutes(await read(['ip', '-j', '-4', 'route', 'show']))),
    addressOf: (device) =>
      once(`address ${device}`, async () => {
        const { status, said } = await host.ask(
          ['ip', '-j', '-4', 'addr', 'show', 'dev', device],
          signal,
        );
        if (status !== 0) return undefined;
        const [link] = JSON.parse(said) as { addr_info?: { local?: string }[] }[];
        return link?.addr_info?.[0]?.local;
      }),
    read: (path) => once(`read ${path}`, () => read(['cat', path])),
  };
  return view;
}

/** A check changes nothing: of the engine's API it gets the requests that read. */
function readingOnly(docker: Dockerode): Dockerode {
  const guarded: Dockerode = Object.create(docker);
  const modem: Dockerode['modem'] = Object.create(docker.modem);
  modem.dial = (options, callback) => {
    const reads = options.method === 'GET' || options.method === 'HEAD';
    if (reads) return docker.modem.dial(options, callback);
    callback?.(new Error(`A check may only read; it asked for ${options.method}`), null);
  };
  guarded.modem = modem;
  return guarded;
}

function undefinedIfNotFound(error: { statusCode?: number }): undefined {
  if (error.statusCode === 404) return undefined;
  throw error;
}

function containerView(found: Dockerode.ContainerInspectInfo): ContainerView {
  const networks = Object.entries(found.NetworkSettings.Networks ?? {});
  return {
    id: found.Id,
    name: found.Name.replace(/^\//, ''),
    image: found.Config.Image,
    running: found.State.Running,
    status: found.State.Status,
    exitCode: found.State.ExitCode,
    // Docker 26 and newer say "bridge" for what older ones call "default".
    networkMode: (found.HostConfig.NetworkMode ?? 'bridge').replace(/^default$/, 'bridge'),
    addresses: Object.fromEntries(networks.map(([name, network]) => [name, network.IPAddress])),
    ports: publishedPorts(found.NetworkSettings.Ports),
    requestedPorts: Object.fromEntries(
      Object.entries((found.HostConfig.PortBindings ?? {}) as PortMap).map(([port, bindings]) => [
        port,
        (bindings ?? []).map(({ HostPort }) => (HostPort === '0' ? '' : (HostPort ?? ''))),
      ]),
    ),
    publishAll: found.HostConfig.PublishAllPorts ?? false,
    startedAt: Date.parse(found.State.StartedAt),
  };
}

type PortMap = Readonly<Record<string, readonly { readonly HostPort?: string }[] | null>>;

/** Docker's port map (an entry per address family) as container port to host ports. */
export function publishedPorts(ports: PortMap | undefined): PublishedPorts {
  const published: Record<string, readonly number[]> = {};
  for (const [port, bindings] of Object.entries(ports ?? {})) {
    const hostPorts = (bindings ?? []).map(({ HostPort }) => Number(HostPort)).filter(Boolean);
    if (hostPorts.length > 0) published[port] = [...new Set(hostPorts)];
  }
  return published;
}

function networkView(found: Dockerode.NetworkInspectInfo): NetworkView {
  return {
    id: found.Id,
    name: found.Name,
    driver: found.Driver,
    subnets: (found.IPAM?.Config ?? []).map(({ Subnet }) => Subnet ?? ''),
    containers: Object.fromEntries(
      Object.values(found.Containers ?? {}).map(({ Name, IPv4Address }) => [
        Name,
        IPv4Address.split('/', 1)[0] ?? '',
      ]),
    ),
  };
}

function parseRoutes(json: string): readonly RouteView[] {
  const routes = JSON.parse(json || '[]') as { dst: string; gateway?: string; dev: string }[];
  return routes.map(({ dst, gateway, dev }) => ({
    // iproute2 leaves out the length of a route to one address.
    destination: dst === 'default' || dst.includes('/') ? dst : `${dst}/32`,
    via: gateway,
    device: dev,
  }));
}
