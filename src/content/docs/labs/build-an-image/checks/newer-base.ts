import { all, check, container, image, notYet, on, type SandboxView, type Verdict } from '#lab';
import {
  BASE,
  BUILD,
  FOLDER,
  IMAGE,
  NAME,
  NEWER_BASE,
  NEWER_IMAGE,
  PORT,
  SECOND_PORT,
  SERVER,
} from './images.ts';

const myapp7 = container('myapp7')
  .on(SERVER)
  .from(NEWER_IMAGE)
  .runs()
  .publishes(80)
  .on(SECOND_PORT);

/** The checks of the page `run-and-rebuild` about an image on a newer base, in the order of its steps. */
export const newerBase = [
  check('newer-built', {
    title: `${NEWER_IMAGE} is built on ${NEWER_BASE}, and ${IMAGE} is what it was`,
    needs: ['run-anew'],
    test: all(
      image(IMAGE)
        .on(SERVER)
        .builtOn(BASE)
        .withMessages({
          notBuiltOn: `The new base has gone into ${IMAGE}: its tag was given once more. Build that one again from ${BASE}, and the new one with the tag 7.`,
        }),
      image(NEWER_IMAGE).on(SERVER).builtOn(NEWER_BASE),
    ),
    mistakes: [
      {
        what: 'the old tag overwritten',
        actions: [
          on(
            SERVER,
            `sed 's/5.6/7/' ${FOLDER}/Dockerfile | docker build -t ${IMAGE} -f - ${FOLDER}`,
          ),
        ],
        says: 'The new base has gone into mycontainer:5.6',
        undo: [on(SERVER, BUILD), on(SERVER, 'docker image prune -f')],
      },
      {
        what: 'the Dockerfile left as it was',
        actions: [on(SERVER, `docker build -t ${NEWER_IMAGE} ${FOLDER}`)],
        says: 'mycontainer:7 is not built on webbase:7',
        undo: [on(SERVER, `docker rmi ${NEWER_IMAGE}`)],
      },
      {
        what: 'only a name',
        actions: [on(SERVER, `docker tag ${NEWER_BASE} ${NEWER_IMAGE}`)],
        says: 'mycontainer:7 is webbase:7 itself',
        undo: [on(SERVER, `docker rmi ${NEWER_IMAGE}`)],
      },
    ],
    alternatives: [
      {
        what: 'without changing the file',
        actions: [
          on(
            SERVER,
            `sed 's/5.6/7/' ${FOLDER}/Dockerfile | docker build -t ${NEWER_IMAGE} -f - ${FOLDER}`,
          ),
        ],
      },
    ],
  }),

  check('both-run', {
    title: `A container named myapp7 runs from ${NEWER_IMAGE}, and port ${SECOND_PORT} leads to it`,
    needs: ['newer-built'],
    test: bothRun,
    mistakes: [
      {
        what: 'at the port that is taken',
        actions: [on(SERVER, `docker run -d --name myapp7 -p ${PORT}:80 ${NEWER_IMAGE}`)],
        says: 'could not start: port 8080 is myapp’s',
        undo: [on(SERVER, 'docker rm -f myapp7')],
      },
      {
        what: 'from the other image',
        actions: [on(SERVER, `docker run -d --name myapp7 -p ${SECOND_PORT}:80 ${IMAGE}`)],
        says: 'myapp7 was made from the image mycontainer:5.6',
        undo: [on(SERVER, 'docker rm -f myapp7')],
      },
      {
        what: 'no port',
        actions: [on(SERVER, `docker run -d --name myapp7 ${NEWER_IMAGE}`)],
        says: 'myapp7 publishes no port',
        undo: [on(SERVER, 'docker rm -f myapp7')],
      },
    ],
    alternatives: [
      {
        what: 'from the image by its ID',
        actions: [
          on(
            SERVER,
            `docker run -d --name myapp7 -p ${SECOND_PORT}:80 $(docker images -q ${NEWER_IMAGE})`,
          ),
        ],
      },
    ],
  }),
];

/** myapp7, and where it could not start, why. */
async function bothRun(sandbox: SandboxView): Promise<Verdict> {
  const made = await sandbox.host(SERVER).container('myapp7');
  const taken = Object.values(made?.requestedPorts ?? {})
    .flat()
    .includes(String(PORT));
  return made?.status === 'created' && taken
    ? notYet(
        `myapp7 could not start: port ${PORT} is ${NAME}’s. Give it another one: -p ${SECOND_PORT}:80.`,
        { host: SERVER, command: 'docker rm -f myapp7' },
      )
    : await myapp7(sandbox);
}
