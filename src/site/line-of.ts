import { readFileSync } from 'node:fs';

/** `:12` for the first line of a file that contains `text`, or nothing where none does: the tail of a file's name. */
export function lineOf(path: string, text: string): string {
  const index = readFileSync(path, 'utf8')
    .split('\n')
    .findIndex((line) => line.includes(text));
  return index < 0 ? '' : `:${index + 1}`;
}
