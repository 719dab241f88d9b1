import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Course } from '#lab';
import { QuaysideError } from '../base/errors.ts';

/** Where the project's own labs live below its folder. */
export const LABS_DIRECTORY = 'src/content/docs/labs';
/** What a lab is named, by its folder: it goes into URLs, file names and labels of containers. */
export const LAB_NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
export const LONGEST_LAB_NAME = 40;

/** What puts the labs of a folder into parts and in order, beside their folders. */
export const COURSE_FILE = 'course.ts';

/** Where a lab lies. */
export interface LabFolder {
  /** The folder's own name, also where it is a link. */
  readonly name: string;
  /** Its path, as it was found. */
  readonly path: string;
  /** The folder itself, where that is a link. */
  readonly directory: string;
  /** The folder in which it was found. */
  readonly root: string;
  /** Whether it is in the project, and not in a folder that was named. */
  readonly isOwn: boolean;
}

/** Whether a word of `--labs` is a folder, and no lab's name. */
export function isPlace(word: string): boolean {
  return word.includes('/') || word === '.' || word === '..';
}

/**
 * Every lab there is: the project's own, and those of other folders. Links are followed.
 *
 * @param places absolute paths, each of a folder with labs or of one lab
 * @throws QuaysideError CONFIG_INVALID for a place without labs, a name that no lab can have, and two labs of one name
 */
export function labFolders(project: string, places: readonly string[] = []): readonly LabFolder[] {
  const own = foldersIn(join(project, LABS_DIRECTORY)).map((folder) => ({
    ...folder,
    isOwn: true,
  }));
  const known = new Map<string, LabFolder>(own.map((folder) => [folder.name, folder]));
  for (const folder of places.flatMap(labsAt)) {
    const namesake = known.get(folder.name);
    // Both the folder and a lab in it may be named.
    if (namesake?.directory === folder.directory) continue;
    if (namesake) {
      throw new QuaysideError(
        'CONFIG_INVALID',
        `There are two labs named ${folder.name}: ${namesake.directory} and ${folder.directory}.`,
        'Give one of the folders another name.',
      );
    }
    known.set(folder.name, folder);
  }
  return [...known.values()];
}

/** The labs that the words of `--labs` stand for, by their names: a lab's own, a folder of labs, or one lab's folder. */
export function namesOf(
  words: readonly string[],
  folders: readonly LabFolder[],
): readonly string[] {
  const names = words.flatMap((word) => {
    if (!isPlace(word)) return [word];
    const there = new Set(labsAt(word).map(({ directory }) => directory));
    return folders.filter(({ directory }) => there.has(directory)).map(({ name }) => name);
  });
  return [...new Set(names)];
}

/** The folders that hold all labs and what is beside them, none within another: what is to be watched for changes. */
export function rootsOf(folders: readonly LabFolder[]): readonly string[] {
  const all = [...new Set(folders.flatMap(({ root, directory }) => [root, directory]))];
  return all.filter((path) => !all.some((other) => path.startsWith(`${other}/`)));
}

/** The folders of labs that have a course. */
export function courseRoots(folders: readonly LabFolder[]): readonly string[] {
  const roots = [...new Set(folders.map(({ root }) => root))];
  return roots.filter((root) => existsSync(join(root, COURSE_FILE)));
}

/** Things with names, first those of the courses in their order, then the others as they stand. */
export function inOrder<T extends { readonly name: string }>(
  all: readonly T[],
  courses: readonly Course[],
): readonly T[] {
  const names = courses
    .flatMap(({ parts }) => parts.flatMap(({ labs }) => labs))
    .map(({ lab }) => lab);
  const rank = ({ name }: T) => (names.includes(name) ? names.indexOf(name) : names.length);
  return all.toSorted((a, b) => rank(a) - rank(b));
}

function labsAt(place: string): readonly LabFolder[] {
  const labs = isLab(place)
    ? [{ ...folderAt(place), root: realpathSync(place) }]
    : foldersIn(place).filter(({ directory }) => isLab(directory));
  for (const { name, directory } of labs) {
    if (LAB_NAME.test(name) && name.length <= LONGEST_LAB_NAME) continue;
    throw new QuaysideError(
      'CONFIG_INVALID',
      `The lab ${directory} cannot be named “${name}”: the name is a part of its address.`,
      `Rename the folder: lower-case letters, digits and single dashes, beginning with a letter, ${LONGEST_LAB_NAME} at most.`,
    );
  }
  if (labs.length > 0) return labs.map((folder) => ({ ...folder, isOwn: false }));
  throw new QuaysideError(
    'CONFIG_INVALID',
    `There are no labs in ${place}: a lab is a folder with a lab.ts.`,
    `Make one: npm run lab:new ${join(place, 'my-lab')}`,
  );
}

function isLab(directory: string): boolean {
  return existsSync(join(directory, 'lab.ts'));
}

function foldersIn(directory: string): readonly Omit<LabFolder, 'isOwn'>[] {
  if (!isFolder(directory)) return [];
  const root = realpathSync(directory);
  return readdirSync(root)
    .filter((name) => !name.startsWith('.') && name !== 'node_modules')
    .sort()
    .map((name) => join(root, name))
    .filter(isFolder)
    .map((path) => ({ ...folderAt(path), root }));
}

function folderAt(path: string): Pick<LabFolder, 'name' | 'path' | 'directory'> {
  return { name: basename(path), path, directory: realpathSync(path) };
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
