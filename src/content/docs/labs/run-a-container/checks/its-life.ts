import {
  type Action,
  answer,
  answering,
  check,
  choice,
  notYet,
  on,
  passed,
  restartOf,
  type SandboxView,
  type Verdict,
} from '#lab';
import { BASE, myweb, NAME, PORT, RUN, RUN_BEHIND, removal, SERVER } from './myweb.ts';

const START = { host: SERVER, command: `docker start ${NAME}` };
/** Run once more as the page before had it, for mistakes that have removed it. */
const AGAIN: readonly Action[] = [on(SERVER, RUN, { stays: true })];

/** The checks of the page `its-life`, in the order of its steps. */
export const itsLife = [
  check('ended', {
    title: `${NAME} has ended, and is still there`,
    needs: ['myweb-runs'],
    test: hasEnded,
    mistakes: [
      {
        what: 'paused',
        actions: [on(SERVER, `docker pause ${NAME}`)],
        says: 'myweb is paused',
        undo: [on(SERVER, `docker unpause ${NAME}`)],
      },
      {
        what: 'removed at once',
        actions: [on(SERVER, `docker rm -f ${NAME}`)],
        says: 'myweb is gone altogether',
        undo: AGAIN,
      },
      {
        what: 'removal tried while it runs',
        actions: [on(SERVER, `docker rm ${NAME}`)],
        says: 'docker rm takes only what has ended',
        remembered: true,
      },
    ],
    alternatives: [
      { what: 'stopped from elsewhere', actions: [on(SERVER, `docker stop ${NAME}`)] },
      { what: 'killed', actions: [on(SERVER, `docker kill ${NAME}`)] },
    ],
  }),

  answer('exit-status-read', {
    title: 'You read how it ended off the list',
    question: 'With which status has it exited?',
    placeholder: 'the number in brackets',
    reads: /Exited \((\d+)\)/,
    judge: async (given, { host }) => {
      const container = await host(SERVER).container(NAME);
      if (!container) return notYet(`There is no ${NAME} on ${SERVER} any more.`);
      if (container.running) return notYet(`${NAME} runs, so it has no exit status. End it first.`);
      const [, read] = /^(?:exited ?)?\(?(\d+)\)?$/i.exec(given) ?? [];
      if (read === undefined) {
        return notYet('Type the number in brackets after Exited.');
      }
      if (Number(read) === container.exitCode) return passed();
      return Number(read) === PORT
        ? notYet(`${PORT} was its port. An ended container has none. Look under STATUS.`)
        : notYet(`It has not exited with ${read}. Look under STATUS again.`);
    },
    mistakes: [
      { what: 'the word', actions: [answering('Exited')], says: 'the number in brackets' },
      { what: 'another number', actions: [answering('1')], says: 'It has not exited with 1' },
      { what: 'the port', actions: [answering('8080')], says: '8080 was its port' },
    ],
    alternatives: [
      {
        what: 'asked for alone',
        actions: [
          on(SERVER, `docker inspect -f '{{.State.ExitCode}}' ${NAME}`),
          answering(/^(\d+)$/m),
        ],
      },
      {
        what: 'as it stands there',
        actions: [on(SERVER, 'docker ps -a'), answering(/(Exited \(\d+\))/)],
      },
    ],
  }),

  check('started-again', {
    title: `The very same ${NAME} was started again`,
    needs: ['ended'],
    test: wasStartedAgain,
    mistakes: [
      {
        what: 'run once more',
        actions: [on(SERVER, RUN)],
        says: 'docker run always makes a new container',
        remembered: true,
      },
      {
        what: 'another one, by another name',
        actions: [on(SERVER, `docker run -d -p ${PORT}:80 --name myweb2 ${BASE}`)],
        says: 'myweb2 is another container',
        undo: [on(SERVER, 'docker rm -f myweb2')],
      },
      {
        what: 'removed and made anew',
        actions: [on(SERVER, `docker rm ${NAME} && ${RUN_BEHIND}`)],
        says: 'is a new container, which is not a restart',
        undo: [on(SERVER, `docker stop ${NAME}`)],
        remembered: true,
      },
    ],
    alternatives: [
      { what: 'restarted', actions: [on(SERVER, `docker restart ${NAME}`)] },
      {
        what: 'started and watched',
        actions: [on(SERVER, `docker start -a ${NAME}`, { stays: true })],
      },
    ],
  }),

  check('removed', {
    title: `${NAME} is gone, and its image is still there`,
    needs: ['started-again'],
    test: isRemoved,
    mistakes: [
      {
        what: 'only stopped',
        actions: [on(SERVER, `docker stop ${NAME}`)],
        says: 'myweb has ended, and still takes its name and its place on the disk',
        undo: [on(SERVER, `docker start ${NAME}`)],
      },
      {
        what: 'given another name',
        actions: [on(SERVER, `docker rename ${NAME} old-web`)],
        says: 'only has another name now, old-web',
        undo: [on(SERVER, `docker rename old-web ${NAME}`)],
      },
      {
        what: 'while it runs',
        actions: [on(SERVER, `docker rm ${NAME}`)],
        says: 'myweb still runs, and docker rm takes only what has ended',
        remembered: true,
      },
      {
        what: 'the image instead',
        actions: [on(SERVER, `docker rmi ${BASE}`)],
        says: 'docker rmi removes images',
        remembered: true,
      },
    ],
    alternatives: [
      { what: 'by force', actions: [on(SERVER, `docker rm -f ${NAME}`)] },
      {
        what: 'with all that has ended',
        actions: [on(SERVER, `docker stop ${NAME}`), on(SERVER, 'docker container prune -f')],
      },
    ],
  }),

  choice('life-in-order', {
    title: 'You know the order of a container’s life',
    question: 'In which order do these come?',
    options: {
      ends: 'Its program ends; its log can still be read',
      gone: 'It is removed, with all that was written in it',
      starts: 'Its program starts',
      made: 'It is made from an image, and gets its name and its ID',
    },
    order: ['made', 'starts', 'ends', 'gone'],
    because: {
      ends: 'What has not started cannot end.',
      gone: 'Only a container that has ended is removed; with -f it is ended first.',
      starts: 'There is nothing to start before the container is made.',
    },
  }),
];

const lastStart = ({ journal }: SandboxView) =>
  journal.last('container', ({ action, name }) => action === 'start' && name === NAME);
/** A command that has failed, since a moment of the journal. */
const failedSince = ({ journal }: SandboxView, pattern: RegExp, since = 0) =>
  journal.last(
    'command',
    ({ line, status, seq }) => status !== 0 && seq > since && pattern.test(line.trim()),
  );

async function hasEnded(sandbox: SandboxView): Promise<Verdict> {
  const container = await sandbox.host(SERVER).container(NAME);
  const started = lastStart(sandbox);
  if (!container) {
    return started
      ? notYet(
          `${NAME} is gone altogether: it was removed, or run with --rm. Run it once more without --rm, and then only end it.`,
        )
      : await myweb(sandbox);
  }
  if (container.status === 'exited') return passed();
  if (container.status === 'paused') {
    return notYet(`${NAME} is paused: it has not ended, it only waits. Let it go on first.`, {
      host: SERVER,
      command: `docker unpause ${NAME}`,
    });
  }
  return failedSince(sandbox, /^docker (container )?rm\b/, started?.seq)
    ? notYet(`${NAME} still runs, and docker rm takes only what has ended. End it first.`)
    : notYet(`${NAME} still runs.`);
}

const restarted = restartOf(myweb);

async function wasStartedAgain(sandbox: SandboxView): Promise<Verdict> {
  const verdict = await restarted(sandbox);
  const server = sandbox.host(SERVER);
  const container = await server.container(NAME);
  if (verdict.kind === 'passed' || container?.status !== 'exited') return verdict;
  const other = (await server.containers()).find(({ name, running }) => running && name !== NAME);
  if (other) {
    return notYet(
      `${other.name} is another container, made from the same image. Remove it, and start ${NAME}.`,
      removal(other.name),
    );
  }
  return failedSince(sandbox, /^docker (container )?run\b/, lastStart(sandbox)?.seq)
    ? notYet(
        `docker run always makes a new container, and the name ${NAME} is taken by the one you have. Start that one.`,
        START,
      )
    : notYet(`${NAME} is there, and does not run.`);
}

async function isRemoved(sandbox: SandboxView): Promise<Verdict> {
  const server = sandbox.host(SERVER);
  const started = lastStart(sandbox);
  if (!started || (await restarted.first(sandbox)) === undefined) {
    return notYet(`Start ${NAME} again first, as the step above has it.`);
  }
  // By its ID it is found under any name.
  const container = await server.container(started.id);
  if (!container) {
    return (await server.image(BASE))
      ? passed()
      : notYet(`${NAME} is gone, and so is the image ${BASE}. Reset the lab to have it again.`);
  }
  if (container.name !== NAME) {
    return notYet(`${NAME} only has another name now, ${container.name}.`);
  }
  if (failedSince(sandbox, /^docker (rmi|image rm)\b/, started.seq)) {
    return notYet(
      `docker rmi removes images, and ${BASE} is in use by ${NAME}. For containers it is docker rm.`,
    );
  }
  if (!container.running) {
    return notYet(`${NAME} has ended, and still takes its name and its place on the disk.`);
  }
  return failedSince(sandbox, /^docker (container )?rm\b/, started.seq)
    ? notYet(`${NAME} still runs, and docker rm takes only what has ended. Stop it first.`)
    : notYet(`${NAME} runs.`);
}
