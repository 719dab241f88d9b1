import { check, choice, container, defineLab, notYet, on, passed } from '#lab';

const IMAGE = 'mycontainer:5.6';
const proof = container('proof').on('server01');

/** Questions with choices, a challenge that opens after them, and more for whoever has done it. */
export const lab = defineLab({
  title: 'Quiz',
  hosts: { server01: { address: '10.1.10.11/24', engine: true, images: [IMAGE] } },
  images: { [IMAGE]: 'mycontainer' },
  browser: 'server01',
  sections: [
    {
      page: 'questions',
      title: 'Questions',
      anyOrder: true,
      checks: [
        choice('who-gives', {
          title: 'You know who gives a container its address',
          question: 'Who gives a container its address?',
          options: { dhcp: 'a DHCP server', engine: 'the engine', kernel: 'the kernel' },
          right: 'engine',
          because: {
            dhcp: 'No DHCP server is part of Docker.',
            kernel: 'The kernel takes whatever address an interface is given.',
          },
        }),
        choice('always-there', {
          title: 'You know the networks that are always there',
          question: 'Which networks does every engine have?',
          options: { bridge: '`bridge`', host: '`host`', mynet: '`mynet`', none: '`none`' },
          right: ['bridge', 'host', 'none'],
          because: { mynet: 'mynet is there once somebody has made it.' },
          otherwise: 'One more is there from the start.',
        }),
      ],
    },
    {
      page: 'challenge',
      title: 'Challenge',
      after: 'always-there',
      checks: [
        check('proof-runs', {
          title: 'proof runs on port 9000',
          test: proof.runs().publishes(80).on(9000),
          mistakes: [
            {
              what: 'another port',
              actions: [on('server01', `docker run -d --name proof -p 80:80 ${IMAGE}`)],
              says: '9000',
              undo: [on('server01', 'docker rm -f proof')],
            },
          ],
          solution: [on('server01', `docker run -d --name proof -p 9000:80 ${IMAGE}`)],
        }),
      ],
    },
    {
      page: 'bonus',
      title: 'Bonus',
      after: 'proof-runs',
      optional: true,
      checks: [
        check('proof-stays', {
          title: 'proof starts again by itself, whatever happens',
          test: proof.and(async ({ container: { id } }, { host }) => {
            const { HostConfig } = await host('server01').docker.getContainer(id).inspect();
            return HostConfig.RestartPolicy?.Name === 'always'
              ? passed()
              : notYet('proof stays down once it has ended. docker update can change that.');
          }),
          solution: [on('server01', 'docker update --restart always proof')],
        }),
      ],
    },
  ],
});
