import { defineRouteMiddleware, type StarlightRouteData } from '@astrojs/starlight/route-data';
import { labPageOf } from './lab-pages.ts';

type SidebarEntry = StarlightRouteData['sidebar'][number];

/**
 * On a lab's page: the workspace takes the place of the table of contents, and each of the lab's pages in the
 * sidebar carries how many of its checks there are (`data-section`; the page's script keeps the count).
 */
export const onRequest = defineRouteMiddleware((context) => {
  const route = context.locals.starlightRoute;
  const here = labPageOf(route.id);
  if (!here) return;
  route.toc = undefined;
  const root = `/labs/${here.name}/`;
  for (const link of links(route.sidebar)) {
    const section = here.lab.sections.find(({ page }) => link.href === `${root}${page}/`);
    if (!section) continue;
    link.attrs = { ...link.attrs, 'data-section': section.page };
    link.badge = {
      text: `0/${section.checks.length}`,
      variant: 'default',
      class: 'section-progress',
    };
  }
});

function links(entries: readonly SidebarEntry[]): Extract<SidebarEntry, { type: 'link' }>[] {
  return entries.flatMap((entry) => (entry.type === 'link' ? [entry] : links(entry.entries)));
}
