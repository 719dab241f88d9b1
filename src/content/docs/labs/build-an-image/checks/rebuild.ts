import { check, choice, on, open, passOf, visited } from '#lab';
import {
  AT_THE_CLIENT,
  BUILD,
  FOLDER,
  IMAGE,
  NAME,
  PAGE,
  PORT,
  RUN,
  SECOND_PORT,
  SECOND_URL,
  SERVER,
  SERVER_ADDRESS,
  URL,
} from './images.ts';
import { newPageOpened, rebuilt, runAnew } from './rebuilding.ts';

/** The checks of the page `run-and-rebuild` about an image that is built once more, in the order of its steps. */
export const rebuild = [
  check('rebuilt', {
    title: `${IMAGE} stands for a new image, while ${NAME} runs on`,
    needs: ['myapp-runs', 'page-opened'],
    test: rebuilt,
    mistakes: [
      {
        what: 'without a change',
        actions: [on(SERVER, BUILD)],
        says: 'so Docker has taken every step from its cache',
        remembered: true,
      },
      {
        what: 'only saved',
        actions: [on(SERVER, `sleep 1; sed -i 's/Served by/Served  by/' ${PAGE}`)],
        says: 'index.html has been saved since the last build',
        remembered: true,
      },
      {
        what: 'by another tag',
        actions: [on(SERVER, `docker build -t mycontainer:5.7 ${FOLDER}`)],
        says: 'The newest image is called mycontainer:5.7',
        undo: [on(SERVER, 'docker rmi mycontainer:5.7')],
      },
    ],
    alternatives: [
      {
        what: 'in one line, from anywhere',
        actions: [
          on(
            SERVER,
            `sed -i 's/old application/new application/' ${PAGE} && docker build -t ${IMAGE} ${FOLDER}`,
          ),
        ],
      },
    ],
  }),

  check('old-page-seen', {
    title: 'The page was opened once more, after the build',
    needs: ['rebuilt'],
    test: visited(URL).after(passOf('rebuilt')),
    mistakes: [
      {
        what: 'another port',
        actions: [open(SECOND_URL)],
        says: 'http://10.1.10.11:8081 was refused',
        remembered: true,
      },
      AT_THE_CLIENT,
      {
        what: 'a page that is not in the image',
        actions: [open(`${URL}/new.html`)],
        says: 'answered with status 404',
        remembered: true,
      },
    ],
    alternatives: [{ what: 'by curl on the client', actions: [on('client', `curl ${URL}`)] }],
  }),

  choice('why-still-old', {
    title: 'You know why the page has not changed',
    question: 'Why does it still have the old headline?',
    options: {
      cache: 'The browser shows what it had',
      failed: 'The build has failed',
      made: 'The container is made from the former image',
      late: 'The container takes a while to notice',
    },
    right: 'made',
    because: {
      cache: 'The server forbids that, and curl on the client gets the old page as well.',
      failed: 'docker images shows the new image under its name, made a moment ago.',
      late: 'However long you wait: a container does not look at its image again.',
    },
  }),

  check('run-anew', {
    title: `${NAME} runs from the new image`,
    needs: ['rebuilt'],
    test: runAnew,
    mistakes: [
      {
        what: 'restarted',
        actions: [on(SERVER, `docker restart ${NAME}`)],
        says: 'myapp was restarted, and a restart keeps the image',
        remembered: true,
      },
      {
        what: 'one more beside it',
        actions: [on(SERVER, `docker run -d --name myapp2 -p ${SECOND_PORT}:80 ${IMAGE}`)],
        says: 'myapp2 runs from the new image, beside',
        undo: [on(SERVER, 'docker rm -f myapp2')],
      },
      {
        what: 'run while there is the old one',
        actions: [on(SERVER, RUN)],
        says: 'the name myapp is still taken by the old container',
        remembered: true,
      },
    ],
    alternatives: [
      {
        what: 'the old one kept, by another name',
        actions: [
          on(SERVER, `docker stop ${NAME} && docker rename ${NAME} myapp-before`),
          on(SERVER, RUN),
        ],
      },
    ],
  }),

  check('new-page-opened', {
    title: 'The page of the new container was opened',
    needs: ['run-anew'],
    test: newPageOpened,
    mistakes: [
      {
        what: 'another port',
        actions: [open(`http://${SERVER_ADDRESS}`)],
        says: 'That was port 80',
        remembered: true,
      },
      {
        what: 'a page that is not in the image',
        actions: [open(`${URL}/new.html`)],
        says: 'That page answered with status 404',
        remembered: true,
      },
      {
        what: 'at the client',
        actions: [open(`http://10.1.10.100:${PORT}`)],
        says: 'That page was refused',
        remembered: true,
      },
    ],
    alternatives: [{ what: 'by curl on the client', actions: [on('client', `curl ${URL}`)] }],
  }),
];
