import { describe, expect, it } from 'vitest';
import {
  aContainer,
  addressOf,
  all,
  aNetwork,
  atItsAddress,
  check,
  command,
  container,
  defineLab,
  file,
  firstOf,
  image,
  type LabError,
  leadsTo,
  listens,
  type Moment,
  network,
  networkId,
  passOf,
  process,
  ranInside,
  reaches,
  refused,
  registry,
  restartOf,
  route,
  script,
  subnetOf,
  sysctl,
  type Test,
  theAddress,
  theId,
  theNumber,
  theText,
  throughFormerPort,
  throughPort,
  user,
  visited,
} from '#lab';
import { World } from './docker-networking-world.ts';

const IMAGE = 'mycontainer:5.6';
/** Those of that image. */
const LAYERS = ['sha256:one', 'sha256:two'];
const web = container('web').on('server01');
const served = web.from(IMAGE).runs().publishes(80).onAnEphemeralPort();

/** A learner's steps, and what the question says after them: a pass, or the reason, and the command that leads out. */
type Case = readonly [
  title: string,
  steps: (world: World) => World,
  expected: 'passed' | RegExp,
  fix?: string,
];

const run = (world: World) => world.run({ name: 'web', publish: '', port: 32768 });

/** What the registry registry:5000 is asked, from server01. */
const asked = (path: string) =>
  `curl -q -s -m 2 --noproxy * --max-filesize 65536 -H Accept: application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json -w \\n%{http_code} %header{docker-content-digest} http://registry:5000/v2/${path}`;
const MANIFEST = 'web/manifests/1';
const answering = (world: World, path: string, code: number, body: string, digest = '') =>
  world.says('server01', asked(path), `${body}\n${code} ${digest}`.trim());
/** Nothing listens: curl's status 7. */
const silent = (world: World) =>
  ['', MANIFEST].reduce((all, path) => all.says('server01', asked(path), '', 7), world);
const lacking = (world: World) =>
  answering(world, MANIFEST, 404, '{"errors":[{"code":"MANIFEST_UNKNOWN"}]}');
const holding = (world: World) =>
  answering(world, MANIFEST, 200, '{"config":{"digest":"sha256:c"}}', 'sha256:d');
const push = (world: World, name: string) =>
  world.signal({ kind: 'image', host: 'server01', action: 'push', id: name, name });
const failed = (world: World, line: string) =>
  world.signal({ kind: 'command', host: 'server01', terminal: 't', line, status: 1 });

const QUESTIONS: readonly (readonly [title: string, test: Test, cases: readonly Case[]])[] = [
  [
    'container(…).runs()',
    web.runs(),
    [
      ['running', run, 'passed'],
      ['nothing', (w) => w, /No container named web on server01 yet/],
      [
        'on another host',
        (w) => w.run({ name: 'web', on: 'server02' }),
        /web is on server02, but the lab needs it on server01/,
        'docker rm -f web',
      ],
      ['stopped', (w) => run(w).stop('web'), /web is stopped/, 'docker start web'],
      ['paused', (w) => w.run({ name: 'web', status: 'paused' }), /paused/, 'docker unpause web'],
      ['created', (w) => w.run({ name: 'web', status: 'created' }), /never started/],
      [
        'a command that ended',
        (w) => w.run({ name: 'web', status: 'exited', command: 'true' }),
        /ran its command and ended/,
      ],
      ['another of the same image', (w) => w.run({ name: 'web2' }), /No container named web /],
    ],
  ],
  [
    'container(…).from(…)',
    web.from(IMAGE),
    [
      ['by its tag', (w) => w.run({ name: 'web' }), 'passed'],
      ['stopped as well', (w) => run(w).stop('web'), 'passed'],
      [
        'another image',
        (w) => w.run({ name: 'web', image: 'nginx' }),
        /made from the image nginx; the lab’s is mycontainer:5\.6/,
        `docker rm -f web && docker run -d --name web ${IMAGE}`,
      ],
      [
        'no name given',
        (w) => w.run({ name: 'quirky_hopper' }),
        /its name is quirky_hopper\. Give it the name web/,
        'docker rename quirky_hopper web',
      ],
    ],
  ],
  [
    'publishes(80).onAnEphemeralPort()',
    served,
    [
      ['-p :80', run, 'passed'],
      ['-P', (w) => w.run({ name: 'web', publishAll: true, port: 32768 }), 'passed'],
      [
        'a fixed port',
        (w) => w.run({ name: 'web', publish: '8080', port: 8080 }),
        /fixed port 8080.*-p :80/,
        `docker rm -f web && docker run -d --name web -p :80 ${IMAGE}`,
      ],
      ['a range', (w) => w.run({ name: 'web', publish: '80-90', port: 80 }), /only have a port/],
      [
        'the range that Docker picks from, written down',
        (w) => w.run({ name: 'web', publish: '32768-60999', port: 32768 }),
        'passed',
      ],
      ['no port', (w) => w.run({ name: 'web' }), /publishes no port/],
      [
        'another port of the container',
        (w) => w.run({ name: 'web', publish: '', containerPort: '8080/tcp', port: 32768 }),
        /publishes its port 8080\/tcp.*listens on 80/,
      ],
      ['no network', (w) => w.run({ name: 'web', network: 'none' }), /network “none”/],
      ['not bound yet', (w) => w.run({ name: 'web', publish: '' }), /not bound its port yet/],
      [
        'another name',
        (w) => w.run({ name: 'site', publish: '8080', port: 8080 }),
        /its name is site/,
        'docker rename site web',
      ],
    ],
  ],
  [
    'publishes(80).on(8080)',
    web.from(IMAGE).publishes(80).on(8080),
    [
      ['-p 8080:80', (w) => w.run({ name: 'web', publish: '8080', port: 8080 }), 'passed'],
      [
        'left to Docker',
        run,
        /got the port 32768, because Docker picked one.*-p 8080:80/,
        `docker rm -f web && docker run -d --name web -p 8080:80 ${IMAGE}`,
      ],
      [
        'another port',
        (w) => w.run({ name: 'web', publish: '8081', port: 8081 }),
        /publishes the port 8081 of the host/,
      ],
      [
        'for the host alone',
        (w) => w.run({ name: 'web', publish: '8080', publishOn: '127.0.0.1', port: 8080 }),
        /publishes its port on 127\.0\.0\.1, where nobody but server01 itself can reach it.*-p 8080:80/,
        `docker rm -f web && docker run -d --name web -p 8080:80 ${IMAGE}`,
      ],
    ],
  ],
  [
    'fromTheNewest()',
    container('web').on('server01').from('site:1').fromTheNewest(),
    [
      [
        'of the only build',
        (w) => w.build('site:1', { id: 'site:1' }).run({ name: 'web', image: 'site:1' }),
        'passed',
      ],
      [
        'of an earlier one',
        (w) =>
          w.build('site:1', { id: 'site:1' }).run({ name: 'web', image: 'site:1' }).build('site:1'),
        /still made from the image that site:1 stood for before.*also through a restart/,
        'docker rm -f web && docker run -d --name web site:1',
      ],
      [
        'of another image',
        (w) => w.build('site:1').run({ name: 'web', image: 'nginx' }),
        /made from the image nginx/,
      ],
    ],
  ],
  [
    'withTheImagesCommand()',
    web.from(IMAGE).withTheImagesCommand(),
    [
      ['as the image says', run, 'passed'],
      ['in a shell', (w) => w.run({ name: 'web', command: 'sh -c /bin/serve' }), 'passed'],
      ['at its end', (w) => w.run({ name: 'web', command: 'sh -c sleep 1; /bin/serve' }), 'passed'],
      [
        'not at its end',
        (w) => w.run({ name: 'web', command: 'sh -c /bin/serve; true' }),
        /a command of its own/,
      ],
      [
        'one that only ends alike',
        (w) => w.run({ name: 'web', command: 'sh -c /usr/bin/serve' }),
        /a command of its own/,
      ],
      ['another', (w) => w.run({ name: 'web', command: 'sleep 60' }), /a command of its own/],
    ],
  ],
  [
    'container(…).from(…).isOn(…)',
    web.from(IMAGE).isOn('mynet'),
    [
      [
        'on one that it cannot be connected beside',
        (w) => w.run({ name: 'web', network: 'none' }),
        /on the network none.*mynet/,
        `docker rm -f web && docker run -d --name web --network mynet ${IMAGE}`,
      ],
    ],
  ],
  [
    'container(…).isOn(…)',
    web.isOn('mynet'),
    [
      ['from the start', (w) => w.run({ name: 'web', network: 'mynet' }), 'passed'],
      ['on another', run, /on the network bridge.*mynet/, 'docker network connect mynet web'],
      [
        'disconnected again',
        (w) => w.run({ name: 'web', network: 'mynet' }).disconnect('web'),
        /web is connected to no network any more, but should be on mynet/,
        'docker network connect mynet web',
      ],
      [
        'disconnected, and on two others',
        (w) => w.run({ name: 'web', network: 'mynet' }).disconnect('web', { a1: '', b1: '' }),
        /web is on the network a1 and b1, but should be on mynet/,
      ],
      [
        'on one that it cannot be connected beside',
        (w) => w.run({ name: 'web', network: 'host' }),
        /on the network host.*mynet/,
      ],
    ],
  ],
  [
    'aContainer().isOn(…).runs()',
    aContainer().on('server01').isOn('none').runs(),
    [
      ['any', (w) => w.run({ name: 'x1', network: 'none' }), 'passed'],
      ['none there', run, /No container on the network none on server01 yet/],
      ['elsewhere', (w) => w.run({ name: 'x1', network: 'none', on: 'server02' }), /on server02/],
      [
        'one ended, one runs',
        (w) =>
          w
            .run({ name: 'x1', network: 'none', status: 'exited', command: 'true' })
            .run({ name: 'x2', network: 'none' }),
        'passed',
      ],
    ],
  ],
  [
    'image(…)',
    image('web:1').on('server01'),
    [
      ['built', (w) => w.build('web:1'), 'passed'],
      ['nothing', (w) => w, /No image named web:1 on server01 yet/],
      ['another tag of before', (w) => w.build('web:0'), /No image named web:1 on server01 yet/],
      [
        'no tag',
        (w) => w.build('web:latest'),
        /There is an image web:latest.*The name asked for is web:1/,
        'docker tag web:latest web:1',
      ],
      [
        'with a registry before it',
        (w) => w.build('registry/web:1'),
        /There is an image registry\/web:1, but the name asked for is web:1/,
        'docker tag registry/web:1 web:1',
      ],
      ['no name', (w) => w.build(''), /newest image, 10{11}, has no name.*-t web:1/],
      ['no name, long ago', (w) => w.build('').build('x:1'), /No image named web:1/],
      ['on another host', (w) => w.build('web:1', { on: 'server02' }), /web:1 is on server02, but/],
    ],
  ],
  [
    'image(…).sameAs(…)',
    image('web:1').on('server01').sameAs(IMAGE),
    [
      ['tagged', (w) => w.build('web:1', { id: 'sha256:56' }), 'passed'],
      [
        'another',
        (w) => w.build('web:1'),
        /web:1 and mycontainer:5\.6 stand for two different images/,
        `docker tag ${IMAGE} web:1`,
      ],
      ['the other way round', (w) => w, /No image named web:1/],
    ],
  ],
  [
    'image(…).sameAs(…) of a name that nothing has',
    image('web:1').on('server01').sameAs('web:0'),
    [['built', (w) => w.build('web:1'), /no image web:0 on server01/]],
  ],
  [
    'image(…).builtOn(…)',
    image('web:1').on('server01').builtOn(IMAGE),
    [
      ['on top', (w) => w.build('web:1'), 'passed'],
      ['only labels more', (w) => w.build('web:1', { layers: LAYERS }), 'passed'],
      [
        'from elsewhere',
        (w) => w.build('web:1', { layers: ['x'] }),
        /not built on mycontainer:5\.6/,
      ],
      ['itself', (w) => w.build('web:1', { id: 'sha256:56' }), /itself under a second name/],
    ],
  ],
  [
    'image(…).hasLabel(…).hasLayer(…)',
    image('web:1').on('server01').hasLabel('version', '1').hasLayer(/COPY/),
    [
      ['both', (w) => w.build('web:1', { labels: { version: '1' } }), 'passed'],
      ['no label', (w) => w.build('web:1'), /no label version.*LABEL version=1/],
      [
        'another',
        (w) => w.build('web:1', { labels: { version: '2' } }),
        /version=2, not version=1/,
      ],
    ],
  ],
  [
    'image(…).hasLayer(…)',
    image('web:1').on('server01').hasLayer(/RUN/),
    [['no such step', (w) => w.build('web:1'), /without the step/, 'docker history web:1']],
  ],
  [
    'image(…).after(…)',
    image('web:1').on('server01').after(visited('http://10.1.10.11')),
    [
      ['built again', (w) => w.visit('http://10.1.10.11').build('web:1'), 'passed'],
      ['only before', (w) => w.build('web:1').visit('http://10.1.10.11'), /still the image of bef/],
      ['not opened', (w) => w.build('web:1'), /Not opened yet/],
    ],
  ],
  [
    'visited(…).after(image(…))',
    visited('http://10.1.10.11').after(image('web:1').on('server01')),
    [
      ['after it', (w) => w.build('web:1').visit('http://10.1.10.11'), 'passed'],
      ['only before it', (w) => w.visit('http://10.1.10.11').build('web:1'), /Not opened since/],
      ['not built', (w) => w.visit('http://10.1.10.11'), /No image named web:1/],
    ],
  ],
  [
    'registry(…)',
    registry('registry:5000').on('server01'),
    [
      ['up', (w) => answering(w, '', 200, '{}'), 'passed'],
      [
        'its container stopped',
        (w) =>
          silent(w.run({ name: 'reg', containerPort: '5000/tcp', publish: '5000' }).stop('reg')),
        /Nothing answers at registry:5000: the container reg does not run/,
        'docker start reg',
      ],
      [
        'nothing there',
        silent,
        /Nothing answers at registry:5000\. The registry has to run on serv/,
      ],
      [
        'a web page',
        (w) => answering(w, '', 404, '<h1>'),
        /What answers at registry:5000 is no reg/,
      ],
    ],
  ],
  [
    'registry(…).has(…)',
    registry('registry:5000').on('server01').has('web:1'),
    [
      ['pushed', (w) => holding(w), 'passed'],
      ['nothing', lacking, /The registry registry:5000 has no web:1 yet/],
      [
        'a page of another web server',
        (w) => answering(w, MANIFEST, 404, '<h1>'),
        /is no registry/,
      ],
      ['no answer in time', silent, /Nothing answers at registry:5000/],
      [
        'another tag',
        (w) => answering(lacking(w), 'web/tags/list', 200, '{"name":"web","tags":["latest"]}'),
        /has registry:5000\/web:latest: the same name with another tag/,
      ],
      [
        'a tag that is none',
        (w) => answering(lacking(w), 'web/tags/list', 200, '{"tags":["1; rm -r ~", 7, null]}'),
        /has no web:1 yet/,
      ],
      [
        'another name',
        (w) => push(lacking(w), 'registry:5000/wbe:1'),
        /registry:5000\/wbe:1 was pushed, and is there under that name.*registry:5000\/web:1/,
        'docker tag registry:5000/wbe:1 registry:5000/web:1 && docker push registry:5000/web:1',
      ],
      [
        'no registry in the name',
        (w) => failed(lacking(w), 'docker push web:1'),
        /web:1 names no registry, so Docker takes it to Docker Hub/,
        'docker push registry:5000/web:1',
      ],
      [
        'no port in the name',
        (w) => failed(lacking(w), 'sudo docker image push -q registry/web:1'),
        /registry\/web:1 has no port in it.*somebody’s name on Docker Hub/,
      ],
      [
        'another registry',
        (w) => failed(lacking(w), 'docker push 10.1.10.11:5000/web:1'),
        /10\.1\.10\.11:5000\/web:1 names another registry/,
      ],
      [
        'the right name, which failed',
        (w) => failed(lacking(w), 'docker push registry:5000/web:1'),
        /has no web:1 yet/,
      ],
      [
        'wrong once, and then by another name',
        (w) => push(failed(lacking(w), 'docker push web:1'), 'registry:5000/wbe:1'),
        /wbe:1 was pushed/,
      ],
      ['a command that pushes nothing', (w) => failed(lacking(w), 'git push web'), /no web:1 yet/],
    ],
  ],
  [
    'registry(…).has(…).sameAs(…)',
    registry('registry:5000').on('server01').has('web:1').sameAs('web:1'),
    [
      [
        'by the ID that an engine gives it',
        (w) => holding(w.build('web:1', { id: 'sha256:c' })),
        'passed',
      ],
      ['by its digest', (w) => holding(w.build('web:1', { id: 'sha256:d' })), 'passed'],
      [
        'another',
        (w) => holding(w.build('web:1')),
        /is another image than web:1 of server01\. Push/,
      ],
      ['none to compare with', (w) => holding(w), /There is no image web:1 on server01/],
    ],
  ],
  [
    'network(…).hasDriver(…)',
    network('mynet').on('server01').hasDriver('bridge'),
    [
      ['there', (w) => w.createNetwork('mynet'), 'passed'],
      ['none', (w) => w, /No network named mynet on server01 yet/],
      [
        'another driver',
        (w) => w.createNetwork('mynet', { driver: 'macvlan' }),
        /driver macvlan/,
        'docker network rm mynet && docker network create mynet',
      ],
      ['elsewhere', (w) => w.createNetwork('mynet', { on: 'server02' }), /is on server02/],
    ],
  ],
  [
    'network(…).hasSubnet(…)',
    network('mynet').on('server01').hasSubnet('172.30.0.0/16'),
    [['another', (w) => w.createNetwork('mynet'), /subnet 172\.18\.0\.0\/16, not 172\.30/]],
  ],
  [
    'aNetwork()',
    aNetwork().on('server01').hasDriver('bridge'),
    [
      ['of any name', (w) => w.createNetwork('x'), 'passed'],
      ['only Docker’s own', (w) => w, /No network of your own on server01/],
    ],
  ],
  [
    'route(…).on(…).via(…)',
    route('172.17.0.0/16').on('client').via('10.1.10.11'),
    [
      ['just that', (w) => w.route('172.17.0.0/16'), 'passed'],
      ['two halves', (w) => w.route('172.17.0.0/17').route('172.17.128.0/17'), 'passed'],
      ['none', (w) => w, /client has no route to 172\.17\.0\.0\/16 yet/],
      ['narrower', (w) => w.route('172.17.0.0/24'), /too narrow.*255\.255\.0\.0/],
      ['wider', (w) => w.route('172.16.0.0/12'), /too wide.*255\.255\.0\.0/],
      [
        'via another host',
        (w) => w.route('172.17.0.0/16', '10.1.10.12'),
        /to server02 \(10\.1\.10\.12\)\. The route has to go via 10\.1\.10\.11/,
        'sudo ip route replace 172.17.0.0/16 via 10.1.10.11',
      ],
      ['another network', (w) => w.route('172.18.0.0/16'), /route to 172\.18\.0\.0\/16, but/],
    ],
  ],
  [
    'route(subnetOf(…))',
    route(subnetOf('bridge').on('server01')).on('client').via('10.1.10.11'),
    [
      ['as the network is now', (w) => w.route('172.17.0.0/16'), 'passed'],
      ['none', (w) => w, /no route to 172\.17\.0\.0\/16/],
    ],
  ],
  [
    'visited(url)',
    visited('http://10.1.10.11:8080').from('client'),
    [
      ['opened', (w) => w.visit('http://10.1.10.11:8080'), 'passed'],
      ['by an alias', (w) => w.visit('http://agent01:8080/'), 'passed'],
      ['not opened', (w) => w, /Not opened yet.*go to http:\/\/10\.1\.10\.11:8080/],
      ['another host', (w) => w.visit('http://10.1.10.12:8080'), /That was server02, not server01/],
      ['refused', (w) => w.visit('http://10.1.10.11:8080', 'refused'), /was refused/],
      ['an error page', (w) => w.visit('http://10.1.10.11:8080', 'page', 500), /status 500/],
    ],
  ],
  [
    'visited(throughPort(…))',
    visited(throughPort(served)),
    [
      ['the port of then', (w) => run(w).visit('http://10.1.10.11:32768'), 'passed'],
      ['no container', (w) => w, /No container named web/],
      ['another port', (w) => run(w).visit('http://10.1.10.11:99', 'refused'), /Port 99 does not/],
      [
        'the port of before',
        (w) => run(w).restart('web', 32769).visit('http://10.1.10.11:32768', 'refused'),
        /was web’s until it was restarted\. Go to http:\/\/10\.1\.10\.11:32769/,
      ],
    ],
  ],
  [
    'visited(atItsAddress(…)).after(restartOf(…))',
    visited(atItsAddress(served)).from('client').after(restartOf(served)),
    [
      ['after it', (w) => run(w).restart('web', 32769).visit('http://172.17.0.2'), 'passed'],
      [
        'only before it',
        (w) => run(w).visit('http://172.17.0.2').restart('web', 32769),
        /Not opened since then\. Reload http:\/\/172\.17\.0\.2/,
      ],
      ['not restarted', (w) => run(w).visit('http://172.17.0.2'), /has not been restarted yet/],
      [
        'with the host’s port',
        (w) => run(w).restart('web', 32769).visit('http://172.17.0.2:32769', 'refused'),
        /listens on 80/,
      ],
    ],
  ],
  [
    'refused(throughFormerPort(…))',
    refused(throughFormerPort(served)),
    [
      [
        'refused',
        (w) => run(w).restart('web', 32769).visit('http://10.1.10.11:32768', 'refused'),
        'passed',
      ],
      ['no former port', run, /no address to try yet/],
      [
        'the port of now',
        (w) => run(w).restart('web', 32769).visit('http://10.1.10.11:32769'),
        /32769 is the port of now\. Try http:\/\/10\.1\.10\.11:32768/,
      ],
      [
        'something else listens',
        (w) => run(w).restart('web', 32769).visit('http://10.1.10.11:32768'),
        /Something else listens/,
      ],
    ],
  ],
  [
    'restartOf(…)',
    restartOf(web),
    [
      ['restarted', (w) => run(w).restart('web', 32769), 'passed'],
      ['not restarted', run, /has not been restarted yet/],
      ['stopped', (w) => run(w).stop('web'), /web is stopped/],
      [
        'made anew',
        (w) => run(run(w).remove('web')),
        /a new container, which is not a restart/,
        'docker restart web',
      ],
    ],
  ],
  [
    'restartOf(…).after(visited(…))',
    restartOf(web).after(visited('http://10.1.10.11:32768')),
    [
      ['after it', (w) => run(w).visit('http://10.1.10.11:32768').restart('web', 32769), 'passed'],
      [
        'only before it',
        (w) => run(w).restart('web', 32769).visit('http://10.1.10.11:32768'),
        /not been restarted since/,
      ],
      ['not opened', (w) => run(w).restart('web', 32769), /Not opened yet/],
    ],
  ],
  [
    'ranInside(…)',
    ranInside(web, /ifconfig/g).suchAs('ifconfig'),
    [
      ['run', (w) => run(w).exec('web', 'ifconfig'), 'passed'],
      ['nothing run', run, /Nothing has been run inside web yet/],
      ['no container', (w) => w, /No container named web/],
      [
        'another command',
        (w) => run(w).exec('web', 'date'),
        /“date” is not what was asked for\. Try ifconfig/,
        'docker exec web ifconfig',
      ],
      [
        'another container',
        (w) => run(w).run({ name: 'x1' }).exec('x1', 'ifconfig'),
        /You looked inside x1\. Look inside web/,
      ],
    ],
  ],
  [
    'ranInside(…).andWorked()',
    ranInside(web, /ping web/)
      .suchAs('ping -c 1 web')
      .andWorked(),
    [
      ['worked', (w) => run(w).exec('web', 'ping web'), 'passed'],
      ['failed', (w) => run(w).exec('web', 'ping web', 1), /“ping web” inside web has failed/],
      ['runs', (w) => run(w).exec('web', 'ping web', 'never'), /“ping web” inside web still runs/],
      ['tried again', (w) => run(w).exec('web', 'ping web', 1).exec('web', 'ping web'), 'passed'],
    ],
  ],
  [
    'command(…).on(…)',
    command(/^docker ps/).on('server01'),
    [
      ['run', (w) => typed(w, 'server01', 'docker ps -a'), 'passed'],
      ['nothing run', (w) => w, /not been run in a terminal of server01 yet/],
      ['on another host', (w) => typed(w, 'server02', 'docker ps'), /That was on server02/],
      ['failed', (w) => typed(w, 'server01', 'docker ps -x', 125), /ended with status 125/],
    ],
  ],
  [
    'command(…).failed(…)',
    command(/^docker run/)
      .on('server01')
      .failed(125),
    [
      ['so', (w) => typed(w, 'server01', 'docker run x', 125), 'passed'],
      ['it worked', (w) => typed(w, 'server01', 'docker run x'), /“docker run x” has worked, and/],
      ['otherwise', (w) => typed(w, 'server01', 'docker run x', 1), /with status 1, and not 125/],
      ['on another host', (w) => typed(w, 'client', 'docker run x', 125), /That was on client/],
    ],
  ],
  [
    'command(…).failed()',
    command(/^docker run/)
      .on('server01')
      .failed(),
    [['anyhow', (w) => typed(w, 'server01', 'docker run x', 1), 'passed']],
  ],
  [
    'command(…).after(…)',
    command(/^curl/)
      .on('client')
      .after(command(/^docker run/).on('server01')),
    [
      [
        'after it',
        (w) => typed(typed(w, 'server01', 'docker run x'), 'client', 'curl x'),
        'passed',
      ],
      [
        'only before it',
        (w) => typed(typed(w, 'client', 'curl x'), 'server01', 'docker run x'),
        /“curl x” has not been run since then.*terminal of client/,
      ],
      [
        'that has failed',
        (w) => typed(w, 'server01', 'docker run x', 125),
        /ended with status 125/,
      ],
      ['without it', (w) => typed(w, 'client', 'curl x'), /not been run in a terminal of server01/],
    ],
  ],
  [
    'visited(…).showing(…)',
    visited('http://10.1.10.11').showing(/Version 2/),
    [
      ['shown', (w) => w.visit('http://10.1.10.11', 'page', 200, 'Hello, Version 2'), 'passed'],
      [
        'shown once',
        (w) =>
          w
            .visit('http://10.1.10.11', 'page', 200, 'Version 2')
            .visit('http://10.1.10.11', 'page', 200, 'Version 1'),
        'passed',
      ],
      [
        'another page',
        (w) => w.visit('http://10.1.10.11', 'page', 200, 'Hello, Version 1'),
        /The page http:\/\/10\.1\.10\.11 came, but does not show.*“Hello, Version 1”/,
      ],
      ['by curl', (w) => w.visit('http://10.1.10.11'), /cannot be seen.*Browser tab, go to http/],
      [
        'an error page',
        (w) => w.visit('http://10.1.10.11', 'page', 500, 'Version 2'),
        /status 500/,
      ],
      ['refused', (w) => w.visit('http://10.1.10.11', 'refused'), /was refused/],
    ],
  ],
  [
    'visited(…).after(command(…))',
    visited('http://10.1.10.11').after(command(/^docker build/).on('server01')),
    [
      [
        'after it',
        (w) => typed(w, 'server01', 'docker build .').visit('http://10.1.10.11'),
        'passed',
      ],
      [
        'only before it',
        (w) => typed(w.visit('http://10.1.10.11'), 'server01', 'docker build .'),
        /Not opened since then/,
      ],
    ],
  ],
  [
    'file(…).says(…)',
    file('/proc/sys/net/ipv4/ip_forward').on('server01').says('1'),
    [['it does', (w) => w, 'passed']],
  ],
  [
    'file(…).says(…) of a text with the end of its line',
    file('/proc/sys/net/ipv4/ip_forward').on('server01').says('1\n'),
    [['it does', (w) => w, 'passed']],
  ],
  [
    'file(…) that says something else',
    file('/proc/sys/net/ipv4/ip_forward').on('server01').says(/0/),
    [['it does not', (w) => w, /does not say what was asked for/]],
  ],
  [
    'file(…)',
    file('/etc/x').on('server01'),
    [
      ['there', (w) => w.file('server01', '/etc/x', '644 root root regular file', 'x'), 'passed'],
      ['a directory', (w) => w.file('server01', '/etc/x', '755 root root directory'), 'passed'],
      ['missing', (w) => w, /There is no \/etc\/x on server01 yet/],
      [
        'on another host',
        (w) => w.file('client', '/etc/x', '644 root root regular file', 'x'),
        /There is a \/etc\/x on client, but the lab needs it on server01/,
      ],
    ],
  ],
  [
    'file(…).says(…) of a directory',
    file('/etc/x').on('server01').says(/y/),
    [
      [
        'one',
        (w) => w.file('server01', '/etc/x', '755 root root directory'),
        /is a directory, and/,
      ],
    ],
  ],
  [
    'file(…).hasMode(…).ownedBy(…)',
    file('/srv/n').on('server01').hasMode('0640').ownedBy('anna', 'dev'),
    [
      ['all of it', (w) => w.file('server01', '/srv/n', '640 anna dev regular file'), 'passed'],
      [
        'another mode',
        (w) => w.file('server01', '/srv/n', '644 anna dev regular file'),
        /mode 644, not 640/,
        'sudo chmod 640 /srv/n',
      ],
      [
        'another owner',
        (w) => w.file('server01', '/srv/n', '640 root dev regular file'),
        /belongs to root, not to anna/,
        'sudo chown anna /srv/n',
      ],
      [
        'another group',
        (w) => w.file('server01', '/srv/n', '640 anna anna regular file'),
        /of the group anna, not of dev/,
        'sudo chgrp dev /srv/n',
      ],
    ],
  ],
  [
    'listens(…)',
    listens(80).on('server01'),
    [
      ['on every address', (w) => listening(w, '0.0.0.0:80'), 'passed'],
      ['on one', (w) => listening(w, '127.0.0.1:80'), 'passed'],
      ['nothing', (w) => w, /Nothing listens on port 80 of server01 yet/],
      ['another port that begins alike', (w) => listening(w, '0.0.0.0:8080'), /Nothing listens/],
      ['another host', (w) => listening(w, '0.0.0.0:80', 'nginx', 'client'), /80 of client, but/],
    ],
  ],
  [
    'listens(…).by(…).onEveryAddress()',
    listens(80).on('server01').by('nginx').onEveryAddress(),
    [
      ['both', (w) => listening(w, '0.0.0.0:80'), 'passed'],
      ['of both families', (w) => listening(w, '*:80'), 'passed'],
      ['for itself', (w) => listening(w, '127.0.0.1%lo:80'), /bound to 127\.0\.0\.1, so only serv/],
      [
        'by the learner, where root is not shown it',
        (w) =>
          listening(
            w.says('server01', AS_LEARNER, 'LISTEN 0 1 *:80 *:* users:(("nginx",pid=7)'),
            '*:80',
            '',
          ),
        'passed',
      ],
      ['for itself, IPv6', (w) => listening(w, '[::1]:80'), /bound to \[::1\], so only server01/],
      ['on one address', (w) => listening(w, '10.1.10.11:80'), /bound to 10\.1\.10\.11 alone/],
      ['another program', (w) => listening(w, '*:80', 'docker-proxy'), /docker-proxy that listens/],
      [
        'another port',
        (w) => listening(w, '*:81'),
        /nginx listens on port 81 of server01, not on 8/,
      ],
    ],
  ],
  [
    'listens(…/udp)',
    listens('53/udp').on('client'),
    [
      ['there', (w) => w.says('client', 'ss -Hlunp', 'UNCONN 0 0 0.0.0.0:53 0.0.0.0:*'), 'passed'],
      ['nothing', (w) => w, /Nothing listens on port 53\/udp of client yet/],
    ],
  ],
  [
    'user(…).inGroup(…)',
    user('anna').on('server01').inGroup('dev'),
    [
      ['in it', (w) => w.says('server01', 'id -Gn -- anna', 'anna dev'), 'passed'],
      ['no such user', (w) => strangers(w), /There is no user anna on server01 yet/],
      [
        'on another host',
        (w) => strangers(w).says('client', 'id -Gn -- anna', 'anna'),
        /user anna is on client, but/,
      ],
      [
        'not in it',
        (w) => w.says('server01', 'id -Gn -- anna', 'anna devel'),
        /in the groups anna and devel, and not in dev/,
        'sudo usermod -aG dev anna',
      ],
      [
        'no such group',
        (w) =>
          w.says('server01', 'id -Gn -- anna', 'anna').says('server01', 'getent group dev', '', 2),
        /There is no group dev on server01 yet/,
        'sudo groupadd dev',
      ],
    ],
  ],
  [
    'sysctl(…).is(…)',
    sysctl('net.ipv4.ip_forward').on('server01').is(1),
    [
      ['it is', (w) => w, 'passed'],
      [
        'it is not',
        (w) => w.broken({ ipForward: '0' }),
        /ip_forward is 0 on server01, not 1/,
        'sudo sysctl -w net.ipv4.ip_forward=1',
      ],
      [
        'only written',
        (w) =>
          w
            .broken({ ipForward: '0' })
            .file('server01', '/etc/sysctl.conf', '', '#x\nnet.ipv4.ip_forward = 1'),
        /stands in \/etc\/sysctl\.conf of server01, but has not been read.*still 0/,
        'sudo sysctl -p',
      ],
    ],
  ],
  [
    'sysctl(…) of several numbers',
    sysctl('net.ipv4.ip_local_port_range').on('server01').is('32768 60999'),
    [['they are', (w) => w.broken({ ipForward: '32768\t60999' }), 'passed']],
  ],
  [
    'process(…).ownedBy(…)',
    process('python3').on('client').ownedBy('learner'),
    [
      ['runs', (w) => running(w, 'Sl   learner  python3'), 'passed'],
      ['nothing', (w) => running(w, 'Ss   root     bash'), /No process python3 runs on client yet/],
      ['another user', (w) => running(w, 'S    root     python3'), /runs as root, not as learner/],
      ['suspended', (w) => running(w, 'T    learner  python3'), /python3 is suspended, as Ctrl-Z/],
      [
        'ended',
        (w) => running(w, 'Z    learner  python3 <defunct>'),
        /python3 has ended; only its/,
      ],
      [
        'on another host',
        (w) => w.says('server01', PS, '20 1 ? S    learner  python3'),
        /python3 runs on server01, but the lab needs it on client/,
      ],
    ],
  ],
  [
    'process(/…/)',
    process(/http\.server 80/).on('client'),
    [
      [
        'by its command line',
        (w) =>
          w.says('client', PS.replace('comm', 'args'), '20 1 ? S root python3 -m http.server 80'),
        'passed',
      ],
      [
        'in a shell that was put into the host with a terminal',
        (w) =>
          w.says(
            'client',
            PS.replace('comm', 'args'),
            '8 0 pts/1 Ss learner bash\n20 8 pts/1 S root python3 -m http.server 80',
          ),
        'passed',
      ],
      [
        'not below what asks',
        (w) =>
          w.says(
            'client',
            PS.replace('comm', 'args'),
            '8 0 ? Ss root bash\n20 8 ? S root nc http.server 80',
          ),
        /No process http\\\.server 80 runs/,
      ],
      [
        'not by the question itself',
        (w) => w.says('client', PS.replace('comm', 'args'), '8 0 ? R root ps -eo http.server 80'),
        /No process http\\\.server 80 runs/,
      ],
    ],
  ],
  [
    'reaches(…)',
    reaches('10.1.20.11').from('client'),
    [
      ['an answer', (w) => probed(w, 'probe 10.1.20.11', '1 received', 0), 'passed'],
      [
        'no route',
        (w) => probed(w, 'probe 10.1.20.11', 'ping: connect: Network is unreachable', 2),
        /No route leads from client to 10\.1\.20\.11/,
      ],
      [
        'a router that knows no way on',
        (w) =>
          probed(w, 'probe 10.1.20.11', sentBack('10.1.10.11', 'Destination Net Unreachable'))
            .says('client', WAY, '[{"gateway":"10.1.10.11"}]')
            .says('server01', WAY, 'Network is unreachable', 2),
        /comes as far as server01, which knows no way on/,
      ],
      [
        'a firewall that says no',
        (w) => probed(w, 'probe 10.1.20.11', sentBack('10.1.20.11', 'Packet filtered')),
        /firewall of 10\.1\.20\.11 rejects/,
      ],
      [
        'a circle',
        (w) =>
          probed(w, 'probe 10.1.20.11', '0 received')
            .says('client', WAY, '[{"gateway":"10.1.10.11"}]')
            .says('server01', WAY, '[{"gateway":"10.1.10.12"}]')
            .says('server02', WAY, '[{"gateway":"10.1.10.11"}]'),
        /goes in circles/,
      ],
      [
        'a neighbour that is not there',
        (w) =>
          probed(w, 'probe 10.1.20.11', sentBack('10.1.10.1', 'Destination Host Unreachable')).says(
            'client',
            WAY,
            '[{"dev":"eth1"}]',
          ),
        /gets no answer/,
      ],
      [
        'silence',
        (w) =>
          probed(w, 'probe 10.1.20.11', '0 received').says(
            'client',
            WAY,
            '[{"gateway":"10.1.10.1"}]',
          ),
        /gets no answer/,
      ],
    ],
  ],
  [
    'reaches(…) a port, from a container',
    reaches('app:80').from(web),
    [
      ['an answer', (w) => probed(run(w), 'web> probe app 80', 'succeeded!', 0), 'passed'],
      ['no container', (w) => w, /No web on server01 yet|No container named web/],
      ['one that is stopped', (w) => run(w).stop('web'), /web is stopped/],
      [
        'a name that nobody knows',
        (w) =>
          probed(
            run(w),
            'web> probe app 80',
            'nc: getaddrinfo: Temporary failure in name resolution',
          ),
        /Nobody tells web which address app:80 has/,
      ],
      [
        'a name that is still asked for',
        (w) => probed(run(w), 'web> probe app 80', '', 124),
        /Nobody tells web/,
      ],
      [
        'nothing that listens',
        (w) => probed(run(w), 'web> probe app 80', 'nc: … failed: Connection refused'),
        /nothing listens on port 80 there, or a firewall rejects it/,
      ],
      [
        'no route',
        (w) => probed(run(w), 'web> probe app 80', 'nc: … failed: Network is unreachable'),
        /No route leads from web/,
      ],
      [
        'silence',
        (w) => probed(run(w), 'web> probe app 80', 'nc: … timed out: Operation now in progress'),
        /web gets no answer from app:80/,
      ],
    ],
  ],
  [
    'leadsTo(…)',
    leadsTo('10.1.20.11').on('client').via('10.1.10.11'),
    [
      ['that gateway', (w) => w.says('client', WAY, '[{"gateway":"10.1.10.11"}]'), 'passed'],
      ['no way', (w) => w.says('client', WAY, 'Network is unreachable', 2), /no route that leads/],
      [
        'another host',
        (w) => w.says('client', WAY, '[{"gateway":"10.1.10.12","dev":"eth1"}]'),
        /to server02 \(10\.1\.10\.12\)\. It has to go via server01 \(10\.1\.10\.11\)/,
      ],
      ['nobody', (w) => w.says('client', WAY, '[{"gateway":"10.9.9.9"}]'), /to 10\.9\.9\.9\./],
      ['no gateway', (w) => w.says('client', WAY, '[{"dev":"eth1"}]'), /own wire \(eth1\)/],
      ['itself', (w) => w.says('client', WAY, '[{"type":"local"}]'), /address of client itself/],
    ],
  ],
  [
    'script(…)',
    script('true').on('client'),
    [
      ['that works', (w) => w.says('client', 'true', 'anything'), 'passed'],
      [
        'the last line that says something',
        (w) =>
          w.says('client', 'true', 'looking\n\u001b[31mNot yet.\u001b[0m\u202e\r\n\n \u0007', 1),
        /^Not yet\.$/,
      ],
      ['no word', (w) => w.says('client', 'true', '', 3), /It is not so yet on client/],
      ['a long word', (w) => w.says('client', 'true', 'x'.repeat(999), 1), /^x{300}$/],
    ],
  ],
  [
    'visited(…).after(passOf(…))',
    visited('http://10.1.10.11').after(passOf('rebuilt')),
    [
      ['no pass', (w) => w.visit('http://10.1.10.11'), /A step before this one comes first/],
      ['before it', (w) => w.visit('http://10.1.10.11').pass('rebuilt'), /Not opened since then/],
      ['after another', (w) => w.pass('built').visit('http://10.1.10.11'), /comes first/],
      ['after it', (w) => w.pass('rebuilt').visit('http://10.1.10.11').pass('rebuilt'), 'passed'],
    ],
  ],
  [
    'container(…).after(passOf(…))',
    web.runs().after(passOf('rebuilt')),
    [
      ['before it', (w) => run(w).pass('rebuilt'), /running since before that/],
      ['no pass', run, /A step before this one comes first/],
      ['started again', (w) => run(w).pass('rebuilt').restart('web', 32769), 'passed'],
      ['made after it', (w) => run(w.pass('rebuilt')), 'passed'],
      ['made anew', (w) => run(run(w).pass('rebuilt').remove('web')), 'passed'],
    ],
  ],
  [
    'all(…)',
    all(web.runs(), network('mynet').on('server01')),
    [
      ['both', (w) => run(w).createNetwork('mynet'), 'passed'],
      ['the first is missing', (w) => w.createNetwork('mynet'), /No container named web/],
      ['the second is missing', run, /No network named mynet/],
    ],
  ],
  [
    'firstOf(…)',
    firstOf(web.runs(), network('mynet').on('server01')),
    [
      ['the second', (w) => w.createNetwork('mynet'), 'passed'],
      ['neither', (w) => w, /No container named web/],
    ],
  ],
];

/** What a probe from the client, or from a container of server01, says. */
function probed(world: World, probe: string, output: string, status = 1): World {
  return world.says(probe.includes('>') ? 'server01' : 'client', probe, output, status);
}
const sentBack = (by: string, what: string) => `PING 10.1.20.11\nFrom ${by} icmp_seq=1 ${what}\n`;
const WAY = 'ip -j -4 route get 10.1.20.11';

const PS = 'ps -eo pid=,ppid=,tty=,stat=,user:32=,comm=';
/** A process below a shell in a terminal. */
const running = (world: World, line: string) =>
  world.says('client', PS, `1 0 ? Ss root tini\n7 1 pts/0 Ss learner bash\n20 7 pts/0 ${line}`);

/** A program that listens, as `ss` shows it. */
function listening(world: World, local: string, program = 'nginx', host = 'server01'): World {
  const by = program === '' ? '' : `users:(("${program}",pid=7,fd=4))`;
  return world.says(host, 'ss -Hltnp', `LISTEN 0      4096   ${local}      0.0.0.0:*    ${by}`);
}

const AS_LEARNER = 'setpriv --reuid=learner --regid=learner --clear-groups ss -Hltnp';

/** No host has a user anna. */
const strangers = (world: World) =>
  ['server01', 'server02', 'client'].reduce(
    (all, host) => all.says(host, 'id -Gn -- anna', 'id: ‘anna’: no such user', 1),
    world,
  );

function typed(world: World, host: string, line: string, status = 0): World {
  return world.signal({ kind: 'command', host, terminal: 't', line, status });
}

describe.each(QUESTIONS)('%s', (_title, test, cases) => {
  it.each(cases.map(([what, steps, expected, fix]) => ({ what, steps, expected, fix })))(
    '$what',
    async ({ steps, expected, fix }) => {
      const verdict = await steps(new World()).put(test);
      if (expected === 'passed') {
        expect(verdict).toEqual({ kind: 'passed' });
      } else {
        expect(verdict).toMatchObject({ kind: 'not-yet', reason: expect.stringMatching(expected) });
      }
      if (fix !== undefined) expect(verdict).toMatchObject({ fix: { command: fix } });
    },
  );
});

describe('an answer', () => {
  const world = () => new World().run({ name: 'web', publish: '', port: 32768 });
  it.each([
    ['an address', theAddress(addressOf('docker0').on('server01')), 'inet 172.17.0.1/16', 'passed'],
    ['of a host', theAddress(addressOf('docker0').on('server01')), '10.1.10.12', /of server02/],
    ['a netmask', theAddress(addressOf('docker0').on('server01')), '255.255.0.0', /netmask/],
    ['a broadcast', theAddress(addressOf('docker0').on('server01')), '172.17.255.255', /broadc/],
    ['of a container', theAddress(addressOf('docker0').on('server01')), '172.17.0.2', /web/],
    ['of an interface', theAddress(web.addressOn('bridge')), '172.17.0.1', /belongs to docker0/],
    ['no address', theAddress(web.addressOn('bridge')), 'up', /one IPv4 address/],
    ['a port', theNumber(web.hostPort(80)), '0.0.0.0:32768', 'passed'],
    ['another port', theNumber(web.hostPort(80)), '80', /It is not 80/],
    ['no number', theNumber(web.hostPort(80)), 'tcp', /Type a number/],
    [
      'of nothing',
      theNumber(container('none').on('server01').hostPort(80)),
      '1',
      /nothing to read/,
    ],
    ['a text', theText(file('/proc/x').on('server01').text), ' 1 ', 'passed'],
    ['an ID', theId(networkId('bridge').on('server01')), 'B51D9', 'passed'],
    ['another ID', theId(networkId('bridge').on('server01')), 'c0ffee', /It is not c0ffee/],
    ['a short ID', theId(networkId('bridge').on('server01')), 'b5', /at least 4/],
    ['no ID', theId(networkId('bridge').on('server01')), 'bridge', /0–9/],
  ] as const)('%s', async (_title, judge, given, expected) => {
    const verdict = await world().judge(judge, given);
    if (expected === 'passed') expect(verdict).toEqual({ kind: 'passed' });
    else expect(verdict).toMatchObject({ reason: expect.stringMatching(expected) });
  });
});

it.each([
  ['theNumber', theNumber],
  ['theText', theText],
  ['theId', theId],
  ['theAddress', theAddress],
])('%s refuses a function of the author’s own, and says what to write', (name, judge) => {
  const own = async () => '23';
  // @ts-expect-error The types refuse it too, where somebody looks at them.
  expect(() => judge(own)).toThrow(`${name} takes what a helper reads, such as ${name}(file(`);
});

describe('a sentence in the author’s own words', () => {
  it('takes the place of the helper’s, fixed or made of the facts', async () => {
    const fixed = web.withMessages({ missing: 'Run web first.' });
    expect(await new World().put(fixed)).toMatchObject({ reason: 'Run web first.' });
    const made = web
      .from(IMAGE)
      .withMessages({ wrongImage: ({ found }) => `Not ${found}, please.` });
    const world = new World().run({ name: 'web', image: 'nginx' });
    expect(await world.put(made)).toMatchObject({ reason: 'Not nginx, please.' });
  });
});

describe('a host that the lab does not have', () => {
  const hosts = { server01: { address: '10.1.10.11/24', engine: true } } as const;
  it('is an error of types, and of the lab when it is read', () => {
    const problems = () =>
      defineLab({
        title: 'T',
        hosts,
        browser: 'server01',
        sections: [
          {
            page: 'p',
            title: 'P',
            checks: [
              check('right', { title: 't', test: container('a1').on('server01') }),
              // @ts-expect-error: the lab has no such host
              check('wrong', { title: 't', test: container('a1').on('sever01').runs() }),
            ],
          },
        ],
      });
    expect(problems).toThrow(
      expect.objectContaining({
        problems: [
          'check "wrong" asks about the host "sever01", which this lab does not have. Did you mean "server01"? There are: server01.',
        ],
      } satisfies Partial<LabError>),
    );
  });
});

describe('an address that is none', () => {
  it.each([
    ['no port', () => reaches('10.1.20.11:').from('client'), /reaches\("10\.1\.20\.11:"\)/],
    ['no port that there is', () => reaches('web:65536').from('client'), /an address or a name/],
    ['an option of a command', () => reaches('-f').from('client'), /an address or a name/],
    ['a page', () => reaches('http://web').from('client'), /such as 10\.1\.10\.11 or web:80/],
    ['a network', () => leadsTo('10.1.20.0/24').on('client').via('10.1.10.1'), /leadsTo\("10/],
    ['a name', () => leadsTo('10.1.20.1').on('client').via('router'), /via\("router"\): an IPv4/],
  ])('is named with its question: %s', (_, ask, says) => {
    expect(ask).toThrow(says);
  });
});

describe('a question about two hosts', () => {
  it('is one of the lab’s, and a host that it does not have is an error of types', () => {
    const lab = (test: Test<'server01' | 'server02'>) => test;
    const there = container('b1').on('server02');
    lab(all(web, there));
    lab(
      firstOf(
        web,
        all(there, async () => ({ kind: 'passed' as const })),
      ),
    );
    lab(restartOf(web).after(restartOf(there)));
    // @ts-expect-error: the lab has no such host
    lab(all(web, container('c1').on('server03')));
    expect(all(web, there).hosts).toEqual(['server01', 'server02']);
  });
});

describe('what has to come after something else', () => {
  it('is not done where that is seen before the journal knows when it happened', async () => {
    const earlier: Moment = Object.assign(async () => ({ kind: 'passed' as const }), {
      hosts: [],
      first: async () => undefined,
    });
    const after = visited('http://10.1.10.11').after(earlier);
    expect(await new World().visit('http://10.1.10.11').put(after)).toMatchObject({
      kind: 'not-yet',
    });
  });

  it('is not done when that happens between two looks', async () => {
    let looks = 0;
    const earlier: Moment = Object.assign(async () => ({ kind: 'passed' as const }), {
      hosts: [],
      first: async () => (looks++ === 0 ? undefined : 7),
    });
    expect(await new World().put(visited('http://10.1.10.11').after(earlier))).toMatchObject({
      kind: 'not-yet',
    });
  });
});
