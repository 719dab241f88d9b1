import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type HostView,
  isFromImage,
  obstacleTo,
  type ReadingCommand,
  runsImagesProgram,
} from '#lab';
import { hostView } from '../../server/sandbox/host-view.ts';
import { openRuntime, startSandbox } from './stage.ts';

let stage: Awaited<ReturnType<typeof openRuntime>>;
let raised: Awaited<ReturnType<typeof startSandbox>>;
let view: HostView;
const IMAGE = 'mycontainer:5.6';

beforeAll(async () => {
  stage = await openRuntime();
  raised = await startSandbox(stage.runtime, stage.instance);
  const host = raised.sandbox.host('server01');
  await host.run(['docker', 'run', '-d', '--name', 'web', IMAGE]);
  view = hostView(host, AbortSignal.timeout(60_000));
});

afterAll(() => stage?.[Symbol.asyncDispose]());

describe('a check’s view of a host changes nothing:', () => {
  const REFUSED = /may only read/;
  test.each([
    ['make a container', () => view.docker.createContainer({ Image: IMAGE })],
    ['start one', () => view.docker.getContainer('web').start()],
    ['remove one', () => view.docker.getContainer('web').remove({ force: true })],
    ['run a process in one', () => view.docker.getContainer('web').exec({ Cmd: ['true'] })],
    ['start a process made elsewhere', () => view.docker.getExec('abc').start({})],
    ['attach to one', () => view.docker.getContainer('web').attach({ stream: true, stdin: true })],
    [
      'attach with a hijacked connection',
      () => view.docker.getContainer('web').attach({ hijack: true }),
    ],
    [
      'put files into one',
      () => view.docker.getContainer('web').putArchive('/dev/null', { path: '/' }),
    ],
    ['pull an image', () => view.docker.pull(IMAGE)],
    ['tag an image', () => view.docker.getImage(IMAGE).tag({ repo: 'x', tag: 'y' })],
    ['make a network', () => view.docker.createNetwork({ Name: 'n' })],
    ['make a volume', () => view.docker.createVolume({ Name: 'v' })],
    ['remove what is unused', () => view.docker.pruneImages()],
  ])('it cannot %s', async (_, attempt) => {
    await expect((async () => await attempt())()).rejects.toThrow(REFUSED);
  });

  test.each([
    ['a WebSocket into a container', { path: '/containers/web/attach/ws?' }],
    ['an upgraded connection', { path: '/containers/web/json?', hijack: true }],
    ['an upgrade by hand', { path: '/info?', headers: { Upgrade: 'tcp' } }],
    ['an open stdin', { path: '/containers/web/json?', openStdin: true }],
  ])('nor open %s with a GET', async (_, options) => {
    const asked = new Promise((resolve, reject) =>
      view.docker.modem.dial({ method: 'GET', ...options }, (error, found) =>
        error ? reject(error) : resolve(found),
      ),
    );
    await expect(asked).rejects.toThrow(REFUSED);
  });

  test('a path is a path to the shell that reads, whatever stands in it', async () => {
    for (const path of [
      '/etc/hosts; touch /tmp/made',
      '$(touch /tmp/made)',
      "'; touch /tmp/made; '",
    ]) {
      expect(await view.read(path)).toBeUndefined();
    }
    await expect(view.read('/etc/hosts\ntouch /tmp/made')).rejects.toThrow(/one line/);
    expect(await view.read('/tmp/made')).toBeUndefined();
    expect(await view.addressOf('eth1; touch /tmp/made')).toBeUndefined();
  });

  test('a pipe is not emptied, and a device not asked', async () => {
    await raised.sandbox.host('server01').run(['mkfifo', '/tmp/pipe']);
    expect(await view.read('/tmp/pipe')).toBeUndefined();
    expect(await view.read('/dev/zero')).toBeUndefined();
  });
});

describe('a check’s view of a host', () => {
  test('reads files, addresses and routes', async () => {
    expect(await view.read('/proc/sys/net/ipv4/ip_forward')).toMatch(/^[01]$/);
    expect(await view.addressOf('eth1')).toBe('10.1.10.11');
    expect(await view.addressOf('eth9')).toBeUndefined();
    expect((await view.routes()).some(({ destination }) => destination === '10.1.10.0/24')).toBe(
      true,
    );
  });

  test('finds what a host has lost on the way to a container, and the way out of it', async () => {
    const host = raised.sandbox.host('server01');
    const types = async (line: string) => await host.run(['sh', '-c', line]);
    const seen = hostView(host, AbortSignal.timeout(100_000));
    const obstacle = async () => {
      const page = await seen.container('page');
      if (!page) throw new Error('there is no page');
      const address = page.addresses.bridge ?? '';
      const hostPort = page.ports['80/tcp']?.[0] ?? 0;
      const found = await obstacleTo(seen, page, { address, port: '80/tcp', hostPort });
      return found?.kind === 'not-yet' ? found : undefined;
    };
    await types(`docker run -d --name page -p :80 ${IMAGE}`);
    expect(await obstacle()).toBeUndefined();
    for (const [breaks, says] of [
      ['iptables -F', /Docker’s rules for page are gone from the firewall/],
      ['iptables -t nat -F; pkill docker-proxy', /^Port \d+ of server01 leads nowhere any more/],
      ['ip link del docker0', /^server01 has no way to page any more/],
      ['iptables -I DOCKER-USER -j DROP', /: iptables -A DOCKER-USER -j DROP\./],
      ['echo 0 > /proc/sys/net/ipv4/ip_forward', /its ip_forward is 0/],
    ] as const) {
      await types(breaks);
      const { reason, fix } = (await obstacle()) ?? { reason: 'nothing is found', fix: undefined };
      expect(reason, breaks).toMatch(says);
      await types(fix?.command ?? '');
      expect(await obstacle(), `${breaks}, then ${fix?.command}`).toBeUndefined();
    }
  });

  test('tells the lab’s own program from another, and the lab’s images from others', async () => {
    const host = raised.sandbox.host('server01');
    await host.run(['docker', 'run', '-d', '--name', 'other', IMAGE, 'sleep', '60']);
    const [web, other] = [await view.container('web'), await view.container('other')];
    if (!web || !other) throw new Error('both containers are there');
    expect(await runsImagesProgram(view, web)).toBe(true);
    expect(await runsImagesProgram(view, other)).toBe(false);
    expect(await isFromImage(view, other, IMAGE)).toBe(true);
    const image = { id: web.imageId, command: ['/bin/serve'], isLabs: true };
    expect(await view.image(IMAGE)).toMatchObject(image);
    expect(await view.image('nginx')).toBeUndefined();
  });

  test('asks by commands that read, which tell programs of other users as well, and by no other', async () => {
    const host = raised.sandbox.host('client');
    const client = hostView(host, new AbortController().signal);
    await host.run(['sh', '-c', 'nc -lk 127.0.0.1 7070 >/dev/null 2>&1 &'], { user: 'learner' });
    const asLearner = ['setpriv', '--reuid=learner', '--regid=learner', '--clear-groups'] as const;
    await expect
      .poll(async () => (await client.ask([...asLearner, 'ss', '-Hltnp'])).output)
      .toMatch(/^LISTEN +\d+ +\d+ +127\.0\.0\.1:7070 .*"nc",pid=/m);
    expect(
      (await client.ask(['ps', '-eo', 'pid=,ppid=,tty=,stat=,user:32=,comm='])).output,
    ).toMatch(/^ *\d+ +1 \? +S\S* +learner +nc$/m);
    expect(await client.ask(['stat', '-Lc', '%a %U:%G %F', '--', '/etc/shadow'])).toEqual({
      status: 0,
      output: '640 root:shadow regular file',
    });
    expect((await client.ask(['id', '-Gn', '--', 'learner'])).output).toBe('learner docker');
    expect((await client.ask(['id', '-Gn', '--', 'nobody2'])).status).toBe(1);
    expect((await client.ask(['getent', 'group', 'nogroup2'])).status).toBe(2);
    const forbidden = ['ss', '-K'] as unknown as ReadingCommand;
    await expect(client.ask(forbidden)).rejects.toThrow('A check may only read');
  });

  test('tells what an image is made of, under all its names and without one', async () => {
    const host = raised.sandbox.host('server01');
    const dockerfile = `FROM ${IMAGE}\nLABEL version=1\nCOPY motd /motd\n`;
    const build = (tag: string) =>
      `cd $(mktemp -d) && echo hello > motd && printf '${dockerfile}' > Dockerfile && docker build -q ${tag} .`;
    await host.run(['sh', '-c', build('-t web:1')]);
    const [base, web] = [await view.image(IMAGE), await view.image('web:1')];
    if (!base || !web) throw new Error('both images are there');
    expect(web.labels).toEqual({ version: '1' });
    expect(web.layers.slice(0, -1)).toEqual(base.layers);
    expect((await view.imageSteps(web.id)).join()).toMatch(/COPY/);
    await host.run(['sh', '-c', `docker tag web:1 registry:5000/web:1; docker rmi web:1`]);
    const named = async () => (await view.images()).find(({ id }) => id === web.id)?.names;
    expect(await named()).toEqual(['registry:5000/web:1']);
    await host.run(['docker', 'tag', IMAGE, 'registry:5000/web:1']);
    expect(await named()).toEqual([]);
  });

  test('goes round the engine that the hosts are made on, where they share this machine', async () => {
    const host = raised.sandbox.host('server01');
    const { stdout } = await host.run(['ss', '-xlH']);
    // An engine that runs for the first time has the socket by two names.
    const listens = /\/opt\/quayside\/shared\/(early|docker)\.sock/.test(stdout);
    expect(listens).toBe(host.shared !== undefined);
  });
});

describe('a probe', () => {
  const said = async (...probe: Parameters<HostView['probe']>) => {
    const { status, output } = await view.probe(...probe);
    return `${status} ${output}`;
  };

  test('is answered, refused or lost, and knows no route or no name', async () => {
    expect(await said('10.1.10.100')).toMatch(/^0 /);
    expect(await said('client')).toMatch(/^0 /);
    expect(await said('10.1.10.100', 81)).toMatch(/^1 .*Connection refused/);
    expect(await said('10.1.10.77')).toMatch(/^1 .* 0 received/s);
    expect(await said('10.1.10.77', 80)).toMatch(/^1 .*timed out/);
    expect(await said('203.0.113.1')).toMatch(/^2 ping: connect: Network is unreachable/);
    expect(await said('nobody')).toMatch(/^2 .*name resolution|^2 .*Name or service/);
  });

  test('goes from within a container by the names that are known there, and not by the host’s', async () => {
    const host = raised.sandbox.host('server01');
    await host.run(['docker', 'network', 'create', 'yard']);
    for (const name of ['near', 'far']) {
      await host.run(['docker', 'run', '-d', '--name', name, '--network', 'yard', IMAGE]);
    }
    expect(await said('near', undefined, 'far')).toMatch(/^0 /);
    expect(await said('near', 80, 'far')).toMatch(/^0 /);
    expect(await said('web', 80, 'far')).toMatch(/^1 .*(name resolution|Name or service)/);
    expect(await said('near')).toMatch(/^2 .*(name resolution|Name or service)/);
    await host.run(['docker', 'stop', '-t', '0', 'far']);
    await expect(said('near', undefined, 'far')).rejects.toThrow('far does not run on server01.');
  });

  test('is five at once, within the time of a check', async () => {
    const lost = ['71', '72', '73', '74', '75'].map((end) => said(`10.1.10.${end}`));
    expect(await Promise.all(lost)).toEqual(lost.map(() => expect.stringMatching(/^1 /)));
  });
});

describe('a script', () => {
  test('has several lines, status and words, and the end of many words', async () => {
    const script = (lines: string) => view.script(lines);
    expect(await script('x=1\n[ "$x" = 1 ]')).toEqual({ status: 0, output: '' });
    expect(await script("echo it\\'s >&2\nexit 3")).toEqual({ status: 3, output: "it's" });
    const much = await script('yes | head -c 9000000; echo end; false');
    expect(much.status).toBe(1);
    expect(much.output.length).toBeLessThanOrEqual(2_048);
    expect(much.output).toMatch(/y\nend$/);
  });

  test('that does not end is ended, whatever it says meanwhile', async () => {
    const endless = view.script('trap "" TERM; tr "\\0" x < /dev/zero');
    await expect(endless).rejects.toThrow('its script took longer than 3 s on server01.');
    expect((await view.script('true')).status).toBe(0);
  });
});

test('the way to an address is asked for, and nothing else of ip', async () => {
  const way = await view.ask(['ip', '-j', '-4', 'route', 'get', '10.1.10.100']);
  expect(JSON.parse(way.output)).toMatchObject([{ dev: 'eth1' }]);
  const other = ['ip', 'link', 'del', 'docker0'] as unknown as ReadingCommand;
  await expect(view.ask(other)).rejects.toThrow('may only read');
});
