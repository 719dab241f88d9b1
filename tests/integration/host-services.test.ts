import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { hostView } from '../../server/sandbox/host-view.ts';
import { openRuntime, PROJECT, startSandbox } from './stage.ts';

/** A host's own engine, as its services, its settings and its limits show it to whoever types there. */
let stage: Awaited<ReturnType<typeof openRuntime>>;
let raised: Awaited<ReturnType<typeof startSandbox>>;

beforeAll(async () => {
  stage = await openRuntime();
  raised = await startSandbox(stage.runtime, stage.instance);
});

afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
});

const server = () => raised.sandbox.host('server01');

/** A line that the learner types, and what is printed. */
async function types(line: string, host = server()) {
  const { status, stdout } = await host.run(['bash', '-c', `{ ${line}\n} 2>&1`], {
    user: 'learner',
  });
  return { status, said: stdout.trim() };
}
const wentWell = async (line: string) => {
  const { status, said } = await types(line);
  expect(status, `${line}: ${said}`).toBe(0);
  return said;
};

beforeEach(async () => {
  await wentWell(
    'sudo rm -f /etc/docker/daemon.json; sudo systemctl restart docker; ids=$(docker ps -aq); [ -z "$ids" ] || docker rm -f $ids',
  );
});

/** Why a check cannot ask the engine. */
const whyNot = () =>
  hostView(server(), new AbortController().signal)
    .containers()
    .then(
      () => 'it can',
      (error: Error) => error.message,
    );

describe('the engine as a service', () => {
  test.each([
    ['systemctl', 'sudo systemctl stop docker', 'sudo systemctl start docker'],
    ['service', 'sudo service docker stop', 'sudo service docker start'],
    ['its init script', 'sudo /etc/init.d/docker stop', 'sudo /etc/init.d/docker start'],
  ])('stops and starts by %s, and says which it is', async (_, stop, start) => {
    await wentWell(stop);
    expect(await types('systemctl is-active docker')).toEqual({ status: 3, said: 'inactive' });
    expect((await types('service docker status')).status).toBe(3);
    expect((await types('docker ps')).said).toContain('Cannot connect to the Docker daemon');
    expect(await whyNot()).toBe(
      'the Docker Engine of server01 was stopped. Start it there: sudo systemctl start docker.',
    );
    await wentWell(start);
    expect(await wentWell('docker ps -q; service docker status')).toBe('Docker is running.');
    expect(await wentWell('systemctl status docker')).toMatch(
      /Active: active \(running\) since[\s\S]*Main PID: \d+ \(dockerd\)[\s\S]*API listen on/,
    );
    expect(await whyNot()).toBe('it can');
  });

  test('starts anew at a restart, and reads its settings again at a reload', async () => {
    const pid = await wentWell('cat /run/docker.pid');
    await wentWell('sudo systemctl restart docker');
    expect(await wentWell('cat /run/docker.pid')).not.toBe(pid);
    await wentWell(
      `echo '{ "labels": ["floor=2"] }' | sudo tee /etc/docker/daemon.json; sudo service docker reload`,
    );
    const labels = async () => await wentWell('docker info --format "{{.Labels}}" 2>/dev/null');
    await expect.poll(labels).toBe('[floor=2]');
    expect(await wentWell('journalctl -xeu docker -n 5')).toContain('reload');
  });

  test('is not for everybody, and on a host without one there is none', async () => {
    expect(await types('systemctl restart docker')).toEqual({
      status: 4,
      said: 'Failed to restart docker.service: Access denied\nUse sudo: sudo systemctl restart docker',
    });
    expect(await types('sudo systemctl restart nginx')).toEqual({
      status: 5,
      said: 'Failed to restart nginx.service: Unit nginx.service not found.',
    });
    expect(await types('systemctl status docker', raised.sandbox.host('client'))).toEqual({
      status: 4,
      said: 'Unit docker.service could not be found.',
    });
  });
});

describe('a learner’s own daemon.json', () => {
  test('costs the host neither its runtime nor its stop', async () => {
    await wentWell(
      `echo '{ "userland-proxy": false }' | sudo tee /etc/docker/daemon.json; sudo systemctl restart docker`,
    );
    expect(await wentWell('docker run --rm mycontainer:5.6 echo it runs')).toBe('it runs');
  });

  test.each([
    ['is no JSON', '{ "debug": true, }', 'invalid character'],
    ['contradicts', '{ "hosts": ["fd://"] }', 'specified both as a flag and in the'],
  ])('that %s is told in Docker’s own words, and mended by the next', async (_, json, words) => {
    const { said, status } = await types(
      `echo '${json}' | sudo tee /etc/docker/daemon.json; sudo systemctl restart docker`,
    );
    expect({ said, status }).toMatchObject({
      status: 1,
      said: expect.stringContaining('Job for docker.service failed'),
    });
    const { said: shown } = await types('systemctl status docker');
    expect(shown).toContain('activating (auto-restart)');
    expect(shown).toContain(words);
    expect(await whyNot()).toContain('the Docker Engine of server01 does not start. It says:');
    expect(await whyNot()).toContain(words);
    await wentWell('sudo rm /etc/docker/daemon.json; sudo systemctl restart docker; docker ps');
  });
});

describe('what is logged has a limit', () => {
  test('by the engine, which goes on in the same file', async () => {
    await wentWell(
      'yes x | head -c 3000000 | sudo tee -a /var/log/dockerd.log > /dev/null; sudo /opt/quayside/rotate-logs',
    );
    expect(await wentWell('stat -c %s /var/log/dockerd.log /var/log/dockerd.log.1')).toBe(
      '0\n1048576',
    );
    await wentWell('sudo systemctl reload docker');
    await expect.poll(() => wentWell('journalctl -u docker')).toContain('reload');
  });

  test('by a container', async () => {
    await wentWell(
      'docker run --name talks mycontainer:5.6 sh -c "yes | head -c 3000000" > /dev/null',
    );
    const path = await wentWell('docker inspect -f "{{.LogPath}}" talks');
    expect(Number(await wentWell(`sudo stat -c %s ${path}`))).toBeLessThan(1_100_000);
  });

  test('by the host itself, whoever prints in its name', async () => {
    await wentWell('yes x | head -c 5000000 | sudo tee /proc/1/fd/1 > /dev/null');
    const log = await stage.runtime.engine.docker
      .getContainer(server().container)
      .logs({ stdout: true, stderr: true });
    expect(log.length).toBeLessThan(1_100_000);
  });
});

test('a host that has no room for another container says so, and its engine lives', async () => {
  const limit = (PidsLimit: number) =>
    stage.runtime.engine.docker.getContainer(server().container).update({ PidsLimit });
  await limit(330);
  try {
    const many = 'for i in 1 2 3 4 5 6 7 8 9; do docker run -d mycontainer:5.6 || exit; done';
    const { said, status } = await types(many);
    expect(status).not.toBe(0);
    expect(said).toMatch(
      /no room for another container: \d+ of its 330 processes and threads are in use/,
    );
    expect(await wentWell('systemctl is-active docker')).toBe('active');
    await wentWell('docker rm -f $(docker ps -q); docker run --rm mycontainer:5.6 true');
  } finally {
    await limit(1024);
  }
});

test('what is typed ahead while sudo runs reaches the shell', async () => {
  const typed = `${'sudo true\necho SEC""OND\n'.repeat(3)}exit\n`;
  const { stdout } = await server().run(['script', '-qec', 'bash --norc', '/dev/null'], {
    user: 'learner',
    input: typed,
  });
  expect(stdout.match(/^SECOND/gm)).toHaveLength(3);
});

test.each([
  ['a pull', 'docker pull nginx'],
  ['an image that is not there', 'docker run mycontainer:5.5'],
  ['a build from one', 'echo FROM debian | docker build -'],
])('%s is told at once that there is no internet, and which images there are', async (_, line) => {
  const { said, status } = await types(line);
  expect(status).not.toBe(0);
  expect(said).toMatch(/this host has no internet, only the images .*: mycontainer:5\.6/);
});

test('a host of the lab is asked for its images itself, and apt says that there is no internet', async () => {
  expect((await types('docker pull client:5000/web')).said).toMatch(
    /client:5000.* (connection refused|no route)/,
  );
  for (const host of raised.sandbox.hosts) {
    expect((await types('sudo apt-get update', host)).said).toContain('This host has no internet');
  }
});

/** What each tool of a host is asked beside a container named web on docker0 and on the network mynet, and what it answers. */
const TOOLS: Readonly<Record<string, readonly [line: string, answer: RegExp]>> = {
  arping: ['arping -c 1 -I eth1 10.1.10.100', /Received 1 response/],
  brctl: ['brctl show docker0', /^docker0\s.*\sveth/m],
  bridge: ['bridge link', /veth.* master docker0/],
  conntrack: ['curl -s $ip > /dev/null; sudo conntrack -L -p tcp', /dport=80/],
  curl: ['curl -s $ip', /<html/],
  dig: ['sudo nsenter -t $pid -n dig +short web @127.0.0.11', /^172\./m],
  drill: ['sudo nsenter -t $pid -n drill web @127.0.0.11', /NOERROR/],
  ethtool: ['ethtool -i eth1', /^driver: veth/m],
  fuser: ['sudo fuser /run/docker.sock', /\d/],
  ip: ['ip -br address show docker0', /172\.17\.0\.1/],
  iptables: ['sudo iptables -t nat -S', /^-N DOCKER$/m],
  jq: ['docker inspect web | jq -r ".[0].Name"', /^\/web$/],
  killall: ['sleep 1000 & until killall sleep; do :; done; wait; echo over', /^over$/m],
  less: ['less /etc/hosts', /client/],
  lsof: ['sudo lsof -nPi', /LISTEN/],
  man: ['man ip-route', /routing table management/],
  mtr: ['mtr -nrc 1 -G 1 10.1.10.100', /10\.1\.10\.100 +0\.0%/],
  nano: ['nano --version', /GNU nano/],
  nc: ['nc -zv $ip 80', /succeeded/],
  netstat: ['netstat -ltn', /LISTEN/],
  nft: ['sudo nft list ruleset', /chain DOCKER/],
  nslookup: ['sudo nsenter -t $pid -n nslookup web 127.0.0.11', /Address: 172\./],
  ping: ['ping -c 1 client', /1 received/],
  pstree: ['pstree', /dockerd/],
  route: ['route -n', /docker0/],
  socat: ['socat -u /etc/hosts -', /client/],
  ss: ['ss -ltn', /LISTEN/],
  tcpdump: [
    'ping -i 0.2 $ip > /dev/null & timeout 20 tcpdump -c 2 -n -i docker0 icmp; kill $!',
    /echo request[\s\S]*echo reply/,
  ],
  telnet: ['telnet $ip 80 < /dev/null', /^Connected to/m],
  tracepath: ['tracepath -n 10.1.10.100', /reached/],
  traceroute: ['traceroute -n 10.1.10.100', /^ 1 {2}10\.1\.10\.100 /m],
  tree: ['tree /etc/docker', /0 files|1 file/],
  vim: ['vim --version', /VIM/],
  watch: ['watch --version', /procps/],
  wget: ['wget -qO- http://$ip', /<html/],
};

describe('the tools of a host', () => {
  const noSuch = async (shell: string) =>
    (await types(`TERM=dumb ${shell} 'nosuch --option; echo "status $?"' 2>&1`)).said;

  test('are told to whoever types a command that is not there, whose status stays 127', async () => {
    const said = await noSuch('bash -ic');
    expect(said).toMatch(
      /^bash: nosuch: command not found\nThis host has no internet to install it from; its tools are .*\.\nstatus 127$/m,
    );
    const [, told = ''] = /its tools are (.*)\.$/m.exec(said) ?? [];
    expect(told.split(/, | and /)).toEqual(Object.keys(TOOLS));
    // A script hears what bash says, and nothing else.
    expect(await noSuch('bash -c')).toMatch(
      /^bash: line 1: nosuch: command not found\nstatus 127$/,
    );
    const guide = await readFile(join(PROJECT, 'src/content/docs/authors/hosts.mdx'), 'utf8');
    const [, listed = ''] = /every host has (.*?)\./.exec(guide) ?? [];
    expect(listed.replaceAll('`', '')).toBe(told);
  });

  test('all answer a learner, with the packets that cross docker0 and the cables on it', async () => {
    await wentWell(
      'docker network create mynet; docker run -d --name web mycontainer:5.6; docker network connect mynet web',
    );
    const ip = await wentWell('docker inspect -f "{{.NetworkSettings.IPAddress}}" web');
    const pid = await wentWell('docker inspect -f "{{.State.Pid}}" web');
    try {
      for (const [tool, [line, answer]] of Object.entries(TOOLS)) {
        expect((await types(`ip=${ip} pid=${pid}; ${line}`)).said, tool).toMatch(answer);
      }
    } finally {
      await types('docker rm -f web; docker network rm mynet');
    }
  });

  test('are completed by Tab, and those of Docker have their pages', async () => {
    const offers = async (typed: string) => {
      const words = typed.split(' ');
      const [program = ''] = words;
      return await wentWell(`. /usr/share/bash-completion/bash_completion; _comp_load ${program}
        COMP_WORDS=(${typed}) COMP_CWORD=${words.length - 1} COMP_LINE='${typed}' COMP_POINT=${typed.length}
        $(complete -p ${program} | sed -E 's/.*-F ([^ ]+).*/\\1/') ${program} ${words.slice(-2).reverse().join(' ')} 2>/dev/null
        printf '%s\\n' "\${COMPREPLY[@]}" | uniq`);
    };
    expect(await offers('docker network ins')).toBe('inspect');
    expect(await offers('ip ro')).toBe('route');
    expect(await offers('bridge fdb sh')).toBe('show');
    expect(await offers('bridge link show dev et')).toBe('eth1');
    expect(await wentWell('man docker-network-create')).toContain('docker network create');
    expect((await types('man nosuch')).said).toBe('man: No entry for nosuch in the manual.');
  });
});

test('a Swarm service answers on any kernel as the authors’ guide says, and one that does not is told in Docker’s log', async () => {
  const create = (name: string, options: string) =>
    wentWell(`docker service create -d --name ${name} ${options} mycontainer:5.6`);
  try {
    await wentWell('docker swarm init --advertise-addr 10.1.10.11');
    await wentWell('docker network create -d overlay --attachable over');
    await create('web', '--network over --publish mode=host,published=8081,target=80');
    await create('alone', '--network over --endpoint-mode dnsrr');
    await create('balanced', '--publish 8080:80');
    const asks = (address: string) => `wget -T 2 -qO- http://${address}`;
    const until = (line: string) =>
      wentWell(`timeout 60 sh -c 'until ${line}; do sleep 0.2; done'`);
    expect(await until(asks('10.1.10.11:8081'))).toContain('<html');
    for (const name of ['tasks.web', 'alone']) {
      expect(await until(`docker run --rm --network over mycontainer:5.6 ${asks(name)}`)).toContain(
        '<html',
      );
    }
    expect(
      await until(`${asks('10.1.10.11:8080')} || journalctl -u docker | grep ipvs.is.not.enabled`),
    ).toMatch(/<html|ipvs is not enabled in your kernel/);
  } finally {
    await types('docker swarm leave --force');
  }
});
