import {
  addressIn,
  answer,
  type CheckDefinition,
  type ContainerView,
  check,
  isConnectable,
  isSlipOf,
  type NetworkView,
  notYet,
  passed,
  runsImagesProgram,
  type SandboxView,
  type Verdict,
} from '#lab';
import { foundByName, lookedInside } from './look-inside.ts';
import {
  bridgeAddressOf,
  IMAGE,
  NAME,
  OTHER_SERVER,
  SERVER,
  SERVER_ADDRESS,
  withMyapp2,
} from './myapp2.ts';

/** Docker makes these itself; any other bridge is the learner's own. */
const DOCKERS_OWN: readonly string[] = ['bridge', 'host', 'none', 'docker_gwbridge', 'ingress'];
/** Fewer characters of an ID might fit by luck. */
const LEAST_ID = 4;
const WEB_PORT = 80;
/** Docker's two networks without a bridge, and the names that the page gives to the containers there. */
const BRIDGELESS = { none: 'lonely', host: 'athome' } as const;
/** The two containers that the page puts on a bridge of the learner's own. */
const PAIR: readonly string[] = ['web1', 'web2'];

/** The checks of the page `docker-networks`, in the order of its steps. */
export const dockerNetworks: readonly CheckDefinition[] = [
  answer('bridge-network-id', {
    title: 'You read the ID of the default bridge off the screen',
    question: 'What is the network ID of bridge?',
    placeholder: '12 characters, or the first few',
    reads: /^([0-9a-f]{12})\s+bridge\s+bridge\b/m,
    judge: async (given, sandbox) => {
      const read = given.toLowerCase();
      const networks = await sandbox.host(SERVER).networks();
      const named = networks.find((network) => network.name === read);
      if (named) return notYet(`“${read}” is the name. The ID is in the first column.`);
      if (!/^[0-9a-f]+$/.test(read)) {
        return notYet('An ID has only the digits 0–9 and the letters a–f.');
      }
      if (read.length < LEAST_ID) return notYet(`Type at least ${LEAST_ID} characters of the ID.`);
      const meant = networks.filter((network) => network.id.startsWith(read));
      if (meant.length > 1) return notYet('Two IDs begin like this. Type some more of it.');
      const [network] = meant;
      if (network?.name === 'bridge') return passed();
      if (network) return notYet(`That is the ID of the network ${network.name}.`);
      const elsewhere = await sandbox.host(OTHER_SERVER).networks();
      if (elsewhere.some((other) => other.id.startsWith(read))) {
        return notYet(`That is a network of ${OTHER_SERVER}. Ask in a terminal of ${SERVER}.`);
      }
      const containers = await sandbox.host(SERVER).containers();
      const container = containers.find((other) => other.id.startsWith(read));
      return container
        ? notYet(`That is the ID of the container ${container.name}, not of a network.`)
        : notYet(`No network of ${SERVER} has this ID. Read it off docker network ls again.`);
    },
  }),

  answer('myapp2-ipv4-read', {
    title: `You found ${NAME} on the bridge, with its address`,
    question: `What is the IP of ${NAME} on the bridge?`,
    placeholder: '172.17.0.x',
    reads: /"Name": "myapp2"[^}]*"IPv4Address": "([\d.]+)/,
    judge: (given, sandbox) =>
      withMyapp2(sandbox, async ({ container }) => {
        const read = addressIn(given);
        const truth = bridgeAddressOf(container);
        if (read !== undefined && read === truth) return passed();
        if (truth === undefined) return notYet(`${NAME} is not on the default bridge now.`);
        if (/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(given)) {
          return notYet('That is the MacAddress. IPv4Address stands below it.');
        }
        if (read === undefined) {
          return notYet('Type one IPv4 address: four numbers with dots between them.');
        }
        const server = sandbox.host(SERVER);
        if (read === (await server.addressOf('docker0'))) {
          return notYet(`${read} is the gateway, docker0 itself. ${NAME} stands under Containers.`);
        }
        if (read === SERVER_ADDRESS) return notYet(`${read} is eth1 of ${SERVER}.`);
        const bridge = (await server.networks()).find((network) => network.name === 'bridge');
        const [other] =
          Object.entries(bridge?.containers ?? {}).find(([, address]) => address === read) ?? [];
        return other
          ? notYet(`${read} belongs to ${other}. Look for "Name": "${NAME}".`)
          : notYet(`${NAME} does not have ${read}. Inspect the network again.`);
      }),
  }),

  check('none-network-container', {
    title: `A container runs on the network none of ${SERVER}`,
    test: (sandbox) => runsOn(sandbox, 'none'),
  }),

  check('none-network-inside', {
    title: 'You looked at the network from inside it',
    test: (sandbox) => lookedInside(sandbox, 'none'),
  }),

  check('host-network-container', {
    title: `A container runs on the network host of ${SERVER}`,
    test: (sandbox) => runsOn(sandbox, 'host'),
  }),

  check('host-network-inside', {
    title: 'You looked at the network from inside it',
    test: (sandbox) => lookedInside(sandbox, 'host'),
  }),

  check('own-bridge-created', {
    title: `${SERVER} has a bridge network of your own`,
    test: async (sandbox) => {
      const server = sandbox.host(SERVER);
      const networks = await server.networks();
      const ours = networks.filter((network) => !DOCKERS_OWN.includes(network.name));
      if (ours.some((network) => network.driver === 'bridge')) return passed();
      const [other] = ours;
      if (other) {
        return notYet(
          `The network ${other.name} has the driver ${other.driver}. Make one with the driver bridge, which is what you get without naming any.`,
          { host: SERVER, command: 'docker network create mynet' },
        );
      }
      const waiting = (await server.containers()).find(
        (container) =>
          lacks(networks, container.networkMode) && bridgelessMeant(container) === undefined,
      );
      if (waiting) {
        return notYet(
          `${waiting.name} asks for the network ${waiting.networkMode}, which ${SERVER} does not have. Make the network first.`,
          { host: SERVER, command: `docker network create ${waiting.networkMode}` },
        );
      }
      const elsewhere = ownBridges(await sandbox.host(OTHER_SERVER).networks())[0];
      return elsewhere
        ? notYet(`The network ${elsewhere.name} is on ${OTHER_SERVER}. Make one on ${SERVER}.`, {
            host: SERVER,
            command: `docker network create ${elsewhere.name}`,
          })
        : notYet(`${SERVER} has only the networks that Docker made itself.`);
    },
  }),

  check('own-bridge-container', {
    title: 'A container runs on your own bridge',
    test: async (sandbox) => {
      const server = sandbox.host(SERVER);
      const networks = await server.networks();
      const bridges = ownBridges(networks);
      const [bridge] = bridges;
      if (!bridge) return notYet(`Make a bridge of your own on ${SERVER} first.`);
      const onBridge = (container: ContainerView) =>
        bridges.some((each) => container.addresses[each.name] !== undefined);
      const all = await server.containers();
      const command = `docker run -d --name ${PAIR[0]} --network ${bridge.name} ${IMAGE}`;
      return await oneRuns(sandbox, all.filter(onBridge), command, () => {
        const misplaced = all.find(({ name }) => PAIR.includes(name));
        if (misplaced && lacks(networks, misplaced.networkMode)) {
          return asksForNone(misplaced, bridge.name, misplaced.name);
        }
        return misplaced
          ? brought(misplaced, bridge.name)
          : notYet(`No container is on ${bridges.map((each) => each.name).join(' or ')} yet.`, {
              host: SERVER,
              command,
            });
      });
    },
  }),

  check('found-by-name', {
    title: 'A container on your own bridge reached another by its name',
    test: async (sandbox) => {
      const server = sandbox.host(SERVER);
      return foundByName(sandbox, ownBridges(await server.networks()), await server.containers());
    },
  }),
];

/** Bridges that Docker did not make itself. */
function ownBridges(networks: readonly NetworkView[]): readonly NetworkView[] {
  return networks.filter(
    (network) => network.driver === 'bridge' && !DOCKERS_OWN.includes(network.name),
  );
}

/** Whether a container's network is none that there is; one that shares another container's has none of its own. */
function lacks(networks: readonly NetworkView[], mode: string): boolean {
  return (
    !mode.startsWith('container:') && !networks.some(({ id, name }) => name === mode || id === mode)
  );
}

/** Which of the networks without a bridge a container was meant for, whose own network there is none of. */
function bridgelessMeant({ name, networkMode }: ContainerView): string | undefined {
  const [network] =
    Object.entries(BRIDGELESS).find(
      ([mode, each]) => each === name || isSlipOf(networkMode, mode),
    ) ?? [];
  return network;
}

/** A container whose network is mistyped can never be started. */
function asksForNone({ name, networkMode }: ContainerView, network: string, as: string): Verdict {
  return notYet(
    `${name} asks for the network ${networkMode}, which ${SERVER} does not have. The one meant is ${network}, and it is chosen when a container is made: make it anew.`,
    {
      host: SERVER,
      command: `docker rm -f ${name} && docker run -d --name ${as} --network ${network} ${IMAGE}`,
    },
  );
}

/** A container of the pair that is on another network. */
function brought(container: ContainerView, network: string): Verdict {
  const { name, networkMode } = container;
  const where = `${name} is on the network ${networkMode}, not on ${network}.`;
  if (isConnectable(container)) {
    const command = `docker network connect ${network} ${name}`;
    return notYet(where, { host: SERVER, command });
  }
  return notYet(`${where} Docker adds no other to that one: make it anew.`, {
    host: SERVER,
    command: `docker rm -f ${name} && docker run -d --name ${name} --network ${network} ${IMAGE}`,
  });
}

/** Whether a container runs on one of Docker's two networks without a bridge. */
async function runsOn(sandbox: SandboxView, network: 'none' | 'host'): Promise<Verdict> {
  const name = BRIDGELESS[network];
  const command = `docker run -d --name ${name} --network ${network} ${IMAGE}`;
  const isOn = (container: ContainerView) => container.networkMode === network;
  const server = sandbox.host(SERVER);
  const all = await server.containers();
  const candidates = all.filter(isOn);
  if (network === 'host') {
    const squatter = all.find(
      (container) =>
        container.running &&
        !isOn(container) &&
        Object.values(container.ports).some((ports) => ports.includes(WEB_PORT)),
    );
    if (squatter && candidates.length > 0) {
      return notYet(
        `${squatter.name} already holds port 80 of ${SERVER}, which a container on the network host wants for itself.`,
        { host: SERVER, command: `docker rm -f ${squatter.name}` },
      );
    }
  }
  return await oneRuns(sandbox, candidates, command, async () => {
    const elsewhere = (await sandbox.host(OTHER_SERVER).containers()).find(isOn);
    if (elsewhere) {
      return notYet(`${elsewhere.name} is on ${OTHER_SERVER}. Run one on ${SERVER}.`, {
        host: SERVER,
        command,
      });
    }
    const networks = await server.networks();
    const mistyped = all.find(
      (container) =>
        lacks(networks, container.networkMode) && bridgelessMeant(container) === network,
    );
    if (mistyped) return asksForNone(mistyped, network, name);
    const misplaced = all.find((container) => container.name === name);
    return misplaced
      ? notYet(
          `${name} is on the network ${misplaced.networkMode}, not on ${network}. That is chosen when a container is made: make it anew.`,
          { host: SERVER, command: `docker rm -f ${name} && ${command}` },
        )
      : notYet(`No container on the network ${network} of ${SERVER} yet.`);
  });
}

/**
 * Passes if one of the containers runs; the server sees to it that it goes on running. `run` is a command that makes one
 * that does; `none` answers where there are no containers at all.
 */
async function oneRuns(
  sandbox: SandboxView,
  containers: readonly ContainerView[],
  run: string,
  none: () => Verdict | Promise<Verdict>,
): Promise<Verdict> {
  const host = sandbox.host(SERVER);
  if (containers.some(({ running }) => running)) return passed();
  const [stopped] = containers;
  if (!stopped) return await none();
  return (await runsImagesProgram(host, stopped))
    ? notYet(`${stopped.name} is not running. Start it, or see in its logs why it ended.`, {
        host: SERVER,
        command: `docker start ${stopped.name}`,
      })
    : notYet(
        `${stopped.name} ran its command and ended. Run one that stays: with nothing after ${IMAGE}.`,
        { host: SERVER, command: `docker rm -f ${stopped.name} && ${run}` },
      );
}
