import { dirname, join } from 'node:path';
import type { AstroIntegration } from 'astro';
import { loadCourses } from '../../server/labs/courses.ts';
import { siteLabs } from './lab-folders.ts';
import { whyUnsound } from './written-lab.ts';

/** A part of Vite's context of a transformation. */
interface Transforming {
  addWatchFile(file: string): void;
}

/** While writing: says what is wrong with a page or its lab before MDX does, in its own words. Astro shows it over the page. */
const SOUND_PAGES = {
  name: 'sound-pages',
  enforce: 'pre' as const,
  transform: {
    filter: { id: /\.mdx$/ },
    async handler(this: Transforming, _code: string, page: string) {
      const directory = dirname(page);
      if (!siteLabs().some((lab) => lab.directory === directory)) return;
      // What its blocks are made to depends on it.
      this.addWatchFile(join(directory, 'lab.ts'));
      const why = await whyUnsound(directory);
      if (why !== undefined) throw new Error(why);
    },
  },
};

/**
 * Stops the build at whatever does not fit between the labs' code and their pages, all of it at once. While writing,
 * `npm run dev` says the same of the lab that is looked at (route-data.ts).
 */
export function labsSound(): AstroIntegration {
  return {
    name: 'labs-sound',
    hooks: {
      // Before Astro reads any page itself.
      'astro:config:setup': async ({ command, updateConfig }) => {
        if (command !== 'build') {
          updateConfig({ vite: { plugins: [SOUND_PAGES] } });
          return;
        }
        const problems: string[] = [];
        for (const { directory } of siteLabs()) {
          const why = await whyUnsound(directory);
          if (why !== undefined) problems.push(why);
        }
        await loadCourses(siteLabs()).catch((error: Error) => problems.push(error.message));
        if (problems.length > 0) throw new Error(problems.join('\n'));
      },
    },
  };
}
