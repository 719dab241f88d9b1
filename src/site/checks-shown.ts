import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { AstroIntegration } from 'astro';
import type { Lab } from '#lab';

const SHOWN = /data-check-id="([^"]+)"/g;

/** Stops the build when a lab has a check that its section's page does not show: nobody could ever see it tick. */
export function checksShown(): AstroIntegration {
  let source = '';
  return {
    name: 'checks-shown',
    hooks: {
      'astro:config:done': ({ config }) => {
        source = fileURLToPath(config.srcDir);
      },
      'astro:build:done': async ({ dir }) => {
        const problems: string[] = [];
        for (const file of globSync(join(source, 'content/docs/labs/*/lab.ts'))) {
          const { lab }: { lab: Lab } = await import(pathToFileURL(file).href);
          const name = basename(dirname(file));
          problems.push(...unseen(name, lab, join(fileURLToPath(dir), 'labs', name)));
        }
        if (problems.length > 0) throw new Error(problems.join('\n'));
      },
    },
  };
}

/** @param built the folder of the lab's built pages */
function unseen(name: string, lab: Lab, built: string): readonly string[] {
  return lab.sections.flatMap(({ page, checks }) => {
    const path = join(built, page, 'index.html');
    if (!existsSync(path))
      return [
        `labs/${name}/lab.ts has a section "${page}", but there is no ${page}.mdx beside it.`,
      ];
    const html = readFileSync(path, 'utf8');
    const shown = new Set([...html.matchAll(SHOWN)].map(([, id]) => id));
    return checks
      .filter(({ id }) => !shown.has(id))
      .map(({ id, question }) => {
        const component = question === undefined ? 'Check' : 'Answer';
        return `labs/${name}/${page}.mdx does not show the check "${id}". Put <${component} id="${id}" /> where its step is, or take it out of lab.ts.`;
      });
  });
}
