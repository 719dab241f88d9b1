import {
  asBefore,
  check,
  command,
  container,
  file,
  image,
  leadsTo,
  listens,
  on,
  open,
  passOf,
  process,
  reaches,
  script,
  sysctl,
  user,
  visited,
} from '#lab';
import { IMAGE } from './image.ts';

/** A build whose Dockerfile is given on one line, without files beside it. */
const built = (tag: string, ...lines: readonly string[]) =>
  on('server01', `printf '${lines.join('\\n')}\\n' | docker build -t ${tag} -`);
const site = image('site:1').on('server01');

/** The checks of the page `images-and-hosts`, in the order of its steps. */
export const imagesAndHosts = [
  check('site-built', {
    title: 'server01 has an image site:1, built on the lab’s, with a version and a file of yours',
    test: site
      .builtOn(IMAGE)
      .hasLabel('version', '1')
      .hasLayer(/COPY .* in \/www/),
    mistakes: [
      {
        what: 'no tag',
        actions: [built('site', `FROM ${IMAGE}`, 'LABEL version=1')],
        says: 'a name without a tag',
        undo: [on('server01', 'docker rmi site')],
      },
      {
        what: 'nothing but a second name',
        actions: [on('server01', `docker tag ${IMAGE} site:1`)],
        says: 'itself under a second name',
        undo: [on('server01', 'docker rmi site:1')],
      },
      {
        what: 'another label',
        actions: [built('site:1', `FROM ${IMAGE}`, 'LABEL version=2')],
        says: 'has the label version=2, not version=1',
        undo: [on('server01', 'docker rmi site:1')],
      },
      {
        what: 'no file of one’s own',
        actions: [built('site:1', `FROM ${IMAGE}`, 'LABEL version=1')],
        says: 'without the step that was asked for',
        undo: [on('server01', 'docker rmi site:1')],
      },
    ],
  }),
  check('site-tagged', {
    title: 'It is called registry:5000/site:1 as well',
    test: image('registry:5000/site:1').on('server01').sameAs('site:1'),
    mistakes: [
      {
        what: 'the image below it',
        actions: [on('server01', `docker tag ${IMAGE} registry:5000/site:1`)],
        says: 'two different images',
        undo: [on('server01', 'docker rmi registry:5000/site:1')],
      },
      {
        what: 'no port',
        actions: [on('server01', 'docker tag site:1 registry/site:1')],
        says: 'There is an image registry/site:1',
        undo: [on('server01', 'docker rmi registry/site:1')],
      },
    ],
  }),
  check('site-read', {
    title: 'Since a container of it was started, a page of it that says hello was opened',
    test: visited('http://10.1.10.11:8082')
      .from('client')
      .after(command(/^docker run .*site:1/).on('server01'))
      .showing(/hello/),
    mistakes: [
      {
        what: 'another page of it',
        actions: [
          on('server01', 'docker run -d --name site -p 8082:80 site:1'),
          open('http://10.1.10.11:8082'),
        ],
        says: 'does not show what was asked for',
        undo: [on('server01', 'docker rm -f site')],
        remembered: true,
      },
    ],
  }),
  check('port-open', {
    title: 'nc listens on port 7070 of the client, for everybody',
    test: listens(7070).on('client').by('nc').onEveryAddress(),
    mistakes: [
      {
        what: 'for the client alone',
        actions: [on('client', 'nc -lk 127.0.0.1 7070 > /dev/null &')],
        says: 'only client itself reaches it',
        undo: [on('client', 'pkill -x nc')],
      },
      {
        what: 'another port',
        actions: [on('client', 'nc -lk 7071 > /dev/null &')],
        says: 'nc listens on port 7071',
        undo: [on('client', 'pkill -x nc')],
      },
    ],
  }),
  check('tail-runs', {
    title: 'tail runs on the client, as the user learner',
    test: process('tail').on('client').ownedBy('learner'),
    mistakes: [
      {
        what: 'as root',
        actions: [on('client', "sudo sh -c 'tail -f /dev/null &'")],
        says: 'runs as root, not as learner',
        undo: [on('client', 'sudo pkill -x tail')],
      },
    ],
  }),
  check('anna-in-dev', {
    title: 'The client has a user anna, who is in the group dev',
    test: user('anna').on('client').inGroup('dev'),
    mistakes: [
      {
        what: 'the user alone',
        actions: [on('client', 'sudo useradd anna')],
        says: 'no group dev on client',
        undo: [on('client', 'sudo userdel anna')],
      },
    ],
    alternatives: [
      {
        what: 'the group added later',
        actions: [
          on('client', 'sudo useradd anna'),
          on('client', 'sudo groupadd dev && sudo usermod -aG dev anna'),
        ],
      },
    ],
  }),
  check('notes-kept', {
    title: '/tmp/notes is anna’s, and only she and dev read it',
    test: file('/tmp/notes').on('client').says('hello').hasMode('640').ownedBy('anna', 'dev'),
    mistakes: [
      {
        what: 'for everybody to read',
        actions: [
          on('client', 'echo hello > /tmp/notes && sudo chown anna:dev /tmp/notes'),
          on('client', 'sudo chmod 644 /tmp/notes'),
        ],
        says: 'has the mode 644, not 640',
        undo: [on('client', 'sudo rm /tmp/notes')],
      },
      {
        what: 'on the other host',
        actions: [on('server01', 'echo hello > /tmp/notes')],
        says: 'There is a /tmp/notes on server01',
        undo: [on('server01', 'rm /tmp/notes')],
      },
    ],
  }),
  check('ttl-set', {
    title: 'Packets of server01 begin with a time to live of 65',
    test: sysctl('net.ipv4.ip_default_ttl').on('server01').is(65),
    mistakes: [
      {
        what: 'only written down',
        actions: [on('server01', 'echo net.ipv4.ip_default_ttl=65 | sudo tee -a /etc/sysctl.conf')],
        says: 'has not been read from there',
        undo: [on('server01', 'sudo rm /etc/sysctl.conf')],
      },
    ],
  }),
  check('way-known', {
    title: 'The client sends what is for 192.168.77.7 to server01',
    test: leadsTo('192.168.77.7').on('client').via('10.1.10.11'),
    mistakes: [
      {
        what: 'to itself',
        actions: [on('client', 'sudo ip route add 192.168.77.0/24 dev eth1')],
        says: 'on its own wire (eth1)',
        undo: [on('client', 'sudo ip route del 192.168.77.0/24')],
      },
      {
        what: 'to nobody',
        actions: [on('client', 'sudo ip route add 192.168.77.0/24 via 10.1.10.12')],
        says: 'to 10.1.10.12. It has to go via server01',
        undo: [on('client', 'sudo ip route del 192.168.77.0/24')],
      },
    ],
    alternatives: [
      {
        what: 'the route of all the rest',
        actions: [on('client', 'sudo ip route add default via 10.1.10.11')],
      },
    ],
  }),
  check('near-reached', {
    title: 'From within far, near answers by its name',
    test: reaches('near').from(container('far').on('server01')),
    mistakes: [
      {
        what: 'on a network without names',
        actions: [
          on('server01', `docker run -d --name near ${IMAGE}`),
          on('server01', `docker run -d --name far ${IMAGE}`),
        ],
        says: 'Nobody tells far which address near has',
        undo: [on('server01', 'docker rm -f near far')],
      },
    ],
  }),
  check('link-set', {
    title: '/srv/current leads to /srv/v2',
    test: script(`
      to=$(readlink /srv/current) && [ "$to" = /srv/v2 ] && exit
      echo "/srv/current leads to \${to:-nothing} yet."
      exit 1
    `).on('client'),
    mistakes: [
      {
        what: 'to the old one',
        actions: [on('client', 'sudo ln -s /srv/v1 /srv/current')],
        says: 'leads to /srv/v1 yet',
        undo: [on('client', 'sudo rm /srv/current')],
      },
    ],
  }),
  check('beat-heard', {
    title: 'A program in the background has written /tmp/beat',
    every: '1s',
    test: file('/tmp/beat').on('client'),
    mistakes: [
      {
        what: 'another file',
        actions: [on('client', '(date > /tmp/beats) &')],
        says: asBefore,
        undo: [on('client', 'rm /tmp/beats')],
      },
    ],
  }),
  check('site-seen-again', {
    title: 'Since near answers, you looked at the site once more',
    test: visited('http://10.1.10.11:8082').after(passOf('near-reached')),
  }),
];
