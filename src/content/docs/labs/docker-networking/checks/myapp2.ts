import {
  bridgeGone,
  type ContainerView,
  type HostView,
  hostPortOf,
  isFromImage,
  loopbackOnly,
  notYet,
  runsImagesProgram,
  type SandboxView,
  type Verdict,
  writtenHostSide,
} from '#lab';

/** The container that the lab follows from page to page. */
export const NAME = 'myapp2';
export const IMAGE = 'mycontainer:5.6';
export const SERVER = 'server01';
export const OTHER_SERVER = 'server02';
export const SERVER_ADDRESS = '10.1.10.11';
/** The container's port that the lab is about. */
export const WEB = '80/tcp';
const DEFAULT_BRIDGE = 'bridge';

const RUN_COMMAND = `docker run -d --name ${NAME} -p :80 ${IMAGE}`;
/** The fix for everything that only a new container puts right. */
const START_OVER = { host: SERVER, command: `docker rm -f ${NAME} && ${RUN_COMMAND}` };

/** myapp2 as the lab wants it: running, and reached through a port that Docker picked. */
export interface Myapp2 {
  readonly container: ContainerView;
  /** The port of server01 that leads to it now. */
  readonly port: number;
}

/** Asks about myapp2 once it runs as the lab wants it; until then the verdict has what is wrong with it. */
export async function withMyapp2(
  sandbox: SandboxView,
  ask: (myapp2: Myapp2) => Verdict | Promise<Verdict>,
): Promise<Verdict> {
  const host = sandbox.host(SERVER);
  const container = await host.container(NAME);
  if (!container) return await whereIsIt(sandbox);
  const problem = (await notOurs(host, container)) ?? notPublishedFreely(container);
  if (problem) return problem;
  const port = portOf(container);
  if (port === undefined) return notYet(`${NAME} is starting: Docker has not bound its port yet.`);
  return await ask({ container, port });
}

/** The port of the host that leads to a container's port 80 now. */
export function portOf(container: ContainerView | undefined): number | undefined {
  return container && hostPortOf(container, WEB);
}

/** A container's address on Docker's default bridge. */
export function bridgeAddressOf(container: ContainerView | undefined): string | undefined {
  return container?.addresses[DEFAULT_BRIDGE] || undefined;
}

/** No myapp2 on server01: has it gone to the wrong host, or by a wrong name? */
async function whereIsIt(sandbox: SandboxView): Promise<Verdict> {
  if (await sandbox.host(OTHER_SERVER).container(NAME)) {
    return notYet(
      `${NAME} is on ${OTHER_SERVER}, but the lab needs it on ${SERVER}. Remove it there, then run it in a terminal of ${SERVER}.`,
      { host: OTHER_SERVER, command: `docker rm -f ${NAME}` },
    );
  }
  const host = sandbox.host(SERVER);
  for (const other of await host.containers()) {
    const publishes = Object.keys(other.requestedPorts).includes(WEB) || other.publishAll;
    if (other.running && publishes && (await isFromImage(host, other, IMAGE))) {
      return notYet(
        `A container of ${IMAGE} runs on ${SERVER}, but its name is ${other.name}. Give it the name ${NAME}.`,
        { host: SERVER, command: `docker rename ${other.name} ${NAME}` },
      );
    }
  }
  return notYet(`No container named ${NAME} on ${SERVER} yet.`);
}

/** What is wrong with the container itself: its image, its state, its program. */
async function notOurs(host: HostView, container: ContainerView): Promise<Verdict | undefined> {
  if (!(await isFromImage(host, container, IMAGE))) {
    return notYet(
      `${NAME} was made from the image ${container.image}; the lab’s is ${IMAGE}.`,
      START_OVER,
    );
  }
  if (container.status === 'paused') {
    return notYet(`${NAME} is paused, so it answers nobody. Let it run on.`, {
      host: SERVER,
      command: `docker unpause ${NAME}`,
    });
  }
  if (!(await runsImagesProgram(host, container))) {
    return notYet(
      `${NAME} was started with a command of its own, so it does not serve the page. Leave out what stands after ${IMAGE}.`,
      START_OVER,
    );
  }
  if (!container.running) {
    const gone = await bridgeGone(host, container);
    if (gone) return gone;
    const why = container.status === 'created' ? 'was made but never started' : 'is stopped';
    return notYet(`${NAME} ${why}. Start it.`, { host: SERVER, command: `docker start ${NAME}` });
  }
  return undefined;
}

/** What is wrong with the way port 80 was published. */
function notPublishedFreely(container: ContainerView): Verdict | undefined {
  if (container.networkMode === 'none' || container.networkMode === 'host') {
    return notYet(
      `${NAME} is on the network “${container.networkMode}”, where no port can be published. Run it without --network.`,
      START_OVER,
    );
  }
  const asked = container.requestedPorts[WEB];
  if (asked === undefined && !container.publishAll) {
    const others = Object.keys(container.requestedPorts);
    return others.length > 0
      ? notYet(
          `${NAME} publishes its port ${others.join(' and ')}, but the web server in it listens on 80. With -p :80 the number after the colon is the container’s.`,
          START_OVER,
        )
      : notYet(
          `${NAME} publishes no port, so nobody outside can reach it. Add -p :80.`,
          START_OVER,
        );
  }
  const loopback = loopbackOnly(container, WEB);
  if (loopback !== undefined) {
    return notYet(
      `${NAME} publishes its port on ${loopback}, where nobody but ${SERVER} itself can reach it. Leave the address out: -p :80.`,
      START_OVER,
    );
  }
  // Published a second time, on a port of the learner's own choice, it still has one that Docker picked.
  const fixed = writtenHostSide(container, WEB);
  if (fixed === undefined) return undefined;
  return fixed.includes('-')
    ? notYet(
        `${NAME} may only have a port from ${fixed}. Leave the host side empty (-p :80) and Docker picks from its own range.`,
        START_OVER,
      )
    : notYet(
        `${NAME} publishes the fixed port ${fixed}. Leave the host side empty (-p :80) so that Docker picks one.`,
        START_OVER,
      );
}
