import { dirname } from 'node:path';
import type { AstroIntegration } from 'astro';
import { loadCourses } from '../../server/labs/courses.ts';
import { loadLab, loadLabSteps } from '../../server/labs/loader.ts';
import { pageProblems } from '../../server/labs/page-problems.ts';
import { siteLabs } from './lab-folders.ts';

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
      'astro:config:setup': async ({ command, updateConfig }) => {
        if (command !== 'build') {
          updateConfig({ vite: { plugins: [SOUND_PAGES] } });
          return;
        }
        const problems: string[] = [];
        const tell = (error: Error) => problems.push(error.message);
        for (const folder of siteLabs()) {
          await loadLab(folder)
            .then((lab) => loadLabSteps(folder, lab))
            .catch(tell);
        }
        await loadCourses(siteLabs()).catch(tell);
        if (problems.length > 0) throw new Error(problems.join('\n'));
      },
    },
  };
}
