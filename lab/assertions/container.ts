import { passed, type Verdict } from '../verdict.ts';
import type { ContainerView, HostView, SandboxView } from '../view.ts';
import {
  type Assertion,
  assertion,
  type Messages,
  type Reading,
  reading,
  verdictWith,
} from './assertion.ts';
import { CONTAINER_MESSAGES, type ContainerMessage, containerFacts } from './container-messages.ts';
import { findContainer } from './container-search.ts';
import { type ContainerSpec, type HostSide, hostPortOf, portKey } from './container-spec.ts';
import { type Moment, sinceWhen } from './moment.ts';
import { startsOf } from './starts.ts';

/** A container that is as wanted. */
export interface FoundContainer {
  readonly container: ContainerView;
  readonly host: HostView;
  /** The host's port that leads to the first port asked for with `publishes`; `undefined` where none was. */
  readonly port: number | undefined;
}

/** An assertion about a container. Each word after it asks for more; the order of the words does not matter. */
export interface ContainerAssertion<Host extends string = string> extends Assertion<Host> {
  /** What has been asked for so far. */
  readonly wanted: ContainerSpec<Host>;
  /** It runs, and goes on running. Paused, created, ended and restarting are told apart. */
  runs(): ContainerAssertion<Host>;
  /** It was made from an image, named by its tag or by its ID. @example .from('mycontainer:5.6') */
  from(image: string): ContainerAssertion<Host>;
  /** It was made from what its image's name stands for now, and not from an earlier build of that name. */
  fromTheNewest(): ContainerAssertion<Host>;
  /** It runs the program that its image starts, and not another written behind the image. */
  withTheImagesCommand(): ContainerAssertion<Host>;
  /** It is connected to a network, whether from the start or since. @example .isOn('mynet') */
  isOn(network: string): ContainerAssertion<Host>;
  /** Its port is published, on any port of the host. @example .publishes(80), .publishes('53/udp') */
  publishes(port: number | string): PublishedAssertion<Host>;
  /** It was started after something else. @example container('web').on('server01').runs().after(passOf('rebuilt')) */
  after<Other extends string>(moment: Moment<Other>): ContainerAssertion<Host | Other>;
  /** A command that makes it just as it is wanted; put together from the rest of the assertion unless given. */
  madeBy(command: string): ContainerAssertion<Host>;
  /** Any of its messages in your own words. @example .withMessages({ missing: 'Run web first.' }) */
  withMessages(messages: Messages<ContainerMessage>): ContainerAssertion<Host>;
  /** Asks more of the container once it is as wanted; until then the reason is why it is not. */
  and(
    ask: (found: FoundContainer, sandbox: SandboxView) => Verdict | Promise<Verdict>,
  ): Assertion<Host>;
  /** Its port on the host that leads to a port of its own, for a value or an answer. @example value('<port>', web.hostPort(80)) */
  hostPort(port: number | string): Reading<Host>;
  /** Its IPv4 address on a network, for a value or an answer. @example web.addressOn('bridge') */
  addressOn(network: string): Reading<Host>;
}

/** After `publishes`: which port of the host. */
export interface PublishedAssertion<Host extends string = string> extends ContainerAssertion<Host> {
  /** Docker picked the host's port: `-p :80`, `-p 80`, `-p 0:80` or `-P`. */
  onAnEphemeralPort(): ContainerAssertion<Host>;
  /** The host's port is this one: `-p 8080:80`. */
  on(port: number): ContainerAssertion<Host>;
}

/** A container without its host. */
export interface Unplaced {
  /** The host whose engine is asked, by its name in the lab. */
  on<const Host extends string>(host: Host): ContainerAssertion<Host>;
}

/**
 * A container by its name.
 *
 * @example
 * test: container('myapp2').on('server01').from('mycontainer:5.6').runs().publishes(80).onAnEphemeralPort()
 */
export function container(name: string): Unplaced {
  return { on: (host) => build({ ...ANYTHING, name, host }) };
}

/**
 * Any container that is as wanted, whatever its name.
 *
 * @example test: aContainer().on('server01').isOn('none').runs()
 */
export function aContainer(): Unplaced {
  return { on: (host) => build({ ...ANYTHING, host }) };
}

const ANYTHING: Omit<ContainerSpec, 'host' | 'earlier'> = {
  name: undefined,
  image: undefined,
  newest: false,
  runs: false,
  imagesCommand: false,
  network: undefined,
  ports: [],
  made: undefined,
  messages: {},
};

function build<Host extends string>(wanted: ContainerSpec<Host>): ContainerAssertion<Host> {
  const { host, earlier } = wanted;
  const hosts = [host, ...(earlier?.hosts ?? [])];
  const checks = earlier?.checks ?? [];
  const more = (change: Partial<ContainerSpec<Host>>) => build({ ...wanted, ...change });
  const ask = async (
    sandbox: SandboxView<Host>,
    then: (found: FoundContainer) => Verdict | Promise<Verdict>,
  ): Promise<Verdict> => {
    const finding = await findContainer(wanted, sandbox);
    if (!finding.found) return finding.verdict;
    const { container } = finding;
    const early = await earlyStart(wanted, container, sandbox);
    if (early) return early;
    const [first] = wanted.ports;
    const port = first && hostPortOf(container, first.port);
    return await then({ container, host: sandbox.host(host), port });
  };
  const read = (of: (container: ContainerView) => string | undefined) =>
    reading(
      [host],
      async (sandbox: SandboxView<Host>) => {
        const { name } = wanted;
        const found =
          name === undefined
            ? await theOneFound(wanted, sandbox)
            : await sandbox.host(host).container(name);
        return found && of(found);
      },
      {},
      [host],
    );
  const words = {
    wanted,
    checks,
    runs: () => more({ runs: true }),
    from: (image: string) => more({ image }),
    fromTheNewest: () => more({ newest: true }),
    withTheImagesCommand: () => more({ imagesCommand: true }),
    isOn: (network: string) => more({ network }),
    publishes: (port: number | string) => publishing(wanted, portKey(port)),
    after: <Other extends string>(moment: Moment<Other>) =>
      build<Host | Other>({ ...wanted, earlier: moment }),
    madeBy: (command: string) => more({ made: command }),
    withMessages: (messages: Messages<ContainerMessage>) =>
      more({ messages: { ...wanted.messages, ...messages } }),
    and: (then: Parameters<ContainerAssertion<Host>['and']>[0]) =>
      assertion(
        hosts,
        (sandbox: SandboxView<Host>) => ask(sandbox, (found) => then(found, sandbox)),
        { checks },
        [host],
      ),
    hostPort: (port: number | string) =>
      read((found) => hostPortOf(found, portKey(port))?.toString()),
    addressOn: (network: string) => read(({ addresses }) => addresses[network] || undefined),
  };
  return assertion(hosts, (sandbox: SandboxView<Host>) => ask(sandbox, passed), words, [host]);
}

/** Why a container that is as wanted does not count: it was not started after what comes first. */
async function earlyStart<Host extends string>(
  { host, name, earlier, messages }: ContainerSpec<Host>,
  container: ContainerView,
  sandbox: SandboxView<Host>,
): Promise<Verdict | undefined> {
  if (!earlier) return undefined;
  const since = await sinceWhen(earlier, sandbox);
  if (typeof since !== 'number') return since;
  const starts = startsOf(sandbox.journal, sandbox.host(host).name, name);
  if (starts.some(({ id, seq }) => id === container.id && seq > since)) return undefined;
  const facts = containerFacts(container.name, host);
  return verdictWith(CONTAINER_MESSAGES, messages, 'notSince', facts);
}

function publishing<Host extends string>(
  wanted: ContainerSpec<Host>,
  port: string,
): PublishedAssertion<Host> {
  const ports = (hostSide: HostSide) => ({
    ...wanted,
    ports: [...wanted.ports, { port, hostSide }],
  });
  return Object.assign(build(ports({ kind: 'any' })), {
    onAnEphemeralPort: () => build(ports({ kind: 'ephemeral' })),
    on: (hostPort: number) => build(ports({ kind: 'fixed', port: hostPort })),
  });
}

async function theOneFound(
  wanted: ContainerSpec,
  sandbox: SandboxView,
): Promise<ContainerView | undefined> {
  const finding = await findContainer(wanted, sandbox);
  return finding.found ? finding.container : undefined;
}
