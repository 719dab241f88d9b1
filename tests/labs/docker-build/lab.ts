import {
  all,
  asBefore,
  check,
  container,
  defineLab,
  file,
  image,
  on,
  throughPort,
  visited,
} from '#lab';

const BASE = 'mycontainer:5.6';
const site = container('site').on('server01').runs().publishes(80).on(8080);

const second = image('web:2').on('server01').builtOn(BASE).hasLabel('version', '2');

/** An image is built, run, and built again: a file in the editor, tags, and what a container goes on running. */
export const lab = defineLab({
  title: 'Build an image',
  hosts: {
    server01: {
      address: '10.1.10.11/24',
      engine: true,
      images: [BASE],
      files: [{ from: 'starter', to: '/home/learner/web' }],
    },
    client: { address: '10.1.10.100/24' },
  },
  images: { [BASE]: 'mycontainer' },
  browser: 'client',
  sections: [
    {
      page: 'build',
      title: 'Build',
      checks: [
        check('dockerfile', {
          title: 'There is a Dockerfile that begins with mycontainer:5.6',
          test: file('/home/learner/web/Dockerfile')
            .on('server01')
            .says(/^FROM mycontainer:5\.6$/m),
          mistakes: [
            {
              what: 'without its first letter',
              actions: [on('server01', 'echo FROM mycontainer:5.6 > web/dockerfile')],
              says: asBefore,
              undo: [on('server01', 'rm web/dockerfile')],
            },
          ],
        }),
        check('built', {
          title: 'server01 has an image web:1 with the label version=1',
          test: image('web:1')
            .on('server01')
            .builtOn(BASE)
            .hasLabel('version', '1')
            .hasLayer(/COPY/),
          mistakes: [
            {
              what: 'no name',
              actions: [on('server01', 'docker build -q web')],
              says: 'has no name',
              undo: [on('server01', 'docker image prune -f')],
            },
            {
              what: 'no label',
              actions: [
                on('server01', 'sed /LABEL/d web/Dockerfile | docker build -q -t web:1 -f - web'),
              ],
              says: 'no label version',
              undo: [on('server01', 'docker rmi web:1')],
            },
          ],
        }),
        check('runs', {
          title: 'A container named site runs web:1, its port 80 on 8080',
          test: site.from('web:1'),
          mistakes: [
            {
              what: 'the base',
              actions: [on('server01', `docker run -d --name site -p 8080:80 ${BASE}`)],
              says: BASE,
              undo: [on('server01', 'docker rm -f site')],
            },
          ],
        }),
        check('seen', {
          title: 'You saw version 1',
          test: visited(throughPort(site.from('web:1'))).showing(/Version 1/),
        }),
      ],
    },
    {
      page: 'rebuild',
      title: 'Build it again',
      checks: [
        check('rebuilt', {
          title: 'server01 has an image web:2 with the label version=2',
          test: second,
          mistakes: [
            {
              what: 'a second name for the first',
              actions: [on('server01', 'docker tag web:1 web:2')],
              says: 'version=1',
              undo: [on('server01', 'docker rmi web:2')],
            },
          ],
        }),
        check('replaced', {
          title: 'site runs web:2',
          test: all(second, site.from('web:2')),
          mistakes: [
            {
              what: 'restarted',
              actions: [on('server01', 'docker restart -t 0 site')],
              says: asBefore,
            },
          ],
        }),
        check('seen-again', {
          title: 'You saw version 2',
          test: visited(throughPort(site.from('web:2'))).showing(/Version 2/),
        }),
      ],
    },
  ],
});
