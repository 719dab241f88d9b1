import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { closest } from 'fastest-levenshtein';
import { z } from 'zod';
import { QuaysideError } from '../base/errors.ts';

/** What a config file may say; `docs/operating.md` lists the same keys. */
const SETTINGS = z.strictObject({
  class: z.string().min(1).max(60).exactOptional().describe('Serve a class of this name'),
  learners: z.int().min(1).max(1_000).exactOptional().describe('How many learners may join'),
  host: z.string().min(1).exactOptional().describe('The address to listen on'),
  port: z.int().min(0).max(65_535).exactOptional().describe('The port to listen on'),
  origins: z.array(z.string()).exactOptional().describe('Further origins that lead here'),
  trustProxy: z
    .array(z.string())
    .exactOptional()
    .describe('Proxies whose X-Forwarded-For is believed: addresses or networks'),
  cert: z.string().exactOptional().describe('File with the certificate (PEM) to speak https with'),
  key: z.string().exactOptional().describe('File with its key (PEM)'),
  data: z.string().exactOptional().describe('Where the store is kept'),
  sandboxes: z.int().min(1).max(1_000).exactOptional().describe('How many sandboxes may run'),
  pool: z.int().min(0).max(100).exactOptional().describe('Sandboxes kept ready, per lab'),
  diskMib: z.int().min(64).exactOptional().describe('What one host may write to its disk (MiB)'),
  idleMinutes: z.int().min(0).exactOptional().describe('Idle sessions end after this; 0 is never'),
  totalMinutes: z.int().min(0).exactOptional().describe('All sessions end after this; 0 is never'),
  metricsToken: z.string().min(16).exactOptional().describe('What a reader of /metrics must say'),
});

export type Settings = z.infer<typeof SETTINGS>;
const KEYS = Object.keys(SETTINGS.shape);
/** Those that name a file or a folder: relative to the config file, wherever the server is started. */
const PATHS = ['cert', 'key', 'data'] as const;

/**
 * Reads a config file: JSON, every key as in the schema above.
 *
 * @throws QuaysideError CONFIG_INVALID naming the file and everything that is wrong in it
 */
export function readConfigFile(path: string): Settings {
  const file = resolve(path);
  const read = SETTINGS.safeParse(jsonIn(file));
  if (!read.success) {
    const problems = read.error.issues.flatMap((issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => `there is no setting ${key}; did you mean ${closest(key, KEYS)}?`)
        : [`${issue.path.join('.') || 'the file'}: ${issue.message}`],
    );
    throw invalid(`${path}: ${problems.join('\n  ')}`, `The settings are ${KEYS.join(', ')}.`);
  }
  const settings = { ...read.data };
  for (const each of PATHS) {
    const value = settings[each];
    if (value !== undefined) settings[each] = resolve(dirname(file), value);
  }
  return settings;
}

function jsonIn(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw invalid(
      `The config file ${file} cannot be read: ${(error as Error).message}`,
      'Name one that is there: npm start -- --config <file>',
    );
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid(
      `${file} is no JSON: ${(error as Error).message}`,
      'Mend it; docs/operating.md shows one.',
    );
  }
}

function invalid(message: string, remedy: string): QuaysideError {
  return new QuaysideError('CONFIG_INVALID', message, remedy);
}
