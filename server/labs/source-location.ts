/** Where in an author's files something stands, for errors. Not a part of the kit: it reads the disk. */
import { globSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { LabError } from '../../lab/parse.ts';

/** A name between quotes in a lab's problem: the thing that the problem is about. */
const QUOTED = /"([^"]+)"/;

/** `path:12: ` and `path: ` look the same to an editor, which opens the file at the line where there is one. */
export function locationOf(file: string, line: number | undefined): string {
  const path = relative('.', file);
  return line === undefined ? path : `${path}:${line}`;
}

/** Every line (from 1) of a text that has a name in quotes or as a key; comments count, since nobody names things there. */
function linesThatName(text: string, name: string): readonly number[] {
  const escaped = name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const pattern = new RegExp(`['"\`]${escaped}['"\`]|(?<![\\w-])${escaped}:`);
  return text.split('\n').flatMap((line, index) => (pattern.test(line) ? [index + 1] : []));
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
  if (error instanceof LabError) {
    return error.problems.map((problem) => {
      const [, name] = QUOTED.exec(problem) ?? [];
      const place =
        name === undefined
          ? locationOf(file, undefined)
          : locationsOf(directory, name, problem.endsWith('stands twice'), own);
      return `${place}: ${problem}`;
    });
  }
  const { message, stack = '' } = error instanceof Error ? error : new Error(String(error));
  return [`${firstPlaceIn(stack, directory) ?? locationOf(file, undefined)}: ${message}`];
}

/** The first place of a stack that lies in a folder: `labs/x/lab.ts:12`. */
function firstPlaceIn(stack: string, directory: string): string | undefined {
  for (const [, file = '', line] of stack.matchAll(
    /(?:file:\/\/)?(\/[^\s:?()]+)(?:\?[^\s:]*)?:(\d+)/g,
  )) {
    if (file.startsWith(`${directory}/`)) return locationOf(file, Number(line));
  }
  return undefined;
}
