import { globSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AstroIntegration } from 'astro';
import { NOTES_FOLDER } from '../../protocol/notes-folder.ts';
import { NOTE_BEGINS, NOTE_ENDS } from './note-marks.ts';

/** A page that is one file of a folder: `labs/my-lab/first-steps/index.html`. */
const PAGE = '/index.html';
const MARK = new RegExp(`${NOTE_BEGINS}|${NOTE_ENDS}`);

/**
 * A page without what stands in `<Instructor>`.
 *
 * @throws Error where a mark has no other: the build stops, and nothing of a note is served
 */
export function withoutNotes(html: string): string {
  const [first = '', ...rest] = html.split(NOTE_BEGINS);
  const after = rest.map((part) => {
    const [note, text, ...more] = part.split(NOTE_ENDS);
    if (note === undefined || text === undefined || more.length > 0) throw new Error(UNPAIRED);
    return text;
  });
  if (first.includes(NOTE_ENDS)) throw new Error(UNPAIRED);
  return [first, ...after].join('');
}

const UNPAIRED = 'A note for the instructor has no end, or holds another one.';

/** A page as the instructor reads it. */
export function withNotes(html: string): string {
  return html.replaceAll(new RegExp(MARK, 'g'), '');
}

/**
 * Takes what stands in `<Instructor>` out of the built pages (`taken`, before Starlight makes the index of the search), and
 * writes each page that has notes once more with them (`kept`, after that), to a folder that is served to the instructor
 * alone.
 */
export function instructorNotes(): {
  readonly taken: AstroIntegration;
  readonly kept: AstroIntegration;
} {
  const noted = new Map<string, string>();
  const taken: AstroIntegration['hooks'] = {
    'astro:build:done': async ({ dir }) => {
      const dist = fileURLToPath(dir);
      for (const page of globSync('**/*.html', { cwd: dist })) {
        const path = join(dist, page);
        const html = await readFile(path, 'utf8');
        if (!MARK.test(html)) continue;
        noted.set(page.replace(PAGE, '.html'), withNotes(html));
        await writeFile(path, withoutNotes(html));
      }
    },
  };
  const kept: AstroIntegration['hooks'] = {
    'astro:build:done': async ({ dir }) => {
      for (const [page, html] of noted) {
        const path = join(fileURLToPath(dir), NOTES_FOLDER, page);
        await mkdir(dirname(path), { recursive: true });
        await writeFile(path, html);
      }
    },
  };
  return {
    taken: { name: 'instructor-notes-taken', hooks: taken },
    kept: { name: 'instructor-notes-kept', hooks: kept },
  };
}
