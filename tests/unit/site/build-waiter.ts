/** Another start: builds the pages of a project, says `building` and how it went, and serves them until it is killed. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureSite } from '../../../server/site/build.ts';

const [, , project = ''] = process.argv;
const site = await ensureSite(project, (line) => console.log(line), {
  build: async (_project, directory) => {
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, 'index.html'), 'theirs');
    // Goes on when it is told to.
    await new Promise((goOn) => process.stdin.once('data', goOn));
  },
});
console.log(site.directory);
process.stdin.resume();
