import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { AstroIntegration } from 'astro';
import type { Lab } from '#lab';
import { loadCourses } from '../../server/labs/courses.ts';
import { pageProblems } from '../../server/labs/page-problems.ts';
import { problemsOf } from '../../server/labs/source-location.ts';
import { siteLabs } from './lab-folders.ts';
import { labProblems } from './lab-problems.ts';

/** While writing: says what is wrong with a page before MDX does, in its own words. Astro shows it over the page. */
const SOUND_PAGES = {
  name: 'sound-pages',
  enforce: 'pre' as const,
  transform: {
    filter: { id: /\.mdx$/ },
    handler: (_code: string, page: string) => {
      const directory = dirname(page);
      if (!siteLabs().some((lab) => lab.directory === directory)) return;
      const problems = pageProblems(directory);
      if (problems.length > 0) throw new Error(problems.join('\n'));
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
      'astro:config:setup': async ({ command, config, updateConfig }) => {
        if (command !== 'build') {
          updateConfig({ vite: { plugins: [SOUND_PAGES] } });
          return;
        }
        const problems: string[] = [];
        for (const { directory } of siteLabs()) {
          const file = pathToFileURL(join(directory, 'lab.ts')).href;
          try {
            const { lab }: { lab: Lab } = await import(file);
            problems.push(...labProblems(directory, lab, fileURLToPath(config.root)));
          } catch (error) {
            problems.push(...problemsOf(error, directory));
          }
        }
        await loadCourses(siteLabs()).catch((error: Error) => problems.push(error.message));
        if (problems.length > 0) throw new Error(problems.join('\n'));
      },
    },
  };
}
