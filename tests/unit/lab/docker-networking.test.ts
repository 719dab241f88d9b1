import { describe, expect, it } from 'vitest';
import { lab } from '../../../src/content/docs/labs/docker-networking/lab.ts';
import { World } from './docker-networking-world.ts';

/** A learner's steps, the check that is asked after them, and what it says: a pass, or the reason. */
type Case = readonly [title: string, steps: (world: World) => World, expected: 'passed' | RegExp];

const CONTAINER = 'http://172.17.0.2';
const viaRoute = (world: World) => world.runMyapp2().route('172.17.0.0/16');
const openedDirectly = (world: World) => viaRoute(world).visit(CONTAINER);
/** The same on an engine from version 28 on, which drops what comes this way. */
const triedDirectly = (world: World) =>
  viaRoute(world).closesDirectWay().visit(CONTAINER, 'timed-out');

const CASES: Readonly<Record<string, readonly Case[]>> = {
  'myapp2-on-ephemeral-port': [
    ['-p :80', (w) => w.runMyapp2(), 'passed'],
    [
      '-p 0:80, as some engines record it',
      (w) => w.run({ name: 'myapp2', publish: '0', port: 32768 }),
      'passed',
    ],
    [
      'for the server alone',
      (w) => w.run({ name: 'myapp2', publish: '', publishOn: '127.0.0.1', port: 32768 }),
      /publishes its port on 127\.0\.0\.1, where nobody but server01 itself can reach it/,
    ],
    ['-P', (w) => w.run({ name: 'myapp2', publishAll: true, port: 32768 }), 'passed'],
    [
      'the image named by its ID',
      (w) => w.run({ name: 'myapp2', publish: '', port: 32768, image: 'sha256:56' }),
      'passed',
    ],
    [
      'the image named in full',
      (w) =>
        w.run({
          name: 'myapp2',
          publish: '',
          port: 32768,
          image: 'docker.io/library/mycontainer:5.6',
        }),
      'passed',
    ],
    ['nothing done', (w) => w, /No container named myapp2 on server01 yet/],
    [
      'a fixed port',
      (w) => w.run({ name: 'myapp2', publish: '8080', port: 8080 }),
      /fixed port 8080/,
    ],
    [
      'a range of ports',
      (w) => w.run({ name: 'myapp2', publish: '8000-8010', port: 8000 }),
      /only have a port from 8000-8010/,
    ],
    [
      'the range that Docker picks from, written down',
      (w) => w.run({ name: 'myapp2', publish: '32768-60999', port: 32768 }),
      'passed',
    ],
    [
      'a range beyond it, of which Docker took a port of its own range',
      (w) => w.run({ name: 'myapp2', publish: '32000-65535', port: 32768 }),
      'passed',
    ],
    [
      'a range beyond it, of which Docker took another',
      (w) => w.run({ name: 'myapp2', publish: '32000-65535', port: 32000 }),
      /only have a port from 32000-65535/,
    ],
    [
      'a range within it',
      (w) => w.run({ name: 'myapp2', publish: '32768-32800', port: 32768 }),
      /only have a port from 32768-32800/,
    ],
    ['no port published', (w) => w.run({ name: 'myapp2' }), /publishes no port/],
    [
      'the wrong side of the colon',
      (w) => w.run({ name: 'myapp2', publish: '', containerPort: '8080/tcp', port: 32768 }),
      /publishes its port 8080\/tcp/,
    ],
    [
      'another image',
      (w) => w.run({ name: 'myapp2', publish: '', port: 32768, image: 'nginx' }),
      /made from the image nginx/,
    ],
    [
      'another name',
      (w) => w.run({ name: 'myapp', publish: '', port: 32768 }),
      /its name is myapp\./,
    ],
    [
      'the other host',
      (w) => w.run({ name: 'myapp2', publish: '', port: 32768, on: 'server02' }),
      /on server02, but/,
    ],
    ['stopped', (w) => w.runMyapp2().stop('myapp2'), /is stopped/],
    [
      'only created',
      (w) => w.run({ name: 'myapp2', publish: '', status: 'created' }),
      /never started/,
    ],
    [
      'paused',
      (w) => w.run({ name: 'myapp2', publish: '', port: 32768, status: 'paused' }),
      /is paused/,
    ],
    [
      'a command that ends at once',
      (w) => w.run({ name: 'myapp2', publish: '', port: 32768, command: 'sleep 1' }),
      /a command of its own/,
    ],
    [
      'the network none',
      (w) => w.run({ name: 'myapp2', publish: '', network: 'none' }),
      /on the network “none”/,
    ],
  ],
  'myapp2-port-read': [
    ['the number', (w) => w.runMyapp2().answer('myapp2-port-read', '32768'), 'passed'],
    [
      'the right side of the arrow',
      (w) => w.runMyapp2().answer('myapp2-port-read', '0.0.0.0:32768'),
      'passed',
    ],
    ['nothing answered', (w) => w.runMyapp2(), /Not answered yet/],
    [
      'the container’s port',
      (w) => w.runMyapp2().answer('myapp2-port-read', '80'),
      /inside the container/,
    ],
    [
      'the port of before',
      (w) => w.runMyapp2().restart('myapp2', 32769).answer('myapp2-port-read', '32768'),
      /before the restart/,
    ],
    [
      'some other number',
      (w) => w.runMyapp2().answer('myapp2-port-read', '8080'),
      /8080 is not the port/,
    ],
    ['no number', (w) => w.runMyapp2().answer('myapp2-port-read', 'tcp'), /is no port/],
  ],
  'myapp2-page-opened': [
    ['by address', (w) => w.runMyapp2().visit('http://10.1.10.11:32768'), 'passed'],
    ['by the host’s old name', (w) => w.runMyapp2().visit('http://mesos-agent01:32768'), 'passed'],
    [
      'opened, then restarted',
      (w) => w.runMyapp2().visit('http://10.1.10.11:32768').restart('myapp2', 32769),
      'passed',
    ],
    [
      'opened after it was renamed to myapp2',
      (w) =>
        w
          .run({ name: 'x2', publish: '', port: 32768 })
          .rename('x2', 'myapp2')
          .visit('http://10.1.10.11:32768'),
      'passed',
    ],
    ['not opened', (w) => w.runMyapp2(), /go to http:\/\/10\.1\.10\.11:32768/],
    [
      'port 80 of the host',
      (w) => w.runMyapp2().visit('http://10.1.10.11', 'refused'),
      /Port 80 does not lead/,
    ],
    [
      'the other server',
      (w) => w.runMyapp2().visit('http://10.1.10.12:32768', 'refused'),
      /That was server02/,
    ],
    [
      'the container’s own address',
      (w) => w.runMyapp2().visit(CONTAINER, 'timed-out'),
      /container’s own address/,
    ],
    [
      'the port of before',
      (w) => w.runMyapp2().restart('myapp2', 32769).visit('http://10.1.10.11:32768', 'refused'),
      /until it was restarted/,
    ],
    [
      'an error page',
      (w) => w.runMyapp2().visit('http://10.1.10.11:32768/nope', 'page', 404),
      /status 404/,
    ],
    [
      'no answer',
      (w) => w.runMyapp2().visit('http://10.1.10.11:32768', 'timed-out'),
      /never answered/,
    ],
  ],
  'myapp2-restarted': [
    ['docker restart', (w) => w.runMyapp2().restart('myapp2', 32769), 'passed'],
    ['stop and start', (w) => w.runMyapp2().stop('myapp2').start('myapp2', 32769), 'passed'],
    [
      'renamed to myapp2 in between',
      (w) =>
        w
          .run({ name: 'x2', publish: '', port: 32768 })
          .rename('x2', 'myapp2')
          .restart('myapp2', 32769),
      'passed',
    ],
    ['not restarted', (w) => w.runMyapp2(), /not been restarted yet/],
    [
      'removed and run anew while practising, the pass noted before the start',
      (w) =>
        w
          .runMyapp2()
          .remove('myapp2')
          .pass('myapp2-on-ephemeral-port')
          .run({ name: 'myapp2', publish: '', port: 32769 }),
      /not been restarted yet/,
    ],
    ['stopped only', (w) => w.runMyapp2().stop('myapp2'), /is stopped/],
    [
      'removed and run anew after the first step was done',
      (w) =>
        w
          .runMyapp2()
          .pass('myapp2-on-ephemeral-port')
          .remove('myapp2')
          .run({ name: 'myapp2', publish: '', port: 32769 }),
      /a new container/,
    ],
    [
      'several tries before the first step was done',
      (w) =>
        w
          .run({ name: 'myapp2', publish: '8080', port: 8080 })
          .remove('myapp2')
          .runMyapp2()
          .pass('myapp2-on-ephemeral-port'),
      /not been restarted yet/,
    ],
    [
      'another container restarted',
      (w) => w.runMyapp2().run({ name: 'x2' }).restart('x2', 32769),
      /not been restarted yet/,
    ],
  ],
  'port-changed': [
    ['restarted', (w) => w.runMyapp2().restart('myapp2', 32769), 'passed'],
    ['not restarted', (w) => w.runMyapp2(), /still has the port it was started with, 32768/],
    ['the same port by chance', (w) => w.runMyapp2().restart('myapp2', 32768), /pick 32768 again/],
    [
      'removed and run anew',
      (w) => w.runMyapp2().remove('myapp2').run({ name: 'myapp2', publish: '', port: 32769 }),
      /still has the port/,
    ],
  ],
  'docker0-address-read': [
    ['the address', (w) => w.answer('docker0-address-read', '172.17.0.1'), 'passed'],
    ['with its prefix length', (w) => w.answer('docker0-address-read', '172.17.0.1/16'), 'passed'],
    ['eth1', (w) => w.answer('docker0-address-read', '10.1.10.11'), /belongs to eth1/],
    ['the mask', (w) => w.answer('docker0-address-read', '255.255.0.0'), /netmask/],
    [
      'the broadcast address',
      (w) => w.answer('docker0-address-read', '172.17.255.255'),
      /broadcast/,
    ],
    ['the container', (w) => w.answer('docker0-address-read', '172.17.0.2'), /is not docker0’s/],
    ['words', (w) => w.answer('docker0-address-read', 'up'), /one IPv4 address/],
  ],
  'server-ip-read': [
    ['the address', (w) => w.runMyapp2().answer('server-ip-read', '172.17.0.2'), 'passed'],
    [
      'the whole line',
      (w) => w.runMyapp2().answer('server-ip-read', 'Server IP: 172.17.0.2'),
      'passed',
    ],
    [
      'the host',
      (w) => w.runMyapp2().answer('server-ip-read', '10.1.10.11'),
      /the address you asked for/,
    ],
    [
      'the client',
      (w) => w.runMyapp2().answer('server-ip-read', '10.1.10.100'),
      /the client’s address/,
    ],
    ['docker0', (w) => w.runMyapp2().answer('server-ip-read', '172.17.0.1'), /docker0’s address/],
    [
      'some other address',
      (w) => w.runMyapp2().answer('server-ip-read', '172.17.0.9'),
      /does not show 172\.17\.0\.9/,
    ],
  ],
  'eth1-address-read': [
    ['the address', (w) => w.answer('eth1-address-read', '10.1.10.11'), 'passed'],
    ['server02’s', (w) => w.answer('eth1-address-read', '10.1.10.12'), /is server02’s/],
    ['the client’s', (w) => w.answer('eth1-address-read', '10.1.10.100'), /is the client’s/],
    ['docker0’s', (w) => w.answer('eth1-address-read', '172.17.0.1'), /belongs to docker0/],
  ],
  'client-route': [
    ['the route', (w) => w.route('172.17.0.0/16'), 'passed'],
    ['two halves', (w) => w.route('172.17.0.0/17').route('172.17.128.0/17'), 'passed'],
    [
      'the route, and one to the container',
      (w) => w.route('172.17.0.0/16').route('172.17.0.2/32'),
      'passed',
    ],
    ['none', (w) => w, /no route to 172\.17\.0\.0\/16 yet/],
    [
      'via the wrong host',
      (w) => w.route('172.17.0.0/16', '10.1.10.12'),
      /to server02 \(10\.1\.10\.12\)/,
    ],
    ['via a stranger', (w) => w.route('172.17.0.0/16', '10.1.10.1'), /to 10\.1\.10\.1\. /],
    [
      'without a gateway',
      (w) => {
        w.routes.push({ destination: '172.17.0.0/16', via: undefined, device: 'eth1' });
        return w;
      },
      /names no gateway/,
    ],
    ['a narrow mask', (w) => w.route('172.17.0.0/24'), /too narrow.*255\.255\.0\.0/],
    ['a wide mask', (w) => w.route('172.16.0.0/12'), /too wide.*255\.255\.0\.0/],
    [
      'a narrow route elsewhere beside it',
      (w) => w.route('172.17.0.0/16').route('172.17.0.0/24', '10.1.10.12'),
      /172\.17\.0\.0\/24 to server02/,
    ],
    ['another network', (w) => w.route('172.18.0.0/16'), /route to 172\.18\.0\.0\/16, but/],
  ],
  'container-page-opened': [
    ['by its address', openedDirectly, 'passed'],
    [
      'by a route for it alone',
      (w) => w.runMyapp2().route('172.17.0.2/32').visit(CONTAINER),
      'passed',
    ],
    ['no route', (w) => w.runMyapp2().visit(CONTAINER, 'unreachable'), /Add the route first/],
    [
      'a route to the wrong host',
      (w) => w.runMyapp2().route('172.17.0.0/16', '10.1.10.12').visit(CONTAINER),
      /to 10\.1\.10\.12, not to server01/,
    ],
    ['not opened', viaRoute, /go to http:\/\/172\.17\.0\.2/],
    [
      'through the host’s port',
      (w) => viaRoute(w).visit('http://10.1.10.11:32768'),
      /go to http:\/\/172\.17\.0\.2/,
    ],
    [
      'with the host’s port',
      (w) => viaRoute(w).visit(`${CONTAINER}:32768`, 'refused'),
      /listens on 80/,
    ],
    ['docker0', (w) => viaRoute(w).visit('http://172.17.0.1', 'refused'), /docker0 itself/],
    [
      'another container',
      (w) => viaRoute(w).visit('http://172.17.0.3', 'timed-out'),
      /is not myapp2/,
    ],
    ['no answer', (w) => viaRoute(w).visit(CONTAINER, 'timed-out'), /never answered/],
    ['no answer, as the engine has it', triedDirectly, 'passed'],
    [
      'no answer before the present route, as the engine has it',
      (w) =>
        triedDirectly(w).signal({
          kind: 'route',
          host: 'client',
          change: '172.17.0.0/16 via 10.1.10.11',
        }),
      /since version 28 it throws away/,
    ],
    [
      'no answer, and no rule of the engine’s that drops it',
      (w) => viaRoute(w).closesDirectWay('172.17.0.9').visit(CONTAINER, 'timed-out'),
      /never answered/,
    ],
    [
      'the page, where the engine drops it by now',
      (w) => openedDirectly(w).closesDirectWay(),
      'passed',
    ],
  ],
  'ip-forward-read': [
    ['1', (w) => w.answer('ip-forward-read', '1'), 'passed'],
    ['as sysctl says it', (w) => w.answer('ip-forward-read', 'net.ipv4.ip_forward = 1'), 'passed'],
    ['0', (w) => w.answer('ip-forward-read', '0'), /something else/],
    ['words', (w) => w.answer('ip-forward-read', 'yes'), /single digit/],
  ],
  'restarted-again': [
    ['restarted', (w) => openedDirectly(w).restart('myapp2', 32769), 'passed'],
    [
      'stopped and started',
      (w) => openedDirectly(w).stop('myapp2').start('myapp2', 32769),
      'passed',
    ],
    [
      'restarted only before the page was opened',
      (w) => viaRoute(w).restart('myapp2', 32769).visit(CONTAINER),
      /not been restarted since/,
    ],
    [
      'own address not opened',
      (w) => viaRoute(w).restart('myapp2', 32769),
      /First open the container’s own address/,
    ],
    [
      'removed and run anew',
      (w) => openedDirectly(w).remove('myapp2').run({ name: 'myapp2', publish: '', port: 32769 }),
      /made anew/,
    ],
    ['stopped only', (w) => openedDirectly(w).stop('myapp2'), /is stopped/],
    [
      'after no answer, as the engine has it',
      (w) => triedDirectly(w).restart('myapp2', 32769),
      'passed',
    ],
    [
      'after no answer, which the engine has not to do with',
      (w) => viaRoute(w).visit(CONTAINER, 'timed-out').restart('myapp2', 32769),
      /First open the container’s own address/,
    ],
  ],
  'old-port-refused': [
    [
      'refused',
      (w) => w.runMyapp2().restart('myapp2', 32769).visit('http://10.1.10.11:32768', 'refused'),
      'passed',
    ],
    [
      'a port of two restarts ago',
      (w) =>
        w
          .runMyapp2()
          .restart('myapp2', 32769)
          .restart('myapp2', 32770)
          .visit('http://server01:32768', 'refused'),
      'passed',
    ],
    [
      'refused, then restarted',
      (w) =>
        w
          .runMyapp2()
          .restart('myapp2', 32769)
          .visit('http://10.1.10.11:32768', 'refused')
          .restart('myapp2', 32770),
      'passed',
    ],
    ['not restarted', (w) => w.runMyapp2(), /only one port so far/],
    [
      'tried only before the restart',
      (w) => w.runMyapp2().visit('http://10.1.10.11:32768').restart('myapp2', 32769),
      /Reload http:\/\/10\.1\.10\.11:32768/,
    ],
    [
      'the new port',
      (w) => w.runMyapp2().restart('myapp2', 32769).visit('http://10.1.10.11:32769'),
      /32769 is the port of now/,
    ],
    [
      'a port it never had',
      (w) => w.runMyapp2().restart('myapp2', 32769).visit('http://10.1.10.11:9', 'refused'),
      /Port 9 was never/,
    ],
    [
      'refused by the other server',
      (w) => w.runMyapp2().restart('myapp2', 32769).visit('http://10.1.10.12:32768', 'refused'),
      /Not tried since/,
    ],
    [
      'something else there',
      (w) => w.runMyapp2().restart('myapp2', 32769).visit('http://10.1.10.11:32768'),
      /Something else listens/,
    ],
  ],
  'direct-way-still-works': [
    ['reloaded', (w) => openedDirectly(w).restart('myapp2', 32769).visit(CONTAINER), 'passed'],
    [
      'at its new address',
      (w) => openedDirectly(w).restart('myapp2', 32769, '172.17.0.3').visit('http://172.17.0.3'),
      'passed',
    ],
    ['not restarted', openedDirectly, /not been restarted since/],
    [
      'not reloaded',
      (w) => openedDirectly(w).restart('myapp2', 32769),
      /Reload http:\/\/172\.17\.0\.2/,
    ],
    [
      'the old address',
      (w) => openedDirectly(w).restart('myapp2', 32769, '172.17.0.3').visit(CONTAINER, 'timed-out'),
      /no longer myapp2’s address/,
    ],
    [
      'no answer',
      (w) => openedDirectly(w).restart('myapp2', 32769).visit(CONTAINER, 'timed-out'),
      /never answered/,
    ],
    [
      'no answer again, as the engine has it',
      (w) => triedDirectly(w).restart('myapp2', 32769).visit(CONTAINER, 'timed-out'),
      'passed',
    ],
    [
      'no answer since the restart, and none tried',
      (w) => triedDirectly(w).restart('myapp2', 32769),
      /Reload http:\/\/172\.17\.0\.2/,
    ],
    [
      'the host’s port at the container’s address',
      (w) => openedDirectly(w).restart('myapp2', 32769).visit(`${CONTAINER}:32769`, 'timed-out'),
      /itself listens on 80/,
    ],
    [
      'an address that was never its own',
      (w) => openedDirectly(w).restart('myapp2', 32769).visit('http://172.17.0.99', 'unreachable'),
      /is not myapp2/,
    ],
  ],
  'bridge-network-id': [
    ['twelve characters', (w) => w.answer('bridge-network-id', 'b51d9e000000'), 'passed'],
    ['the first few', (w) => w.answer('bridge-network-id', 'B51D'), 'passed'],
    ['the whole ID', (w) => w.answer('bridge-network-id', 'b51d9e000000beef'), 'passed'],
    ['too few', (w) => w.answer('bridge-network-id', 'b5'), /at least 4/],
    ['the name', (w) => w.answer('bridge-network-id', 'bridge'), /is the name/],
    ['another network', (w) => w.answer('bridge-network-id', 'c0ffee'), /network host/],
    ['server02’s', (w) => w.answer('bridge-network-id', 'e2e2e2'), /network of server02/],
    ['a container', (w) => w.runMyapp2().answer('bridge-network-id', 'a100'), /container myapp2/],
    ['a slip', (w) => w.answer('bridge-network-id', 'abcdef'), /No network of server01/],
    ['no hex', (w) => w.answer('bridge-network-id', 'docker0'), /digits 0–9/],
  ],
  'myapp2-ipv4-read': [
    ['the address', (w) => w.runMyapp2().answer('myapp2-ipv4-read', '172.17.0.2'), 'passed'],
    [
      'as it is printed',
      (w) => w.runMyapp2().answer('myapp2-ipv4-read', '"172.17.0.2/16"'),
      'passed',
    ],
    [
      'the gateway',
      (w) => w.runMyapp2().answer('myapp2-ipv4-read', '172.17.0.1'),
      /is the gateway/,
    ],
    [
      'the MAC address',
      (w) => w.runMyapp2().answer('myapp2-ipv4-read', '02:42:ac:11:00:02'),
      /MacAddress/,
    ],
    [
      'another container’s',
      (w) =>
        w
          .runMyapp2()
          .run({ name: 'x2', address: '172.17.0.3' })
          .answer('myapp2-ipv4-read', '172.17.0.3'),
      /belongs to x2/,
    ],
    [
      'the host’s',
      (w) => w.runMyapp2().answer('myapp2-ipv4-read', '10.1.10.11'),
      /eth1 of server01/,
    ],
  ],
  'none-network-container': [
    ['the lab’s image', (w) => w.run({ name: 'lonely', network: 'none' }), 'passed'],
    [
      'another command that stays',
      (w) => w.run({ name: 'x2', network: 'none', command: 'sleep 1d' }),
      'passed',
    ],
    ['none', (w) => w.runMyapp2(), /No container on the network none/],
    [
      'the network mistyped',
      (w) => w.run({ name: 'x2', network: 'nnone', status: 'created' }),
      /x2 asks for the network nnone, which server01 does not have\. The one meant is none/,
    ],
    ['on the bridge', (w) => w.run({ name: 'lonely' }), /lonely is on the network bridge, not on/],
    [
      'ended at once',
      (w) => w.run({ name: 'x2', network: 'none', status: 'exited', command: 'ip addr' }),
      /x2 ran its command and ended/,
    ],
    [
      'the other host',
      (w) => w.run({ name: 'lonely', network: 'none', on: 'server02' }),
      /lonely is on server02/,
    ],
  ],
  'none-network-inside': [
    [
      'ip addr',
      (w) => w.run({ name: 'lonely', network: 'none' }).exec('lonely', 'ip addr'),
      'passed',
    ],
    [
      'by path',
      (w) => w.run({ name: 'lonely', network: 'none' }).exec('lonely', 'ls /sys/class/net'),
      'passed',
    ],
    ['a shell', (w) => w.run({ name: 'lonely', network: 'none' }).exec('lonely', 'sh'), 'passed'],
    [
      'run with that command, and gone',
      (w) => w.run({ name: 'x2', network: 'none', command: 'ip addr' }).remove('x2'),
      'passed',
    ],
    ['none', (w) => w, /First run a container on the network none/],
    [
      'not looked',
      (w) => w.run({ name: 'lonely', network: 'none' }),
      /Nothing has been run inside lonely/,
    ],
    [
      'another command',
      (w) => w.run({ name: 'lonely', network: 'none' }).exec('lonely', 'date'),
      /“date” shows nothing/,
    ],
    [
      'another container',
      (w) => w.runMyapp2().run({ name: 'lonely', network: 'none' }).exec('myapp2', 'ip addr'),
      /inside myapp2, which is not/,
    ],
  ],
  'host-network-container': [
    ['the lab’s image', (w) => w.run({ name: 'athome', network: 'host' }), 'passed'],
    ['none', (w) => w.run({ name: 'lonely', network: 'none' }), /No container on the network host/],
    [
      'ended at once',
      (w) => w.run({ name: 'x2', network: 'host', status: 'exited' }),
      /x2 is not running/,
    ],
    [
      'port 80 taken',
      (w) =>
        w.run({ name: 'x2', publish: '80', port: 80 }).run({ name: 'athome', network: 'host' }),
      /x2 already holds port 80/,
    ],
    [
      'the other host',
      (w) => w.run({ name: 'athome', network: 'host', on: 'server02' }),
      /athome is on server02/,
    ],
  ],
  'host-network-inside': [
    [
      'ifconfig',
      (w) => w.run({ name: 'athome', network: 'host' }).exec('athome', 'ifconfig -a'),
      'passed',
    ],
    [
      'the wrong one',
      (w) =>
        w
          .run({ name: 'lonely', network: 'none' })
          .run({ name: 'athome', network: 'host' })
          .exec('lonely', 'ip addr'),
      /inside lonely, which is not/,
    ],
    [
      'not looked',
      (w) => w.run({ name: 'athome', network: 'host' }),
      /Nothing has been run inside athome/,
    ],
  ],
  'own-bridge-created': [
    ['any name', (w) => w.createNetwork('mynet'), 'passed'],
    ['none', (w) => w, /only the networks that Docker made/],
    [
      'a container whose network another step names, mistyped',
      (w) => w.run({ name: 'lonely', network: 'nnone', status: 'created' }),
      /only the networks that Docker made/,
    ],
    ['another driver', (w) => w.createNetwork('mynet', { driver: 'macvlan' }), /driver macvlan/],
    ['the other host', (w) => w.createNetwork('mynet', { on: 'server02' }), /mynet is on server02/],
    [
      'a container on one that there is none of',
      (w) => w.run({ name: 'web1', network: 'mynet', status: 'created' }),
      /web1 asks for the network mynet, which server01 does not have/,
    ],
    [
      'containers on the others only',
      (w) => w.runMyapp2().run({ name: 'x', network: 'none' }).run({ name: 'y', network: 'host' }),
      /only the networks that Docker made/,
    ],
  ],
  'own-bridge-container': [
    [
      'run there',
      (w) => w.createNetwork('mynet').run({ name: 'web1', network: 'mynet' }),
      'passed',
    ],
    ['no bridge', (w) => w.run({ name: 'web1' }), /Make a bridge of your own/],
    [
      'the network mistyped',
      (w) => w.createNetwork('mynet').run({ name: 'web1', network: 'mynett', status: 'created' }),
      /web1 asks for the network mynett, which server01 does not have\. The one meant is mynet/,
    ],
    [
      'on the default bridge',
      (w) => w.createNetwork('mynet').run({ name: 'web1' }),
      /web1 is on the network bridge, not on mynet\.$/,
    ],
    [
      'where no other network can be added',
      (w) => w.createNetwork('mynet').run({ name: 'web1', network: 'none' }),
      /web1 is on the network none, not on mynet\. Docker adds no other to that one: make it anew/,
    ],
    [
      'ended at once',
      (w) => w.createNetwork('mynet').run({ name: 'web1', network: 'mynet', status: 'exited' }),
      /web1 is not running/,
    ],
  ],
  'found-by-name': [
    ['ping', (w) => pair(w).exec('web1', 'ping -c 1 web2'), 'passed'],
    ['the page', (w) => pair(w).exec('web2', 'wget -qO- http://web1/'), 'passed'],
    [
      'one that did not get there',
      (w) => pair(w).exec('web1', 'wget -q http://web2:81', 1),
      /“wget -q http:\/\/web2:81” in web1 ended with status 1, so it did not get there/,
    ],
    [
      'one that has not ended',
      (w) => pair(w).exec('web1', 'ping web2', 'never'),
      /“ping web2” in web1 still runs/,
    ],
    ['not tried', pair, /asked for another by its name/],
    ['by address', (w) => pair(w).exec('web1', 'ping -c 1 172.18.0.3'), /names no other container/],
    ['itself', (w) => pair(w).exec('web1', 'ping -c 1 web1'), /names no other container/],
    [
      'from the default bridge',
      (w) => pair(w).runMyapp2().exec('myapp2', 'ping -c 1 web2'),
      /“ping -c 1 web2” in myapp2/,
    ],
    [
      'a name that only begins the same',
      (w) => pair(w).exec('web1', 'ping -c 1 web22'),
      /names no other container/,
    ],
    [
      'alone',
      (w) => w.createNetwork('mynet').run({ name: 'web1', network: 'mynet' }),
      /web1 is alone on mynet/,
    ],
    [
      'the other was left by a command that failed',
      (w) =>
        w
          .createNetwork('mynet')
          .run({ name: 'web2', network: 'mynet' })
          .run({ name: 'web1', network: 'mynet', status: 'created' }),
      /web2 is alone on mynet: web1 is there, but it was never started/,
    ],
    ['nobody there', (w) => w.createNetwork('mynet'), /Run a container on mynet first/],
  ],
};

const FILTER = /^-A (FORWARD|DOCKER)/;
const NAT = /^-A PREROUTING|DNAT/;
const PORT = 'http://10.1.10.11:32768';
const RESTARTED = 'sudo systemctl restart docker && docker start myapp2';
const HINDERED: readonly (readonly [string, string, Case[1], RegExp, string | undefined])[] = [
  [
    'the filter flushed',
    'container-page-opened',
    (w) => viaRoute(w).visit(CONTAINER, 'timed-out').flushed(FILTER),
    /Docker’s rules for myapp2 are gone from the firewall of server01/,
    RESTARTED,
  ],
  [
    'the filter flushed, after a restart',
    'direct-way-still-works',
    (w) => openedDirectly(w).restart('myapp2', 32768).visit(CONTAINER, 'timed-out').flushed(FILTER),
    /Docker’s rules for myapp2 are gone/,
    RESTARTED,
  ],
  [
    'a rule of one’s own',
    'container-page-opened',
    (w) => {
      w.rules.unshift('-A DOCKER-USER -s 10.1.10.100/32 -j DROP');
      return viaRoute(w).visit(CONTAINER, 'timed-out');
    },
    /throws away what is sent to myapp2, or may: iptables -A DOCKER-USER -s 10\.1\.10\.100\/32 -j DROP\./,
    'sudo iptables -D DOCKER-USER -s 10.1.10.100/32 -j DROP',
  ],
  [
    'no forwarding',
    'container-page-opened',
    (w) => viaRoute(w).visit(CONTAINER, 'timed-out').broken({ ipForward: '0' }),
    /its ip_forward is 0/,
    'sudo sysctl -w net.ipv4.ip_forward=1',
  ],
  [
    'no bridge',
    'myapp2-page-opened',
    (w) => w.runMyapp2().visit(PORT, 'refused').broken({ bridges: [] }),
    /server01 has no way to myapp2 any more: the bridge that 172\.17\.0\.2 is on is gone/,
    RESTARTED,
  ],
  [
    'no bridge to start on',
    'myapp2-page-opened',
    (w) => w.runMyapp2().stop('myapp2').broken({ bridges: [] }),
    /server01 has no docker0 any more, so myapp2 cannot start/,
    RESTARTED,
  ],
  [
    'nat flushed and docker-proxy killed',
    'myapp2-page-opened',
    (w) => w.runMyapp2().visit(PORT, 'refused').flushed(NAT).broken({ sockets: '' }),
    /Port 32768 of server01 leads nowhere any more: .* docker-proxy/,
    RESTARTED,
  ],
  [
    'nat flushed, with docker-proxy there',
    'myapp2-page-opened',
    (w) => w.runMyapp2().visit(PORT, 'refused').flushed(NAT),
    /was refused: nothing listens there\. Go to/,
    undefined,
  ],
  [
    'no rules to be had',
    'container-page-opened',
    (w) => viaRoute(w).visit(CONTAINER, 'timed-out').broken({ rules: [] }),
    /never answered\. Go there again/,
    undefined,
  ],
];

describe('a page that does not come', () => {
  it.each(HINDERED)('%s is told', async (_title, id, steps, reason, command) => {
    const verdict = await steps(new World()).ask(id);
    expect(verdict).toMatchObject({ reason: expect.stringMatching(reason) });
    expect('fix' in verdict ? verdict.fix : undefined).toEqual(
      command === undefined ? undefined : { host: 'server01', command },
    );
  });
});

function pair(world: World): World {
  return world
    .createNetwork('mynet')
    .run({ name: 'web1', network: 'mynet', address: '172.18.0.2' })
    .run({ name: 'web2', network: 'mynet', address: '172.18.0.3' });
}

it('has cases for every check of the lab', () => {
  expect(Object.keys(CASES)).toEqual(lab.checks.map((check) => check.id));
});

for (const [id, cases] of Object.entries(CASES)) {
  describe(id, () => {
    it.each(cases)('%s', async (_title, steps, expected) => {
      const world = steps(new World());
      const verdict = await world.ask(id);
      if (expected === 'passed') expect(verdict).toEqual({ kind: 'passed' });
      else
        expect(verdict).toMatchObject({ kind: 'not-yet', reason: expect.stringMatching(expected) });
      expect(await world.ask(id)).toEqual(verdict);
    });
  });
}

describe('a way out', () => {
  it.each([
    [
      'of a fixed port',
      'myapp2-on-ephemeral-port',
      (w) => w.run({ name: 'myapp2', publish: '8080', port: 8080 }),
      'server01',
      'docker rm -f myapp2 && docker run -d --name myapp2 -p :80 mycontainer:5.6',
    ],
    [
      'of the wrong host',
      'myapp2-on-ephemeral-port',
      (w) => w.run({ name: 'myapp2', publish: '', port: 1, on: 'server02' }),
      'server02',
      'docker rm -f myapp2',
    ],
    [
      'of a wrong gateway',
      'client-route',
      (w) => w.route('172.17.0.0/16', '10.1.10.12'),
      'client',
      'sudo ip route replace 172.17.0.0/16 via 10.1.10.11',
    ],
    [
      'of a wrong mask',
      'client-route',
      (w) => w.route('172.17.0.0/24'),
      'client',
      'route add 172.17.0.0 mask 255.255.0.0 10.1.10.11',
    ],
    [
      'of a stopped container',
      'myapp2-restarted',
      (w) => w.runMyapp2().stop('myapp2'),
      'server01',
      'docker start myapp2',
    ],
  ] as const satisfies readonly (readonly [string, string, Case[1], string, string])[])(
    '%s is offered',
    async (_title, id, steps, host, command) => {
      expect(await steps(new World()).ask(id)).toMatchObject({ fix: { host, command } });
    },
  );
});

describe('values', () => {
  it('stand as what fits into their sentence until they are there', () => {
    const words = Object.entries(lab.values).map(([id, { placeholder }]) => [id, placeholder]);
    for (const [id, placeholder] of words) expect(placeholder, id).toMatch(/^(http:\/\/\S*)?<.+>$/);
  });

  it('follow myapp2 through a restart', async () => {
    const world = new World().runMyapp2();
    expect(await world.value('myapp2-url')).toBe('http://10.1.10.11:32768');
    expect(await world.value('myapp2-old-url')).toBeUndefined();
    world.restart('myapp2', 32769);
    expect(await world.value('myapp2-url')).toBe('http://10.1.10.11:32769');
    expect(await world.value('myapp2-old-url')).toBe('http://10.1.10.11:32768');
    expect(await world.value('myapp2-direct-url')).toBe('http://172.17.0.2');
  });

  it('are absent while there is no container', async () => {
    const world = new World();
    for (const id of ['myapp2-port', 'myapp2-url', 'myapp2-address', 'myapp2-direct-url']) {
      expect(await world.value(id), id).toBeUndefined();
    }
  });

  it('name what is always there', async () => {
    const world = new World();
    expect(await world.value('docker0-address')).toBe('172.17.0.1');
    expect(await world.value('bridge-id')).toBe('b51d9e000000');
    expect(await world.value('engine-version')).toBe('26.1.5');
  });
});
