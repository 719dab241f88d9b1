import { answering, on, open, type Scenarios } from '#lab';

const ANEW = 'docker rm -f myapp2 && docker run -d --name myapp2 -p :80 mycontainer:5.6';
const ROUTE = 'route add 172.17.0.0 mask 255.255.0.0 10.1.10.11';

/** Ways through the page `linux-bridge` that it does not show. */
export const linuxBridgeScenarios: Readonly<Record<string, Scenarios>> = {
  'docker0-address-read': {
    mistakes: [
      { what: 'the address of eth1', actions: [answering('10.1.10.11')], says: 'belongs to eth1' },
      { what: 'the mask', actions: [answering('255.255.0.0')], says: 'netmask' },
      { what: 'the broadcast address', actions: [answering('172.17.255.255')], says: 'broadcast' },
      {
        what: 'the container’s address',
        actions: [answering('{myapp2-address}')],
        says: 'is not docker0’s address',
      },
      { what: 'a name', actions: [answering('docker0')], says: 'Type one IPv4 address' },
    ],
    alternatives: [
      {
        what: 'as ip writes it, with the mask’s length',
        actions: [on('server01', 'ip addr show docker0'), answering(/inet ([\d./]+)/)],
      },
      { what: 'the whole line', actions: [answering('inet {docker0-address}')] },
    ],
  },

  'server-ip-read': {
    mistakes: [
      {
        what: 'the address that was asked',
        actions: [answering('10.1.10.11')],
        says: 'is the address you asked for',
      },
      {
        what: 'the client’s',
        actions: [answering('10.1.10.100')],
        says: 'is the client’s address',
      },
      {
        what: 'the bridge’s',
        actions: [answering('{docker0-address}')],
        says: 'docker0’s address',
      },
      {
        what: 'a mistyped one',
        actions: [answering('172.17.0.77')],
        says: 'does not show 172.17.0.77',
      },
    ],
    alternatives: [
      { what: 'with the port behind it', actions: [answering('{myapp2-address}:80')] },
      {
        what: 'asked of Docker',
        actions: [
          on(
            'server01',
            "docker inspect -f '{{.NetworkSettings.Networks.bridge.IPAddress}}' myapp2",
          ),
          answering(/^([\d.]+)$/m),
        ],
      },
    ],
  },

  'eth1-address-read': {
    mistakes: [
      {
        what: 'read on the other server',
        actions: [on('server02', 'ifconfig eth1'), answering(/inet ([\d.]+)/)],
        says: 'is server02’s',
      },
      {
        what: 'read on the client',
        actions: [on('client', 'ifconfig eth1'), answering(/inet ([\d.]+)/)],
        says: 'is the client’s',
      },
      {
        what: 'the bridge’s',
        actions: [answering('{docker0-address}')],
        says: 'belongs to docker0',
      },
      {
        what: 'the broadcast address',
        actions: [answering('10.1.10.255')],
        says: '10.1.10.255 is not eth1’s address',
      },
    ],
    alternatives: [
      {
        what: 'as ip writes it, with the mask’s length',
        actions: [on('server01', 'ip addr show eth1'), answering(/inet ([\d./]+)/)],
      },
    ],
  },

  'client-route': {
    mistakes: [
      {
        what: 'through the other server',
        actions: [on('client', 'route add 172.17.0.0 mask 255.255.0.0 10.1.10.12')],
        says: 'to server02',
        undo: [on('client', 'route delete 172.17.0.0')],
      },
      {
        what: 'a mask too narrow',
        actions: [on('client', 'route add 172.17.0.0 mask 255.255.255.0 10.1.10.11')],
        says: 'mask is too narrow',
        undo: [on('client', 'route delete 172.17.0.0')],
      },
      {
        what: 'a mask too wide',
        actions: [on('client', 'sudo ip route add 172.16.0.0/12 via 10.1.10.11')],
        says: 'mask is too wide',
        undo: [on('client', 'sudo ip route del 172.16.0.0/12')],
      },
      {
        what: 'a mistyped network',
        actions: [on('client', 'route add 172.18.0.0 mask 255.255.0.0 10.1.10.11')],
        says: 'but the containers are in 172.17.0.0/16',
        undo: [on('client', 'route delete 172.18.0.0')],
      },
      {
        what: 'no gateway',
        actions: [on('client', 'sudo ip route add 172.17.0.0/16 dev eth1')],
        says: 'names no gateway',
        undo: [on('client', 'sudo ip route del 172.17.0.0/16')],
      },
    ],
    alternatives: [
      {
        what: 'for good, as on Windows',
        actions: [on('client', 'route -p add 172.17.0.0 mask 255.255.0.0 10.1.10.11')],
      },
      {
        what: 'in the manner of Linux',
        actions: [on('client', 'route add -net 172.17.0.0/16 gw 10.1.10.11')],
      },
      {
        what: 'by ip',
        actions: [on('client', 'sudo ip route add 172.17.0.0/16 via 10.1.10.11')],
      },
      {
        what: 'in two halves',
        actions: [
          on('client', 'sudo ip route add 172.17.0.0/17 via 10.1.10.11'),
          on('client', 'sudo ip route add 172.17.128.0/17 via 10.1.10.11'),
        ],
      },
    ],
  },

  'container-page-opened': {
    mistakes: [
      {
        what: 'the route taken away again',
        actions: [on('client', 'route delete 172.17.0.0')],
        says: 'Add the route first',
        undo: [on('client', ROUTE)],
      },
      {
        what: 'the route bent to the other server',
        actions: [on('client', 'sudo ip route replace 172.17.0.0/16 via 10.1.10.12')],
        says: 'to 10.1.10.12, not to server01',
        undo: [on('client', 'sudo ip route replace 172.17.0.0/16 via 10.1.10.11')],
      },
      {
        what: 'the bridge’s address',
        actions: [open('http://{docker0-address}')],
        says: 'is docker0 itself',
      },
      { what: 'the other server', actions: [open('http://10.1.10.12')], says: 'is not myapp2' },
      {
        what: 'the host’s port at the container’s address',
        actions: [open('{myapp2-direct-url}:{myapp2-port}')],
        says: 'The container itself listens on 80',
      },
    ],
    alternatives: [
      { what: 'with the port that is meant', actions: [open('{myapp2-direct-url}:80/')] },
      { what: 'by curl on the client', actions: [on('client', 'curl -m 9 {myapp2-direct-url}')] },
      {
        what: 'without the rule of newer engines against it',
        actions: [
          on('server01', 'sudo iptables -t raw -F PREROUTING'),
          open('{myapp2-direct-url}'),
        ],
      },
      { what: 'without http://', actions: [open('{myapp2-address}')] },
    ],
  },

  'ip-forward-read': {
    mistakes: [
      { what: 'a word', actions: [answering('yes')], says: 'a single digit' },
      { what: 'the other digit', actions: [answering('0')], says: 'something else on server01' },
      { what: 'several digits', actions: [answering('10')], says: 'a single digit' },
    ],
    alternatives: [
      {
        what: 'asked of sysctl',
        actions: [
          on('server01', 'sudo sysctl net.ipv4.ip_forward'),
          answering(/^(net\.ipv4\.ip_forward = \d)$/m),
        ],
      },
    ],
  },

  'restarted-again': {
    mistakes: [
      {
        what: 'paused',
        actions: [on('server01', 'docker pause myapp2')],
        says: 'myapp2 is paused',
        undo: [on('server01', 'docker unpause myapp2')],
      },
      {
        what: 'removed and made anew',
        actions: [on('server01', ANEW)],
        says: 'made anew, which is not a restart',
      },
      {
        what: 'stopped and left so',
        actions: [on('server01', 'docker stop myapp2')],
        says: 'is stopped',
      },
    ],
    alternatives: [
      {
        what: 'stopped, then started',
        actions: [on('server01', 'docker stop myapp2 && docker start myapp2')],
      },
      {
        what: 'killed, then started',
        actions: [on('server01', 'docker kill myapp2 && docker start myapp2')],
      },
    ],
  },

  'old-port-refused': {
    mistakes: [
      { what: 'the new port', actions: [open('{myapp2-url}')], says: 'is the port of now' },
      {
        what: 'a port that never was',
        actions: [open('http://10.1.10.11:9')],
        says: 'Port 9 was never myapp2’s',
      },
      {
        what: 'a wall in the way',
        actions: [
          on('server01', 'sudo iptables -I INPUT -i eth1 -p tcp -j DROP'),
          open('{myapp2-old-url}'),
        ],
        says: 'never answered',
        undo: [on('server01', 'sudo iptables -D INPUT -i eth1 -p tcp -j DROP')],
        remembered: true,
      },
    ],
    alternatives: [
      { what: 'a page below it', actions: [open('{myapp2-old-url}/index.html')] },
      {
        what: 'after one more restart',
        actions: [on('server01', 'docker restart myapp2'), open('{myapp2-old-url}')],
      },
    ],
  },

  'direct-way-still-works': {
    mistakes: [
      {
        what: 'another port of the container',
        actions: [open('{myapp2-direct-url}:{myapp2-port}')],
        says: 'The container itself listens on 80',
      },
      {
        what: 'the bridge’s address',
        actions: [open('http://{docker0-address}')],
        says: 'is docker0 itself',
      },
      {
        what: 'without the route',
        actions: [on('client', 'route delete 172.17.0.0'), open('{myapp2-direct-url}')],
        says: 'Add the route first',
        undo: [on('client', ROUTE)],
        remembered: true,
      },
    ],
    alternatives: [
      { what: 'without http://', actions: [open('{myapp2-address}')] },
      { what: 'with the port that is meant', actions: [open('{myapp2-direct-url}:80')] },
    ],
  },
};
