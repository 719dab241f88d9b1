import {
  all,
  answer,
  answering,
  check,
  choice,
  container,
  ending,
  image,
  isPage,
  notYet,
  on,
  open,
  passed,
  passOf,
  type SandboxView,
  startsOf,
  theAddress,
  type Verdict,
  visited,
} from '#lab';
import {
  BASE,
  BUILD,
  FOLDER,
  IMAGE,
  myapp,
  NAME,
  NEWER_BASE,
  NEWER_IMAGE,
  namedAt,
  namings,
  PAGE,
  PORT,
  RUN,
  SERVER,
  SERVER_ADDRESS,
  savedAt,
  URL,
} from './images.ts';

const AWAY = on(SERVER, `docker rm -f ${NAME}`);
const SECOND_PORT = 8081;
const SECOND_URL = `http://${SERVER_ADDRESS}:${SECOND_PORT}`;
const myapp7 = container('myapp7')
  .on(SERVER)
  .from(NEWER_IMAGE)
  .runs()
  .publishes(80)
  .on(SECOND_PORT);

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
      {
        what: 'at the client',
        actions: [open(`http://10.1.10.100:${PORT}`)],
        says: 'That was client, not server01',
        remembered: true,
      },
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
      {
        what: 'at the client',
        actions: [open(`http://10.1.10.100:${PORT}`)],
        says: 'That was client, not server01',
        remembered: true,
      },
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

const opened = visited(URL);
const onBase = image(IMAGE).on(SERVER).builtOn(BASE);

/** When another image than before got the name, after the page was first opened: a running number of the journal. */
async function rebuiltAt(sandbox: SandboxView): Promise<number | undefined> {
  const first = await opened.first(sandbox);
  if (first === undefined) return undefined;
  const all = namings(sandbox.journal, IMAGE);
  const before = all.findLast(({ seq }) => seq < first);
  return all.find(({ id, seq }) => seq > first && id !== before?.id)?.seq;
}

async function rebuilt(sandbox: SandboxView): Promise<Verdict> {
  const server = sandbox.host(SERVER);
  const running = await server.container(NAME);
  const now = await server.image(IMAGE);
  if (!running || !now) return await myapp(sandbox);
  const verdict = await onBase(sandbox);
  if (verdict.kind !== 'passed' || (await rebuiltAt(sandbox)) !== undefined) return verdict;
  if ((await opened.first(sandbox)) === undefined)
    return notYet('Open the page first, as it is now.');
  const saved = (await savedAt(server)) ?? 0;
  const [newest] = (await server.images()).toSorted((a, b) => b.created - a.created);
  const other = newest?.names.find((name) => !name.startsWith('webbase:') && name !== IMAGE);
  if (newest && newest.id !== now.id && other !== undefined) {
    return notYet(
      `The newest image is called ${other}, and ${IMAGE} is still the one before. Build it under that name.`,
      { host: SERVER, command: BUILD },
    );
  }
  if (saved > (namedAt(sandbox) ?? saved)) {
    return notYet('index.html has been saved since the last build. Build the image again.', {
      host: SERVER,
      command: BUILD,
    });
  }
  const builds = namings(sandbox.journal, IMAGE).filter(({ id }) => id === now.id);
  return builds.length > 1
    ? notYet(
        'index.html is as it was, so Docker has taken every step from its cache: it is the same image. Change the page first.',
      )
    : notYet(`${IMAGE} is still the image that ${NAME} runs from.`);
}

const newest = myapp.fromTheNewest().withMessages({
  missing: `There is no ${NAME} any more. Run a new one.`,
  olderImage: `${NAME} still runs from the former image.`,
});

async function runAnew(sandbox: SandboxView): Promise<Verdict> {
  const { journal } = sandbox;
  if ((await rebuiltAt(sandbox)) === undefined) {
    return notYet(`Build a new ${IMAGE} first, as the step above has it.`);
  }
  const server = sandbox.host(SERVER);
  const verdict = await newest(sandbox);
  const old = await server.container(NAME);
  const now = (await server.image(IMAGE))?.id;
  if (verdict.kind === 'passed' || !old || old.imageId === now) return verdict;
  const beside = (await server.containers()).find(
    ({ imageId, running }) => running && imageId === now,
  );
  if (beside) {
    return notYet(
      `${beside.name} runs from the new image, beside the old ${NAME}. Remove both, and run ${NAME} anew.`,
      { host: SERVER, command: `docker rm -f ${beside.name}` },
    );
  }
  const last = journal.last('command', ({ host }) => host === SERVER);
  const named = namings(journal, IMAGE).findLast(({ id }) => id === now);
  const started = startsOf(journal, SERVER, NAME).at(-1);
  if (last?.status === 0 && named && started?.again && started.seq > named.seq) {
    return notYet(`${NAME} was restarted, and a restart keeps the image that it was made from.`);
  }
  return last && last.status !== 0 && /^docker (container )?run\b/.test(last.line.trim())
    ? notYet(`Docker makes no new container: the name ${NAME} is still taken by the old container.`)
    : verdict;
}

async function newPageOpened(sandbox: SandboxView): Promise<Verdict> {
  const verdict = await runAnew(sandbox);
  if (verdict.kind !== 'passed') return verdict;
  // The engine has the new container a moment before the journal has its start.
  const now = await sandbox.host(SERVER).container(NAME);
  const start = startsOf(sandbox.journal, SERVER, NAME).findLast(({ id }) => id === now?.id);
  if (!start) return notYet(`${NAME} is starting.`);
  const visits = sandbox.journal.all('visit').filter(({ seq }) => seq > start.seq);
  if (visits.some((visit) => visit.port === PORT && isPage(visit))) return passed();
  const latest = visits.at(-1);
  if (!latest) return notYet(`Not opened since ${NAME} was run anew. Reload ${URL}.`);
  return latest.port === PORT
    ? notYet(`That page ${ending(latest)}. Go to ${URL}.`)
    : notYet(`That was port ${latest.port}. ${NAME} is behind port ${PORT}: ${URL}.`);
}

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
