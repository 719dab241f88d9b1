import {
  type ContainerView,
  CouldNotCheck,
  type HostView,
  type NetworkView,
  type PublishedPorts,
  type RouteView,
} from '#lab';
import type { Dockerode } from '../engine/engine.ts';
import type { Host } from './host.ts';
import { readOnlyDocker } from './read-only-docker.ts';

/** A file of `/proc` or `/etc` is a few hundred bytes; this much of any other is enough to know it. */
const FILE_BYTES = 64 * 1024;
/** Only a regular file can be read without changing anything: a pipe or a device would lose what is read. */
const READ_FILE = `[ -f "$1" ] || { echo "no such file"; exit 1; }; head -c ${FILE_BYTES} -- "$1"`;

/**
 * A host as a check sees it: to ask and never to change. Made for one run of the checks; a question asked twice in a
 * run is asked of the host once, so that every check of the run sees the same world. Where the host cannot answer, a
 * {@link CouldNotCheck} says why.
 */
export function hostView(host: Host, deadline: AbortSignal): HostView {
  const signal = AbortSignal.any([deadline, host.availability]);
  const explain = (error: unknown) => explained(host, error);
  const asked = new Map<string, Promise<string>>();
  const run = async (argv: readonly string[]): Promise<string> => {
    if (argv.some((word) => word.includes('\n'))) {
      throw new Error('a question to a host is one line');
    }
    const question = argv.join('\0');
    const answer = asked.get(question) ?? ask(host, argv, signal);
    asked.set(question, answer);
    return answer;
  };
  let docker: Dockerode | undefined;
  const engine = () => {
    docker ??= readOnlyDocker(host.docker, signal, explain);
    return docker;
  };
  const view: HostView = {
    name: host.name,
    aliases: host.spec.aliases,
    hasEngine: host.spec.hasEngine,
    address: host.spec.address,
    get docker() {
      return engine();
    },
    container: async (nameOrId) => {
      const found = await engine().getContainer(nameOrId).inspect().catch(undefinedIfNotFound);
      return found && containerView(found, await isSteady(host, engine(), found));
    },
    containers: async () => {
      const all = await engine().listContainers({ all: true });
      const views = await Promise.all(all.map(({ Id }) => view.container(Id)));
      return views.filter((each) => each !== undefined);
    },
    networks: async () => {
      const all = await engine().listNetworks();
      const found = await Promise.all(
        all.map(({ Id }) => engine().getNetwork(Id).inspect().catch(undefinedIfNotFound)),
      );
      return found.filter((each) => each !== undefined).map(networkView);
    },
    routes: async () => parseRoutes(await run(['ip', '-j', '-4', 'route', 'show'])),
    addressOf: async (device) => {
      // All of them: the question then does not fail where there is no such interface.
      const links = JSON.parse(await run(['ip', '-j', '-4', 'addr', 'show'])) as Link[];
      return links.find(({ ifname }) => ifname === device)?.addr_info?.[0]?.local;
    },
    read: (path) => run(['sh', '-c', READ_FILE, 'read', path]),
  };
  return view;
}

interface Link {
  readonly ifname: string;
  readonly addr_info?: readonly { readonly local?: string }[];
}

async function ask(host: Host, argv: readonly string[], signal: AbortSignal): Promise<string> {
  const { status, output: said } = await host.exec(argv, signal).catch((error: Error) => {
    throw silence(host, error, host.name);
  });
  if (status !== 0) throw new Error(`${argv.join(' ')} on ${host.name}: ${said}`);
  return said;
}

/** What a check gets to see of an error of a host's engine: who could not answer and why, where that is what it says. */
function explained(host: Host, error: unknown): unknown {
  const { statusCode, message } = error as Error & { readonly statusCode?: number };
  const engine = `the Docker Engine of ${host.name}`;
  if (statusCode === undefined) return silence(host, error as Error, engine);
  if (statusCode < SERVER_ERROR) return error;
  return new CouldNotCheck(`${engine} could not say: ${message.trim()}.`);
}

/** There was no answer at all: because the host is away, the question was given up, or the line broke. */
function silence(host: Host, error: Error, who: string): unknown {
  if (host.availability.aborted) return host.availability.reason;
  if (error.name === 'AbortError' || error.name === 'TimeoutError') return error;
  return new CouldNotCheck(`${who} does not answer; it may be restarting.`);
}

/** HTTP: from here on the fault is the engine's, not the question's. */
const SERVER_ERROR = 500;

/** What an image starts and by which names it is known; an image's id is made of its content, so it is asked once. */
type Image = { readonly program: string; readonly tags: readonly string[] };
const imagesOf = new WeakMap<Host, Map<string, Promise<Image>>>();

/** Whether a container runs the own program of an image that the lab brought. */
async function isSteady(
  host: Host,
  docker: Dockerode,
  { Image: id, Path, Args }: Dockerode.ContainerInspectInfo,
): Promise<boolean> {
  const known = imagesOf.get(host) ?? new Map<string, Promise<Image>>();
  imagesOf.set(host, known);
  const asked = known.get(id) ?? imageOf(docker, id);
  known.set(id, asked);
  // An image may have been removed under its container; then nobody vouches for it.
  asked.catch(() => known.delete(id));
  const image = await asked.catch(undefinedIfNotFound);
  if (!image) return false;
  return (
    image.tags.some((tag) => host.spec.images.includes(tag)) &&
    image.program === [Path, ...Args].join('\0')
  );
}

async function imageOf(docker: Dockerode, id: string): Promise<Image> {
  const { Config, RepoTags } = await docker.getImage(id).inspect();
  const program = [...[Config.Entrypoint ?? []].flat(), ...(Config.Cmd ?? [])].join('\0');
  return { program, tags: RepoTags ?? [] };
}

/** Gone between the list and the look is the same as never there. */
function undefinedIfNotFound(error: { statusCode?: number }): undefined {
  if (error.statusCode === 404) return undefined;
  throw error;
}

function containerView(found: Dockerode.ContainerInspectInfo, steady: boolean): ContainerView {
  const networks = Object.entries(found.NetworkSettings.Networks ?? {});
  return {
    id: found.Id,
    name: found.Name.replace(/^\//, ''),
    image: found.Config.Image,
    // Docker calls a container that waits for its next start running as well.
    running: found.State.Running && !found.State.Restarting,
    longRunning: steady,
    restarts: found.RestartCount,
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
