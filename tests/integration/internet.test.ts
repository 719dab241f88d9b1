import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defineLab, type Lab } from '#lab';
import { openInternet, type TestInternet, WEB_NAME } from '../fixtures/internet.ts';
import { openApp, started, type TestApp, type TestLearner, until, untilReady } from './stage.ts';

/** A lab whose server01 is to reach the internet, while its client is not. */
const lab = (network: string): Lab =>
  defineLab({
    title: 'Internet',
    hosts: {
      server01: {
        address: `${network}.11/24`,
        engine: true,
        images: ['mycontainer:5.6'],
        internet: true,
      },
      client: { address: `${network}.100/24` },
    },
    images: { 'mycontainer:5.6': 'mycontainer' },
    browser: 'client',
    sections: [],
  });
const LABS = new Map([
  ['internet', lab('10.1.10')],
  // Public addresses: whether another sandbox is reached does not hang on the rule for private ones.
  ['other', lab('203.0.113')],
]);
/** A way that is shut says so at once, and an open one answers in milliseconds; this is for a busy machine (s). */
const CURL = 'curl -sS -m 20';

let internet: TestInternet;
let app: TestApp;
let learner: TestLearner;
let machine: Server;

beforeAll(async () => {
  internet = await openInternet();
  machine = createServer((_, response) => response.end('the machine itself\n'));
  machine.listen(0, '0.0.0.0');
  await once(machine, 'listening');
  app = await openApp({ labs: LABS, resolver: internet.resolver });
  learner = app.newLearner('internet');
  await started(learner.session);
});

afterAll(async () => {
  await app?.[Symbol.asyncDispose]();
  machine?.close();
  await internet?.[Symbol.asyncDispose]();
});

const sandboxOf = ({ id }: TestLearner, name: string): string | undefined =>
  app.store.session(id, name).row.sandbox;

/** What a line prints on a host, errors with it, as root. */
async function says(line: string, host = 'server01', of = learner, name = 'internet') {
  const id = await app.container(sandboxOf(of, name), `quayside.host=${host}`);
  const { stdout } = await app.runtime.engine.run(id, ['bash', '-c', `{ ${line}\n} 2>&1`]);
  return stdout.trim();
}

/** What the machine sends is from its own address, whichever host has asked. */
const ANSWERED = /^asked from 10\.213\./;
/** As the gateway's refusal arrives: at once, and not as a port that is closed. */
const REFUSED = /No route to host/;
const opens = (address: string, port: number) =>
  says(`timeout 20 bash -c '> /dev/tcp/${address}/${port}' && echo open`);

const port = () => (machine.address() as AddressInfo).port;
const askedHere = async (address: string) => (await fetch(`http://${address}:${port()}/`)).text();

describe('a host that asks for the internet, on a server that allows it', () => {
  test('reaches a server by its name and by its address', async () => {
    expect(await says(`${CURL} http://${internet.web}/`)).toMatch(ANSWERED);
    expect(await says(`${CURL} http://${WEB_NAME}/`)).toMatch(ANSWERED);
  });

  test('its containers do as well, and resolve names', async () => {
    const inContainer = (line: string) => says(`docker run --rm mycontainer:5.6 ${line}`);
    expect(await inContainer(`wget -T 20 -qO- http://${internet.web}/`)).toMatch(ANSWERED);
    expect(await inContainer(`wget -T 20 -qO- http://${WEB_NAME}/`)).toMatch(ANSWERED);
    await says('docker network create own');
    expect(
      await says(
        `docker run --rm --network own mycontainer:5.6 wget -T 20 -qO- http://${WEB_NAME}/`,
      ),
    ).toMatch(ANSWERED);
  });

  test('reaches no private neighbour of the machine, no metadata, and no address of the machine', async () => {
    // The neighbour is there: the machine gets its answer.
    expect(await (await fetch(`http://${internet.neighbour}/`)).text()).toMatch(ANSWERED);
    expect(await opens(internet.web, 80)).toBe('open');
    expect(await opens(internet.neighbour, 80)).toMatch(REFUSED);
    expect(await opens('169.254.169.254', 80)).toMatch(REFUSED);
    expect(await askedHere(internet.machine)).toContain('itself');
    expect(await opens(internet.machine, port())).toMatch(REFUSED);
  });

  test('nor one that the machine has got since', async () => {
    const address = await internet.addMachineAddress();
    expect(await askedHere(address)).toContain('itself');
    expect(await opens(address, port())).toMatch(REFUSED);
  });

  test('nor what slirp4netns stands for: loopback, and the resolver at any port but 53', async () => {
    for (const address of ['198.18.0.2', '198.18.0.3', '198.18.1.1', '198.18.0.100']) {
      expect(await says(`${CURL} -m 3 http://${address}:${port()}/`)).not.toContain('itself');
    }
    expect(await opens('198.18.0.3', 80)).toMatch(REFUSED);
  });

  test('nor anything from an address that is not its own network’s, routes of its own or not', async () => {
    await says(`ip addr add 203.0.113.77/32 dev lo; ip addr add 10.1.10.77/32 dev lo`);
    // Another address of the lab's network is the same learner's.
    expect(await says(`${CURL} --interface 10.1.10.77 http://${internet.web}/`)).toMatch(ANSWERED);
    expect(await says(`${CURL} -m 3 --interface 203.0.113.77 http://${internet.web}/`)).toMatch(
      /timed out/,
    );
    await says(`ip route add ${internet.neighbour} via 198.18.1.1 dev eth1 onlink`);
    expect(await opens(internet.neighbour, 80)).toMatch(REFUSED);
    await says('iptables -F; iptables -t nat -F; iptables -P OUTPUT ACCEPT');
    expect(await opens(internet.neighbour, 80)).toMatch(REFUSED);
    await says('systemctl restart docker');
  });

  test('has a bounded number of connections at once, and new ones when those are over', async () => {
    const open = `exec {each}<> /dev/tcp/${internet.web}/80`;
    const count = `for i in {1..300}; do { ${open}; } 2> /dev/null || break; n=$i; done; echo $n`;
    const opened = Number(await says(`timeout 60 bash -c '${count}'`));
    expect(opened).toBeGreaterThan(200);
    expect(opened).toBeLessThanOrEqual(256);
    await expect
      .poll(() => says(`${CURL} http://${internet.web}/`), { timeout: 60_000 })
      .toMatch(ANSWERED);
  });

  test('nor another sandbox', async () => {
    const other = app.newLearner('other');
    await started(other.session);
    const address = '203.0.113.11';
    await says('setsid busybox httpd -p 8080 -h /etc', 'server01', other, 'other');
    expect(await says(`${CURL} http://${address}:8080/hostname`, 'client', other, 'other')).toBe(
      'server01',
    );
    expect(await says(`${CURL} -m 3 http://${address}:8080/hostname`)).not.toContain('server01');
    await other.session.end('The test is over.');
  });

  test('its neighbour in the lab, which does not ask for it, has no way out', async () => {
    expect(await says('ip route show default; cat /etc/resolv.conf | grep 198.18', 'client')).toBe(
      '',
    );
    expect(await says(`${CURL} -m 3 http://${internet.web}/`, 'client')).not.toMatch(ANSWERED);
  });

  test('has it again when the host, the gateway and the switch were killed', async () => {
    const { docker } = app.runtime.engine;
    for (const label of ['host=server01', 'role=gateway', 'role=switch']) {
      const id = await app.container(sandboxOf(learner, 'internet'), `quayside.${label}`);
      const { State } = await docker.getContainer(id).inspect();
      await docker.getContainer(id).kill();
      await expect
        .poll(async () => (await docker.getContainer(id).inspect()).State.Pid, { timeout: 60_000 })
        .not.toBe(State.Pid);
      await expect
        .poll(() => says(`${CURL} -m 3 http://${WEB_NAME}/`).catch(String), { timeout: 60_000 })
        .toMatch(ANSWERED);
    }
  });
});

test('it is there on fresh hosts, from the pool as well, and after the server was started again', async () => {
  const labs = new Map([['internet', lab('10.1.10')]]);
  const { resolver } = internet;
  const first = await openApp({ labs, resolver, pool: 1 });
  const asked = async (on: TestApp, id: string) => {
    const { sandbox } = on.store.session(id, 'internet').row;
    const host = await on.container(sandbox, 'quayside.host=server01');
    const argv = ['curl', '-sS', '-m', '20', `http://${WEB_NAME}/`];
    return (await on.runtime.engine.run(host, argv)).stdout;
  };
  const { id, session } = first.newLearner('internet');
  await expect.poll(() => first.sessions.figures().warm, { timeout: 90_000 }).toBe(1);
  await started(session);
  expect(await asked(first, id)).toMatch(ANSWERED);
  const before = first.store.session(id, 'internet').row.sandbox;
  await session.reset();
  await until(
    session,
    'other hosts',
    ({ status }) =>
      status.state === 'ready' && first.store.session(id, 'internet').row.sandbox !== before,
  );
  expect(await asked(first, id)).toMatch(ANSWERED);
  await first.close({ clean: false });

  const second = await openApp({ labs, resolver, data: first.data });
  await untilReady(second.sessions.of(id, 'internet'));
  expect(await asked(second, id)).toMatch(ANSWERED);
  await second.close({ clean: false });

  // The operator has changed their mind: the hosts stay, and reach nothing any more.
  await using third = await openApp({ labs, data: first.data });
  const again = third.sessions.of(id, 'internet');
  await untilReady(again);
  expect(await asked(third, id)).toBe('');
  await expect(third.container(undefined, 'quayside.role=gateway')).rejects.toThrow('no container');
  await expect(again.reset()).rejects.toThrow('this server does not allow it');
});

test('a server that does not allow it starts none of the hosts and says why; labs that do not ask have none of it', async () => {
  const plain = defineLab({
    title: 'Plain',
    hosts: { client: { address: '10.1.10.100/24' } },
    browser: 'client',
    sections: [],
  });
  await using shut = await openApp({ labs: new Map([...LABS, ['plain', plain]]), pool: 1 });
  const { session } = shut.newLearner('internet');
  session.start();
  expect(session.snapshot().status).toEqual({
    state: 'failed',
    reason: 'The hosts of this lab need the internet, and this server does not allow it.',
    remedy: expect.stringContaining('npm start -- --internet'),
  });
  await expect.poll(() => shut.sessions.figures().warm, { timeout: 90_000 }).toBe(1);
  expect(await shut.live()).toHaveLength(1);
});
