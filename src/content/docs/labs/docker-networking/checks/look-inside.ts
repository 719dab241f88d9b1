import {
  type ContainerView,
  commandsInside,
  type JournalView,
  type NetworkView,
  notYet,
  passed,
  type SandboxView,
  type Verdict,
} from '#lab';
import { IMAGE, SERVER } from './myapp2.ts';

/** Commands that show a container's network from inside; a shell counts, since what is typed there leaves no trace. */
const SHOWS_NETWORK =
  /(^|[\s/'"])(ip|ifconfig|route|netstat|arp|hostname|ping|wget|nc|traceroute|sh|ash)(\s|['"]|$)|\/sys\/class\/net|\/proc\/net|\/proc\/self\/net|\/etc\/hosts/;

/** Programs that turn a name into an address and go there. */
const REACHING = /(^|[\s/'"])(ping|wget|nc|nslookup|telnet|traceroute|arping)\s/;
/** What is run is the first word, behind words that only pass on what follows; a shell may run anything in its line. */
const PASSES_ON = /^(\S*\/)?((ba|a|da)?sh|busybox|env|nice|time|timeout|tini)\s/;

/** Whether a command goes to a name, and does not merely print such a command. */
function reaches(command: string): boolean {
  const [program = ''] = command.split(/(?<=\s)/, 1);
  return REACHING.test(PASSES_ON.test(command) ? command : program);
}

/** Whether the learner ran a command inside a container of a network mode on server01 that shows what it has there. */
export async function lookedInside(
  sandbox: SandboxView,
  network: 'none' | 'host',
): Promise<Verdict> {
  const server = sandbox.host(SERVER);
  const now = await server.containers();
  const ids = idsOn(sandbox.journal, SERVER, network);
  for (const container of now) if (container.networkMode === network) ids.add(container.id);
  const commands = commandsInside(sandbox, SERVER);
  if (commands.some(({ id, command }) => ids.has(id) && SHOWS_NETWORK.test(command))) {
    return passed();
  }
  if (ids.size === 0) return notYet(`First run a container on the network ${network}.`);
  const other = commands.findLast((signal) => ids.has(signal.id) && signal.action === 'exec_start');
  if (other) {
    return notYet(
      `“${other.command}” shows nothing of the network. Try ifconfig inside ${other.name}.`,
      {
        host: SERVER,
        command: `docker exec ${other.name} ifconfig`,
      },
    );
  }
  const running = now.find((container) => container.running && container.networkMode === network);
  const elsewhere = commands.findLast(({ command }) => SHOWS_NETWORK.test(command));
  if (elsewhere && running) {
    return notYet(
      `You looked inside ${elsewhere.name}, which is not on the network ${network}. Look inside ${running.name}.`,
      { host: SERVER, command: `docker exec ${running.name} ifconfig` },
    );
  }
  return running
    ? notYet(`Nothing has been run inside ${running.name} yet.`)
    : notYet(`Run a container on the network ${network} that stays, then look inside it.`);
}

/** Whether a container on one of the learner's own bridges asked for another one there by its name. */
export function foundByName(
  sandbox: SandboxView,
  bridges: readonly NetworkView[],
  containers: readonly ContainerView[],
): Verdict {
  const [bridge] = bridges;
  if (!bridge) return notYet(`Make a bridge of your own on ${SERVER} first.`);
  const execs = commandsInside(sandbox, SERVER);
  const ids = new Map(containers.map(({ name, id }) => [name, id]));
  const neighbours = new Map<string | undefined, Set<string>>();
  for (const network of bridges) {
    for (const name of guests(network)) {
      const known = neighbours.get(ids.get(name)) ?? new Set();
      for (const other of guests(network)) if (other !== name) known.add(other);
      neighbours.set(ids.get(name), known);
    }
  }
  const tries = execs.filter(({ id, command }) => {
    const others = neighbours.get(id);
    return others && reaches(command) && wordsOf(command).some((word) => others.has(word));
  });
  if (tries.some(({ status }) => status === 0)) return passed();
  const fullest = bridges.toSorted((a, b) => guests(b).length - guests(a).length)[0] ?? bridge;
  const [first, second] = guests(fullest);
  if (!first) return notYet(`Run a container on ${fullest.name} first.`);
  const fallen = containers.find(
    ({ running, networkMode }) => !running && networkMode === fullest.name,
  );
  if (!second && fallen) {
    return notYet(
      `${first} is alone on ${fullest.name}: ${fallen.name} is there, but ${fallen.status === 'created' ? 'it was never started' : 'it is not running'}. Start it.`,
      { host: SERVER, command: `docker start ${fallen.name}` },
    );
  }
  if (!second) {
    return notYet(`${first} is alone on ${fullest.name}. Run a second container there.`, {
      host: SERVER,
      command: `docker run -d --name neighbour --network ${fullest.name} ${IMAGE}`,
    });
  }
  const fix = { host: SERVER, command: `docker exec ${first} ping -c 1 ${second}` };
  const asked = execs.findLast(({ command }) => REACHING.test(command));
  if (asked && tries.includes(asked)) {
    const how =
      asked.status === undefined
        ? 'still runs, so it cannot be told whether it gets there. Ask once, and let it end'
        : `ended with status ${asked.status}, so it did not get there. Try it so`;
    return notYet(`“${asked.command}” in ${asked.name} ${how}: ${fix.command}.`, fix);
  }
  if (asked && !reaches(asked.command)) {
    const [program] = asked.command.split(' ', 1);
    return notYet(
      `“${asked.command}” in ${asked.name} runs ${program}, which asks for no container.`,
      fix,
    );
  }
  return asked
    ? notYet(
        `“${asked.command}” in ${asked.name} names no other container on the same bridge of yours.`,
        fix,
      )
    : notYet(
        `No container has asked for another by its name yet. Put the whole command behind docker exec: what is typed in a shell inside leaves no trace.`,
        fix,
      );
}

function guests(network: NetworkView): readonly string[] {
  return Object.keys(network.containers);
}

/** The words of a command that may be names: `ping web2` and `wget http://web2/` have web2 among them. */
function wordsOf(command: string): readonly string[] {
  return command.split(/[^\w.-]+/);
}

/** Containers that were started on a network mode, still there or not. */
function idsOn(journal: JournalView, host: string, network: string): Set<string> {
  return new Set(
    journal
      .all('container')
      .filter((signal) => signal.host === host && signal.action === 'start')
      .filter((signal) => signal.networkMode === network)
      .map((signal) => signal.id),
  );
}
