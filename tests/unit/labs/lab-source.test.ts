import { chmodSync, mkdirSync, mkdtempDisposableSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadLab } from '../../../server/labs/loader.ts';

const KIT = join(import.meta.dirname, '../../../lab/index.ts');

let labs: ReturnType<typeof mkdtempDisposableSync>;
beforeEach(() => {
  labs = mkdtempDisposableSync(join(tmpdir(), 'quayside-labs-'));
  mkdirSync(join(labs.path, 'my-lab', 'starter', 'web'), { recursive: true });
});
afterEach(() => labs.remove());

const file = (name: string) => join(labs.path, 'my-lab', name);

/** Reads a lab whose one host has what is written, from line 6 on. */
function labWith(host: string) {
  writeFileSync(
    file('lab.ts'),
    `import { defineLab } from '${KIT}';
export const lab = defineLab({
  title: 'My lab',
  hosts: {
    client: { address: '10.0.0.1/24',
${host}
    },
  },
  browser: 'client',
  sections: [],
});
`,
  );
  return loadLab({ name: 'my-lab', directory: join(labs.path, 'my-lab') });
}
const place = (line: number) => `${relative('.', file('lab.ts'))}:${line}`;

test('gives the files of a folder with their paths, links followed', async () => {
  writeFileSync(file('starter/web/run'), 'run');
  chmodSync(file('starter/web/run'), 0o755);
  writeFileSync(file('readme'), 'read me');
  symlinkSync('../readme', file('starter/link'));
  const { source } = await labWith("files: [{ from: 'starter', to: '/srv/starter' }],");
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();
  const found = await source?.files('starter');
  expect(found?.map(({ path, bytes, isExecutable }) => [path, text(bytes), isExecutable])).toEqual([
    ['link', 'read me', false],
    ['web/run', 'run', true],
  ]);
  const [alone] = (await source?.files('readme')) ?? [];
  expect(alone).toMatchObject({ path: '', isExecutable: false });
});

test('names the line of a command, of the first line of a long one, and of the host otherwise', async () => {
  const { source } = await labWith(`engine: true,
setup: ['true', \`for i in 1 2; do
  echo $i
done\`],`);
  expect(source?.placeOf('true', 'client')).toBe(place(7));
  expect(source?.placeOf('for i in 1 2; do\n  echo $i\ndone', 'client')).toBe(place(7));
  expect(source?.placeOf('echo nowhere', 'client')).toBe(place(5));
});

test('refuses what is not there, has nothing in it or is too large, all at once and each at its line', async () => {
  writeFileSync(file('large'), Buffer.alloc(1024 ** 2 + 1));
  await expect(
    labWith(`files: [
  { from: 'satrter', to: '/a' },
  { from: 'starter', to: '/b' },
  { from: 'large', to: '/c' },
],`),
  ).rejects.toThrow(
    [
      `${place(7)}: host client: file "satrter" is not there; its path begins beside lab.ts. Did you mean starter?`,
      `${place(8)}: host client: file "starter" is a folder without files`,
      `${place(9)}: host client: file "large" is larger than 1 MiB; 1 MiB or 500 files are the most that a host is given`,
    ].join('\n'),
  );
});

test('refuses what is too large together', async () => {
  writeFileSync(file('starter/one'), Buffer.alloc(600 * 1024));
  writeFileSync(file('two'), Buffer.alloc(600 * 1024));
  await expect(
    labWith("files: [{ from: 'starter', to: '/a' }, { from: 'two', to: '/b' }],"),
  ).rejects.toThrow('host client: its files are 2, of 1200 KiB in all; 1 MiB or 500 files are');
});

test('names the line that comes soonest after what a text belongs to, where it stands twice', async () => {
  const { source } = await labWith('files: [],');
  const twice = ["['one', 'no port'],", "['two', 'no port'],"].join('\n');
  writeFileSync(file('scenarios.ts'), twice);
  const at = (line: number) => `${relative('.', file('scenarios.ts'))}:${line}`;
  expect(source?.placeOf('no port', 'one')).toBe(at(1));
  expect(source?.placeOf('no port', 'two')).toBe(at(2));
});

test('names the first place of a stack that lies in the lab', async () => {
  const { source } = await labWith('files: [],');
  const stack = `TypeError: x\n    at f (/elsewhere/a.ts:1:2)\n    at file://${file('lab.ts')}?fresh=2:7:3`;
  expect(source?.placeIn(stack)).toBe(place(7));
  expect(source?.placeIn('TypeError: x')).toBeUndefined();
});

test('finds a host’s own image beside lab.ts', async () => {
  mkdirSync(file('host'));
  writeFileSync(file('host/Dockerfile'), 'ARG HOST\nFROM $HOST\n');
  expect((await labWith("image: './host',")).hosts[0]?.image).toBe(file('host'));
});

test.each([
  [
    'to a folder',
    '../images',
    /file "starter" has link, a link to a folder; put the folder itself/,
  ],
  ['to nothing', '../gone', /file "starter" has link, a link that leads nowhere; take it out/],
])('a link %s in a folder of files is told in words of ours, at its line', async (_, to, says) => {
  mkdirSync(file('images'));
  writeFileSync(file('starter/web/run'), 'run');
  symlinkSync(to, file('starter/link'));
  const read = labWith("files: [{ from: 'starter', to: '/srv/starter' }],");
  await expect(read).rejects.toThrow(says);
  await expect(read).rejects.toThrow(`${place(6)}: `);
});
