import { answering, on, type Scenarios } from '#lab';

/** Ways through the page `docker-networks` that it does not show. */
export const dockerNetworksScenarios: Readonly<Record<string, Scenarios>> = {
  'bridge-network-id': {
    mistakes: [
      { what: 'the name', actions: [answering('bridge')], says: 'is the name' },
      {
        what: 'too little of it',
        actions: [on('server01', 'docker network ls'), answering(/^([0-9a-f]{3})/m)],
        says: 'at least 4',
      },
      {
        what: 'another network’s',
        actions: [on('server01', 'docker network ls'), answering(/^([0-9a-f]{12})\s+host\s/m)],
        says: 'the ID of the network host',
      },
      {
        what: 'read on the other server',
        actions: [on('server02', 'docker network ls'), answering(/^([0-9a-f]{12})\s+bridge\s/m)],
        says: 'a network of server02',
      },
      {
        what: 'a container’s',
        actions: [on('server01', 'docker ps'), answering(/^([0-9a-f]{12})\s+mycontainer/m)],
        says: 'the ID of the container myapp2',
      },
      { what: 'another word', actions: [answering('docker0')], says: 'only the digits' },
    ],
    alternatives: [
      {
        what: 'all of it',
        actions: [
          on('server01', "docker network inspect -f '{{.Id}}' bridge"),
          answering(/^([0-9a-f]{64})$/m),
        ],
      },
      {
        what: 'the first few characters',
        actions: [
          on('server01', 'docker network ls --filter name=bridge -q'),
          answering(/^([0-9a-f]{6})/m),
        ],
      },
    ],
  },

  'myapp2-ipv4-read': {
    mistakes: [
      { what: 'the gateway', actions: [answering('{docker0-address}')], says: 'is the gateway' },
      { what: 'the server’s', actions: [answering('10.1.10.11')], says: 'is eth1 of server01' },
      {
        what: 'the line above',
        actions: [
          on('server01', 'docker network inspect bridge'),
          answering(/"MacAddress": "([0-9a-f:]+)"/),
        ],
        says: 'the MacAddress',
      },
      { what: 'a mistyped one', actions: [answering('172.17.0.99')], says: 'does not have' },
      { what: 'the name', actions: [answering('myapp2')], says: 'Type one IPv4 address' },
    ],
    alternatives: [
      {
        what: 'with the mask’s length, as it stands there',
        actions: [
          on('server01', 'docker network inspect bridge'),
          answering(/"Name": "myapp2"[^}]*"IPv4Address": "([\d./]+)"/),
        ],
      },
      {
        what: 'asked of the container',
        actions: [on('server01', 'docker exec myapp2 hostname -i'), answering(/^([\d.]+)/m)],
      },
    ],
  },

  'none-network-container': {
    mistakes: [
      {
        what: 'with a command that ends at once',
        actions: [
          on('server01', 'docker run -d --name lonely --network none mycontainer:5.6 true'),
        ],
        says: 'ran its command and ended',
        undo: [on('server01', 'docker rm -f lonely')],
      },
      {
        what: 'made and never started',
        actions: [on('server01', 'docker create --name lonely --network none mycontainer:5.6')],
        says: 'lonely is not running',
        undo: [on('server01', 'docker rm -f lonely')],
      },
      {
        what: 'with the network mistyped',
        actions: [on('server01', 'docker run -d --name lonely --network nnone mycontainer:5.6')],
        says: 'lonely asks for the network nnone, which server01 does not have. The one meant is none',
        undo: [on('server01', 'docker rm -f lonely')],
      },
      {
        what: 'on the other server',
        actions: [on('server02', 'docker run -d --name lonely --network none mycontainer:5.6')],
        says: 'lonely is on server02',
        undo: [on('server02', 'docker rm -f lonely')],
      },
      {
        what: 'without --network',
        actions: [on('server01', 'docker run -d --name lonely mycontainer:5.6')],
        says: 'lonely is on the network bridge',
        undo: [on('server01', 'docker rm -f lonely')],
      },
    ],
    alternatives: [
      {
        what: 'by the short option',
        actions: [on('server01', 'docker run -d --name lonely --net=none mycontainer:5.6')],
      },
      {
        what: 'with a command that goes on',
        actions: [
          on('server01', 'docker run -d --name lonely --network none mycontainer:5.6 sleep 600'),
        ],
      },
    ],
  },

  'none-network-inside': {
    mistakes: [
      {
        what: 'inside another container',
        actions: [on('server01', 'docker exec myapp2 ifconfig')],
        says: 'You looked inside myapp2',
      },
      {
        what: 'at the files',
        actions: [on('server01', 'docker exec lonely ls')],
        says: '“ls” shows nothing of the network',
      },
      {
        what: 'at the processes',
        actions: [on('server01', 'docker exec lonely ps')],
        says: '“ps” shows nothing of the network',
      },
    ],
    alternatives: [
      { what: 'by ip', actions: [on('server01', 'docker exec lonely ip addr')] },
      {
        what: 'in a container that ends with it',
        actions: [on('server01', 'docker run --rm --network none mycontainer:5.6 ifconfig')],
      },
    ],
  },

  'host-network-container': {
    mistakes: [
      {
        what: 'with a command that ends at once',
        actions: [
          on('server01', 'docker run -d --name athome --network host mycontainer:5.6 true'),
        ],
        says: 'ran its command and ended',
        undo: [on('server01', 'docker rm -f athome')],
      },
      {
        what: 'while something else has port 80',
        actions: [
          on('server01', 'docker run -d --name squatter -p 80:80 mycontainer:5.6'),
          on('server01', 'docker run -d --name athome --network host mycontainer:5.6'),
        ],
        says: 'squatter already holds port 80',
        undo: [on('server01', 'docker rm -f athome squatter')],
      },
      {
        what: 'on the other server',
        actions: [on('server02', 'docker run -d --name athome --network host mycontainer:5.6')],
        says: 'athome is on server02',
        undo: [on('server02', 'docker rm -f athome')],
      },
      {
        what: 'with the network mistyped, and a name of one’s own',
        actions: [on('server01', 'docker run -d --name mine --network hots mycontainer:5.6')],
        says: 'mine asks for the network hots, which server01 does not have. The one meant is host',
        undo: [on('server01', 'docker rm -f mine')],
      },
      {
        what: 'on the network none',
        actions: [on('server01', 'docker run -d --name athome --network none mycontainer:5.6')],
        says: 'athome is on the network none',
        undo: [on('server01', 'docker rm -f athome')],
      },
    ],
    alternatives: [
      {
        what: 'by the short option',
        actions: [on('server01', 'docker run -d --name athome --net=host mycontainer:5.6')],
      },
      {
        what: 'made first, then started',
        actions: [
          on('server01', 'docker create --name athome --network host mycontainer:5.6'),
          on('server01', 'docker start athome'),
        ],
      },
    ],
  },

  'host-network-inside': {
    mistakes: [
      {
        what: 'inside another container',
        actions: [on('server01', 'docker exec myapp2 ifconfig')],
        says: 'You looked inside myapp2',
      },
      {
        what: 'at the files',
        actions: [on('server01', 'docker exec athome ls')],
        says: '“ls” shows nothing of the network',
      },
      {
        what: 'at the processes',
        actions: [on('server01', 'docker exec athome ps')],
        says: '“ps” shows nothing of the network',
      },
    ],
    alternatives: [
      { what: 'by ip', actions: [on('server01', 'docker exec athome ip -4 addr')] },
      {
        what: 'in the kernel’s own list',
        actions: [on('server01', 'docker exec athome cat /proc/net/dev')],
      },
    ],
  },

  'own-bridge-created': {
    mistakes: [
      {
        what: 'on the other server',
        actions: [on('server02', 'docker network create mynet')],
        says: 'mynet is on server02',
        undo: [on('server02', 'docker network rm mynet')],
      },
      {
        what: 'a container first, on a network that there is none of',
        actions: [on('server01', 'docker run -d --name web1 --network mynet mycontainer:5.6')],
        says: 'web1 asks for the network mynet, which server01 does not have',
        undo: [on('server01', 'docker rm -f web1')],
      },
      {
        what: 'with the driver overlay',
        actions: [
          on('server01', 'docker swarm init --advertise-addr 10.1.10.11'),
          on('server01', 'docker network create -d overlay mynet'),
        ],
        says: 'has the driver overlay',
        undo: [on('server01', 'docker network rm mynet && docker swarm leave --force')],
      },
    ],
    alternatives: [
      {
        what: 'with the driver named',
        actions: [on('server01', 'docker network create --driver bridge mynet')],
      },
      {
        what: 'with a subnet of one’s own choice',
        actions: [on('server01', 'docker network create --subnet 192.168.77.0/24 mynet')],
      },
    ],
  },

  'own-bridge-container': {
    mistakes: [
      {
        what: 'with a command that ends at once',
        actions: [on('server01', 'docker run -d --name web1 --network mynet mycontainer:5.6 true')],
        says: 'ran its command and ended',
        undo: [on('server01', 'docker rm -f web1')],
      },
      {
        what: 'made and never started',
        actions: [on('server01', 'docker create --name web1 --network mynet mycontainer:5.6')],
        says: 'web1 is not running',
        undo: [on('server01', 'docker rm -f web1')],
      },
      {
        what: 'with the network mistyped',
        actions: [on('server01', 'docker run -d --name web1 --network mynett mycontainer:5.6')],
        says: 'web1 asks for the network mynett, which server01 does not have. The one meant is mynet',
        undo: [on('server01', 'docker rm -f web1')],
      },
      {
        what: 'without --network',
        actions: [on('server01', 'docker run -d --name web1 mycontainer:5.6')],
        says: 'web1 is on the network bridge',
        undo: [on('server01', 'docker rm -f web1')],
      },
    ],
    alternatives: [
      {
        what: 'connected afterwards',
        actions: [
          on('server01', 'docker run -d --name web1 mycontainer:5.6'),
          on('server01', 'docker network connect mynet web1'),
          on('server01', 'docker run -d --name web2 --network mynet mycontainer:5.6'),
        ],
      },
    ],
  },

  'found-by-name': {
    mistakes: [
      {
        what: 'only printing the command',
        actions: [on('server01', 'docker exec web1 echo ping web2')],
        says: '“echo ping web2” in web1 runs echo, which asks for no container.',
      },
      {
        what: 'by its address',
        actions: [on('server01', 'docker exec web1 ping -c 1 10.1.10.11')],
        says: '“ping -c 1 10.1.10.11” in web1 names no other container',
      },
      {
        what: 'at a port that nothing listens on',
        actions: [on('server01', 'docker exec web1 wget -T 2 -q -O - http://web2:81')],
        says: /“wget -T 2 -q -O - http:\/\/web2:81” in web1 ended with status \d+, so it did not get there/,
      },
      {
        what: 'by its own name',
        actions: [on('server01', 'docker exec web1 ping -c 1 web1')],
        says: '“ping -c 1 web1” in web1 names no other container',
      },
      {
        what: 'from the default bridge',
        actions: [on('server01', 'docker exec myapp2 ping -c 1 -w 1 web2')],
        says: '“ping -c 1 -w 1 web2” in myapp2 names no other container',
      },
    ],
    alternatives: [
      {
        what: 'by its page',
        actions: [on('server01', 'docker exec web2 wget -q -O - http://web1')],
      },
      {
        what: 'by asking for the address alone',
        actions: [on('server01', 'docker exec web1 nslookup web2')],
      },
    ],
  },
};
