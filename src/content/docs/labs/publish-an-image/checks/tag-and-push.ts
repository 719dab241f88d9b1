import { answer, check, notYet, passed, type SandboxView, theNumber, type Verdict } from '#lab';
import { IMAGE, PUBLISHED, published, registryContainer, SERVER, store, stored } from './names.ts';

/** Fewer characters of a digest might fit by luck. */
const LEAST = 4;

/** The checks of the page `tag-and-push`, in the order of its steps. */
export const tagAndPush = [
  answer('registry-port-read', {
    title: 'You found the registry, and the port that leads to it',
    question: `Which port of ${SERVER} leads to the registry?`,
    placeholder: '4 digits',
    reads: /:(\d+)->5000\/tcp/,
    judge: theNumber(registryContainer.hostPort(5000), {
      notOne: 'That is no port. In the column PORTS it stands after the colon, before the arrow.',
      wrong: ({ found }) =>
        `${found} is not it. The column PORTS has it after the colon, before the arrow.`,
    }),
  }),

  answer('catalog-read', {
    title: 'You asked the registry what it has',
    question: 'What does the registry answer?',
    placeholder: '{"repositories":…}',
    reads: /(\{"repositories":\[[^\]]*\]\})/,
    judge: judgeCatalog,
  }),

  check('image-tagged', {
    title: `${SERVER} has the image under a second name, ${PUBLISHED}`,
    test: published.sameAs(IMAGE).withMessages({
      missing: `No image is named ${PUBLISHED} yet. ${IMAGE} is one name of it; give it this one as well.`,
    }),
  }),

  check('image-pushed', {
    title: `The registry has ${IMAGE}`,
    needs: ['image-tagged'],
    test: stored,
  }),

  answer('digest-read', {
    title: 'You found the digest',
    needs: ['image-pushed'],
    question: 'What does the digest begin with, after sha256:?',
    placeholder: 'the first characters',
    reads: /\bsha256:([0-9a-f]{64})/,
    judge: judgeDigest,
  }),
];

/** The registry’s own list, however it is spaced. */
async function judgeCatalog(given: string, sandbox: SandboxView): Promise<Verdict> {
  const names = await store.repositories(sandbox);
  if (names === undefined) return await store(sandbox);
  const read = given.replaceAll(/\s/g, '');
  const list =
    names === ''
      ? ''
      : names
          .split(' ')
          .map((name) => `"${name}"`)
          .join(',');
  if (read === `{"repositories":[${list}]}` || read === `[${list}]`) return passed();
  if (read === '{}') {
    return notYet('That is the answer at /v2/: here is a registry. Its list is at /v2/_catalog.');
  }
  if (/notfound/i.test(read)) {
    return notYet('It has no such page. The path is /v2/_catalog, with the underscore.');
  }
  if (/^\{"repositories":/.test(read)) {
    return notYet('It answers something else now. Ask it once more.');
  }
  return notYet('Its answer is one line that begins with {"repositories":. Copy the whole line.');
}

/** The digest is the registry’s name for the image; the ID is the engine’s. */
async function judgeDigest(given: string, sandbox: SandboxView): Promise<Verdict> {
  const digest = await stored.digest(sandbox);
  if (digest === undefined) return await stored(sandbox);
  const read = given.toLowerCase().replace(/^sha256:/, '');
  if (!/^[0-9a-f]+$/.test(read)) {
    return notYet('A digest has only the digits 0–9 and the letters a–f.');
  }
  if (read.length < LEAST) return notYet(`Type at least ${LEAST} characters of it.`);
  if (digest.startsWith(`sha256:${read}`)) return passed();
  const image = await sandbox.host(SERVER).image(PUBLISHED);
  return image?.id.startsWith(`sha256:${read}`)
    ? notYet(
        'That is the ID, by which an engine knows the image. The digest is in a column of its own.',
      )
    : notYet(`The registry has ${IMAGE} by another digest. Read it off docker images --digests.`);
}
