import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hostView } from '../../server/sandbox/host-view.ts';
import { LABEL } from '../../server/sandbox/labels.ts';
import { liveSandboxes } from '../../server/sandbox/removal.ts';
import { Sandbox } from '../../server/sandbox/sandbox.ts';
import { openRuntime, SMALL_LAB, startSandbox } from './stage.ts';

let stage: Awaited<ReturnType<typeof openRuntime>>;
let raised: Awaited<ReturnType<typeof startSandbox>>;

beforeAll(async () => {
  stage = await openRuntime();
  raised = await startSandbox(stage.runtime, stage.instance);
});

afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
});

const on = async (host: string, ...argv: string[]) => {
  const { status, stdout, stderr } = await raised.sandbox
    .host(host)
    .run(argv, { user: host === 'root' ? 'root' : 'learner' });
  return { status, said: (stdout + stderr).trim() };
};

describe('a sandbox', () => {
  test('has its hosts on one wire, each with its own address on eth1', async () => {
    expect((await on('server01', 'ip', '-br', 'addr', 'show', 'eth1')).said).toContain(
      '10.1.10.11/24',
    );
    expect((await on('client', 'ping', '-c1', '-W2', '10.1.10.11')).status).toBe(0);
  });

  test('resolves every name of a host on every host', async () => {
    for (const name of ['server01', 'agent01', 'client']) {
      expect((await on('client', 'getent', 'hosts', name)).status, name).toBe(0);
      expect((await on('server01', 'getent', 'hosts', name)).status, name).toBe(0);
    }
  });

  test('opens the same host under its alias', () => {
    expect(raised.sandbox.host('agent01')).toBe(raised.sandbox.host('server01'));
  });

  test('has the lab’s image in the host’s engine, and no other name for it', async () => {
    const { said } = await on(
      'server01',
      'docker',
      'images',
      '--format',
      '{{.Repository}}:{{.Tag}}',
    );
    expect(said).toBe('mycontainer:5.6');
  });

  test('lets the learner use docker and sudo without a password', async () => {
    expect((await on('server01', 'docker', 'ps', '-q')).status).toBe(0);
    expect((await on('client', 'sudo', '-n', 'true')).status).toBe(0);
  });

  test('has no path to any other network', async () => {
    const { said } = await on('client', 'ip', '-o', 'route');
    expect(said).toBe('10.1.10.0/24 dev eth1 proto kernel scope link src 10.1.10.100');
  });

  test('serves a published port to the client, and a container’s address over a route in Windows’ words', async () => {
    expect(
      (await on('server01', 'docker', 'run', '-d', '--name', 'web', '-p', ':80', 'mycontainer:5.6'))
        .status,
    ).toBe(0);
    const view = hostView(raised.sandbox.host('server01'), AbortSignal.timeout(60_000));
    const web = await view.container('web');
    const port = web?.ports['80/tcp']?.[0];
    expect(port).toBeGreaterThan(1023);
    expect((await on('client', 'curl', '-sS', '-m5', `http://10.1.10.11:${port}/`)).said).toContain(
      web?.addresses.bridge,
    );
    const direct = ['curl', '-sS', '-m5', `http://${web?.addresses.bridge}/`];
    expect((await on('client', ...direct)).status).not.toBe(0);
    const added = await on(
      'client',
      'route',
      'add',
      '172.17.0.0',
      'mask',
      '255.255.0.0',
      '10.1.10.11',
    );
    expect(added).toEqual({ status: 0, said: 'OK!' });
    expect((await on('client', ...direct)).said).toContain('10.1.10.100');
    expect((await on('client', 'route', 'print')).said).toContain('172.17.0.0');
    expect((await on('client', 'route', 'delete', '172.17.0.0')).status).toBe(0);
    expect(
      (await on('client', 'route', 'add', '-net', '172.17.0.0/16', 'gw', '10.1.10.11')).status,
    ).toBe(0);
    expect(
      (await on('client', 'route', 'add', '10.0.0.0', 'mask', '255.0.255.0', '10.1.10.11')).said,
    ).toContain('is not a network mask');
    expect(
      (await on('client', 'route', 'add', '172.17.0.0', '255.255.0.0', '10.1.10.11')).said,
    ).toContain('A mask has the word mask before it');
  });

  test('answers questions and refuses changes through a check’s view', async () => {
    const view = hostView(raised.sandbox.host('server01'), AbortSignal.timeout(60_000));
    expect((await view.networks()).map(({ name }) => name).sort()).toEqual([
      'bridge',
      'host',
      'none',
    ]);
    expect(await view.addressOf('docker0')).toBe('172.17.0.1');
    expect(await view.addressOf('nothing0')).toBeUndefined();
    expect(await view.read('/proc/sys/net/ipv4/ip_forward')).toBe('1');
    expect(await view.container('nobody')).toBeUndefined();
    await expect(view.docker.getContainer('web').stop()).rejects.toThrow(/may only read/);
  });

  test('is mended when a host was restarted: its wire and its engine come back', async () => {
    const host = raised.sandbox.host('server01');
    await stage.runtime.engine.docker.getContainer(host.container).restart({ t: 2 });
    await raised.sandbox.reconcile(() => undefined);
    expect((await on('client', 'ping', '-c1', '-W2', 'server01')).status).toBe(0);
    expect((await on('server01', 'docker', 'ps', '-aq')).status).toBe(0);
    // Its ways in are kept: whoever held it before holds it still.
    expect(raised.sandbox.host('server01')).toBe(host);
  });

  test('is mended where its wiring was broken off before the host had its address', async () => {
    const { docker } = stage.runtime.engine;
    const [theSwitch] = await docker.listContainers({
      filters: {
        label: [`${LABEL.sandbox}=${raised.sandbox.labels.sandbox}`, `${LABEL.role}=switch`],
      },
    });
    const { State } = await docker.getContainer(theSwitch?.Id ?? '').inspect();
    const unplug = `nsenter -t ${State.Pid} -n ip link set port1 nomaster && echo unplugged`;
    await using wirer = await stage.runtime.engine.attend({
      Image: stage.runtime.hostImage,
      Entrypoint: ['sh', '-c', unplug],
      HostConfig: {
        PidMode: 'host',
        CapAdd: ['SYS_ADMIN', 'NET_ADMIN', 'SYS_PTRACE'],
        SecurityOpt: ['apparmor=unconfined'],
      },
    });
    expect(await text(wirer.stream)).toBe('unplugged\n');
    expect((await on('server01', 'sudo', 'ip', 'addr', 'flush', 'dev', 'eth1')).status).toBe(0);
    expect((await on('client', 'ping', '-c1', '-W2', '10.1.10.11')).status).not.toBe(0);
    await raised.sandbox.reconcile(() => undefined);
    expect((await on('client', 'ping', '-c1', '-W2', '10.1.10.11')).status).toBe(0);
  });

  test('is left as it is where nothing is broken', async () => {
    const told: string[] = [];
    const wire = ['ip', '-o', 'link', 'show', 'eth1'];
    const before = await on('server01', ...wire);
    await raised.sandbox.reconcile((host, phase) => told.push(`${host} ${phase}`));
    expect(await on('server01', ...wire)).toEqual(before);
    expect(told.filter((line) => line.endsWith('ready'))).toHaveLength(2);
  });

  test('is taken up by a server that comes back, as it was', async () => {
    const adopted = new Sandbox(stage.runtime, SMALL_LAB, raised.sandbox.labels);
    const before = raised.sandbox.host('server01').container;
    await adopted.reconcile(() => undefined);
    expect(adopted.host('server01').container).toBe(before);
  });

  test('stands beside another with the very same addresses', async () => {
    await using second = await startSandbox(stage.runtime, stage.instance);
    const { stdout } = await second.sandbox.host('client').run(['ping', '-c1', '-W2', 'server01']);
    expect(stdout).toContain('10.1.10.11');
    expect(await liveSandboxes(stage.runtime, stage.instance)).toHaveLength(2);
  });

  test('goes although a container in one of its hosts is paused', async () => {
    await using second = await startSandbox(stage.runtime, stage.instance);
    const { status } = await second.sandbox
      .host('server01')
      .run(['sh', '-c', 'docker run -d --name web mycontainer:5.6 && docker pause web']);
    expect(status).toBe(0);
    await second.sandbox.destroy();
    expect(await liveSandboxes(stage.runtime, stage.instance)).toHaveLength(1);
  });

  test('leaves nothing behind: no container, no volume, no directory', async () => {
    await raised.sandbox.destroy();
    expect(await liveSandboxes(stage.runtime, stage.instance)).toEqual([]);
  });
});
