import { all, asBefore, check, container, defineLab, leadsTo, on, reaches, script } from '#lab';

const IMAGE = 'mycontainer:5.6';

/** A server with a container on a network of its own, which no other host knows the way to. */
const server = (address: string, subnet: string, name: string) => ({
  address: `${address}/24`,
  engine: true,
  images: [IMAGE],
  setup: [
    `docker network create --subnet ${subnet}.0/24 pods`,
    `docker run -d --name ${name} --restart unless-stopped --network pods --ip ${subnet}.2 ${IMAGE}`,
  ],
});

/** One end of the tunnel: its reason says what is there in its place. */
const end = (host: 'server01' | 'server02', remote: string) =>
  script(`
    found=$(ip -j -d link show vxlan42 2> /dev/null | jq -r '.[0].linkinfo.info_data | "\\(.id) to \\(.remote)"')
    [ "$found" = "42 to ${remote}" ] && exit
    echo "vxlan42 of $HOSTNAME is \${found:-not there} yet, not 42 to ${remote}."
    exit 1
  `).on(host);

/** Containers on two hosts: joined by routes, then by a tunnel. */
export const lab = defineLab({
  title: 'Two hosts',
  hosts: {
    server01: server('10.1.10.11', '172.18.1', 'c1'),
    server02: server('10.1.10.12', '172.18.2', 'c2'),
  },
  images: { [IMAGE]: 'mycontainer' },
  browser: 'server01',
  sections: [
    {
      page: 'routes',
      title: 'Routes',
      checks: [
        check('there', {
          title: 'server01 knows the way to c2',
          test: leadsTo('172.18.2.2').on('server01').via('10.1.10.12'),
          mistakes: [
            {
              what: 'to nobody',
              actions: [on('server01', 'sudo ip route add 172.18.2.0/24 via 10.1.10.13')],
              says: 'to 10.1.10.13. It has to go via server02 (10.1.10.12)',
              undo: [on('server01', 'sudo ip route del 172.18.2.0/24')],
            },
          ],
          alternatives: [
            {
              what: 'a route for that address alone',
              actions: [on('server01', 'sudo ip route add 172.18.2.2 via 10.1.10.12')],
            },
          ],
        }),
        check('joined', {
          title: 'c1 reaches c2',
          test: reaches('172.18.2.2').from(container('c1').on('server01')),
          mistakes: [
            {
              what: 'let through on the wrong server',
              actions: [on('server01', 'sudo iptables -I DOCKER-USER -d 172.18.2.0/24 -j ACCEPT')],
              says: asBefore,
              undo: [on('server01', 'sudo iptables -D DOCKER-USER -d 172.18.2.0/24 -j ACCEPT')],
            },
          ],
        }),
      ],
    },
    {
      page: 'vxlan',
      title: 'A tunnel',
      checks: [
        check('tunnel', {
          title: 'Both ends of the VXLAN 42',
          test: all(end('server01', '10.1.10.12'), end('server02', '10.1.10.11')),
          mistakes: [
            {
              what: 'another id',
              actions: [
                on(
                  'server01',
                  'sudo ip link add vxlan42 type vxlan id 43 remote 10.1.10.12 dstport 4789 dev eth1',
                ),
              ],
              says: 'is 43 to 10.1.10.12 yet, not 42 to 10.1.10.12',
              undo: [on('server01', 'sudo ip link del vxlan42')],
            },
          ],
        }),
        check('wrapped', {
          title: 'server01 reaches server02 through it',
          test: reaches('10.42.0.2').from('server01'),
          mistakes: [
            {
              what: 'no other end',
              actions: [
                on(
                  'server01',
                  'sudo ip link add vxlan42 type vxlan id 42 remote 10.1.10.12 dstport 4789 dev eth1 && sudo ip addr add 10.42.0.1/24 dev vxlan42 && sudo ip link set vxlan42 up',
                ),
              ],
              says: 'server01 gets no answer from 10.42.0.2',
              undo: [on('server01', 'sudo ip link del vxlan42')],
            },
          ],
        }),
      ],
    },
  ],
});
