/**
 * `npm run lab:new <name>`: a new lab that runs at once, with one of everything that a lab can have. A path makes it in a
 * folder elsewhere: `npm run lab:new ../my-labs/my-lab`.
 */
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { QuaysideError } from '../server/base/errors.ts';
import { printFailure } from '../server/cli/failure.ts';
import { programOptions } from '../server/cli/program-options.ts';
import { isPlace, LAB_NAME, LABS_DIRECTORY, LONGEST_LAB_NAME } from '../server/labs/folders.ts';

const PROJECT = resolve(import.meta.dirname, '..');
const LABS = join(PROJECT, LABS_DIRECTORY);
const TEMPLATE = join(PROJECT, 'setup/new-lab');
/** The `.gitignore` of a folder of labs elsewhere: what tools leave there, and no lab is made of. */
const NOT_OF_LABS = 'node_modules/\n*.tsbuildinfo\n';
/** The template's name, replaced in all of its files. */
const TEMPLATE_TITLE = 'My new lab';

/**
 * Makes a lab's folder from the template.
 *
 * @param labs the folder that holds all labs
 * @returns the new folder
 * @throws QuaysideError NAME_INVALID for a name that cannot be used or is taken
 */
export async function makeLab(name: string | undefined, labs = LABS): Promise<string> {
  if (name === undefined) {
    throw refusal('A lab needs a name.', 'Give it one: npm run lab:new my-lab');
  }
  if (!LAB_NAME.test(name) || name.length > LONGEST_LAB_NAME) {
    const better = name
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^[^a-z]+|-+$/g, '')
      .slice(0, LONGEST_LAB_NAME);
    throw refusal(
      `“${name}” cannot be the name of a lab: it is a part of the address, so it has lower-case letters, digits and single dashes, begins with a letter and has at most ${LONGEST_LAB_NAME} characters.`,
      `Perhaps: npm run lab:new ${better || 'my-lab'}`,
    );
  }
  const folder = join(labs, name);
  if (existsSync(folder)) {
    const taken = await readdir(labs);
    throw refusal(
      `There is a lab named ${name} already, in ${relative(PROJECT, folder)}.`,
      `Choose a name other than ${taken.sort().join(', ')}.`,
    );
  }
  await mkdir(labs, { recursive: true });
  await cp(TEMPLATE, folder, { recursive: true, errorOnExist: true, force: false });
  const title = titleOf(name);
  for (const file of await readdir(folder)) {
    const path = join(folder, file);
    await writeFile(path, (await readFile(path, 'utf8')).replaceAll(TEMPLATE_TITLE, title));
  }
  if (labs !== LABS) {
    await offerTypes(labs);
    await writeNew(join(labs, '.gitignore'), NOT_OF_LABS);
  }
  return folder;
}

/** Writes a file where there is none yet. */
async function writeNew(file: string, text: string): Promise<void> {
  await writeFile(file, text, { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
}

/**
 * A `tsconfig.json` in a folder of labs outside the project, so that an editor knows the kit there: completes its words,
 * and underlines what is wrong. One that is there already stays as it is.
 */
async function offerTypes(labs: string): Promise<void> {
  // Its own folder may be a link, and an editor goes by where it is.
  const project = relative(await realpath(labs), PROJECT);
  const config = {
    extends: `${project}/tsconfig.json`,
    compilerOptions: {
      paths: { '#lab': [`${project}/lab/index.ts`] },
      typeRoots: [`${project}/node_modules/@types`],
    },
    include: ['**/*.ts'],
    exclude: ['node_modules'],
  };
  await writeNew(join(labs, 'tsconfig.json'), `${JSON.stringify(config, null, 2)}\n`);
}

function refusal(problem: string, remedy: string): QuaysideError {
  return new QuaysideError('NAME_INVALID', problem, remedy);
}

/** `first-steps` as a title: `First steps`. */
function titleOf(name: string): string {
  const words = name.replaceAll('-', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

if (import.meta.main) {
  try {
    const { positionals } = programOptions(import.meta.filename, {
      allowPositionals: true,
    });
    if (positionals.length > 1) {
      throw refusal(
        `A lab has one name, and these are ${positionals.length}.`,
        `Put dashes between its words: npm run lab:new ${positionals.join('-').toLowerCase()}`,
      );
    }
    const [said] = positionals;
    const here = process.env.INIT_CWD ?? '.';
    const path = said !== undefined && isPlace(said) ? resolve(here, said) : undefined;
    const labs = path === undefined ? LABS : dirname(path);
    const name = path === undefined ? said : basename(path);
    const folder = relative(here, await makeLab(name, labs));
    // What says, of the commands below, that it is elsewhere.
    const where = labs === LABS ? '' : ` -- --labs ${relative(here, labs) || '.'}`;
    const commands = [`npm run dev${where}`, `npm run lab:test${where} ${name}`] as const;
    const width = Math.max(...commands.map((command) => command.length)) + 3;
    console.log(`
${folder} is there:

  lab.ts            its hosts, its checks, a value, a mistake and an alternative
  index.mdx         what the learner will do
  first-steps.mdx   the steps

Next:

  ${commands[0].padEnd(width)}look at it, and see it change as you save
  ${commands[1].padEnd(width)}test it: every step, every mistake, on fresh hosts

How to write it is told on the page “Write a lab” of the site, under Authors.
`);
  } catch (error) {
    printFailure(error);
    process.exitCode = 1;
  }
}
