import {
  answer,
  type CheckDefinition,
  type ContainerView,
  check,
  ending,
  isPage,
  notYet,
  obstacleTo,
  passed,
  type SandboxView,
  startBefore,
  type Verdict,
} from '#lab';
import {
  bridgeAddressOf,
  type Myapp2,
  NAME,
  OTHER_SERVER,
  SERVER,
  SERVER_ADDRESS,
  WEB,
  withMyapp2,
} from './myapp2.ts';
import { myapp2Starts, portsOf, wasRemovedSince } from './starts.ts';
import { isToServer, typed } from './visits.ts';

/** The check by which the learner has the container that the page goes on with. */
const FIRST_STEP = 'myapp2-on-ephemeral-port';
const RESTART = { host: SERVER, command: `docker restart ${NAME}` };

/** The checks of the page `ephemeral-ports`, in the order of its steps. */
export const ephemeralPorts: readonly CheckDefinition[] = [
  check(FIRST_STEP, {
    title: `${NAME} runs on ${SERVER}, its port 80 behind a port that Docker picked`,
    test: (sandbox) => withMyapp2(sandbox, passed),
  }),

  answer('myapp2-port-read', {
    title: `You read the port off the screen`,
    question: `Which port of ${SERVER} leads to ${NAME}?`,
    placeholder: '5 digits',
    reads: /0\.0\.0\.0:(\d+)/,
    judge: (given, sandbox) =>
      withMyapp2(sandbox, ({ container, port }) => {
        const read = portIn(given);
        if (read === undefined) {
          return notYet('That is no port. It is the number behind the last colon, such as 32768.');
        }
        if (read === port || container.ports[WEB]?.includes(read)) return passed();
        if (read === 80) {
          return notYet(
            'Port 80 is inside the container. The one asked for is on the other side of the arrow.',
          );
        }
        const had = hadPort(sandbox, container, read);
        return had
          ? notYet(`${read} was the port before the restart. Run docker port ${NAME} once more.`)
          : notYet(
              `${read} is not the port of ${NAME}. Run docker port ${NAME} and read it again.`,
            );
      }),
  }),

  check('myapp2-page-opened', {
    title: `The page of ${NAME} was opened from the client through that port`,
    test: (sandbox) => {
      const starts = myapp2Starts(sandbox.journal);
      const opened = sandbox.journal
        .all('visit')
        .some(
          (visit) =>
            isPage(visit) &&
            isToServer(visit) &&
            portsOf(startBefore(starts, visit.seq)).includes(visit.port),
        );
      return opened ? passed() : withMyapp2(sandbox, (myapp2) => notOpened(sandbox, myapp2));
    },
  }),

  check('myapp2-restarted', {
    title: `${NAME} was restarted`,
    test: (sandbox) =>
      withMyapp2(sandbox, ({ container }) => {
        const starts = myapp2Starts(sandbox.journal);
        if (starts.some((start) => start.id === container.id && start.again)) return passed();
        // What came before the first step was done was practice; only what was thrown away since is missed.
        const ready = sandbox.journal.last('pass', ({ check }) => check === FIRST_STEP);
        return ready && wasRemovedSince(sandbox.journal, ready.seq)
          ? notYet(
              `This ${NAME} is a new container, not the old one restarted. Restart the one you have.`,
              RESTART,
            )
          : notYet(`${NAME} has not been restarted yet.`);
      }),
  }),

  check('port-changed', {
    title: `Since the restart, ${NAME} has another port`,
    test: (sandbox) =>
      withMyapp2(sandbox, ({ container, port }) => {
        const ports = myapp2Starts(sandbox.journal)
          .filter((start) => start.id === container.id && portsOf(start).length > 0)
          .map(portsOf);
        if (ports.some((bound) => !bound.includes(port))) return passed();
        return ports.length > 1
          ? notYet(
              `Docker happened to pick ${port} again. It may do that; restart ${NAME} once more.`,
              RESTART,
            )
          : notYet(`${NAME} still has the port it was started with, ${port}.`);
      }),
  }),
];

/** The last number of what the learner wrote: `32768`, `0.0.0.0:32768`, `http://10.1.10.11:32768/`. */
function portIn(text: string): number | undefined {
  const [, digits] = /(?:^|:)(\d{1,5})\/?$/.exec(text.trim()) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

/** Whether a port led to this very container at an earlier start of it. */
function hadPort(sandbox: SandboxView, container: ContainerView, port: number): boolean {
  return myapp2Starts(sandbox.journal).some(
    (start) => start.id === container.id && portsOf(start).includes(port),
  );
}

async function notOpened(sandbox: SandboxView, { container, port }: Myapp2): Promise<Verdict> {
  const url = `http://${SERVER_ADDRESS}:${port}`;
  const visit = sandbox.journal.last('visit');
  if (!visit) return notYet(`Not opened yet. In the Browser tab, go to ${url}.`);
  if (visit.hostname === bridgeAddressOf(container)) {
    return notYet(
      `${visit.hostname} is the container’s own address, which the next page is about. Here, go to ${url}.`,
    );
  }
  if (visit.hostname === OTHER_SERVER || visit.hostname === '10.1.10.12') {
    return notYet(`That was ${OTHER_SERVER}, but ${NAME} runs on ${SERVER}. Go to ${url}.`);
  }
  if (!isToServer(visit)) return notYet(`${typed(visit)} is not ${SERVER}. Go to ${url}.`);
  if (visit.port !== port) {
    return hadPort(sandbox, container, visit.port)
      ? notYet(`Port ${visit.port} was ${NAME}’s until it was restarted. Go to ${url}.`)
      : notYet(`Port ${visit.port} does not lead to ${NAME}. Go to ${url}.`);
  }
  const address = bridgeAddressOf(container);
  const way = address !== undefined && { address, port: WEB, hostPort: port };
  const obstacle =
    way && !isPage(visit) && (await obstacleTo(sandbox.host(SERVER), container, way));
  return obstacle || notYet(`${typed(visit)} ${ending(visit)}. Go to ${url} again.`);
}
