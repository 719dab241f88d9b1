import { resolve } from 'node:path';
import { defineRouteMiddleware } from '@astrojs/starlight/route-data';
import { AstroError } from 'astro/errors';
import { countedIn } from '../../lab/counted.ts';
import { withBase } from '../client/base-path.ts';
import { directoryOf } from './lab-folders.ts';
import { type LabPage, labPageOf, labTitles, whyBroken } from './lab-pages.ts';
import { arranged, type SidebarEntry } from './sidebar.ts';

type Link = Extract<SidebarEntry, { type: 'link' }>;

/**
 * Every page: a lab's group in the sidebar bears the lab's title, not its folder's name. A lab's page: the workspace
 * takes the place of the table of contents, each section carries its count of checks (`data-section`; the page's script
 * keeps it true), and back and next stay within the lab.
 */
export const onRequest = defineRouteMiddleware(async (context) => {
  const route = context.locals.starlightRoute;
  if (import.meta.env.DEV) await requireSound(route.id);
  const here = labPageOf(route.id);
  route.sidebar = arranged(route.sidebar, here?.name, labTitles);
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

/** While a lab is being written: whatever the build would stop at, shown over the page until it is mended. */
async function requireSound(routeId: string): Promise<void> {
  const unreadable = whyBroken(routeId);
  if (unreadable.length > 0) throw new AstroError(unreadable.join('\n'));
  const here = labPageOf(routeId);
  if (!here) return;
  const { labProblems } = await import('../../server/labs/lab-problems.ts');
  const problems = labProblems(resolve(directoryOf(here.name)), here.lab, resolve('.'));
  if (problems.length > 0) throw new AstroError(problems.join('\n'));
}

function addCounts(sidebar: readonly SidebarEntry[], { name, lab }: LabPage): void {
  for (const link of links(sidebar)) {
    const section = lab.sections.find(({ page }) => link.href === `${rootOf(name)}${page}/`);
    if (!section) continue;
    const closed = section.after === undefined ? {} : { 'data-closed': '' };
    link.attrs = { ...link.attrs, 'data-section': section.page, ...closed };
    const counted = countedIn(section).length;
    link.badge = {
      text: counted > 0 ? `0/${counted}` : 'optional',
      variant: 'default',
      class: 'section-progress',
    };
  }
}

function rootOf(lab: string): string {
  return withBase(`/labs/${lab}/`);
}

function links(entries: readonly SidebarEntry[]): readonly Link[] {
  return entries.flatMap((entry) => (entry.type === 'link' ? [entry] : links(entry.entries)));
}
