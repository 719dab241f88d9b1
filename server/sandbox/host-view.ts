import {
  type CommandAnswer,
  type ContainerView,
  CouldNotCheck,
  type HostView,
  type ImageView,
  type NetworkView,
  type PublishedPorts,
  type RouteView,
} from '#lab';
import type { Dockerode } from '../engine/engine.ts';
import { OutputLimitError } from '../engine/output-limit.ts';
import type { Host } from './host.ts';
import { readOnlyDocker } from './read-only-docker.ts';
import { sleepingDocker } from './sleeping-docker.ts';

/** A file of `/proc` or `/etc` is a few hundred bytes; this much of any other is enough to know it. */
const FILE_BYTES = 64 * 1024;
/** Only a regular file can be read without changing anything: a pipe or a device would lose what is read. */
const READ_FILE = `[ -f "$1" ] || exit 66; head -c ${FILE_BYTES} -- "$1"`;
/** How it ends where there is no such file (sysexits.h: EX_NOINPUT); `head` ends with 1 at most. */
const NO_FILE = 66;

/** How the commands begin that a check can run (`ReadingCommand`), for labs that their types have not kept from others. */
const READING =
  /^((setpriv --reuid=learner --regid=learner --clear-groups )?ss -Hl[tu]np$|stat -Lc |id -Gn -- |getent (passwd|group) |ps -eo |ip -j -4 route get |curl -q -s -m 2 --noproxy \* --max-filesize 65536 -H )/;

/** Docker makes some 40 rules, and two for each port. Whoever has more than fit is told nothing of them. */
const RULES_BYTES = 64 * 1024;
/** Docker's have some 100 characters. A longer one is nobody's to look through. */
const LONGEST_RULE = 400;
const READ_RULES = `iptables-save 2>/dev/null | head -c ${RULES_BYTES}`;

/** On the wires of a lab an answer takes less than a millisecond; what has not come by now is lost. */
const PROBE_SECONDS = 1;
/** The same with the look-up of a name before it, which may be answered late. */
const NAMED_PROBE_SECONDS = 3;
/**
 * Runs what follows by the names that a container knows: its files of them take the place of the host's, for this alone.
 * Docker asks further for a name that it does not know, and nobody answers it; what it knows it says at once.
 */
const WITH_NAMES =
  'for file in resolv.conf hosts; do if [ -f "$1" ]; then mount --bind "$1" /etc/$file || exit 125; fi; shift; done; RES_OPTIONS="timeout:1 attempts:1" exec "$@"';

/** Leaves the rest of a check's five seconds to the questions beside it. */
const SCRIPT_SECONDS = 3;
/** So much of what it says last is looked at. */
const SCRIPT_BYTES = 2_048;
/** A question is one line, so the lines come encoded. What they leave in the background may hold no output open. */
const RUN_SCRIPT = `
lines=$(printf %s "$1" | base64 -d)
timeout -k 1 ${SCRIPT_SECONDS} bash -c "$lines" 2>&1 </dev/null | tail -c ${SCRIPT_BYTES}
exit "\${PIPESTATUS[0]}"`
  .trim()
  .replaceAll('\n', '; ');
/** How `timeout` ends where it had to end the command, by SIGTERM or by SIGKILL. */
const TIMED_OUT: readonly number[] = [124, 137];
/** The command itself has its limit; this one is for a host that no longer heeds it (ms). */
const SLOW_ANSWER_MS = 1_000 * (SCRIPT_SECONDS + 1.5);

const MAY_RESTART = 'does not answer; it may be restarting.';

/** Debian's engines say `28.5.2+dfsg4`. */
const VERSION = /^[\d.]+/;

/** A lab has some ten of each. One who makes thousands keeps the engine from answering anything else. */
const LOOKED_AT_MOST = 256;

/**
 * A host as a check sees it: to ask and never to change. It remembers nothing: each call asks the host, until the
 * deadline. Where the host cannot answer, a {@link CouldNotCheck} says why.
 */
export function hostView(host: Host, deadline: AbortSignal): HostView {
  const signal = AbortSignal.any([deadline, host.availability]);
  const engine = () => {
    const docker = host.isAsleep ? sleepingDocker(host, signal) : host.docker;
    return readOnlyDocker(docker, signal, (error) => explained(host, error, signal));
  };
  const run = (argv: readonly string[]) => ask(host, argv, signal);
  const container = async (docker: Dockerode, nameOrId: string) => {
    const found = await docker.getContainer(nameOrId).inspect().catch(undefinedIfNotFound);
    return found && containerView(found);
  };
  return {
    name: host.name,
    aliases: host.spec.aliases,
    hasEngine: host.spec.hasEngine,
    address: host.spec.address,
    addresses: host.spec.interfaces.map(({ address }) => address),
    get docker() {
      return engine();
    },
    container: async (nameOrId) => await container(engine(), nameOrId),
    containers: async () => {
      const docker = engine();
      const all = await docker.listContainers({ all: true });
      return await eachOf(host, 'containers', all, ({ Id }) => container(docker, Id));
    },
    engineVersion: async () => VERSION.exec((await engine().version()).Version)?.[0] ?? '',
    image: async (nameOrId) => {
      const found = await engine().getImage(nameOrId).inspect().catch(undefinedIfNotFound);
      return found && imageView(found, host.spec.images);
    },
    images: async () => {
      const all = await engine().listImages();
      assertFew(host, 'images', all);
      return all.map(({ Id, RepoTags, Created }) => ({
        id: Id,
        names: (RepoTags ?? []).filter((name) => name !== NO_NAME),
        created: Created,
      }));
    },
    imageSteps: async (id) => {
      // The types of dockerode leave it open what a history is.
      const steps = (await engine().getImage(id).history()) as readonly { CreatedBy?: unknown }[];
      assertFew(host, 'layers of an image', steps);
      return steps.map(({ CreatedBy }) => String(CreatedBy ?? '').slice(0, STEP_CHARACTERS));
    },
    networks: async () => {
      const docker = engine();
      const all = await docker.listNetworks();
      return await eachOf(host, 'networks', all, async ({ Id }) => {
        const found = await docker.getNetwork(Id).inspect().catch(undefinedIfNotFound);
        return found && networkView(found);
      });
    },
    routes: async () => parseRoutes(await run(['ip', '-j', '-4', 'route', 'show'])),
    addressOf: async (device) => {
      // All of them: the question then does not fail where there is no such interface.
      const links = JSON.parse(await run(['ip', '-j', '-4', 'addr', 'show'])) as Link[];
      return links.find(({ ifname }) => ifname === device)?.addr_info?.[0]?.local;
    },
    firewall: async () => parseRules(await run(['sh', '-c', READ_RULES])),
    read: async (path) => {
      const { status, output } = await answer(host, ['sh', '-c', READ_FILE, 'read', path], signal);
      if (status === NO_FILE) return undefined;
      if (status !== 0) throw new Error(`${path} on ${host.name}: ${output}`);
      return output;
    },
    ask: async (command) => {
      const line = command.join(' ');
      if (!READING.test(line)) {
        throw new Error(
          `A check may only read; it asked for ${line}. What ask runs stands on the authors’ page of checks; for all else there is script('…')`,
        );
      }
      return await answer(host, command, signal);
    },
    probe: async (to, port, from) => {
      const send =
        port === undefined
          ? ['ping', '-4', '-n', '-c', '1', '-W', `${PROBE_SECONDS}`, to]
          : ['nc', '-4', '-z', '-v', '-w', `${PROBE_SECONDS}`, to, `${port}`];
      const limited = ['timeout', '-k', '1', `${NAMED_PROBE_SECONDS}`, ...send];
      if (from === undefined) return await slowAnswer(host, limited, signal);
      const found = await engine().getContainer(from).inspect().catch(undefinedIfNotFound);
      if (!found?.State.Pid) throw new CouldNotCheck(`${from} does not run on ${host.name}.`);
      const network = ['nsenter', `--net=/proc/${found.State.Pid}/ns/net`, 'unshare', '--mount'];
      const named = ['sh', '-c', WITH_NAMES, 'probe', found.ResolvConfPath, found.HostsPath];
      return await slowAnswer(host, [...network, ...named, ...limited], signal);
    },
    script: async (lines) => {
      const encoded = Buffer.from(lines).toString('base64');
      const said = await slowAnswer(host, ['bash', '-c', RUN_SCRIPT, 'script', encoded], signal);
      if (!TIMED_OUT.includes(said.status)) return said;
      throw new CouldNotCheck(`its script took longer than ${SCRIPT_SECONDS} s on ${host.name}.`);
    },
  };
}

/** As {@link answer}, for what takes seconds. */
async function slowAnswer(
  host: Host,
  argv: readonly string[],
  signal: AbortSignal,
): Promise<CommandAnswer> {
  return await host.execSlow(argv, signal, SLOW_ANSWER_MS).catch((error: Error) => {
    throw commandNotAnswered(host, error, signal);
  });
}

/**
 * What a look at each of a host's things finds; those that are gone meanwhile are left out.
 *
 * @throws CouldNotCheck where there are too many to look at
 */
async function eachOf<Listed, View>(
  host: Host,
  what: string,
  all: readonly Listed[],
  look: (each: Listed) => Promise<View | undefined>,
): Promise<readonly View[]> {
  assertFew(host, what, all);
  const found = await Promise.all(all.map(look));
  return found.filter((each) => each !== undefined);
}

/** @throws CouldNotCheck where there are too many to look at */
function assertFew({ name }: Host, what: string, all: readonly unknown[]): void {
  if (all.length <= LOOKED_AT_MOST) return;
  throw new CouldNotCheck(
    `${name} has ${all.length} ${what}; checks look at ${LOOKED_AT_MOST} at most. Remove those that you do not need.`,
  );
}

interface Link {
  readonly ifname: string;
  readonly addr_info?: readonly { readonly local?: string }[];
}

/** @throws Error where the command fails */
async function ask(host: Host, argv: readonly string[], signal: AbortSignal): Promise<string> {
  const { status, output } = await answer(host, argv, signal);
  if (status !== 0) throw new Error(`${argv.join(' ')} on ${host.name}: ${output}`);
  return output;
}

async function answer(
  host: Host,
  argv: readonly string[],
  signal: AbortSignal,
): Promise<CommandAnswer> {
  if (argv.some((word) => word.includes('\n'))) {
    throw new Error('a question to a host is one line');
  }
  return await host.exec(argv, signal).catch((error: Error) => {
    throw commandNotAnswered(host, error, signal);
  });
}

/** What a check gets to see of an error of a host's engine: who could not answer and why, where that is what it says. */
async function explained(host: Host, error: unknown, signal: AbortSignal): Promise<unknown> {
  if (error instanceof CouldNotCheck) return error;
  const { statusCode, message } = error as Error & { readonly statusCode?: number };
  const engine = `the Docker Engine of ${host.name}`;
  if (statusCode === undefined) {
    const why = await whyEngineIsDown(host, signal);
    return noAnswer(host, error as Error, engine, why);
  }
  if (statusCode < SERVER_ERROR) return error;
  return new CouldNotCheck(`${engine} could not say: ${message.trim()}.`);
}

/** Why a host's engine does not answer, as a half-sentence: a learner may have stopped it, or what it is to read is wrong. */
async function whyEngineIsDown(host: Host, signal: AbortSignal): Promise<string> {
  const down = await host.whyEngineIsDown(signal);
  switch (down.kind) {
    case 'silent':
      return MAY_RESTART;
    case 'stopped':
      return 'was stopped. Start it there: sudo systemctl start docker.';
    case 'failed':
      return `does not start. It says: ${down.words} (sudo systemctl restart docker, once that is put right)`;
  }
}

/** Why a command got no answer. Where the host's shell has a limit of its own, the question itself may still have time. */
function commandNotAnswered(host: Host, error: Error, signal: AbortSignal): unknown {
  if (error.name === 'TimeoutError' && !signal.aborted && !host.availability.aborted) {
    return new CouldNotCheck(`${host.name} did not answer in time; it may be busy.`);
  }
  return noAnswer(host, error, host.name);
}

/** There was no answer at all: because the host is away, the question was given up, or the line broke. */
function noAnswer(host: Host, error: Error, who: string, why = MAY_RESTART): unknown {
  if (host.availability.aborted) return host.availability.reason;
  if (error.name === 'AbortError' || error.name === 'TimeoutError') return error;
  if (error instanceof OutputLimitError) {
    return new CouldNotCheck(`${who} said more than ${error.limit}.`);
  }
  return new CouldNotCheck(`${who} ${why}`);
}

/** HTTP: from here on the fault is the engine's, not the question's. */
const SERVER_ERROR = 500;

/** What older engines list for an image without a name. */
const NO_NAME = '<none>:<none>';
/** A step of a Dockerfile is a line or two; a script in one may be long. */
const STEP_CHARACTERS = 2_000;

/** Gone between the list and the look is the same as never there. */
function undefinedIfNotFound(error: { statusCode?: number }): undefined {
  if (error.statusCode === 404) return undefined;
  throw error;
}

function imageView(
  { Id, Config, RepoTags, RootFS }: Dockerode.ImageInspectInfo,
  labs: readonly string[],
): ImageView {
  return {
    id: Id,
    command: [...[Config.Entrypoint ?? []].flat(), ...(Config.Cmd ?? [])],
    isLabs: (RepoTags ?? []).some((tag) => labs.includes(tag)),
    labels: Config.Labels ?? {},
    layers: RootFS?.Layers ?? [],
  };
}

function containerView(found: Dockerode.ContainerInspectInfo): ContainerView {
  const networks = Object.entries(found.NetworkSettings.Networks ?? {});
  const asked = Object.entries((found.HostConfig.PortBindings ?? {}) as PortMap);
  return {
    id: found.Id,
    name: found.Name.replace(/^\//, ''),
    image: found.Config.Image,
    imageId: found.Image,
    command: [found.Path, ...found.Args],
    // Docker calls a container that waits for its next start running as well.
    running: found.State.Running && !found.State.Restarting,
    restarts: found.RestartCount,
    status: found.State.Status,
    exitCode: found.State.ExitCode,
    // Docker 26 and newer say "bridge" for what older ones call "default".
    networkMode: (found.HostConfig.NetworkMode ?? 'bridge').replace(/^default$/, 'bridge'),
    addresses: Object.fromEntries(networks.map(([name, network]) => [name, network.IPAddress])),
    ports: publishedPorts(found.NetworkSettings.Ports),
    requestedPorts: Object.fromEntries(
      asked.map(([port, bindings]) => [
        port,
        (bindings ?? []).map(({ HostPort }) => (HostPort === '0' ? '' : (HostPort ?? ''))),
      ]),
    ),
    requestedAddresses: Object.fromEntries(
      asked.map(([port, bindings]) => [port, (bindings ?? []).map(({ HostIp }) => HostIp ?? '')]),
    ),
    publishAll: found.HostConfig.PublishAllPorts ?? false,
    startedAt: Date.parse(found.State.StartedAt),
  };
}

type PortMap = Readonly<
  Record<string, readonly { readonly HostIp?: string; readonly HostPort?: string }[] | null>
>;

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

/** Without the counts of packets, which stand behind a chain's policy. */
function parseRules(saved: string): readonly string[] {
  if (saved.length >= RULES_BYTES - 1) return [];
  const lines = saved.split('\n').filter(({ length }) => length <= LONGEST_RULE);
  return lines.flatMap((line) => /^(-A .*|:\S+ \S+)/.exec(line)?.[1] ?? []);
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
