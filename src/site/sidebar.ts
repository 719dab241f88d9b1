import type { StarlightRouteData } from '@astrojs/starlight/route-data';

/** Label of the sidebar's group in which Starlight lists the folders under `labs/`; each of them bears its lab's title. */
export const LABS_GROUP = 'Labs';
/** Label of the group with the guide for authors. */
export const AUTHORS_GROUP = 'Authors';
/** The lab whose pages are the guide's live examples: it stands there, out of the learners' way. */
export const EXAMPLES_LAB = 'components';

export type SidebarEntry = StarlightRouteData['sidebar'][number];

/** Whether a page is part of the authors' guide, by its route id: whoever learns is not led there. */
export function isForAuthors(routeId: string): boolean {
  const [root, lab] = routeId.split('/');
  return root === 'authors' || (root === 'labs' && lab === EXAMPLES_LAB);
}

/**
 * Each lab is a group of its own; the one with the guide's examples belongs to the guide, which names the others by their
 * first pages. A lab's page lists that lab alone: whoever learns has no use for the guide, and the server may have been told
 * to leave other labs out.
 *
 * @param here the folder name of the page's lab
 * @param titles folder name to title, for every lab, in their order
 */
export function arranged(
  sidebar: readonly SidebarEntry[],
  here: string | undefined,
  titles: ReadonlyMap<string, string>,
): SidebarEntry[] {
  const titled = (entry: SidebarEntry): SidebarEntry => ({
    ...entry,
    label: titles.get(entry.label) ?? entry.label,
  });
  const byFirstPage = (entry: SidebarEntry): SidebarEntry => {
    const pages = entry.type === 'group' ? entry.entries : [];
    const first = pages.find(({ type }) => type === 'link');
    return { ...(first ?? entry), label: titled(entry).label };
  };
  const order = [...titles.keys()];
  const labs = sidebar
    .flatMap((entry) => (entry.type === 'group' && entry.label === LABS_GROUP ? entry.entries : []))
    .toSorted((a, b) => order.indexOf(a.label) - order.indexOf(b.label));
  if (here !== undefined && here !== EXAMPLES_LAB) {
    return labs.filter(({ label }) => label === here).map(titled);
  }
  return sidebar.flatMap((entry) => {
    if (entry.type !== 'group') return [entry];
    if (entry.label === LABS_GROUP) {
      return labs.filter(({ label }) => label !== EXAMPLES_LAB).map(byFirstPage);
    }
    if (entry.label !== AUTHORS_GROUP) return [entry];
    const examples = labs.filter(({ label }) => label === EXAMPLES_LAB).map(titled);
    return [{ ...entry, entries: [...entry.entries, ...examples] }];
  });
}
