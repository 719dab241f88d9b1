import {
  type CheckDefinition,
  check,
  container,
  notYet,
  passed,
  type SandboxView,
  throughPort,
  type Verdict,
  visited,
} from '#lab';
import { IMAGE, OTHER_SERVER, PUBLISHED, SERVER } from './names.ts';

/** The container that runs from the published image. */
export const NAME = 'myapp';
/** `docker run` ends so where it has made no container. */
const NO_CONTAINER = 125;
const RUN = `docker run --rm -p 8080:80 --name ${NAME} ${PUBLISHED}`;

export const myapp = container(NAME)
  .on(OTHER_SERVER)
  .from(PUBLISHED)
  .runs()
  .withTheImagesCommand()
  .publishes(80)
  .on(8080);

/** The checks of the page `run-elsewhere`, in the order of its steps. */
export const runElsewhere: readonly CheckDefinition[] = [
  check('short-name-fails', {
    title: `${OTHER_SERVER} finds no image by the name ${IMAGE}`,
    test: shortNameFails,
  }),

  check('runs-elsewhere', {
    title: `${NAME} runs on ${OTHER_SERVER}, from ${PUBLISHED}, to be removed when it ends`,
    needs: ['image-pushed'],
    test: myapp.madeBy(RUN).and(async ({ container: { id }, host }) => {
      const { HostConfig } = await host.docker.getContainer(id).inspect();
      return HostConfig.AutoRemove
        ? passed()
        : notYet(`${NAME} runs, but without --rm, so it would be left behind when it ends.`, {
            host: OTHER_SERVER,
            command: `docker rm -f ${NAME}`,
          });
    }),
  }),

  check('opened-elsewhere', {
    title: `The client has opened the page of ${NAME}`,
    needs: ['runs-elsewhere'],
    test: visited(throughPort(myapp)).from('client'),
  }),

  check('gone-by-itself', {
    title: `${NAME} has ended, and you saw that nothing of it is left`,
    needs: ['runs-elsewhere'],
    test: goneByItself,
  }),
];

/** A run, or a pull, by the name without the registry, that found no image. */
function shortNameFails({ journal }: SandboxView): Verdict {
  const tries = journal
    .all('command')
    .filter(({ line }) => /\bdocker\b.* (?:run|pull|create) /.test(line))
    .filter(({ line }) => line.split(/\s+/).includes(IMAGE));
  const here = tries.filter(({ host }) => host === OTHER_SERVER);
  const isMeant = ({ line, status }: (typeof here)[number]) =>
    (status === NO_CONTAINER || (status === 1 && line.includes(' pull '))) && !/[–—]/.test(line);
  if (here.some(isMeant)) return passed();
  const last = here.at(-1);
  if (last && /[–—]/.test(last.line)) {
    return notYet(
      'One of the dashes in that command is a long one, as word processors make it. So it failed for another reason: options begin with - or --.',
    );
  }
  if (last?.status === 0) {
    return notYet(
      `That worked, so ${OTHER_SERVER} has an image by the name ${IMAGE}. Take the name away, and try again.`,
      { host: OTHER_SERVER, command: `docker rmi -f ${IMAGE}` },
    );
  }
  if (tries.length > 0) {
    return notYet(
      `On ${SERVER} the name is known: the image is there. Try it in a terminal of ${OTHER_SERVER}.`,
    );
  }
  return notYet(`Nothing has been run on ${OTHER_SERVER} by the name ${IMAGE} yet.`);
}

/** When somebody first looked for the container among all, after it had ended: a running number of the journal. */
export function firstLook(sandbox: SandboxView): number | undefined {
  const [end] = ends(sandbox);
  return end && looksSince(sandbox, end.seq).find(isAtAll)?.seq;
}

function ends({ journal }: SandboxView) {
  return journal
    .all('container')
    .filter(({ host, name, action }) => host === OTHER_SERVER && name === NAME && action === 'die');
}

function looksSince({ journal }: SandboxView, since: number) {
  return journal
    .all('command')
    .filter(({ host, seq, status }) => host === OTHER_SERVER && seq > since && status === 0)
    .filter(({ line }) => /\bdocker (?:ps|container (?:ls|ps|list))\b/.test(line));
}

/** Whether a list has those that have ended as well. */
function isAtAll({ line }: { readonly line: string }): boolean {
  return /\s(?:--all|-\w*a\w*)\b/.test(line);
}

/** It is gone, and a look at all containers came after its end. */
async function goneByItself(sandbox: SandboxView): Promise<Verdict> {
  const now = await sandbox.host(OTHER_SERVER).container(NAME);
  if (now?.status === 'paused') {
    return notYet(`${NAME} is paused, and not at its end. Let it go on, and end it.`, {
      host: OTHER_SERVER,
      command: `docker unpause ${NAME}`,
    });
  }
  if (now?.running) {
    return notYet(`${NAME} still runs. Ctrl-C ends it, in the terminal that it runs in.`);
  }
  if (now) {
    return notYet(`${NAME} has ended and is still there: it was run without --rm. Remove it.`, {
      host: OTHER_SERVER,
      command: `docker rm ${NAME}`,
    });
  }
  const end = ends(sandbox).at(-1);
  if (!end) return notYet(`${NAME} has not run on ${OTHER_SERVER} yet.`);
  const looks = looksSince(sandbox, end.seq);
  if (looks.some(isAtAll)) return passed();
  return notYet(
    looks.length > 0
      ? 'docker ps lists only what runs. With -a it lists what has ended as well.'
      : `${NAME} has ended. See on ${OTHER_SERVER} what is left of it.`,
  );
}
