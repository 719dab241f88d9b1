import { distance } from 'fastest-levenshtein';
import type { Fix, Verdict } from '../verdict.ts';
import type { ContainerView, HostView, SandboxView } from '../view.ts';
import { otherEngines, verdictWith } from './assertion.ts';
import { CONTAINER_MESSAGES, type ContainerMessage } from './container-messages.ts';
import { isFromImage, runsImagesProgram } from './container-origin.ts';
import {
  type ContainerSpec,
  hostPortOf,
  isConnectable,
  loopbackOnly,
  published,
  runCommand,
  titleOf,
  type WantedPort,
  writtenHostSide,
} from './container-spec.ts';
import { bridgeGone } from './obstacle.ts';

/** What a search for a container finds: one that is as wanted, or what is wrong. */
export type Finding =
  | { readonly found: true; readonly container: ContainerView }
  | { readonly found: false; readonly verdict: Verdict };

/** One thing that is wrong with a container; the larger the stage, the closer the learner has come. */
interface Problem {
  readonly stage: number;
  readonly key: ContainerMessage;
  readonly verdict: Verdict;
}

/** A look at one container: `undefined` where this is as wanted. */
type Look = (
  wanted: ContainerSpec,
  host: HostView,
  container: ContainerView,
) => Promise<Omit<Problem, 'stage'> | undefined> | Omit<Problem, 'stage'> | undefined;

/** In the order in which a learner would fix them: no port helps a container of the wrong image. */
const LOOKS: readonly Look[] = [
  imageOf,
  newestOf,
  pausedOr,
  commandOf,
  stateOf,
  networkOf,
  portsOf,
];
/** A container with one of these is the right one but for a detail, whatever its name. */
const DETAILS: readonly ContainerMessage[] = [
  'fixedPort',
  'portRange',
  'otherHostPort',
  'loopback',
];

/** Finds the container that is wanted, or what is wrong. */
export async function findContainer(wanted: ContainerSpec, sandbox: SandboxView): Promise<Finding> {
  const host = sandbox.host(wanted.host);
  let closest: Problem | undefined;
  for (const container of await candidates(wanted, host)) {
    const problem = await firstProblem(wanted, host, container);
    if (!problem) return { found: true, container };
    if (!closest || problem.stage > closest.stage) closest = problem;
  }
  return { found: false, verdict: closest?.verdict ?? (await whereIsIt(wanted, sandbox, host)) };
}

/** The containers of a host that may be meant: the one of that name, or all that fit by image or network. */
export async function candidates(
  wanted: ContainerSpec,
  host: HostView,
): Promise<readonly ContainerView[]> {
  if (wanted.name !== undefined) {
    const named = await host.container(wanted.name);
    return named ? [named] : [];
  }
  const all = await host.containers();
  const { image, network } = wanted;
  if (network !== undefined) return all.filter((container) => isOn(container, network));
  if (image === undefined) return all;
  const fits = await Promise.all(all.map((container) => isFromImage(host, container, image)));
  return all.filter((_, index) => fits[index]);
}

async function firstProblem(
  wanted: ContainerSpec,
  host: HostView,
  container: ContainerView,
): Promise<Problem | undefined> {
  for (const [stage, look] of LOOKS.entries()) {
    const problem = await look(wanted, host, container);
    if (problem) return { stage, ...problem };
  }
  return undefined;
}

/** No container of the host fits: one on another host may, or one by another name. */
async function whereIsIt(
  wanted: ContainerSpec,
  sandbox: SandboxView,
  host: HostView,
): Promise<Verdict> {
  const { name } = wanted;
  for (const other of otherEngines(sandbox, wanted.host)) {
    const [there] = await candidates(wanted, other);
    if (there && (name !== undefined || wanted.network !== undefined)) {
      return message(wanted, 'onOtherHost', there.name, other.name, there.name, {
        host: other.name,
        command: `docker rm -f ${there.name}`,
      });
    }
  }
  if (name !== undefined && wanted.image !== undefined) {
    for (const other of await host.containers()) {
      if (!other.running || !couldBe(other.name, wanted)) continue;
      const problem = await firstProblem(wanted, host, other);
      if (problem && !DETAILS.includes(problem.key)) continue;
      return message(wanted, 'otherName', other.name, other.name, name, {
        host: wanted.host,
        command: `docker rename ${other.name} ${name}`,
      });
    }
  }
  return message(wanted, 'missing', titleOf(wanted));
}

/** The most letters that may differ for one name to be a slip of the other. */
const SLIP = 2;
/** Names that Docker makes up: `quirky_hopper`, `quirky_hopper3`. */
const MADE_UP = /^[a-z]+_[a-z]+\d?$/;

/**
 * Whether a container of another name may be the one that was meant. One that publishes the same port is; otherwise two
 * containers of one image are nothing unusual, so its name has to be a slip or one that Docker made up.
 */
function couldBe(name: string, wanted: ContainerSpec): boolean {
  if (wanted.ports.length > 0) return true;
  return wanted.name !== undefined && (MADE_UP.test(name) || isSlip(name, wanted.name));
}

/** `web1` is no slip of `web2`: numbers are given on purpose. */
function isSlip(given: string, wanted: string): boolean {
  const numbered = /\d$/.test(given) && /\d$/.test(wanted);
  return !numbered && distance(given, wanted) <= SLIP;
}

async function imageOf(wanted: ContainerSpec, host: HostView, container: ContainerView) {
  const { image } = wanted;
  if (image === undefined || (await isFromImage(host, container, image))) return;
  return problem(
    wanted,
    'wrongImage',
    container,
    container.image,
    image,
    remade(wanted, container),
  );
}

async function newestOf(wanted: ContainerSpec, host: HostView, container: ContainerView) {
  const image = wanted.image ?? container.image;
  if (!wanted.newest || (await host.image(image))?.id === container.imageId) return;
  return problem(wanted, 'olderImage', container, '', image, remade(wanted, container));
}

function pausedOr(wanted: ContainerSpec, _host: HostView, container: ContainerView) {
  if (!wanted.runs || container.status !== 'paused') return;
  const command = `docker unpause ${container.name}`;
  return problem(wanted, 'paused', container, '', '', { host: wanted.host, command });
}

async function commandOf(wanted: ContainerSpec, host: HostView, container: ContainerView) {
  if (!wanted.imagesCommand || (await runsImagesProgram(host, container))) return;
  const image = wanted.image ?? container.image;
  return problem(wanted, 'ownCommand', container, '', image, remade(wanted, container));
}

async function stateOf(wanted: ContainerSpec, host: HostView, container: ContainerView) {
  // Whether it goes on running is for the server to wait out (server/checks/read-cache.ts).
  if (!wanted.runs || container.running) return;
  const gone = await bridgeGone(host, container);
  if (gone) return { key: 'stopped' as const, verdict: gone };
  const start = { host: wanted.host, command: `docker start ${container.name}` };
  if (container.status === 'created') {
    return problem(wanted, 'neverStarted', container, '', '', start);
  }
  if (await runsImagesProgram(host, container)) {
    return problem(wanted, 'stopped', container, '', '', start);
  }
  const image = wanted.image ?? container.image;
  return problem(wanted, 'ended', container, '', image, remade(wanted, container));
}

function networkOf(wanted: ContainerSpec, _host: HostView, container: ContainerView) {
  const { network } = wanted;
  if (network === undefined || isOn(container, network)) return;
  const shared = SHARED.test(container.networkMode) ? container.networkMode : '';
  const found = Object.keys(container.addresses).join(' and ') || shared;
  const fix =
    network === 'host' || network === 'none' || !isConnectable(container)
      ? remade(wanted, container)
      : { host: wanted.host, command: `docker network connect ${network} ${container.name}` };
  const key = found === '' ? 'noNetwork' : 'wrongNetwork';
  return problem(wanted, key, container, found, network, fix);
}

function portsOf(wanted: ContainerSpec, _host: HostView, container: ContainerView) {
  for (const port of wanted.ports) {
    const problem = portOf(wanted, container, port);
    if (problem) return problem;
  }
  return;
}

function portOf(wanted: ContainerSpec, container: ContainerView, port: WantedPort) {
  const { networkMode, requestedPorts, publishAll, ports } = container;
  const right = published(port);
  const tell = (key: ContainerMessage, found: string) =>
    problem(wanted, key, container, found, right, remade(wanted, container));
  if (networkMode === 'none' || networkMode === 'host') return tell('noPortsThere', networkMode);
  const asked = requestedPorts[port.port];
  if (asked === undefined && !publishAll) {
    const others = Object.keys(requestedPorts);
    return others.length > 0 ? tell('wrongPort', others.join(' and ')) : tell('noPort', '');
  }
  const { hostSide } = port;
  const loopback = loopbackOnly(container, port.port);
  const isThere = hostSide.kind === 'fixed' && ports[port.port]?.includes(hostSide.port);
  // Published more than once, it has what is wanted as well.
  if (isThere && loopback === undefined) return;
  const written = writtenHostSide(container, port.port);
  if (hostSide.kind === 'ephemeral' && written !== undefined) {
    return tell(written.includes('-') ? 'portRange' : 'fixedPort', written);
  }
  if (loopback !== undefined) return tell('loopback', loopback);
  const bound = hostPortOf(container, port.port);
  if (container.running && bound === undefined) {
    return problem(wanted, 'notBoundYet', container, '', right);
  }
  if (hostSide.kind !== 'fixed' || bound === undefined) return;
  return tell(written === undefined ? 'ephemeralPort' : 'otherHostPort', String(bound));
}

/** Its network mode says what it was started with; what it is connected to now is another matter. */
function isOn({ networkMode, addresses }: ContainerView, network: string): boolean {
  return addresses[network] !== undefined || (SHARED.test(networkMode) && networkMode === network);
}

/** In another container's network it has no connection of its own. */
const SHARED = /^container:/;

/** The fix for everything that only a new container puts right. */
function remade(wanted: ContainerSpec, { name }: ContainerView): Fix | undefined {
  const run = runCommand(wanted);
  return run === undefined
    ? undefined
    : { host: wanted.host, command: `docker rm -f ${name} && ${run}` };
}

function problem(
  wanted: ContainerSpec,
  key: ContainerMessage,
  container: ContainerView,
  found = '',
  right = '',
  fix?: Fix,
): Omit<Problem, 'stage'> {
  return { key, verdict: message(wanted, key, container.name, found, right, fix) };
}

function message(
  wanted: ContainerSpec,
  key: ContainerMessage,
  name: string,
  found = '',
  right = '',
  fix?: Fix,
): Verdict {
  const facts = { name, host: wanted.host, found, wanted: right };
  return verdictWith(CONTAINER_MESSAGES, wanted.messages, key, facts, fix);
}
