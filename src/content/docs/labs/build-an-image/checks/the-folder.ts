import { answer, answering, check, notYet, on, passed, type SandboxView, type Verdict } from '#lab';
import { BASE, FOLDER, NEWER_BASE, PAGE, SERVER } from './images.ts';

/** What stands in the page for the learner's name. */
const NOBODY = 'Your Name';
const PUT_BACK = on(
  SERVER,
  `sed -i '/<dl>/,/Served by/{/Created by/d}; s|<dl>|<dl>\\n    <div><dt>Created by: </dt><dd>${NOBODY}</dd></div>|' ${PAGE}`,
);

/** The checks of the page `the-folder`, in the order of its steps. */
export const theFolder = [
  answer('base-read', {
    title: 'You found the image that yours begins with',
    question: 'Which image does the Dockerfile begin with?',
    placeholder: 'name:tag',
    reads: /^FROM (\S+)/m,
    judge: (given) => {
      const read = given.replace(/^from\s+/i, '');
      if (read === BASE) return passed();
      if (read === NEWER_BASE)
        return notYet(`${read} is on ${SERVER} too, but FROM names another.`);
      if (read === 'webbase') return notYet('There are two of that name. Type it with its tag.');
      if (read === '') return notYet('FROM is the instruction. The image stands behind it.');
      if (/index\.html|www/.test(read)) {
        return notYet('That is what COPY takes, and where to. The image stands behind FROM.');
      }
      return notYet(`It is not ${given}. Read what stands behind FROM.`);
    },
    mistakes: [
      { what: 'without its tag', actions: [answering('webbase')], says: 'with its tag' },
      { what: 'what is copied', actions: [answering('index.html')], says: 'what COPY takes' },
      { what: 'the other tag', actions: [answering('webbase:7')], says: 'FROM names another' },
      { what: 'the folder', actions: [answering('mycontainer')], says: 'It is not mycontainer' },
    ],
    alternatives: [
      {
        what: 'the whole line',
        actions: [on(SERVER, 'grep FROM mycontainer/Dockerfile'), answering(/^(FROM \S+)/m)],
      },
    ],
  }),

  check('name-written', {
    title: 'index.html says who has created it',
    test: nameWritten,
    solution: [on(SERVER, `sed -i 's/${NOBODY}/Ada/' ~/mycontainer/index.html`)],
    mistakes: [
      {
        what: 'in a copy elsewhere',
        actions: [on(SERVER, `sed 's/${NOBODY}/Ada/' mycontainer/index.html > index.html`)],
        says: 'is a copy in your home',
        undo: [on(SERVER, 'rm index.html')],
      },
      {
        what: 'the line deleted',
        actions: [on(SERVER, `sed -i '/Created by/d' ${PAGE}`)],
        says: 'has lost its line “Created by”',
        undo: [PUT_BACK],
      },
      {
        what: 'nothing in its place',
        actions: [on(SERVER, `sed -i 's/${NOBODY}//' ${PAGE}`)],
        says: 'Nothing stands behind “Created by”',
        undo: [PUT_BACK],
      },
      {
        what: 'the file moved',
        actions: [on(SERVER, `mv ${PAGE} ${FOLDER}/page.html`)],
        says: 'There is no index.html in',
        undo: [on(SERVER, `mv ${FOLDER}/page.html ${PAGE}`)],
      },
    ],
    alternatives: [
      {
        what: 'a text of one’s own',
        actions: [on(SERVER, `sed -i 's/${NOBODY}/Grace Hopper, Arlington/' ${PAGE}`)],
      },
      {
        what: 'by an editor of the terminal',
        actions: [on(SERVER, `vim -es -c '%s/${NOBODY}/Grace/' -c wq ${PAGE}`)],
      },
    ],
  }),
];

async function nameWritten({ host }: SandboxView): Promise<Verdict> {
  const server = host(SERVER);
  const text = await server.read(PAGE);
  if (text === undefined) return notYet(`There is no index.html in ${FOLDER} any more.`);
  const [line, name] = /Created by:\s*<\/dt>\s*<dd>([^<]*)/.exec(text) ?? [];
  if (line === undefined) {
    return notYet('index.html has lost its line “Created by”. Put it back, with your name in it.');
  }
  if (name?.trim() === '')
    return notYet('Nothing stands behind “Created by”. Put your name there.');
  if (!line.includes(NOBODY)) return passed();
  const copy = await server.read('/home/learner/index.html');
  return copy === undefined
    ? notYet(`index.html still says “${NOBODY}”. Have you saved it?`)
    : notYet(
        `/home/learner/index.html is a copy in your home. The Dockerfile takes the one beside it, in ${FOLDER}.`,
      );
}
