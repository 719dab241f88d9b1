import { mkdirSync, mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defineLab, hostNamed, type Lab } from '#lab';
import { labSource } from '../../server/labs/lab-source.ts';
import { withFolders } from '../../server/labs/loader.ts';
import { hostSource } from '../../server/sandbox/host-images.ts';
import { Sandbox } from '../../server/sandbox/sandbox.ts';
import { openApp, openRuntime, started, startSandbox, until } from './stage.ts';

const IMAGE = 'mycontainer:5.6';
const PAGE = '<p>here</p>';
const folder = mkdtempDisposableSync(join(tmpdir(), 'quayside-lab-'));
mkdirSync(join(folder.path, 'starter'));
writeFileSync(join(folder.path, 'starter/page.html'), PAGE);
const WRONG = 'ip link add wrong type nothing';
writeFileSync(join(folder.path, 'lab.ts'), `\n'${WRONG}'\n`);
mkdirSync(join(folder.path, 'host'));
writeFileSync(
  join(folder.path, 'host/Dockerfile'),
  'ARG HOST\nFROM $HOST\nRUN echo here > /etc/from-the-lab\nUSER nobody\nENTRYPOINT ["false"]\n',
);
// More than a pipe holds.
writeFileSync(join(folder.path, 'starter/large'), Buffer.alloc(900_000, 'x'));

/** Two wires, joined by a router; each kind of beginning. */
const LAB: Lab = {
  ...withFolders(
    defineLab({
      title: 'With a beginning',
      hosts: {
        server01: {
          address: '10.1.20.11/24',
          engine: { 'userland-proxy': false, labels: ['floor=2'] },
          images: [IMAGE],
          files: [{ from: 'starter', to: '/home/learner/web' }],
          setup: [
            `docker run -d --name web --restart unless-stopped -p 80:80 ${IMAGE}`,
            'echo once >> /srv/setup.log',
          ],
          services: { route: 'ip route replace 10.1.10.0/24 via 10.1.20.1 && exec sleep infinity' },
        },
        router: {
          address: '10.1.10.1/24',
          interfaces: ['10.1.20.1/24'],
          router: true,
          services: { route: 'ip route replace 10.1.30.0/24 via 10.1.20.2 && exec sleep infinity' },
        },
        client: {
          address: '10.1.10.100/24',
          image: './host',
          files: [{ from: 'starter/page.html', to: '/srv/page.html', mode: '640' }],
          setup: ['touch /srv/is-set-up'],
          services: {
            page: '[ -e /srv/is-set-up ] && echo serving && exec socat TCP-LISTEN:8080,reuseaddr,fork SYSTEM:"cat /srv/page.html"',
          },
        },
      },
      images: { [IMAGE]: 'mycontainer' },
      browser: 'client',
      sections: [],
    }),
    folder.path,
  ),
  source: labSource(folder.path),
};

let stage: Awaited<ReturnType<typeof openRuntime>>;
let raised: Awaited<ReturnType<typeof startSandbox>>;

beforeAll(async () => {
  stage = await openRuntime(new Map([['begun', LAB]]));
  raised = await startSandbox(stage.runtime, stage.instance, LAB);
});

afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
  const { engine, hostImages } = stage.runtime;
  // The other one has nothing of this lab's own, and other labs may have it too.
  const client = hostNamed(LAB, 'client');
  const own = client && hostSource(client, LAB);
  await engine.docker.getImage(hostImages[own ?? ''] ?? '').remove();
  folder.remove();
});

const on = async (host: string, line: string) => {
  const argv = ['bash', '-c', `{ ${line}\n} 2>&1`];
  const { status, stdout } = await raised.sandbox.host(host).run(argv, { user: 'learner' });
  return { status, said: stdout.trim() };
};
const said = async (host: string, line: string) => (await on(host, line)).said;

/** Settles when a line says what it should; what is kept running comes up by itself. */
const untilItSays = (host: string, line: string, words: string) =>
  expect.poll(() => said(host, line), { timeout: 30_000 }).toBe(words);

describe('a host', () => {
  test('has its files from the start: the learner’s in their home, root’s elsewhere', async () => {
    expect(await said('server01', 'cd ~/web && stat -c "%n %U %a %s" . page.html large')).toMatch(
      /^\. learner 755 \d+\npage\.html learner 644 11\nlarge learner 644 900000$/,
    );
    expect(await said('client', 'sudo stat -c "%U %a" /srv/page.html')).toBe('root 640');
  });

  test('has its containers, and an engine that is set as the lab says', async () => {
    expect(await said('server01', 'docker ps --format "{{.Names}} {{.Ports}}"')).toContain(
      'web 0.0.0.0:80->80/tcp',
    );
    expect(await said('server01', 'docker info --format "{{.Labels}} {{.LoggingDriver}}"')).toBe(
      '[floor=2] json-file',
    );
    expect(await said('server01', 'pgrep docker-proxy')).toBe('');
  });

  test('keeps its services running once it is set up, and shows what they said', async () => {
    const page = 'curl -s --http0.9 -m 5 http://127.0.0.1:8080/';
    await untilItSays('client', page, PAGE);
    await on('client', 'sudo pkill -f TCP-LISTEN:8080');
    await untilItSays('client', page, PAGE);
    expect(await said('client', 'journalctl -u page | grep -c serving')).toBe('2');
  });

  test('runs its services once it is on all its networks', async () => {
    await untilItSays(
      'router',
      'ip route show 10.1.30.0/24',
      '10.1.30.0/24 via 10.1.20.2 dev eth2',
    );
    expect(await said('router', 'journalctl -u route')).toBe('');
  });

  test('that restarts is not set up again, and has its containers and services again', async () => {
    for (const name of ['client', 'server01']) {
      await raised.sandbox.restart(raised.sandbox.host(name), new AbortController().signal);
    }
    // As by a server that comes back and knows nothing of it.
    await new Sandbox(stage.runtime, LAB, raised.sandbox.labels).reconcile(() => undefined);
    expect(await said('server01', 'cat /srv/setup.log')).toBe('once');
    await untilItSays('client', 'curl -s --http0.9 -m 5 http://127.0.0.1:8080/', PAGE);
    await untilItSays('server01', 'docker ps --format "{{.Names}}"', 'web');
    await on('server01', 'echo "{}" | sudo tee /etc/docker/daemon.json');
    await raised.sandbox.restart(raised.sandbox.host('server01'), new AbortController().signal);
    await raised.sandbox.reconcile(() => undefined);
    expect(await said('server01', 'cat /etc/docker/daemon.json')).toBe('{}');
  });

  test('whose set-up fails names its line, and the words of the command', async () => {
    const hosts = LAB.hosts.map((host) => ({ ...host, setup: [WRONG] }));
    const lab = { ...LAB, hosts: hosts.filter(({ name }) => name === 'client'), images: {} };
    await expect(startSandbox(stage.runtime, stage.instance, lab)).rejects.toThrow(
      /^client could not be set up\. \S+lab\.ts:2: “ip link add wrong type nothing” failed with status 2: Error: Unknown device type\.$/,
    );
  });

  test('whose engine does not take its settings names them at once, in Docker’s words', async () => {
    const server = LAB.hosts.filter(({ name }) => name === 'server01');
    const hosts = server.map((host) => ({ ...host, engineSettings: '{"wrong-setting":1}' }));
    await expect(startSandbox(stage.runtime, stage.instance, { ...LAB, hosts })).rejects.toThrow(
      /^server01 could not be set up\. \S+lab\.ts: its engine does not start with these settings: .*wrong-setting/,
    );
  });
});

describe('a service of the lab', () => {
  const page = () => said('client', 'curl -s --http0.9 -m 5 http://127.0.0.1:8080/');

  test('is stopped, started and restarted by systemctl, as others are', async () => {
    await untilItSays('client', 'systemctl is-active page', 'active');
    expect(await said('client', 'systemctl list-units')).toMatch(/^page\.service\s+loaded active/);
    const pid = () => said('client', 'systemctl status page | grep "Main PID"');
    const first = await pid();
    expect(first).toMatch(/Main PID: \d+ \(socat\)$/);
    expect((await on('client', 'sudo systemctl restart page')).status).toBe(0);
    expect(await pid()).not.toBe(first);
    await on('client', 'sudo systemctl stop page');
    expect(await on('client', 'systemctl is-active page')).toEqual({ status: 3, said: 'inactive' });
    expect(await page()).toBe('');
    await on('client', 'sudo systemctl start page');
    await expect.poll(page, { timeout: 30_000 }).toBe(PAGE);
    expect(await said('client', 'systemctl status nothing')).toContain('could not be found');
  });
});

test('a host of an image of the lab’s own has what that adds, and starts as any host, whatever the image says', async () => {
  expect(await said('client', 'cat /etc/from-the-lab; id -un')).toBe('here\nlearner');
  expect(await said('router', 'ls /etc/from-the-lab')).toContain('No such file');
});

describe('two wires', () => {
  const reaches = async (host: string, address: string) =>
    (await on(host, `ping -c 1 -W 2 ${address}`)).status === 0;

  test('reach their own hosts only, by the name on that wire', async () => {
    expect(await reaches('client', '10.1.10.1')).toBe(true);
    expect(await reaches('server01', '10.1.20.1')).toBe(true);
    expect(await reaches('client', '10.1.20.11')).toBe(false);
    expect(await said('server01', 'getent hosts router')).toMatch(/^10\.1\.20\.1 /);
    // Nor where somebody takes an address of the other wire.
    await on('client', 'sudo ip addr add 10.1.20.12/24 dev eth1');
    expect(await reaches('client', '10.1.20.11')).toBe(false);
    await on('client', 'sudo ip addr del 10.1.20.12/24 dev eth1');
  });

  test('are joined by a router that forwards, also after it was restarted', async () => {
    await on('client', 'sudo ip route replace 10.1.20.0/24 via 10.1.10.1');
    // Its service sets this as soon as its wire is there, at first and after a restart.
    await untilItSays(
      'server01',
      'ip route show 10.1.10.0/24',
      '10.1.10.0/24 via 10.1.20.1 dev eth1',
    );
    expect(await said('router', 'sysctl -n net.ipv4.ip_forward')).toBe('0');
    expect(await reaches('client', '10.1.20.11')).toBe(false);
    expect(await on('router', 'sudo sysctl -qw net.ipv4.ip_forward=1')).toEqual({
      status: 0,
      said: '',
    });
    expect(await reaches('client', '10.1.20.11')).toBe(true);
    await raised.sandbox.restart(raised.sandbox.host('router'), new AbortController().signal);
    await raised.sandbox.reconcile(() => undefined);
    await on('router', 'sudo sysctl -qw net.ipv4.ip_forward=1');
    expect(await reaches('client', '10.1.20.11')).toBe(true);
  });
});

describe('a router', () => {
  test('makes network namespaces, and makes them again after a restart', async () => {
    const make = 'sudo ip netns add red && sudo ip netns exec red ip -br link';
    expect(await said('router', make)).toContain('lo');
    await raised.sandbox.restart(raised.sandbox.host('router'), new AbortController().signal);
    await raised.sandbox.reconcile(() => undefined);
    expect(await said('router', make)).toContain('lo');
  });

  test('keeps an interface that its learner has renamed, and one that is in a namespace', async () => {
    const wires = 'ip -br addr show lan; sudo ip netns exec blue ip -br addr show eth2';
    await on(
      'router',
      'sudo ip link set eth1 down && sudo ip link set eth1 name lan && sudo ip link set lan up',
    );
    await on('router', 'sudo ip netns add blue && sudo ip link set eth2 netns blue');
    await on('router', 'sudo ip -n blue addr add 10.1.20.1/24 dev eth2');
    const before = await said('router', wires);
    expect(before).toMatch(/^lan@\S+ .*10\.1\.10\.1\/24.*\neth2@\S+ .*10\.1\.20\.1\/24/);
    await raised.sandbox.reconcile(() => undefined);
    expect(await said('router', wires)).toBe(before);
    await raised.sandbox.restart(raised.sandbox.host('router'), new AbortController().signal);
    await raised.sandbox.reconcile(() => undefined);
    expect(await said('router', 'ip -br addr')).toMatch(
      /eth1@.*10\.1\.10\.1\/24.*\neth2@.*10\.1\.20\.1\/24/,
    );
  });

  test('has what is below /proc/sys/net to set, and no more of it', async () => {
    const isWritable = async (path: string) =>
      (await on('router', `sudo test -w ${path}`)).status === 0;
    expect(await isWritable('/proc/sys/net/ipv4/ip_forward')).toBe(true);
    expect(await isWritable('/proc/sys/kernel/hostname')).toBe(false);
    expect((await on('client', 'sudo test -w /proc/sys/net/ipv4/ip_forward')).status).not.toBe(0);
  });
});

test('what is done at the start is no learner’s doing, and is done again after Reset', async () => {
  await using app = await openApp({ labs: new Map([['begun', LAB]]) });
  const { id, session } = app.newLearner('begun');
  await started(session);
  const { journal } = app.store.session(id, 'begun');
  const sandbox = () => app.store.session(id, 'begun').row.sandbox;
  const types = async (line: string) => {
    const container = await app.container(sandbox(), 'quayside.host=server01');
    const { stdout } = await app.runtime.engine.run(container, ['sh', '-c', line]);
    return stdout.trim();
  };
  await types('docker network create mine && touch /srv/mine');
  await expect.poll(() => journal.last('network', () => true)?.name).toBe('mine');
  expect(journal.all('network')).toHaveLength(1);
  expect(journal.all('container')).toEqual([]);
  const before = sandbox();
  await session.reset();
  await until(
    session,
    'fresh hosts',
    ({ status }) => status.state === 'ready' && sandbox() !== before,
  );
  expect(await types('cat /srv/setup.log; ls /srv; docker ps --format "{{.Names}}"')).toBe(
    'once\nsetup.log\nweb',
  );
});
