/** `npm run lab:new <name>`: a new lab that runs at once, with one of everything that a lab can have. */
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { QuaysideError } from '../server/base/errors.ts';
import { printFailure } from '../server/cli/failure.ts';

const PROJECT = resolve(import.meta.dirname, '..');
const LABS = join(PROJECT, 'src/content/docs/labs');
const TEMPLATE = join(PROJECT, 'setup/new-lab');
/** Goes into URLs, file names and labels of containers. */
const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const LONGEST_NAME = 40;
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
  if (!NAME.test(name) || name.length > LONGEST_NAME) {
    const better = name
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^[^a-z]+|-+$/g, '')
      .slice(0, LONGEST_NAME);
    throw refusal(
      `“${name}” cannot be the name of a lab: it is a part of the address, so it has lower-case letters, digits and single dashes, begins with a letter and has at most ${LONGEST_NAME} characters.`,
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
  return folder;
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
    const { positionals } = parseArgs({ allowPositionals: true });
    if (positionals.length > 1) {
      throw refusal(
        `A lab has one name, and these are ${positionals.length}.`,
        `Put dashes between its words: npm run lab:new ${positionals.join('-').toLowerCase()}`,
      );
    }
    const [name] = positionals;
    const folder = relative(PROJECT, await makeLab(name));
    console.log(`
${folder} is there:

  lab.ts            its hosts, its checks, a value, a mistake and an alternative
  index.mdx         what the learner will do
  first-steps.mdx   the steps

Next:

  npm run dev               look at it, and see it change as you save
  npm run lab:test ${name}   test it: every step, every mistake, on fresh hosts

How to write it is told on the page “Write a lab” of the site, under Authors.
`);
  } catch (error) {
    printFailure(error);
    process.exitCode = 1;
  }
}
