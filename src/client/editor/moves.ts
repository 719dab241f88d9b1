import { ask, askName } from './elements.ts';
import type { FilesApi } from './files-api.ts';
import { isDirty, isWithin, type OpenFile } from './open-file.ts';
import type { Row } from './tree.ts';

/**
 * Asks for a file's or a folder's new name, and gives it.
 *
 * @returns the new path; none where it is to stay
 * @throws ApiError
 */
export async function renamed(api: FilesApi, { path, name }: Row): Promise<string | undefined> {
  const given = await askName(`Rename ${name}`, 'New name', name, 'Rename');
  if (given === undefined || given === name) return undefined;
  const to = `${path.slice(0, -name.length)}${given}`;
  await api.move(path, to);
  return to;
}

/**
 * Asks whether a file or a folder is to go, and removes it.
 *
 * @param open what is in the editor: text of it that is not saved is told
 * @throws ApiError
 */
export async function removed(
  api: FilesApi,
  { path, name, kind }: Row,
  open: Iterable<OpenFile>,
): Promise<boolean> {
  const lost = [...open].filter((file) => isWithin(file.path, path) && isDirty(file));
  const whole = kind === 'folder' ? ' and all that is in it' : '';
  const unsaved = lost.length > 0 ? ` So does what you have not saved in the editor.` : '';
  const text = `${path}${whole} goes from the host, and does not come back.${unsaved}`;
  const choices = [
    ['stay', 'Keep it'],
    ['go', 'Delete'],
  ] as const;
  if ((await ask(`Delete ${name}?`, text, choices)) === 'stay') return false;
  await api.remove(path);
  return true;
}
