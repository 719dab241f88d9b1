import {
  type Action,
  addressIn,
  answer,
  answering,
  check,
  ending,
  interrupt,
  notYet,
  on,
  open,
  passed,
  type SandboxView,
  theAddress,
  type Verdict,
} from '#lab';
import {
  BASE,
  CLIENT_ADDRESS,
  myweb,
  mywebInFront,
  NAME,
  NEWER_BASE,
  PORT,
  RUN_BEHIND,
  SERVER,
  SERVER_ADDRESS,
} from './myweb.ts';

const URL = `http://${SERVER_ADDRESS}:${PORT}`;
const FORBIDDEN = 403;
const NOT_FOUND = 404;
/** Fewer characters of an ID might fit by luck. */
const LEAST_ID = 4;
const AWAY: readonly Action[] = [on(SERVER, `docker rm -f ${NAME}`)];

/** The checks of the page `in-the-foreground`, in the order of its steps. */
export const inTheForeground = [
  check('myweb-runs', {
    title: `A container named ${NAME} runs in the foreground, and port ${PORT} of ${SERVER} leads to it`,
    test: mywebInFront,
    mistakes: [
      {
        what: 'in the background',
        actions: [on(SERVER, RUN_BEHIND)],
        says: 'myweb runs in the background, because of -d',
        undo: AWAY,
      },
      {
        what: 'no port',
        actions: [on(SERVER, `docker run -d --name ${NAME} ${BASE}`)],
        says: 'myweb publishes no port',
        undo: AWAY,
      },
      {
        what: 'the port of the old application',
        actions: [on(SERVER, `docker run -d -p 80:80 --name ${NAME} ${BASE}`)],
        says: 'port 80 of server01 is the old application’s',
        undo: AWAY,
      },
      {
        what: 'the two sides of -p confused',
        actions: [on(SERVER, `docker run -d -p 80:8080 --name ${NAME} ${BASE}`)],
        says: 'the wrong way round',
        undo: AWAY,
      },
      {
        what: 'an option behind the image',
        actions: [on(SERVER, `docker run -d -p ${PORT}:80 ${BASE} --name ${NAME}`)],
        says: '--name stands behind the image',
        undo: [on(SERVER, 'docker rm $(docker ps -aq)')],
      },
      {
        what: 'without a name first',
        actions: [
          on(SERVER, `docker run -d -p ${PORT}:80 ${BASE}`),
          on(SERVER, `docker run -d -p ${PORT}:80 --name ${NAME} ${BASE}`),
        ],
        says: 'myweb could not start: port 8080 of server01 leads to',
        undo: [on(SERVER, 'docker rm -f $(docker ps -aq)')],
      },
      {
        what: 'the other image',
        actions: [on(SERVER, `docker run -d -p ${PORT}:80 --name ${NAME} ${NEWER_BASE}`)],
        says: 'myweb was made from the image webbase:7',
        undo: AWAY,
      },
      {
        what: 'by another name',
        actions: [on(SERVER, `docker run -d -p ${PORT}:80 --name my-web ${BASE}`)],
        says: 'its name is my-web',
        undo: [on(SERVER, 'docker rm -f my-web')],
      },
    ],
    alternatives: [
      {
        what: 'with a terminal of its own',
        actions: [
          on(SERVER, `docker run -it --name ${NAME} --publish ${PORT}:80 ${BASE}`, { stays: true }),
        ],
      },
      {
        what: 'beside what an earlier try has left',
        actions: [
          on(SERVER, `docker run -d -p ${PORT}:80 ${BASE} --name ${NAME} || true`),
          on(SERVER, `docker run -p ${PORT}:80 --name ${NAME} ${BASE}`, { stays: true }),
        ],
      },
      {
        what: 'made first, then started and watched',
        actions: [
          on(SERVER, `docker create --name ${NAME} -p ${PORT}:80 ${BASE}`),
          on(SERVER, `docker start -a ${NAME}`, { stays: true }),
        ],
      },
    ],
  }),

  check('forbidden-opened', {
    title: `The page behind port ${PORT} was asked for, and refused to you: 403`,
    needs: ['myweb-runs'],
    test: forbidden,
    mistakes: [
      {
        what: 'the old application’s page',
        actions: [open(`http://${SERVER_ADDRESS}`)],
        says: 'That was the old application',
        remembered: true,
      },
      {
        what: 'a page by its name',
        actions: [open(`${URL}/start.html`)],
        says: 'answered with status 404: there is no such file',
        remembered: true,
      },
      {
        what: 'the client',
        actions: [open(`http://${CLIENT_ADDRESS}:${PORT}`)],
        says: 'That was client',
        remembered: true,
      },
      {
        what: 'a port that nothing listens on',
        actions: [open(`http://${SERVER_ADDRESS}:8081`)],
        says: 'http://10.1.10.11:8081 was refused: nothing listens there',
        remembered: true,
      },
    ],
    alternatives: [
      { what: 'by curl on the client', actions: [on('client', `curl ${URL}`)] },
      { what: 'by the server’s name', actions: [open(`http://${SERVER}:${PORT}/`)] },
    ],
  }),

  answer('container-id-read', {
    title: `You read the ID of ${NAME} off the list`,
    question: `What is the container ID of ${NAME}?`,
    placeholder: '12 characters, or the first few',
    reads: /^([0-9a-f]{12})\s+webbase/m,
    judge: async (given, { host }) => {
      const server = host(SERVER);
      const read = given.toLowerCase();
      const container = await server.container(NAME);
      if (!container) return notYet(`There is no ${NAME} on ${SERVER} at this moment.`);
      if (read === NAME) return notYet(`${NAME} is the name. The ID is in the first column.`);
      if (read === BASE) return notYet(`${BASE} is the image. The ID is one column before it.`);
      if (!/^[0-9a-f]+$/.test(read)) {
        return notYet('An ID has only the digits 0–9 and the letters a–f.');
      }
      if (read.length < LEAST_ID) return notYet(`Type at least ${LEAST_ID} characters of the ID.`);
      if (container.id.startsWith(read)) return passed();
      return container.imageId.replace('sha256:', '').startsWith(read)
        ? notYet(`That is the ID of the image. ${NAME} has one of its own: see docker ps.`)
        : notYet(`${NAME} does not have this ID. Read it off docker ps again.`);
    },
    mistakes: [
      { what: 'the name', actions: [answering(NAME)], says: 'is the name' },
      { what: 'the image', actions: [answering(BASE)], says: 'is the image' },
      {
        what: 'the ID of the image',
        actions: [on(SERVER, 'docker images'), answering(/^webbase\s+5\.6\s+([0-9a-f]{12})/m)],
        says: 'That is the ID of the image',
      },
      { what: 'too little of it', actions: [answering('ab')], says: 'at least 4' },
    ],
    alternatives: [
      {
        what: 'all of it',
        actions: [on(SERVER, 'docker ps -q --no-trunc'), answering(/^([0-9a-f]{64})$/m)],
      },
      {
        what: 'as the container’s hostname, which is the same',
        actions: [on(SERVER, `docker exec ${NAME} hostname`), answering(/^([0-9a-f]{12})$/m)],
      },
    ],
  }),

  answer('address-inside-read', {
    title: `You found the address that ${NAME} has on the inside`,
    question: `What is the IPAddress of ${NAME}?`,
    placeholder: '172.17.0.x',
    reads: /"IPAddress": "([\d.]+)"/,
    judge: theAddress(myweb.addressOn('bridge'), {
      nothingYet: `${NAME} has no address while it does not run.`,
      ofHost: ({ name, found }) =>
        `${found} is the address of ${name}. The container has one of its own.`,
      ofInterface: ({ name, found }) =>
        `${found} belongs to ${name} of ${SERVER}: it is the container’s Gateway. IPAddress is another line.`,
    }),
    mistakes: [
      {
        what: 'the gateway',
        actions: [on(SERVER, `docker inspect ${NAME}`), answering(/"Gateway": "([\d.]+)"/)],
        says: 'it is the container’s Gateway',
      },
      {
        what: 'the server’s',
        actions: [answering(SERVER_ADDRESS)],
        says: 'is the address of server01',
      },
      {
        what: 'the hardware address',
        actions: [on(SERVER, `docker inspect ${NAME}`), answering(/"MacAddress": "([0-9a-f:]+)"/)],
        says: 'Type one IPv4 address',
      },
      {
        what: 'a mistyped one',
        actions: [answering('172.17.0.99')],
        says: 'It is not 172.17.0.99',
      },
    ],
    alternatives: [
      {
        what: 'asked for alone',
        actions: [
          on(SERVER, `docker inspect -f '{{.NetworkSettings.IPAddress}}' ${NAME}`),
          answering(/^([\d.]+)$/m),
        ],
      },
      {
        what: 'from inside',
        actions: [on(SERVER, `docker exec ${NAME} hostname -i`), answering(/^([\d.]+)/m)],
      },
    ],
  }),

  answer('log-read', {
    title: 'You found in the log who has asked for the page',
    question: 'Which address has asked for the page?',
    placeholder: 'an IPv4 address',
    reads: /^([\d.]+) - - /m,
    judge: async (given, sandbox) => {
      const read = addressIn(given.replace(/ - - .*$/, ''));
      if (read === CLIENT_ADDRESS) return passed();
      if (read === undefined) {
        return notYet('Type the IPv4 address at the beginning of the line with GET in it.');
      }
      if (read === SERVER_ADDRESS) {
        return notYet(`${read} is ${SERVER}: the address that was asked, not the one that asks.`);
      }
      return read === (await myweb.addressOn('bridge')(sandbox))
        ? notYet(`${read} is ${NAME} itself, which has answered. Who has asked?`)
        : notYet(`${read} has not asked for it. Read the line with GET in it again.`);
    },
    mistakes: [
      {
        what: 'the container',
        actions: [on(SERVER, `docker logs ${NAME}`), answering(/port 80 of ([\d.]+)/)],
        says: 'is myweb itself',
      },
      {
        what: 'the server',
        actions: [answering(SERVER_ADDRESS)],
        says: 'not the one that asks',
      },
      { what: 'the status', actions: [answering('403')], says: 'at the beginning of the line' },
      { what: 'another', actions: [answering('10.1.10.1')], says: 'has not asked for it' },
    ],
    alternatives: [
      {
        what: 'as it comes in',
        actions: [
          on(SERVER, `docker logs -f ${NAME}`, { stays: true, second: true }),
          answering(CLIENT_ADDRESS),
          interrupt(SERVER),
        ],
      },
      {
        what: 'the whole line',
        actions: [
          on(SERVER, `docker logs --tail 1 ${NAME}`),
          answering(/^([\d.]+ - - .*403 \d+)$/m),
        ],
      },
    ],
  }),
];

/** Whether the empty web server was asked for its page, and has refused it. */
async function forbidden(sandbox: SandboxView): Promise<Verdict> {
  const isServer = (name: string) => name === SERVER || name === SERVER_ADDRESS;
  const visits = sandbox.journal.all('visit');
  // What a page of curl had for a status is not known.
  const hit = visits.some(
    ({ hostname, port, outcome, status = FORBIDDEN }) =>
      isServer(hostname) && port === PORT && outcome === 'page' && status === FORBIDDEN,
  );
  if (hit) return passed();
  const last = visits.at(-1);
  const since = sandbox.journal.last(
    'container',
    ({ action, name }) => action === 'start' && name === NAME,
  );
  if (!last || !since || last.seq < since.seq) {
    const problem = await myweb(sandbox);
    return problem.kind === 'passed'
      ? notYet(`Not opened yet. In the Browser tab, go to ${URL}.`)
      : problem;
  }
  const typed = `http://${last.hostname}${last.port === 80 ? '' : `:${last.port}`}`;
  if (!isServer(last.hostname)) {
    return last.hostname === CLIENT_ADDRESS
      ? notYet(`That was client. ${NAME} is behind a port of ${SERVER}: go to ${URL}.`)
      : notYet(`${typed} ${ending(last)}. Go to ${URL}.`);
  }
  if (last.port === 80 && last.outcome === 'page') {
    return notYet(`That was the old application, at port 80. ${NAME} is behind port ${PORT}.`);
  }
  if (last.port === PORT && last.status === NOT_FOUND) {
    return notYet(
      `${last.url} answered with status 404: there is no such file. Ask for the address alone: ${URL}.`,
    );
  }
  return notYet(`${typed} ${ending(last)}. Go to ${URL}.`);
}
