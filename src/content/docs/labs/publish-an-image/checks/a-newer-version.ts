import {
  all,
  type CheckDefinition,
  check,
  type Moment,
  notYet,
  passed,
  type SandboxView,
  type SignalOf,
  type Verdict,
  visited,
} from '#lab';
import { IMAGE, OTHER_SERVER, PUBLISHED, REGISTRY, SERVER, stored } from './names.ts';
import { firstLook, myapp, NAME } from './run-elsewhere.ts';

/** Where the page of the container is. */
const PAGE = 'http://10.1.10.12:8080';
/** What the newer page says, and the older does not. */
const NEWER = /newer/i;
/** Without its tag. */
const REPOSITORY = `${REGISTRY}/${IMAGE.split(':')[0]}`;

/** The newer image was pushed. */
const newerPushed: Moment<typeof SERVER> = Object.assign(pushedNewer, {
  hosts: [SERVER] as const,
  first: async (sandbox: SandboxView) => newerPush(sandbox)?.seq,
});

/** server02 has got the newer image. */
const newerPulled: Moment<typeof SERVER | typeof OTHER_SERVER> = Object.assign(pulledNewer, {
  hosts: [SERVER, OTHER_SERVER] as const,
  first: async (sandbox: SandboxView) => newerPull(sandbox)?.seq,
});

/** The checks of the page `a-newer-version`, in the order of its steps. */
export const aNewerVersion: readonly CheckDefinition[] = [
  check('runs-again', {
    title: `${NAME} runs on ${OTHER_SERVER} once more`,
    needs: ['gone-by-itself'],
    test: all(myapp, startedAgain),
  }),

  check('newer-built', {
    title: `On ${SERVER}, ${PUBLISHED} is a newer image`,
    needs: ['image-pushed'],
    test: builtNewer,
  }),

  check('newer-pushed', {
    title: 'The registry has the newer image, under the same tag',
    needs: ['newer-built'],
    test: newerPushed,
  }),

  check('older-page-opened', {
    title: `The page of ${OTHER_SERVER} is still the old one`,
    needs: ['runs-again', 'newer-pushed'],
    test: visited(PAGE)
      .from('client')
      .after(newerPushed)
      .showing(/Hello from mycontainer/)
      .withMessages({
        otherPage: `That is the newer page already. Run ${NAME} from the old image to see the old one: docker images on ${OTHER_SERVER} lists it with <none>. Remove ${NAME}, and run it with that IMAGE ID in place of the name.`,
      }),
  }),

  check('newer-pulled', {
    title: `${OTHER_SERVER} has the newer image`,
    needs: ['newer-pushed'],
    test: newerPulled,
  }),

  check('newer-page-opened', {
    title: `The page of ${OTHER_SERVER} is the newer one`,
    needs: ['newer-pulled'],
    test: visited(PAGE)
      .from('client')
      .after(newerPulled)
      .showing(NEWER)
      .withMessages({
        otherPage: `That is still the old page: a container keeps the image that it was made from, restarted or not. Make ${NAME} anew.`,
      }),
  }),
];

/** A container of that name was started after the first one was gone. */
function startedAgain(sandbox: SandboxView): Verdict {
  const look = firstLook(sandbox);
  if (look === undefined) return notYet(`${NAME} has not been ended on ${OTHER_SERVER} yet.`);
  const since = sandbox.journal
    .all('container')
    .some(
      ({ host, name, action, seq }) =>
        host === OTHER_SERVER && name === NAME && action === 'start' && seq > look,
    );
  return since ? passed() : notYet(`${NAME} has not been run on ${OTHER_SERVER} again yet.`);
}

type ImageSignal = SignalOf<'image'>;

/** When the name was given to an image on server01, oldest first, and when it was pushed first. */
function history({ journal }: SandboxView) {
  const here = journal.all('image').filter(({ host }) => host === SERVER);
  const push = here.find(isPush);
  const named = here.filter(({ action, name }) => action === 'tag' && name === PUBLISHED);
  const old = push && named.findLast(({ seq }) => seq < push.seq);
  const later = push ? named.filter(({ seq }) => seq > push.seq) : [];
  return { push, old, later, newer: later.filter(({ id }) => id !== old?.id) };
}

function isPush({ action, id }: ImageSignal): boolean {
  // With --all-tags it is told without one.
  return action === 'push' && (id === PUBLISHED || id === REPOSITORY);
}

/** The first push after there was a newer image by that name. */
function newerPush(sandbox: SandboxView): ImageSignal | undefined {
  const [first] = history(sandbox).newer;
  if (!first) return undefined;
  return sandbox.journal
    .all('image')
    .find((signal) => signal.host === SERVER && signal.seq > first.seq && isPush(signal));
}

/** The first pull to server02 after that. */
function newerPull(sandbox: SandboxView): ImageSignal | undefined {
  const push = newerPush(sandbox);
  if (!push) return undefined;
  return sandbox.journal
    .all('image')
    .find(
      ({ host, seq, action, id }) =>
        host === OTHER_SERVER && seq > push.seq && action === 'pull' && id === PUBLISHED,
    );
}

async function builtNewer(sandbox: SandboxView): Promise<Verdict> {
  const { push, old, later, newer } = history(sandbox);
  if (!push || !old) return notYet(`${PUBLISHED} has not been pushed from ${SERVER} yet.`);
  if (newer.length > 0) return passed();
  const server = sandbox.host(SERVER);
  const named = (await server.images()).flatMap(({ id, names }) => (id === old.id ? [] : names));
  const other = named.find((name) => name === IMAGE || name.startsWith(`${REPOSITORY}:`));
  if (other !== undefined) {
    return notYet(
      `The newer image is named ${other}. ${PUBLISHED} still stands for the one that you pushed; give that name to the newer one.`,
      { host: SERVER, command: `docker tag ${other} ${PUBLISHED}` },
    );
  }
  const elsewhere = sandbox.journal
    .all('image')
    .some(
      ({ host, action, name }) => host === OTHER_SERVER && action === 'tag' && name === PUBLISHED,
    );
  if (elsewhere) return notYet(`That was built on ${OTHER_SERVER}. Build it on ${SERVER}.`);
  return later.length > 0
    ? notYet(`${PUBLISHED} was given to the same image again. Build one that is different.`)
    : notYet(`${PUBLISHED} is still the image that you pushed.`);
}

async function pushedNewer(sandbox: SandboxView): Promise<Verdict> {
  const built = await builtNewer(sandbox);
  if (built.kind !== 'passed') return built;
  const { old, newer } = history(sandbox);
  const last = newer.at(-1)?.id ?? '';
  const now = await sandbox.host(SERVER).image(PUBLISHED);
  if (now !== undefined && now.id === old?.id) {
    return notYet(
      `${PUBLISHED} stands for the old image again on ${SERVER}: docker pull brings what the registry has. Give the name to the newer one.`,
      { host: SERVER, command: `docker tag ${last} ${PUBLISHED}` },
    );
  }
  return await stored
    .sameAs(last)
    .withMessages({ otherImage: 'The registry still has the old image under that name.' })(sandbox);
}

async function pulledNewer(sandbox: SandboxView): Promise<Verdict> {
  const pushed = await pushedNewer(sandbox);
  if (pushed.kind !== 'passed') return pushed;
  const newest = await sandbox.host(SERVER).image(PUBLISHED);
  const theirs = await sandbox.host(OTHER_SERVER).image(PUBLISHED);
  if (theirs?.id === newest?.id) return passed();
  const pull = sandbox.journal.last('image', ({ action }) => action === 'pull');
  const since = newerPush(sandbox)?.seq ?? 0;
  if (pull && pull.seq > since && pull.host === SERVER) {
    return notYet(
      `That was on ${SERVER}, which has the newer image already. Pull on ${OTHER_SERVER}.`,
    );
  }
  return theirs
    ? notYet(`${OTHER_SERVER} still has the old image by that name.`)
    : notYet(`${OTHER_SERVER} has no image ${PUBLISHED} any more. Pull it.`);
}
