import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { QuaysideError } from '../base/errors.ts';
import type { Progress } from '../base/progress.ts';
import { precompress } from './precompress.ts';

/** What the site is made from. */
const SOURCES = ['src', 'public', 'lab', 'protocol', 'astro.config.mjs', 'package-lock.json'];
/** Beside the built site: a mark of what it was built from. */
const MARK = '.built-from';
const LINES_KEPT = 30;

/** Where the built site is. */
export function siteDirectory(project: string): string {
  return join(project, 'dist');
}

/**
 * Builds the pages unless they are newer than all they are made from.
 *
 * @throws QuaysideError SITE_BUILD_FAILED with the build's last lines
 */
export async function ensureSite(project: string, say: Progress): Promise<void> {
  const mark = join(siteDirectory(project), MARK);
  const sources = await fingerprint(project);
  if ((await readFile(mark, 'utf8').catch(() => '')) === sources) return;
  say('Building the pages …');
  const child = spawn(
    process.execPath,
    [join(project, 'node_modules/astro/bin/astro.mjs'), 'build'],
    {
      cwd: project,
      env: { ...process.env, ASTRO_TELEMETRY_DISABLED: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      lines.push(...text.split('\n').filter((line) => line.trim() !== ''));
      lines.splice(0, Math.max(0, lines.length - LINES_KEPT));
    });
  }
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (status !== 0) {
    throw new QuaysideError(
      'SITE_BUILD_FAILED',
      `The pages could not be built:\n${lines.join('\n')}`,
      'Mend what it names and start again. All it says: npx astro build',
    );
  }
  await precompress(siteDirectory(project));
  await writeFile(mark, sources);
}

/** Names, sizes and times of all sources: a few hundred files, some milliseconds. */
async function fingerprint(project: string): Promise<string> {
  const hash = createHash('sha256');
  for (const source of SOURCES) {
    const path = join(project, source);
    const root = await stat(path).catch(() => undefined);
    if (!root) continue;
    const files = root.isDirectory()
      ? (await readdir(path, { recursive: true, withFileTypes: true }))
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name))
          .sort()
      : [path];
    for (const file of files) {
      const { size, mtimeMs } = await stat(file);
      hash.update(`${file.slice(project.length)} ${size} ${mtimeMs}\n`);
    }
  }
  return hash.digest('hex');
}
