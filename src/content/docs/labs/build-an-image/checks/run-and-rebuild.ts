import { answer, answering, check, on, open, theAddress, visited } from '#lab';
import {
  AT_THE_CLIENT,
  BASE,
  IMAGE,
  myapp,
  NAME,
  PORT,
  SERVER,
  SERVER_ADDRESS,
  URL,
} from './images.ts';
import { newerBase } from './newer-base.ts';
import { rebuild } from './rebuild.ts';

const AWAY = on(SERVER, `docker rm -f ${NAME}`);

/** The checks of the page `run-and-rebuild`, in the order of its steps. */
export const runAndRebuild = [
  check('myapp-runs', {
    title: `A container named ${NAME} runs from ${IMAGE}, and port ${PORT} leads to it`,
    needs: ['image-built'],
    test: myapp,
    mistakes: [
      {
        what: 'from the base',
        actions: [on(SERVER, `docker run -d --name ${NAME} -p ${PORT}:80 ${BASE}`)],
        says: 'was made from the image webbase:5.6',
        undo: [AWAY],
      },
      {
        what: 'no port',
        actions: [on(SERVER, `docker run -d --name ${NAME} ${IMAGE}`)],
        says: 'publishes no port',
        undo: [AWAY],
      },
      {
        what: 'another port',
        actions: [on(SERVER, `docker run -d --name ${NAME} -p 80:80 ${IMAGE}`)],
        says: 'publishes the port 80 of the host',
        undo: [AWAY],
      },
    ],
    alternatives: [
      {
        what: 'in the foreground',
        actions: [on(SERVER, `docker run --name ${NAME} -p ${PORT}:80 ${IMAGE}`, { stays: true })],
      },
    ],
  }),

  check('page-opened', {
    title: 'Your page was opened',
    needs: ['myapp-runs'],
    test: visited(URL),
    mistakes: [
      {
        what: 'without the port',
        actions: [open(`http://${SERVER_ADDRESS}`)],
        says: 'http://10.1.10.11 was refused',
        remembered: true,
      },
      AT_THE_CLIENT,
      {
        what: 'a page that is not in the image',
        actions: [open(`${URL}/start.html`)],
        says: 'answered with status 404',
        remembered: true,
      },
    ],
    alternatives: [
      { what: 'by curl on the client', actions: [on('client', `curl ${URL}`)] },
      { what: 'by its file’s name', actions: [open(`${URL}/index.html`)] },
    ],
  }),

  answer('server-ip-read', {
    title: 'You read off the page which address it was served from',
    question: 'What is the Server IP on the page?',
    placeholder: '172.17.0.x',
    reads: /Server IP:\s*([\d.]+)/,
    judge: theAddress(myapp.addressOn('bridge'), {
      nothingYet: `${NAME} does not run at the moment. Start it, and open its page again.`,
      ofHost: ({ name, found }) =>
        name === 'client'
          ? `${found} is who has asked: the Client IP.`
          : `${found} is the address that you have asked. The page names another.`,
      ofInterface: ({ name, found }) => `${found} is ${name} of ${SERVER}, and not the container.`,
    }),
    mistakes: [
      { what: 'the one asked', actions: [answering(SERVER_ADDRESS)], says: 'that you have asked' },
      { what: 'the client’s', actions: [answering('10.1.10.100')], says: 'the Client IP' },
      { what: 'the hostname', actions: [answering(NAME)], says: 'Type one IPv4 address' },
      { what: 'the gateway', actions: [answering('172.17.0.1')], says: 'is docker0 of server01' },
    ],
    alternatives: [
      {
        what: 'asked of Docker',
        actions: [
          on(SERVER, `docker inspect -f '{{.NetworkSettings.IPAddress}}' ${NAME}`),
          answering(/^([\d.]+)$/m),
        ],
      },
    ],
  }),

  ...rebuild,
  ...newerBase,
];
