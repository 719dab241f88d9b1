import {
  aContainer,
  addressOf,
  all,
  aNetwork,
  answer,
  answering,
  atItsAddress,
  check,
  command,
  container,
  file,
  firstOf,
  network,
  networkId,
  notYet,
  on,
  open,
  passed,
  ranInside,
  refused,
  restartOf,
  route,
  subnetOf,
  theAddress,
  theId,
  theText,
  throughFormerPort,
  visited,
} from '#lab';
import { hello, IMAGE } from './image.ts';

/** The checks of the page `helpers`, in the order of its steps. */
export const helpers = [
  check('web-published', {
    title: 'web listens on port 8081 of server01',
    test: container('web').on('server01').from(IMAGE).runs().publishes(80).on(8081),
    mistakes: [
      {
        what: 'another port',
        actions: [on('server01', `docker run -d --name web -p 8082:80 ${IMAGE}`)],
        says: 'publishes the port 8082',
        undo: [on('server01', 'docker rm -f web')],
      },
      {
        what: 'no port',
        actions: [on('server01', `docker run -d --name web ${IMAGE}`)],
        says: 'publishes no port',
        undo: [on('server01', 'docker rm -f web')],
      },
      {
        what: 'no name',
        actions: [on('server01', `docker run -d --name quirky_hopper -p 8081:80 ${IMAGE}`)],
        says: 'its name is quirky_hopper',
        undo: [on('server01', 'docker rm -f quirky_hopper')],
      },
    ],
    alternatives: [
      {
        what: 'an address of the host named as well',
        actions: [on('server01', `docker run -d --name web -p 10.1.10.11:8081:80 ${IMAGE}`)],
      },
    ],
  }),
  check('web-opened', {
    title: 'Its page was opened from the client',
    test: visited('http://10.1.10.11:8081').from('client'),
    mistakes: [
      {
        what: 'another host',
        actions: [open('http://10.1.10.100:8081')],
        says: 'That was client, not server01',
      },
    ],
    alternatives: [{ what: 'the host by its alias', actions: [open('http://agent01:8081')] }],
  }),
  check('mynet-created', {
    title: 'server01 has a bridge named mynet, with the subnet 172.30.0.0/16',
    test: network('mynet').on('server01').hasDriver('bridge').hasSubnet('172.30.0.0/16'),
    mistakes: [
      {
        what: 'the subnet that Docker picks',
        actions: [on('server01', 'docker network create mynet')],
        says: 'not 172.30.0.0/16',
        undo: [on('server01', 'docker network rm mynet')],
      },
    ],
    alternatives: [
      {
        what: 'the driver and the gateway named as well',
        actions: [
          on(
            'server01',
            'docker network create --driver bridge --subnet 172.30.0.0/16 --gateway 172.30.0.1 mynet',
          ),
        ],
      },
    ],
  }),
  check('own-network', {
    title: 'server01 has a network of your own with that subnet, whatever its name',
    test: aNetwork().on('server01').hasSubnet('172.30.0.0/16'),
    mistakes: [
      {
        what: 'another subnet',
        actions: [on('server01', 'docker network create --subnet 172.31.0.0/16 ours')],
        says: 'The network ours has the subnet 172.31.0.0/16',
        undo: [on('server01', 'docker network rm ours')],
      },
    ],
  }),
  check('neighbour-on-mynet', {
    title: 'A container named neighbour runs on mynet',
    test: container('neighbour').on('server01').isOn('mynet').runs(),
    mistakes: [
      {
        what: 'no network named',
        actions: [on('server01', `docker run -d --name neighbour ${IMAGE}`)],
        says: 'is on the network bridge',
        undo: [on('server01', 'docker rm -f neighbour')],
      },
    ],
    alternatives: [
      {
        what: 'connected afterwards',
        actions: [
          on('server01', `docker run -d --name neighbour ${IMAGE}`),
          on('server01', 'docker network connect mynet neighbour'),
        ],
      },
    ],
  }),
  check('looked-inside', {
    title: 'You looked at the network from inside it',
    test: ranInside(container('neighbour').on('server01'), /ifconfig/).suchAs('ifconfig'),
  }),
  check('lonely-runs', {
    title: 'Some container runs without a network',
    test: aContainer().on('server01').isOn('none').runs(),
    alternatives: [
      {
        what: 'a name, and made first',
        actions: [
          on('server01', `docker create --name lonely --network none ${IMAGE}`),
          on('server01', 'docker start lonely'),
        ],
      },
    ],
  }),
  check('hello-restarted', {
    title: 'hello was restarted',
    test: restartOf(hello),
    alternatives: [
      {
        what: 'a stop and a start',
        actions: [on('server01', 'docker stop -t 1 hello'), on('server01', 'docker start hello')],
      },
    ],
  }),
  check('old-port-refused', {
    title: 'The port from before was tried, and refused',
    test: refused(throughFormerPort(hello)).from('client'),
  }),
  check('client-route', {
    title: 'The client sends what is for the containers to server01',
    test: route(subnetOf('bridge').on('server01')).on('client').via('10.1.10.11'),
    mistakes: [
      {
        what: 'a mask too narrow',
        actions: [on('client', 'sudo ip route add 172.17.0.0/24 via 10.1.10.11')],
        says: 'too narrow',
        undo: [on('client', 'sudo ip route del 172.17.0.0/24')],
      },
    ],
    alternatives: [
      {
        what: 'by the older command',
        actions: [on('client', 'sudo route add -net 172.17.0.0 netmask 255.255.0.0 gw 10.1.10.11')],
      },
    ],
  }),
  check('own-address-opened', {
    title: 'After the restart, its page was opened at its own address',
    test: visited(atItsAddress(hello)).from('client').after(restartOf(hello)),
  }),
  check('greeting-written', {
    title: '/tmp/greeting on the client says hello',
    test: file('/tmp/greeting').on('client').says('hello'),
    mistakes: [
      {
        what: 'another word',
        actions: [on('client', 'echo goodbye > /tmp/greeting')],
        says: 'does not say',
        undo: [on('client', 'rm /tmp/greeting')],
      },
    ],
    alternatives: [
      { what: 'no new line', actions: [on('client', 'printf hello > /tmp/greeting')] },
    ],
  }),
  check('routes-listed', {
    title: 'You listed the client’s routes',
    test: command(/^ip route/).on('client'),
    alternatives: [{ what: 'the whole command', actions: [on('client', 'ip route show')] }],
  }),
  check('two-networks', {
    title: 'server01 has the networks mynet and second',
    test: all(network('mynet').on('server01'), network('second').on('server01')),
  }),
  check('either', {
    title: 'server01 has a network named third, or a container of that name',
    test: firstOf(network('third').on('server01'), container('third').on('server01')),
    alternatives: [
      {
        what: 'the other of the two',
        actions: [on('server01', `docker run -d --name third ${IMAGE}`)],
      },
    ],
  }),
  answer('docker0-read', {
    title: 'You read an address off the screen',
    question: 'What is the IP of docker0?',
    placeholder: '172.17.0.x',
    reads: /inet (?:addr:)?(\d+\.\d+\.\d+\.\d+)/,
    judge: theAddress(addressOf('docker0').on('server01')),
    mistakes: [{ what: 'the netmask', actions: [answering('255.255.0.0')], says: 'the netmask' }],
  }),
  answer('forward-read', {
    title: 'You read a text off the screen',
    question: 'What does ip_forward say?',
    placeholder: '0 or 1',
    reads: /^\s*([01])\s*$/m,
    judge: theText(file('/proc/sys/net/ipv4/ip_forward').on('server01').text),
    mistakes: [{ what: 'the opposite', actions: [answering('0')], says: 'not 0' }],
  }),
  answer('bridge-id-read', {
    title: 'You read an ID off the screen',
    question: 'What is the ID of the network bridge?',
    placeholder: 'its first characters',
    reads: /([0-9a-f]{12})\s+bridge/,
    judge: theId(networkId('bridge').on('server01')),
    mistakes: [{ what: 'too little of it', actions: [answering('a')], says: 'characters' }],
  }),
  check('own-words', {
    title: 'Some network of server01 besides bridge has three containers',
    test: async ({ host }) => {
      const present = await host('server01').networks();
      const networks = present.filter(({ name }) => name !== 'bridge');
      const fullest = Math.max(...networks.map(({ containers }) => Object.keys(containers).length));
      return fullest >= 3
        ? passed()
        : notYet(`The fullest network has ${fullest} containers; it takes three.`);
    },
    mistakes: [
      {
        what: 'one guest only',
        actions: [on('server01', `docker run -d --name guest1 --network mynet ${IMAGE}`)],
        says: 'has 2 containers',
        undo: [on('server01', 'docker rm -f guest1')],
      },
    ],
  }),
];
