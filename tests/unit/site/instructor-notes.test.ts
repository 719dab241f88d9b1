import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { AstroIntegration } from 'astro';
import { expect, test } from 'vitest';
import { instructorNotes, withNotes, withoutNotes } from '../../../src/site/instructor-notes.ts';
import { NOTE_BEGINS, NOTE_ENDS } from '../../../src/site/note-marks.ts';

const note = (text: string) => `${NOTE_BEGINS}<p>${text}</p>${NOTE_ENDS}`;
const PAGE = `<p>Before.</p>${note('First.')}<p>Between.</p>${note('Second.')}<p>After.</p>`;

test('a page is split into what learners have and what the instructor has', () => {
  expect(withoutNotes(PAGE)).toBe('<p>Before.</p><p>Between.</p><p>After.</p>');
  expect(withNotes(PAGE)).toBe(
    '<p>Before.</p><p>First.</p><p>Between.</p><p>Second.</p><p>After.</p>',
  );
});

test.each([
  ['without an end', `<p>A</p>${NOTE_BEGINS}<p>Secret.</p>`],
  ['with two ends', `${note('Secret.')}${NOTE_ENDS}`],
  ['within another', `${NOTE_BEGINS}A${note('Secret.')}B${NOTE_ENDS}`],
  ['that only ends', `<p>A</p>${NOTE_ENDS}`],
])('a note %s stops the build', (_, html) => {
  expect(() => withoutNotes(html)).toThrow('A note for the instructor');
});

test('a built page loses its notes, and is written once more with them where no file is served', async () => {
  const dist = await mkdtemp(join(tmpdir(), 'quayside-notes-'));
  try {
    for (const [page, html] of [
      ['labs/one/first', PAGE],
      ['labs/one/second', '<p>Nothing.</p>'],
    ] as const) {
      await mkdir(join(dist, page), { recursive: true });
      await writeFile(join(dist, page, 'index.html'), html);
    }
    const { taken, kept } = instructorNotes();
    const done = async ({ hooks }: AstroIntegration) => {
      const hook = hooks['astro:build:done'];
      await hook?.({ dir: pathToFileURL(`${dist}/`) } as Parameters<NonNullable<typeof hook>>[0]);
    };
    await done(taken);
    // Between the two the index of the search is made of whatever is there.
    expect(await readdir(dist, { recursive: true })).not.toContain('.instructor');
    await done(kept);
    const read = (file: string) => readFile(join(dist, file), 'utf8');
    expect(await read('labs/one/first/index.html')).toBe(withoutNotes(PAGE));
    expect(await read('.instructor/labs/one/first.html')).toBe(withNotes(PAGE));
    await expect(read('.instructor/labs/one/second.html')).rejects.toThrow('ENOENT');
  } finally {
    await rm(dist, { recursive: true });
  }
});
