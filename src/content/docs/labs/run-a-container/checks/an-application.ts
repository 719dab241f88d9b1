import { answer, answering, check, choice, notYet, on, open, passed, visited } from '#lab';
import { BASE, NEWER_BASE, SERVER, SERVER_ADDRESS } from './myweb.ts';

const URL = `http://${SERVER_ADDRESS}`;
/** Fewer characters of an ID might fit by luck. */
const LEAST_ID = 4;

/** The checks of the page `an-application`, in the order of its steps. */
export const anApplication = [
  check('old-page-opened', {
    title: 'The page of the old application was opened',
    test: visited(URL).withMessages({
      otherEnd: ({ name, found }) =>
        name.endsWith(':443')
          ? `That was https. The old application speaks plain http: ${URL}.`
          : `${name} ${found}. An address without a port means port 80: ${URL}.`,
    }),
    mistakes: [
      {
        what: 'another port',
        actions: [open(`${URL}:${8080}`)],
        says: 'An address without a port means port 80',
        remembered: true,
      },
      {
        what: 'by https',
        actions: [open(`https://${SERVER_ADDRESS}`)],
        says: 'That was https',
        remembered: true,
      },
      {
        what: 'the client itself',
        actions: [open('http://10.1.10.100')],
        says: 'That was client, not server01',
        remembered: true,
      },
    ],
    alternatives: [
      { what: 'by curl on the client', actions: [on('client', `curl ${URL}`)] },
      { what: 'by the server’s name', actions: [open('http://server01')] },
    ],
  }),

  answer('port-holder-read', {
    title: 'You found the program that has port 80 of server01',
    question: 'What is the program on port 80 called?',
    placeholder: 'the name in quotes',
    reads: /\(\("([^"]+)",pid/,
    judge: async (given, { host }) => {
      const { output } = await host(SERVER).ask(['ss', '-Hltnp']);
      const line = output.split('\n').find((each) => /:80\s/.test(each)) ?? '';
      const [, program, pid] = /\(\("([^"]+)",pid=(\d+)/.exec(line) ?? [];
      const read = given.toLowerCase().replace(/^"|"$/g, '');
      if (program === undefined) {
        return notYet(`Nothing listens on port 80 of ${SERVER} at this moment. Look again.`);
      }
      if (read === program) return passed();
      if (read === pid)
        return notYet(`${read} is the program’s process ID. Its name is before it.`);
      if (read.startsWith('docker')) {
        return notYet('Docker has no part in this yet. Read the name on the line that says :80.');
      }
      if (read === 'ss') return notYet('ss is the program that you have asked with.');
      if (/^[\d.:*]+$/.test(read))
        return notYet('That is where it listens. Its name is in quotes.');
      return notYet(`It is not called ${given}. The name is in quotes, after “users:”.`);
    },
    mistakes: [
      {
        what: 'its process ID',
        actions: [on(SERVER, "sudo ss -ltnp 'sport = :80'"), answering(/pid=(\d+)/)],
        says: 'is the program’s process ID',
      },
      { what: 'Docker', actions: [answering('dockerd')], says: 'Docker has no part in this' },
      { what: 'where it listens', actions: [answering('0.0.0.0:80')], says: 'where it listens' },
      { what: 'the host', actions: [answering('server01')], says: 'It is not called server01' },
    ],
    alternatives: [
      { what: 'by lsof', actions: [on(SERVER, 'sudo lsof -i :80'), answering(/^(httpd) /m)] },
      {
        what: 'by its process ID',
        actions: [
          on(SERVER, 'ps -o comm= -p $(sudo fuser 80/tcp 2> /dev/null)'),
          answering(/^(httpd)$/m),
        ],
      },
    ],
  }),

  answer('image-id-read', {
    title: `You read the ID of ${BASE} off the list`,
    question: `What is the image ID of ${BASE}?`,
    placeholder: '12 characters, or the first few',
    reads: /^webbase\s+5\.6\s+([0-9a-f]{12})/m,
    judge: async (given, { host }) => {
      const read = given.toLowerCase().replace(/^sha256:/, '');
      const tag = read.replace(/^webbase:/, '');
      if (tag === '5.6' || tag === '7') {
        return notYet(`${given} is a name for people. The ID is one column further on.`);
      }
      if (read === 'webbase') return notYet('Both images are called webbase. Their IDs differ.');
      if (!/^[0-9a-f]+$/.test(read)) {
        return notYet('An ID has only the digits 0–9 and the letters a–f.');
      }
      if (read.length < LEAST_ID) return notYet(`Type at least ${LEAST_ID} characters of the ID.`);
      const isOf = async (name: string) =>
        (await host(SERVER).image(name))?.id.replace('sha256:', '').startsWith(read) === true;
      if (await isOf(BASE)) return passed();
      return (await isOf(NEWER_BASE))
        ? notYet(`That is the ID of ${NEWER_BASE}. Look at the line whose tag is 5.6.`)
        : notYet(`No image of ${SERVER} has this ID. Read it off docker images again.`);
    },
    mistakes: [
      { what: 'the tag', actions: [answering('5.6')], says: 'is a name for people' },
      {
        what: 'the ID of the other one',
        actions: [on(SERVER, 'docker images'), answering(/^webbase\s+7\s+([0-9a-f]{12})/m)],
        says: 'That is the ID of webbase:7',
      },
      { what: 'the repository', actions: [answering('webbase')], says: 'Both images are called' },
      { what: 'its size', actions: [answering('2.03MB')], says: 'only the digits 0–9' },
    ],
    alternatives: [
      {
        what: 'all of it',
        actions: [
          on(SERVER, `docker inspect -f '{{.Id}}' ${BASE}`),
          answering(/^(sha256:[0-9a-f]{64})$/m),
        ],
      },
      {
        what: 'the first few characters',
        actions: [on(SERVER, `docker images -q ${BASE}`), answering(/^([0-9a-f]{6})/m)],
      },
    ],
  }),

  choice('containers-counted', {
    title: 'You know what runs in containers here',
    question: 'How many containers run on server01 now?',
    options: {
      app: 'One: the old application',
      images: 'Two: one for each image',
      all: 'Three: the application and both images',
      empty: 'None',
    },
    right: 'empty',
    because: {
      app: 'The old application is a program of server01 itself. docker ps lists only what runs in a container.',
      images:
        'An image lies on the disk and does nothing. A container is there once somebody has run one from it.',
      all: 'docker ps prints one line for each container that runs. Count those below its heading.',
    },
  }),
];
