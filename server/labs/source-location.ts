/** Where in an author's files something stands, for errors. Not a part of the kit: it reads the disk. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { probablyMeant } from '../../lab/did-you-mean.ts';
import * as kit from '../../lab/index.ts';

/** The thing that a lab's problem is about: a name between quotes, or else the host that it begins with. */
const QUOTED = /"([^"]+)"/;
const HOST = /^host ([\w-]+)/;
/** Where the words of a helper stand in the kit: `  publishes(port: number): …`. */
const WORD = /^ {2}(\w+)\(.*\): /gm;

/** `path:12: ` and `path: ` look the same to an editor, which opens the file at the line where there is one. */
export function locationOf(file: string, line: number | undefined): string {
  const path = relative('.', file);
  return line === undefined ? path : `${path}:${line}`;
}

/**
 * Every line (from 1) of a text that has a name, first as a key, where things such as hosts are defined, then in quotes.
 * Comments count, since nobody names things there.
 */
export function linesThatName(text: string, name: string): readonly number[] {
  const escaped = RegExp.escape(name);
  const lines = text.split('\n');
  const matching = (pattern: RegExp) =>
    lines.flatMap((line, index) => (pattern.test(line) ? [index + 1] : []));
  return [
    ...matching(new RegExp(`(?<![\\w-'"\`])${escaped}:`)),
    ...matching(new RegExp(`['"\`]${escaped}['"\`]`)),
  ];
}

/**
 * Where a lab's code says a name: in `lab.ts`, else in one of the files beside it. With `last`, the last place, which for
 * a name that stands twice is the one to change.
 *
 * @returns `src/content/docs/labs/x/lab.ts:12`, without a line where the name stands nowhere in so many letters
 */
export function locationsOf(
  directory: string,
  name: string,
  last = false,
  file = 'lab.ts',
): string {
  const own = join(directory, file);
  // What is beside a course is labs.
  const files =
    file !== 'lab.ts'
      ? [own]
      : [
          own,
          ...globSync(join(directory, '**/*.ts'))
            .filter((file) => file !== own)
            .sort(),
        ];
  const places = files.flatMap((file) =>
    linesThatName(readFileSync(file, 'utf8'), name).map((line) => locationOf(file, line)),
  );
  return (last ? places.at(-1) : places[0]) ?? locationOf(own, undefined);
}

/**
 * What is wrong with a `lab.ts` that could not be read: one line for each problem, with its file and, where the problem
 * names something, its line.
 *
 * @param directory the lab's folder
 * @param own the file in it that was read
 */
export function problemsOf(error: unknown, directory: string, own = 'lab.ts'): readonly string[] {
  const file = join(directory, own);
  if (error instanceof kit.LabError) {
    return error.problems.map((problem) => {
      const [, name] = QUOTED.exec(problem) ?? HOST.exec(problem) ?? [];
      const isLast = problem.endsWith('stands twice');
      const place = name === undefined ? '' : locationsOf(directory, name, isLast, own);
      return `${/:\d+$/.test(place) ? place : definitionIn(file)}: ${problem}`;
    });
  }
  const { message, stack = '' } = error instanceof Error ? error : new Error(String(error));
  const { says, about } = mended(message, directory);
  const named = about === undefined ? undefined : locationsOf(directory, about, false, own);
  // A part of the lab may lie beside its folder.
  const place = firstPlaceIn(stack, directory) ?? named ?? firstPlaceIn(stack, dirname(directory));
  return [`${place ?? locationOf(file, undefined)}: ${says}`];
}

/** The line that begins the definition: where what has no name of its own is missing. */
function definitionIn(file: string): string {
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
  const index = lines.findIndex((line) => /\bdefine(Lab|Course)\(/.test(line));
  return locationOf(file, index === -1 ? undefined : index + 1);
}

/** What Node says of code that cannot run, with what to write instead; and what it is about, where Node names no line. */
function mended(
  message: string,
  directory: string,
): { readonly says: string; readonly about?: string | undefined } {
  const names = Object.keys(kit);
  const [, unknown] = /^(\w+) is not defined$/.exec(message) ?? [];
  if (unknown !== undefined) {
    const meant = names.includes(unknown) ? unknown : probablyMeant(unknown, names);
    const remedy =
      meant === undefined
        ? 'Define it, or take it out.'
        : `Import it: import { ${meant} } from '#lab';`;
    return { says: `${message}. ${remedy}` };
  }
  const [, word] = /\.(\w+) is not a function$/.exec(message) ?? [];
  const meant = word === undefined ? undefined : probablyMeant(word, wordsOfTheKit());
  if (meant !== undefined) return { says: `${message}. Did you mean ${meant}?` };
  const [, from, missing] =
    /module '(.*)' does not provide an export named '(\w+)'/.exec(message) ?? [];
  if (from === '#lab' && missing !== undefined) {
    return { says: `the kit has nothing named "${missing}". ${nearest(missing, names)}` };
  }
  const [, path] =
    /^(?:Package import specifier "|Cannot find (?:module|package) ')([^"']+)/.exec(message) ?? [];
  if (path === undefined) return { says: message };
  const written = path.startsWith('/') ? `./${relative(directory, path)}` : path;
  const remedy = written.startsWith('.')
    ? 'A path begins at the file’s own folder and has its ending, such as ./checks.ts.'
    : "The kit is imported from '#lab'.";
  return { says: `there is no ${written}. ${remedy}`, about: written };
}

/** The word that was meant, without the hundred others. */
function nearest(given: string, known: readonly string[]): string {
  const meant = probablyMeant(given, known);
  return meant === undefined ? 'Its names are on the authors’ pages.' : `Did you mean "${meant}"?`;
}

function wordsOfTheKit(): readonly string[] {
  const helpers = globSync(join(import.meta.dirname, '../../lab/assertions/*.ts'));
  return helpers.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(WORD)].map(([, word = '']) => word),
  );
}

/** The first place of a stack that lies in a folder: `labs/x/lab.ts:12`. */
export function firstPlaceIn(stack: string, directory: string): string | undefined {
  for (const [, file = '', line] of stack.matchAll(
    /(?:file:\/\/)?(\/[^\s:?()]+)(?:\?[^\s:]*)?:(\d+)/g,
  )) {
    if (file.startsWith(`${directory}/`)) return locationOf(file, Number(line));
  }
  return undefined;
}
