import {
  addressIn,
  answer,
  type CheckDefinition,
  CouldNotCheck,
  check,
  gatewayFor,
  isPage,
  notYet,
  passed,
  type Verdict,
} from '#lab';
import { CLIENT, routeToBridge } from './client-route.ts';
import { directVisits, haveSeen } from './direct-way.ts';
import {
  bridgeAddressOf,
  NAME,
  OTHER_SERVER,
  SERVER,
  SERVER_ADDRESS,
  withMyapp2,
} from './myapp2.ts';
import { isToServer } from './visits.ts';
import {
  directPageMissing,
  notDirect,
  oldPortRefused,
  oldPortUntried,
  restartAfterDirectPage,
} from './ways-in.ts';

/** The checks of the page `linux-bridge`, in the order of its steps. */
export const linuxBridge: readonly CheckDefinition[] = [
  answer('docker0-address-read', {
    title: 'You read the bridge’s address off the screen',
    question: `What is the IP of docker0 on ${SERVER}?`,
    placeholder: '172.17.0.x',
    reads: /inet ([\d.]+)/,
    judge: async (given, sandbox) => {
      const truth = await sandbox.host(SERVER).addressOf('docker0');
      if (!truth)
        throw new CouldNotCheck(
          `${SERVER} has no docker0 any more. Docker makes it anew: sudo systemctl restart docker.`,
        );
      const read = addressIn(given);
      if (read === truth) return passed();
      if (read === undefined) return notAnAddress();
      if (read === SERVER_ADDRESS) return notYet(`${read} belongs to eth1. Look under docker0.`);
      if (read.startsWith('255.'))
        return notYet('That is the netmask. The address stands after inet.');
      if (read.endsWith('.255')) {
        return notYet('That is the broadcast address. The interface’s own stands after inet.');
      }
      return notYet(`${read} is not docker0’s address. It stands after inet.`);
    },
  }),

  answer('server-ip-read', {
    title: 'You read the container’s address off its page',
    question: `Which Server IP does the page of ${NAME} show?`,
    placeholder: '172.17.0.x',
    reads: /Server IP: ([\d.]+)/,
    judge: (given, sandbox) =>
      withMyapp2(sandbox, async ({ container }) => {
        const truth = bridgeAddressOf(container);
        if (!truth) return notOnBridge();
        const read = addressIn(given);
        if (read === truth) return passed();
        if (read === undefined) return notAnAddress();
        if (read === SERVER_ADDRESS) {
          return notYet(
            `${read} is the address you asked for. The page names the one that answered.`,
          );
        }
        if (read === sandbox.host(CLIENT).address) {
          return notYet(`${read} is the client’s address. The server’s stands above it.`);
        }
        if (read === (await sandbox.host(SERVER).addressOf('docker0'))) {
          return notYet(`${read} is docker0’s address. Read Server IP on the page.`);
        }
        return notYet(`The page does not show ${read} now. Reload it and read Server IP again.`);
      }),
  }),

  answer('eth1-address-read', {
    title: 'You read the address of server01’s outer interface',
    question: `What is the IP of eth1 on ${SERVER}?`,
    placeholder: '10.1.10.x',
    reads: /inet ([\d.]+)/,
    judge: async (given, sandbox) => {
      const server = sandbox.host(SERVER);
      const truth = (await server.addressOf('eth1')) ?? server.address;
      const read = addressIn(given);
      if (read === truth) return passed();
      if (read === undefined) return notAnAddress();
      if (read === sandbox.host(OTHER_SERVER).address) {
        return notYet(`${read} is ${OTHER_SERVER}’s. Ask in a terminal of ${SERVER}.`);
      }
      if (read === sandbox.host(CLIENT).address) {
        return notYet(`${read} is the client’s. Ask in a terminal of ${SERVER}.`);
      }
      if (read === (await server.addressOf('docker0'))) {
        return notYet(`${read} belongs to docker0. Look under eth1.`);
      }
      return notYet(`${read} is not eth1’s address. It stands after inet.`);
    },
  }),

  check('client-route', {
    title: `The client sends everything for the containers’ network to ${SERVER}`,
    test: routeToBridge,
  }),

  check('container-page-opened', {
    title: `${NAME} was opened at the container’s own address`,
    needs: ['client-route'],
    test: (sandbox) =>
      withMyapp2(sandbox, async (myapp2) => {
        const address = bridgeAddressOf(myapp2.container);
        if (!address) return notOnBridge();
        const via = gatewayFor(address, await sandbox.host(CLIENT).routes());
        const visits = directVisits(sandbox, address);
        // A page that came while the way led elsewhere was another host's container with the same address.
        const opened = via === SERVER_ADDRESS && (await haveSeen(sandbox, visits));
        return opened
          ? passed()
          : directPageMissing(sandbox, address, via, sandbox.journal.last('visit'));
      }),
  }),

  answer('ip-forward-read', {
    title: 'You read whether server01 forwards',
    question: 'What does ip_forward say?',
    placeholder: '0 or 1',
    reads: /^([01])$/m,
    judge: async (given, sandbox) => {
      const truth = await sandbox.host(SERVER).read('/proc/sys/net/ipv4/ip_forward');
      const [, read] = /^(?:net\.ipv4\.ip_forward ?= ?)?([01])$/.exec(given) ?? [];
      if (read === truth) return passed();
      return read === undefined
        ? notYet('The file holds a single digit, 0 or 1. Type that.')
        : notYet(`It says something else on ${SERVER}. Look once more.`);
    },
  }),

  check('restarted-again', {
    title: `${NAME} was restarted once more, after the direct way was tried`,
    test: async (sandbox) => {
      const restart = await restartAfterDirectPage(sandbox);
      return 'seq' in restart ? passed() : restart;
    },
  }),

  check('old-port-refused', {
    title: `The port from before the restart was tried, and refused`,
    needs: ['restarted-again'],
    test: (sandbox) =>
      oldPortRefused(sandbox)
        ? passed()
        : withMyapp2(sandbox, (myapp2) => oldPortUntried(sandbox, myapp2)),
  }),

  check('direct-way-still-works', {
    title: `After the restart, the container’s own address was opened again`,
    needs: ['container-page-opened', 'restarted-again'],
    test: (sandbox) =>
      withMyapp2(sandbox, async ({ container }) => {
        const address = bridgeAddressOf(container);
        if (!address) return notOnBridge();
        const restart = await restartAfterDirectPage(sandbox);
        if (!('seq' in restart)) return restart;
        const visits = sandbox.journal.all('visit').filter((visit) => visit.seq > restart.seq);
        const direct = directVisits(sandbox, address).filter(({ seq }) => seq > restart.seq);
        if (direct.some(isPage)) return passed();
        const failed = direct.at(-1);
        if (failed) {
          const via = gatewayFor(address, await sandbox.host(CLIENT).routes());
          if (via === SERVER_ADDRESS && (await haveSeen(sandbox, direct))) return passed();
          return directPageMissing(sandbox, address, via, failed);
        }
        const elsewhere = visits.findLast((visit) => !isToServer(visit));
        return elsewhere
          ? notDirect(sandbox, address, elsewhere)
          : notYet(`Not opened since the restart. Reload http://${address}.`);
      }),
  }),
];

function notAnAddress(): Verdict {
  return notYet('Type one IPv4 address: four numbers with dots between them.');
}

function notOnBridge(): Verdict {
  return notYet(`${NAME} has no address on the default bridge.`, {
    host: SERVER,
    command: `docker network connect bridge ${NAME}`,
  });
}
