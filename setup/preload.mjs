// Imported before any program of this project (setup/run.mjs). Node keeps what it has compiled of each module, and the
// JavaScript of each TypeScript file, so that only the first start after a change does that work. An entry is used for the
// very same text and the very same Node alone, and appears whole. Where nothing can be written, a start takes longer.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const project = dirname(dirname(fileURLToPath(import.meta.url)));
const caches = join(project, 'node_modules', '.cache', 'quayside-compiled');
/** Enough of a digest to tell any two states of the packages apart. */
const NAME_LENGTH = 16;

/** Other packages, another cache: what belonged to the ones before is never asked for again, and is removed. */
const packages = readFileSync(join(project, 'package-lock.json'));
const name = createHash('sha256').update(packages).digest('hex').slice(0, NAME_LENGTH);
enableCompileCache(join(caches, name));
try {
  for (const other of readdirSync(caches)) {
    if (other !== name) rmSync(join(caches, other), { recursive: true, force: true });
  }
} catch {
  // None yet, or not ours to remove.
}
