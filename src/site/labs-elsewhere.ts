import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { docsLoader } from '@astrojs/starlight/loaders';
import type { AstroIntegration } from 'astro';
import { glob, type Loader, type LoaderContext } from 'astro/loaders';
import { COURSE_FILE, courseRoots, type LabFolder } from '../../server/labs/folders.ts';
import { offerKit } from '../../server/labs/kit-hooks.ts';
import { MOUNT, siteLabs } from './lab-folders.ts';

/** The module that has the `lab.ts` of every lab outside the project, and each course there. */
const VIRTUAL = 'virtual:labs-elsewhere';
const PAGES = '[^_]*.mdx';

/** Labs in folders that were named, and not in the project. */
function elsewhere(): readonly LabFolder[] {
  return siteLabs().filter(({ isOwn }) => !isOwn);
}

/** Pages of the project, and those of labs outside it, under the paths that they would have within it. */
export function pagesLoader(): Loader {
  return {
    name: 'pages',
    load: async (given) => {
      const context = given.watcher ? forgiving(given) : given;
      const outside = elsewhere();
      const rootOf = ({ name }: LabFolder) => `labs/${name}`;
      const isIn = (id: string, lab: LabFolder) =>
        id === rootOf(lab) || id.startsWith(`${rootOf(lab)}/`);
      const own = (id: string) => !outside.some((lab) => isIn(id, lab));
      await docsLoader().load({ ...context, store: viewOf(context.store, own) });
      for (const lab of outside) {
        const store = viewOf(context.store, (id) => isIn(id, lab));
        const load = glob({
          base: pathToFileURL(`${lab.directory}/`),
          pattern: PAGES,
          generateId: ({ entry }) => {
            const page = entry.replace(/\.mdx$/, '');
            return page === 'index' ? rootOf(lab) : `${rootOf(lab)}/${page}`;
          },
        }).load;
        await load({
          ...context,
          store: {
            ...store,
            // Starlight goes by the path where it lists pages; labsElsewhere() leads from there to the file.
            set: (entry) =>
              store.set({
                ...entry,
                ...(entry.filePath && { filePath: mounted(lab, entry.filePath) }),
              }),
          },
        });
      }
    },
  };
}

/** A part of what Astro has for pages of one kind. */
interface PageKind {
  getEntryInfo(page: { readonly contents: string; readonly fileUrl: URL }): Promise<{
    readonly data: Readonly<Record<string, unknown>>;
    readonly body?: string;
  }>;
}

/**
 * While writing: a page whose first lines cannot be read ends Astro as it starts, and all other pages with it. Such a page
 * is taken under its file's name; over it stands what is wrong (labs-sound.ts). Astro does not tell of `entryTypes`:
 * without them, all is as it was.
 */
function forgiving(context: LoaderContext): LoaderContext {
  const kinds: unknown = Reflect.get(context, 'entryTypes');
  if (!(kinds instanceof Map)) return context;
  const entryTypes = [...(kinds as ReadonlyMap<string, PageKind>)].map(([ending, kind]) => {
    const getEntryInfo: PageKind['getEntryInfo'] = async (page) => {
      const title = basename(page.fileUrl.pathname);
      const bare = { data: { title }, body: page.contents };
      const read = await Promise.resolve(kind.getEntryInfo(page)).catch(() => bare);
      return typeof read.data.title === 'string'
        ? read
        : { ...read, data: { ...read.data, title } };
    };
    return [ending, { ...kind, getEntryInfo }] as const;
  });
  return Object.assign({ ...context }, { entryTypes: new Map(entryTypes) });
}

function mounted({ name }: LabFolder, file: string): string {
  return `${MOUNT}/${name}/${file.slice(file.lastIndexOf('/') + 1)}`;
}

/** A loader removes what it has not found: let each see what is its own. */
function viewOf(
  store: LoaderContext['store'],
  isOwn: (id: string) => boolean,
): LoaderContext['store'] {
  return { ...store, keys: () => store.keys().filter(isOwn) };
}

/**
 * Labs outside the project, as if they were in it: their pages and their `lab.ts` are found, and find the kit, the
 * components and what pages are compiled to. Nothing of it is copied, and nothing is asked of their folders.
 */
export function labsElsewhere(): AstroIntegration {
  return {
    name: 'labs-elsewhere',
    hooks: {
      'astro:config:setup': ({ config, updateConfig }) => {
        const root = fileURLToPath(config.root);
        const outside = siteLabs().filter(({ directory }) => !directory.startsWith(root));
        if (outside.length > 0) offerKit(root.replace(/\/$/, ''));
        const allow = outside.map(({ directory }) => directory);
        updateConfig({
          vite: {
            plugins: [elsewherePlugin(root)],
            ...(allow.length > 0 && { server: { fs: { allow: [root, ...allow] } } }),
          },
        });
      },
    },
  };
}

/** A part of Vite's plugins that resolves; the rest of them is not needed here. */
interface Resolving {
  resolve(
    source: string,
    importer: string | undefined,
    options: { readonly skipSelf: boolean },
  ): Promise<{ readonly id: string } | null>;
}

/** A part of Vite's server while pages are written. */
interface Serving {
  readonly watcher: {
    add(paths: readonly string[]): unknown;
    on(event: 'add' | 'unlink', tell: (path: string) => void): unknown;
  };
  readonly moduleGraph: {
    getModuleById(id: string): { readonly id: string | null } | undefined;
    invalidateModule(module: { readonly id: string | null }): void;
  };
  readonly ws: { send(payload: { readonly type: 'full-reload' }): void };
}

function elsewherePlugin(root: string) {
  const mount = join(root, MOUNT);
  const project = join(root, 'package.json');
  return {
    name: 'labs-elsewhere',
    enforce: 'pre' as const,
    async resolveId(this: Resolving, source: string, importer: string | undefined) {
      if (source === VIRTUAL) return `\0${VIRTUAL}`;
      if (source.startsWith(`${mount}/`)) {
        const [name = ''] = source.slice(mount.length + 1).split('/');
        const lab = elsewhere().find((each) => each.name === name);
        return lab && lab.directory + source.slice(mount.length + 1 + name.length);
      }
      const isOutside =
        importer?.startsWith('/') &&
        !importer.startsWith(root) &&
        !importer.includes('/node_modules/');
      if (!isOutside || /^[./\0]/.test(source)) return undefined;
      const asUsual = source.startsWith('#')
        ? null
        : await this.resolve(source, importer, { skipSelf: true });
      return asUsual ?? (await this.resolve(source, project, { skipSelf: true }));
    },
    configureServer({ watcher, moduleGraph, ws }: Serving) {
      // A course that is new: one that is there is a module like others.
      watcher.add([...new Set(elsewhere().map(({ root }) => join(root, COURSE_FILE)))]);
      for (const event of ['add', 'unlink'] as const) {
        watcher.on(event, (path) => {
          const module = moduleGraph.getModuleById(`\0${VIRTUAL}`);
          if (basename(path) !== COURSE_FILE || !module) return;
          moduleGraph.invalidateModule(module);
          ws.send({ type: 'full-reload' });
        });
      }
    },
    load(id: string) {
      if (id !== `\0${VIRTUAL}`) return undefined;
      const entries = elsewhere().map(({ name, directory }) => {
        const file = JSON.stringify(join(directory, 'lab.ts'));
        return `${JSON.stringify(name)}: () => import(${file})`;
      });
      const courses = courseRoots(elsewhere()).map(
        (root) => `() => import(${JSON.stringify(join(root, COURSE_FILE))})`,
      );
      return `export const modules = {${entries.join(', ')}};
export const courses = [${courses.join(', ')}];`;
    },
  };
}
