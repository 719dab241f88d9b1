import { answer, answering, check, container, defineLab, on, theNumber, value } from '#lab';

const IMAGE = 'mycontainer:5.6';

const web = container('web').on('server01').from(IMAGE).runs().publishes(80);

export const lab = defineLab({
  title: 'My new lab',
  hosts: {
    server01: { address: '10.1.10.11/24', engine: true, images: [IMAGE] },
    client: { address: '10.1.10.100/24' },
  },
  images: { [IMAGE]: 'mycontainer' },
  browser: 'client',
  values: {
    'web-port': value('<port>', web.hostPort(80)),
  },
  sections: [
    {
      page: 'first-steps',
      title: 'First steps',
      checks: [
        check('web-runs', {
          title: 'A container named web runs on server01, its port 80 published',
          test: web,
          mistakes: [
            {
              what: 'no port published',
              actions: [on('server01', `docker run -d --name web ${IMAGE}`)],
              says: 'publishes no port',
              undo: [on('server01', 'docker rm -f web')],
            },
          ],
          alternatives: [
            {
              what: 'a port of one’s own choice',
              actions: [on('server01', `docker run -d --name web -p 8080:80 ${IMAGE}`)],
            },
          ],
        }),
        answer('web-port-read', {
          title: 'You read the port off the screen',
          question: 'Which port of server01 leads to web?',
          placeholder: '5 digits',
          reads: /:(\d+)/,
          judge: theNumber(web.hostPort(80), {
            wrong: 'It is the number behind the last colon. Run docker port web once more.',
          }),
          mistakes: [
            { what: 'the port of the container', actions: [answering('80')], says: 'last colon' },
          ],
        }),
      ],
    },
  ],
});
