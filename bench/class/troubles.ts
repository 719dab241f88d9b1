import { setTimeout as delay } from 'node:timers/promises';
import pLimit from 'p-limit';
import type { Learner } from '../../client-driver/learner.ts';

/** Every trouble ends by itself, a little after the others have typed beside it (s). */
const TROUBLE_S = 10;
/** Trouble is at its full height by then. */
const BEGINS_MS = 1_000;
/** Some programs need longer to go than they ran. */
const OVER = { ms: 120_000 } as const;
/** A page that asks for a page of the hosts once a second, for three quarters of an hour. */
const VISITS = 2_700;
const VISITS_AT_ONCE = 4;
/** Between two visits beside which the others type (ms). */
const VISIT_GAP_MS = 100;
/** Containers that were started before: a visit's meaning depends on them. */
const STARTS = 20;
const RESIZES = 300_000;
/** So many at once, then the event loop has a turn. */
const RESIZES_AT_ONCE = 500;
/** Typed to a program that reads nothing; the server takes 256 KiB before it closes the socket. */
const UNREAD_BYTES = 128 * 1024;

/** Makes trouble. `begun` is called when it is at its full height; it settles when it is over. */
export type Trouble = (eve: Learner, begun: () => void) => Promise<void>;

/** What one learner can do to everybody, with what every learner has: a browser, and root on their own hosts. */
export const TROUBLES: Readonly<Record<string, Trouble>> = {
  'a flood of output': watched('server01', 'yes flood'),
  'every core kept busy': watched(
    'server01',
    'for n in 1 2 3 4; do while :; do :; done & done; wait',
  ),
  'a fork bomb': watched(
    'server01',
    'bomb() { while :; do bomb & sleep 0.05; done; }; bomb 2>/dev/null',
  ),
  'all memory taken, again and again': watched('client', 'while :; do tail /dev/zero; done'),
  'a disk written without a pause': watched(
    'client',
    'while :; do head -c 1G /dev/zero > ~/fill; sync ~/fill; done',
  ),
  'iptables -F, and all routes gone': watched(
    'server01',
    'sudo iptables -F; sudo iptables -t nat -F; sudo ip route flush table main; sleep 60',
  ),
  'a flood that nobody looks at': hidden('server01', 'yes flood'),
  'OSC openers that nobody looks at': hidden('server01', `yes $'\\e]633;' | tr -d '\\n'`),
  'lone ESCs that nobody looks at': hidden('server01', `tr '\\0' '\\033' < /dev/zero`),
  'CSI openers that nobody looks at': hidden('server01', `yes $'\\e[?1;' | tr -d '\\n'`),
  'an ip that prints without end': ipFlood,
  'an engine that answers without end': falseEngine,
  '300,000 resizes to a program that does not read': resizes,
  '2,700 visits in one session': visits(),
};

/** A script in a terminal that is on the screen. */
function watched(host: string, script: string): Trouble {
  return async (eve, begun) => {
    const terminal = await eve.terminal(host);
    const over = terminal.run(bounded(script), OVER);
    await delay(BEGINS_MS);
    begun();
    await over;
  };
}

/** A script in a terminal whose page has been closed: its output goes to no browser. */
function hidden(host: string, script: string): Trouble {
  return async (eve, begun) => {
    const terminal = await eve.terminal(host);
    await terminal.prompt();
    const before = terminal.received;
    terminal.type(`${bounded(script)}\r`);
    // Its first output says that the shell has taken the line.
    await terminal.until({
      ...OVER,
      what: 'the script to begin',
      look: () => terminal.received > before + script.length * 2,
      seen: () => terminal.screen,
    });
    eve.leaveTerminal(host);
    begun();
    await delay(TROUBLE_S * 1_000);
    await (await eve.terminal(host)).prompt(OVER);
  };
}

function bounded(script: string): string {
  const quoted = script.replaceAll("'", `'\\''`);
  return `timeout -s KILL ${TROUBLE_S} bash -c '${quoted}'`;
}

/** The client's `ip` is one that prints without end, and its routes change all the time, so that checks ask for them. */
async function ipFlood(eve: Learner, begun: () => void): Promise<void> {
  const terminal = await eve.terminal('client');
  const script = `
ip=$(readlink -f "$(command -v ip)"); mv "$ip" "$ip.real"
printf '#!/bin/sh\\nexec yes\\n' > "$ip"; chmod 755 "$ip"
for n in $(seq ${TROUBLE_S}); do
  "$ip.real" route add 10.99.9.0/24 via 10.1.10.11; sleep 0.5
  "$ip.real" route del 10.99.9.0/24; sleep 0.5
done
mv "$ip.real" "$ip"`;
  const over = terminal.run(asRoot(script), OVER);
  await delay(BEGINS_MS);
  begun();
  await over;
}

/** In place of server01's engine something answers without end, and the engine tells of changes all the time. */
async function falseEngine(eve: Learner, begun: () => void): Promise<void> {
  const terminal = await eve.terminal('server01');
  const answer = 'HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\n\\r\\n';
  const script = `
socket=/opt/quayside/shared/docker.sock; rm -f "$socket"
printf '#!/bin/sh\\nprintf "${answer.replaceAll('\\', '\\\\')}"\\nexec tr "\\\\0" "[" < /dev/zero\\n' > /tmp/endless
chmod 755 /tmp/endless
timeout -s KILL ${TROUBLE_S} socat "UNIX-LISTEN:$socket,fork,mode=666" EXEC:/tmp/endless &
for n in $(seq ${TROUBLE_S}); do
  docker create --name trouble mycontainer:5.6 > /dev/null; sleep 0.5
  docker rm trouble > /dev/null; sleep 0.5
done
wait; pkill -x dockerd; until docker ps > /dev/null 2>&1; do sleep 0.2; done`;
  const over = terminal.run(asRoot(script), OVER);
  await delay(BEGINS_MS);
  begun();
  await over;
}

function asRoot(script: string): string {
  return `sudo bash -c "$(echo ${Buffer.from(script).toString('base64')} | base64 -d)"`;
}

async function resizes(eve: Learner, begun: () => void): Promise<void> {
  const terminal = await eve.terminal('client');
  const over = terminal.run(`stty raw -echo; sleep ${TROUBLE_S}; stty sane`, OVER);
  await delay(BEGINS_MS);
  terminal.type('x'.repeat(UNREAD_BYTES));
  begun();
  for (let sent = 0; sent < RESIZES; sent++) {
    terminal.resize(80 + (sent % 2), 24);
    if (sent % RESIZES_AT_ONCE === 0) await delay(1);
  }
  // What was typed comes to the shell when the program is over.
  eve.leaveTerminal('client');
  await over.catch(() => undefined);
  await delay(TROUBLE_S * 1_000);
  const again = await eve.terminal('client');
  again.type('\u0003');
  await again.prompt(OVER);
}

/** The first time, the visits are made; after that, they are there already. In any case they go on. */
function visits(): Trouble {
  let made = 0;
  return async (eve, begun) => {
    if (made === 0) {
      const terminal = await eve.terminal('server01');
      const start =
        'docker run -d -p :80 --name "started$n" mycontainer:5.6 && docker rm -f "started$n"';
      await terminal.run(`for n in $(seq ${STARTS}); do ${start}; done > /dev/null`, OVER);
    }
    const limit = pLimit(VISITS_AT_ONCE);
    const missing = Array.from({ length: VISITS - made });
    made += missing.length;
    await limit.map(missing, () => eve.visit(NOTHING_LISTENS));
    begun();
    const until = performance.now() + TROUBLE_S * 1_000;
    while (performance.now() < until) {
      await eve.visit(NOTHING_LISTENS);
      await delay(VISIT_GAP_MS);
    }
  };
}

/** Refused at once. */
const NOTHING_LISTENS = 'http://10.1.10.11:9/';
