import {
  mkdirSync,
  mkdtempDisposableSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { LABS_DIRECTORY, labFolders, namesOf, rootsOf } from '../../../server/labs/folders.ts';

/** A project with the lab `storage`, and a folder beside it with the given labs. */
function desk(...labs: readonly string[]) {
  const folder = mkdtempDisposableSync(join(realpathSync(tmpdir()), 'quayside-folders-'));
  const project = join(folder.path, 'quayside');
  const elsewhere = join(folder.path, 'my-labs');
  const write = (file: string) => {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, '');
  };
  write(join(project, LABS_DIRECTORY, 'storage', 'lab.ts'));
  mkdirSync(elsewhere);
  for (const lab of labs) write(join(elsewhere, lab, 'lab.ts'));
  return {
    project,
    elsewhere,
    write,
    names: (...places: readonly string[]) => labFolders(project, places).map(({ name }) => name),
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}

test('without a further folder there are the project’s own labs', () => {
  using at = desk('web');
  expect(at.names()).toEqual(['storage']);
});

test('each folder with a lab.ts in a folder elsewhere is a lab; what else lies there is none', () => {
  using at = desk('web', 'quiz', 'node_modules', '.git');
  at.write(join(at.elsewhere, 'image', 'Dockerfile'));
  at.write(join(at.elsewhere, 'tsconfig.json'));
  expect(at.names(at.elsewhere)).toEqual(['storage', 'quiz', 'web']);
});

test('a folder that is a link is a lab of the link’s name, and so is one in the project', () => {
  using at = desk('real/quiz');
  const real = join(at.elsewhere, 'real', 'quiz');
  symlinkSync('real/quiz', join(at.elsewhere, 'quiz-2'));
  symlinkSync(real, join(at.project, LABS_DIRECTORY, 'quiz-3'));
  symlinkSync('nowhere', join(at.elsewhere, 'gone'));
  expect(labFolders(at.project)).toMatchObject([
    { name: 'quiz-3', directory: real, isOwn: true },
    { name: 'storage', isOwn: true },
  ]);
  using other = desk();
  expect(labFolders(other.project, [at.elsewhere])).toMatchObject([
    { name: 'storage' },
    { name: 'quiz-2', directory: real, isOwn: false },
  ]);
});

test('two labs of one name are told, with both places', () => {
  using at = desk('storage');
  expect(() => at.names(at.elsewhere)).toThrow(
    `There are two labs named storage: ${join(at.project, LABS_DIRECTORY, 'storage')} and ${join(at.elsewhere, 'storage')}.`,
  );
});

test('a folder may be named twice, and with a lab in it', () => {
  using at = desk('web');
  expect(at.names(at.elsewhere, at.elsewhere, join(at.elsewhere, 'web'))).toEqual([
    'storage',
    'web',
  ]);
});

test('a folder without labs, and one that is not there, are told with what makes a lab there', () => {
  using at = desk();
  for (const place of [at.elsewhere, join(at.elsewhere, 'gone')]) {
    expect(() => at.names(place)).toThrow(`There are no labs in ${place}`);
  }
});

test('a name that cannot stand in an address is told', () => {
  using at = desk('My Lab');
  expect(() => at.names(at.elsewhere)).toThrow('cannot be named “My Lab”');
});

test('a folder stands for all its labs and a lab’s folder for that one, in the order of the words', () => {
  using at = desk('a', 'b', 'c');
  const folders = labFolders(at.project, [at.elsewhere]);
  const named = (...words: readonly string[]) => namesOf(words, folders);
  expect(named()).toEqual([]);
  expect(named('storage', at.elsewhere)).toEqual(['storage', 'a', 'b', 'c']);
  expect(named(join(at.elsewhere, 'c'), 'storage', at.elsewhere)).toEqual([
    ...['c', 'storage', 'a', 'b'],
  ]);
});

test('what is watched is each folder of labs, and what a link in it leads to', () => {
  using at = desk('web');
  using other = desk('quiz');
  symlinkSync(join(other.elsewhere, 'quiz'), join(at.elsewhere, 'quiz'));
  expect(rootsOf(labFolders(at.project, [at.elsewhere]))).toEqual([
    join(at.project, LABS_DIRECTORY),
    at.elsewhere,
    join(other.elsewhere, 'quiz'),
  ]);
});
