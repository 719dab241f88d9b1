import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** What a lab imports of the project, wherever the lab lies. */
const OF_THE_PROJECT = ['#lab', '#components'];
const projects = new Set<string>();

/**
 * From now on, modules outside the project find its kit under the names that those within it use, and need no
 * package.json that says what kind of modules they are. Called again, it does nothing.
 */
export function offerKit(project: string): void {
  if (projects.has(project)) return;
  projects.add(project);
  const root = pathToFileURL(`${project}/`).href;
  const within = pathToFileURL(join(project, 'package.json')).href;
  const isElsewhere = (url = root) => url.startsWith('file:') && !url.startsWith(root);
  registerHooks({
    resolve: (specifier, context, next) => {
      if (OF_THE_PROJECT.includes(specifier) && isElsewhere(context.parentURL)) {
        return next(specifier, { ...context, parentURL: within });
      }
      const found = next(specifier, context);
      const [path = ''] = found.url.split('?');
      const isBare = path.endsWith('.ts') && isElsewhere(path) && !path.includes('/node_modules/');
      return isBare ? { ...found, format: 'module-typescript' } : found;
    },
  });
}
