import { globSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { AstroIntegration } from 'astro';
import type { Lab } from '#lab';
import { problemsOf } from '../../server/labs/source-location.ts';
import { labProblems } from './lab-problems.ts';

/**
 * Stops the build at whatever does not fit between the labs' code and their pages, all of it at once. While writing,
 * `npm run dev` says the same of the lab that is looked at (route-data.ts).
 */
export function labsSound(): AstroIntegration {
  let project = '';
  let source = '';
  return {
    name: 'labs-sound',
    hooks: {
      'astro:config:done': ({ config }) => {
        project = fileURLToPath(config.root);
        source = fileURLToPath(config.srcDir);
      },
      'astro:build:start': async () => {
        const problems: string[] = [];
        for (const file of globSync(join(source, 'content/docs/labs/*/lab.ts')).sort()) {
          const directory = dirname(file);
          try {
            const { lab }: { lab: Lab } = await import(pathToFileURL(file).href);
            problems.push(...labProblems(directory, lab, project));
          } catch (error) {
            problems.push(...problemsOf(error, directory));
          }
        }
        if (problems.length > 0) throw new Error(problems.join('\n'));
      },
    },
  };
}
