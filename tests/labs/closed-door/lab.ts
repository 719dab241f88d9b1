import {
  atItsAddress,
  check,
  container,
  defineLab,
  engineVersion,
  on,
  open,
  value,
  visited,
} from '#lab';

const IMAGE = 'mycontainer:5.6';
const web = container('web').on('server01');

/** An engine that lets nobody to a container but through a published port, until it is told to. */
export const lab = defineLab({
  title: 'A closed door',
  hosts: {
    server01: { address: '10.1.10.11/24', engine: { version: '28' }, images: [IMAGE] },
    client: {
      address: '10.1.10.100/24',
      services: { route: 'ip route replace 172.17.0.0/16 via 10.1.10.11 && exec sleep infinity' },
    },
  },
  images: { [IMAGE]: 'mycontainer' },
  browser: 'client',
  values: {
    'engine-version': value('<version>', engineVersion().on('server01')),
    'web-own-url': value('http://<container address>', atItsAddress(web).url),
  },
  sections: [
    {
      page: 'door',
      title: 'The door',
      checks: [
        check('web-runs', {
          title: 'web runs, with its port 80 published',
          test: web.from(IMAGE).runs().publishes(80),
        }),
        check('door-opened', {
          title: 'The client has opened web at its own address',
          test: visited(atItsAddress(web)).from('client'),
          mistakes: [
            {
              what: 'with the door as it is',
              actions: [open('{web-own-url}')],
              says: 'since version 28 it throws away what other machines send',
            },
          ],
          alternatives: [
            {
              what: 'the rule taken away, until the next start',
              actions: [
                on('server01', 'sudo iptables -t raw -F PREROUTING'),
                open('{web-own-url}'),
              ],
            },
          ],
        }),
      ],
    },
  ],
});
