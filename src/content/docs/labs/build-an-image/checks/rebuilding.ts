import {
  ending,
  image,
  isPage,
  notYet,
  passed,
  type SandboxView,
  startsOf,
  type Verdict,
  visited,
} from '#lab';
import {
  BASE,
  BUILD,
  IMAGE,
  myapp,
  NAME,
  namedAt,
  namings,
  PORT,
  SERVER,
  savedAt,
  URL,
} from './images.ts';

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

/** The image is another one than before the page was opened; else, what the rebuild lacks. */
export async function rebuilt(sandbox: SandboxView): Promise<Verdict> {
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

/** myapp runs from the image as it is now; else, what it runs from and why. */
export async function runAnew(sandbox: SandboxView): Promise<Verdict> {
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

/** The page was opened since myapp runs from the new image. */
export async function newPageOpened(sandbox: SandboxView): Promise<Verdict> {
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
