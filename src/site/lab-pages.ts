import { relative, resolve } from 'node:path';
import { courses as coursesElsewhere, modules as elsewhere } from 'virtual:labs-elsewhere';
import { AstroError } from 'astro/errors';
import { type Course, hostNamed, type Lab, type LabHost } from '#lab';
import { didYouMean } from '../../lab/did-you-mean.ts';
import { inOrder } from '../../server/labs/folders.ts';
import { problemsOf } from '../../server/labs/source-location.ts';
import { directoryOf, MOUNT } from './lab-folders.ts';
import { lineOf } from './line-of.ts';

type LabModule = () => Promise<{ readonly lab: Lab }>;

/** Every `lab.ts`, read while the site is built. Only frontmatter may import this file: checks must not reach the page. */
const modules: Readonly<Record<string, LabModule>> = {
  ...Object.fromEntries(
    Object.entries(import.meta.glob<{ lab: Lab }>('/src/content/docs/labs/*/lab.ts')).map(
      ([path, load]) => [path.split('/').at(-2) ?? '', load],
    ),
  ),
  ...elsewhere,
};

/** Labs in parts and in order. A course that cannot be read stops the build, and `npm run dev` says why in the terminal. */
export const courses: readonly Course[] = (
  await Promise.all(
    [
      ...Object.values(import.meta.glob<{ course: Course }>('/src/content/docs/labs/course.ts')),
      ...coursesElsewhere,
    ].map((load) => load().catch(() => undefined)),
  )
).flatMap((module) => module?.course ?? []);

const labs = new Map<string, Lab>();
/** What keeps the others from being read: shown on their own pages alone. */
const broken = new Map<string, unknown>();
const all = Object.entries(modules).map(([name, load]) => ({ name, load }));
for (const { name, load } of inOrder(all, courses)) {
  try {
    labs.set(name, (await load()).lab);
  } catch (error) {
    broken.set(name, error);
  }
}

/**
 * What is wrong with a page's `lab.ts`, if it cannot be read.
 *
 * @param routeId such as `labs/docker-networking/linux-bridge`
 */
export function whyBroken(routeId: string): readonly string[] {
  const [root, name = ''] = routeId.split('/');
  if (root !== 'labs' || !broken.has(name)) return [];
  return problemsOf(broken.get(name), resolve(directoryOf(name)));
}

/** Folder name to title, for every lab. */
export const labTitles: ReadonlyMap<string, string> = new Map(
  [...labs].map(([name, lab]) => [name, lab.title]),
);

/** Every lab by its folder's name. */
export const labList: readonly { readonly name: string; readonly lab: Lab }[] = [...labs].map(
  ([name, lab]) => ({ name, lab }),
);

/** The lab that a page belongs to. */
export interface LabPage {
  /** The lab's folder name. */
  readonly name: string;
  readonly lab: Lab;
  /** The page's file name without its ending; `index` on the lab's first page. */
  readonly page: string;
}

/**
 * The lab of a route id such as `labs/docker-networking/linux-bridge`, or `undefined` for any other page.
 */
export function labPageOf(routeId: string): LabPage | undefined {
  const [root, name = '', page = 'index'] = routeId.split('/');
  const lab = root === 'labs' ? labs.get(name) : undefined;
  return lab && { name, lab, page };
}

/** What a component needs to know of the page that uses it. */
interface Route {
  readonly id: string;
  readonly entry: { readonly filePath?: string | undefined; readonly body?: string | undefined };
}

/**
 * The lab of the page that uses a component.
 *
 * @throws AstroError on a page that belongs to no lab
 */
export function labFor(component: string, route: Route): LabPage {
  const found = labPageOf(route.id);
  if (found) return found;
  throw new AstroError(
    `${positionOf(route, `<${component}`)}: <${component}> stands on a page that belongs to no lab. ` +
      `Lab pages lie in src/content/docs/labs/<lab>/ beside a lab.ts. There are: ${[...labs.keys()].join(', ') || 'none'}.`,
  );
}

/** The check with this id. @throws AstroError naming the nearest right one */
export function checkFor(component: string, route: Route, id: string) {
  const { lab } = labFor(component, route);
  const found = lab.checks.find((check) => check.id === id);
  if (found) return found;
  throw unknown(
    component,
    route,
    'check',
    id,
    lab.checks.map((check) => check.id),
  );
}

/** The value with this id. @throws AstroError naming the nearest right one */
export function valueFor(component: string, route: Route, id: string) {
  const { lab } = labFor(component, route);
  const found = lab.values[id];
  if (found) return found;
  throw unknown(component, route, 'value', id, Object.keys(lab.values));
}

/** The host with this name or alias. @throws AstroError naming the nearest right one */
export function hostFor(component: string, route: Route, name: string): LabHost {
  const { lab } = labFor(component, route);
  const found = hostNamed(lab, name);
  if (found) return found;
  const names = lab.hosts.flatMap((host) => [host.name, ...host.aliases]);
  throw unknown(component, route, 'host', name, names);
}

function unknown(
  component: string,
  route: Route,
  what: string,
  given: string,
  known: readonly string[],
): AstroError {
  return new AstroError(
    `${positionOf(route, `"${given}"`)}: <${component}> names the ${what} "${given}", and lab.ts has none of that name. ` +
      didYouMean(given, known),
  );
}

/** The page's file, and the line that says `text`. */
function positionOf({ id, entry }: Route, text: string): string {
  const filePath = entry.filePath?.replace(new RegExp(`^${MOUNT}/([^/]+)`), (_, name: string) =>
    relative('.', directoryOf(name)),
  );
  return filePath ? `${filePath}${lineOf(filePath, text)}` : id;
}
