import { type LabFolder, labFolders } from '../../server/labs/folders.ts';

/** Where labs outside the project seem to lie, for Astro: beside the project's own. */
export const MOUNT = 'src/content/docs/labs';

/**
 * Every lab whose pages the site has: the project's, in whose folder Astro runs, and those that the server or `npm run dev`
 * names to it.
 */
export function siteLabs(): readonly LabFolder[] {
  const places = (process.env.QUAYSIDE_LABS ?? '').split(',').filter((place) => place !== '');
  return labFolders(process.cwd(), places);
}

/** The folder of a lab. */
export function directoryOf(name: string): string {
  return siteLabs().find((lab) => lab.name === name)?.directory ?? `${MOUNT}/${name}`;
}
