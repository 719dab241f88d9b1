import {
  answer,
  answering,
  check,
  choice,
  image,
  notYet,
  on,
  passed,
  type SandboxView,
  type Verdict,
} from '#lab';
import {
  BASE,
  BUILD,
  FOLDER,
  IMAGE,
  lastCommand,
  namedAt,
  PAGE,
  SERVER,
  savedAt,
} from './images.ts';

const AWAY = on(SERVER, `docker rmi ${IMAGE}`);
const built = image(IMAGE)
  .on(SERVER)
  .builtOn(BASE)
  .hasLayer(/COPY .* in \/www/);

/** The checks of the page `the-build`, in the order of its steps. */
export const theBuild = [
  check('image-built', {
    title: `${SERVER} has an image ${IMAGE}, with your page in it`,
    needs: ['name-written'],
    test: imageBuilt,
    mistakes: [
      {
        what: 'no tag',
        actions: [on(SERVER, 'docker build -t mycontainer ~/mycontainer')],
        says: 'a name without a tag is completed by Docker',
        undo: [on(SERVER, 'docker rmi mycontainer')],
      },
      {
        what: 'no name',
        actions: [on(SERVER, 'docker build ~/mycontainer')],
        says: 'has no name. Give it one when you build it',
        undo: [on(SERVER, 'docker image prune -f')],
      },
      {
        what: 'the base under another name',
        actions: [on(SERVER, `docker tag ${BASE} ${IMAGE}`)],
        says: 'is webbase:5.6 itself under a second name',
        undo: [AWAY],
      },
      {
        what: 'before the page was saved',
        actions: [on(SERVER, `touch -d '+1 hour' ${PAGE} && docker build -t ${IMAGE} ${FOLDER}`)],
        says: 'index.html was saved after the image was built',
        undo: [AWAY, on(SERVER, `touch ${PAGE}`)],
      },
      {
        what: 'no folder named',
        actions: [on(SERVER, `docker build -t ${IMAGE}`)],
        says: 'which folder it may take files from',
        remembered: true,
      },
      {
        what: 'in another folder',
        actions: [on(SERVER, `docker build -t ${IMAGE} /srv`)],
        says: 'Is there a Dockerfile in the folder that it names?',
        remembered: true,
      },
    ],
    alternatives: [
      {
        what: 'the folder named, from anywhere',
        actions: [on(SERVER, `docker build --tag ${IMAGE} ~/mycontainer`)],
      },
      {
        what: 'named later',
        actions: [
          on(SERVER, 'docker build -t mycontainer ~/mycontainer'),
          on(SERVER, `docker tag mycontainer ${IMAGE}`),
        ],
      },
    ],
  }),

  answer('top-line-read', {
    title: 'You found the instruction that has added your page',
    question: 'Which instruction of your Dockerfile made the top line?',
    placeholder: 'one word',
    reads: /(COPY) file:/,
    judge: (given) => {
      const [read = ''] = given.toUpperCase().split(/\s/);
      if (read === 'COPY') return passed();
      if (read === 'FROM') {
        return notYet(
          'FROM makes no line of its own: all lines below are the image that it names.',
        );
      }
      if (read === 'CMD' || read === 'EXPOSE' || read === 'ENV') {
        return notYet(
          `${read} is not in your Dockerfile: that line is the base’s. Read the top one.`,
        );
      }
      return /^[0-9A-F]{12}$/.test(read) || read === IMAGE.toUpperCase()
        ? notYet('That says which image. The instruction is under CREATED BY.')
        : notYet(`It is not ${given}. Look under CREATED BY, in the top line.`);
    },
    mistakes: [
      { what: 'FROM', actions: [answering('FROM')], says: 'FROM makes no line of its own' },
      { what: 'one of the base’s', actions: [answering('CMD')], says: 'that line is the base’s' },
      {
        what: 'the ID',
        actions: [on(SERVER, `docker history ${IMAGE}`), answering(/^([0-9a-f]{12})\s/m)],
        says: 'That says which image',
      },
    ],
    alternatives: [
      {
        what: 'as it stands there',
        actions: [on(SERVER, `docker history ${IMAGE}`), answering(/(COPY file:\S+)/)],
      },
    ],
  }),

  choice('layers-counted', {
    title: 'You know how much room the two images take',
    question: `docker images says about 2 MB for ${BASE}, and 2 MB for ${IMAGE}. How much do they take together?`,
    options: {
      sum: 'About 4 MB',
      shared: 'About 2 MB',
      none: 'Nothing, until a container runs',
    },
    right: 'shared',
    because: {
      sum: 'That would be so if the base had been copied. Look which layers the two have in common.',
      none: 'Images lie on the disk whether or not a container runs.',
    },
  }),
];

/** A build whose last word is a folder, and no option or its value. */
const NAMES_A_FOLDER = /\bbuild(?: +-[^ =]+[ =][^ ]+)* +[^- ][^ ]*$/;

/** Whether the image is there, made from the page as it is now. */
async function imageBuilt(sandbox: SandboxView): Promise<Verdict> {
  const verdict = await built(sandbox);
  if (verdict.kind === 'passed') {
    const saved = await savedAt(sandbox.host(SERVER));
    return saved !== undefined && saved > (namedAt(sandbox) ?? saved)
      ? notYet(
          'index.html was saved after the image was built, so the image has it as it was before. Build it again.',
          {
            host: SERVER,
            command: BUILD,
          },
        )
      : passed();
  }
  const there = (await sandbox.host(SERVER).images()).some(({ names }) =>
    names.some((name) => name.startsWith('mycontainer:')),
  );
  const last = lastCommand(sandbox, /docker (image )?build\b/);
  if (there || !last || last.status === 0) return verdict;
  return NAMES_A_FOLDER.test(last.line.trim())
    ? notYet(
        `“${last.line.trim()}” has failed: see what it says. Is there a Dockerfile in the folder that it names?`,
      )
    : notYet(
        'docker build has to be told which folder it may take files from: the dot at the end is the one that you are in.',
      );
}
