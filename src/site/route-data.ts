import { defineRouteMiddleware, type StarlightRouteData } from '@astrojs/starlight/route-data';
import { type LabPage, labPageOf, labTitles } from './lab-pages.ts';
import { LABS_GROUP } from './sidebar.ts';

type SidebarEntry = StarlightRouteData['sidebar'][number];
type Link = Extract<SidebarEntry, { type: 'link' }>;

/**
 * Every page: a lab's group in the sidebar bears the lab's title, not its folder's name. A lab's page: the workspace
 * takes the place of the table of contents, each section carries its count of checks (`data-section`; the page's script
 * keeps it true), and back and next stay within the lab.
 */
export const onRequest = defineRouteMiddleware((context) => {
  const route = context.locals.starlightRoute;
  route.sidebar = route.sidebar.flatMap((entry) =>
    entry.type === 'group' && entry.label === LABS_GROUP ? entry.entries.map(titled) : [entry],
  );
  const here = labPageOf(route.id);
  if (!here) return;
  route.toc = undefined;
  addCounts(route.sidebar, here);
  const { prev, next } = route.pagination;
  const root = rootOf(here.name);
  route.pagination = {
    prev: prev?.href.startsWith(root) ? prev : undefined,
    next: next?.href.startsWith(root) ? next : undefined,
  };
});

function titled(entry: SidebarEntry): SidebarEntry {
  const title = entry.type === 'group' ? labTitles.get(entry.label) : undefined;
  return title ? { ...entry, label: title } : entry;
}

function addCounts(sidebar: readonly SidebarEntry[], { name, lab }: LabPage): void {
  for (const link of links(sidebar)) {
    const section = lab.sections.find(({ page }) => link.href === `${rootOf(name)}${page}/`);
    if (!section) continue;
    link.attrs = { ...link.attrs, 'data-section': section.page };
    link.badge = {
      text: `0/${section.checks.length}`,
      variant: 'default',
      class: 'section-progress',
    };
  }
}

function rootOf(lab: string): string {
  return `/labs/${lab}/`;
}

function links(entries: readonly SidebarEntry[]): readonly Link[] {
  return entries.flatMap((entry) => (entry.type === 'link' ? [entry] : links(entry.entries)));
}
