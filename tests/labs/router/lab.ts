import { asBefore, check, command, defineLab, leadsTo, on, reaches, sysctl } from '#lab';

/** Two wires and a router between them, which does not forward yet. */
export const lab = defineLab({
  title: 'A router',
  hosts: {
    client: { address: '10.1.10.100/24' },
    router: { address: '10.1.10.1/24', interfaces: ['10.1.20.1/24'], router: true },
    server: {
      address: '10.1.20.11/24',
      services: { route: 'ip route replace 10.1.10.0/24 via 10.1.20.1 && exec sleep infinity' },
    },
  },
  browser: 'client',
  sections: [
    {
      page: 'across',
      title: 'Across',
      checks: [
        check('forwards', {
          title: 'The router forwards',
          test: sysctl('net.ipv4.ip_forward').on('router').is(1),
          mistakes: [
            {
              what: 'only written down',
              actions: [on('router', 'echo net.ipv4.ip_forward=1 | sudo tee -a /etc/sysctl.conf')],
              says: 'has not been read from there',
              undo: [on('router', 'sudo rm /etc/sysctl.conf')],
            },
          ],
          alternatives: [
            {
              what: 'by its file',
              actions: [on('router', 'echo 1 | sudo tee /proc/sys/net/ipv4/ip_forward')],
            },
          ],
        }),
        check('there', {
          title: 'The client knows the way to the server',
          test: leadsTo('10.1.20.11').on('client').via('10.1.10.1'),
          mistakes: [
            {
              what: 'on its own wire',
              actions: [on('client', 'sudo ip route add 10.1.20.0/24 dev eth1')],
              says: 'on its own wire (eth1)',
              undo: [on('client', 'sudo ip route del 10.1.20.0/24')],
            },
          ],
          alternatives: [
            {
              what: 'the default route',
              actions: [on('client', 'sudo ip route add default via 10.1.10.1')],
            },
          ],
        }),
        check('reached', {
          title: 'The client reaches the server',
          test: reaches('10.1.20.11').from('client'),
          mistakes: [
            {
              what: 'a way to nobody',
              actions: [on('client', 'sudo ip route add 10.1.20.0/24 via 10.1.10.2')],
              says: 'client gets no answer from 10.1.20.11',
              undo: [on('client', 'sudo ip route del 10.1.20.0/24')],
            },
          ],
        }),
        check('sniffed', {
          title: 'You saw it pass, on the server’s wire',
          test: command(/^tcpdump .*-i ?eth2/).on('router'),
          mistakes: [
            {
              what: 'on the other wire',
              actions: [
                on('router', '(sleep 1; ping -c 1 10.1.10.100 > /dev/null) &'),
                on('router', 'tcpdump -n -c 1 -i eth1 icmp'),
              ],
              says: asBefore,
            },
          ],
        }),
      ],
    },
  ],
});
