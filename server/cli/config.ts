import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { QuaysideError } from '../base/errors.ts';
import { readSettings } from './settings.ts';

/** How this server was told to run. */
export interface Config {
  /** The project's folder. */
  readonly project: string;
  readonly host: string;
  readonly port: number;
  /** Further origins that lead here, such as `https://labs.example.org` of a proxy in front. */
  readonly origins: readonly string[];
  /** Proxies whose word about the visitor's address is believed. */
  readonly trustProxy: readonly string[];
  /** Its own certificate and key (PEM), where it speaks https itself. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  /** The folder of the store. */
  readonly data: string;
  readonly sandboxesMost: number;
  /** Where `npm run dev` shows the pages; the server then builds none, and takes up each saved `lab.ts`. */
  readonly devPages: string | undefined;
  /** Sandboxes kept ready ahead, for each lab. */
  readonly pool: number;
  /** What one host may write to its disk (MiB). */
  readonly diskMib: number;
  /** A session ends after so long without anything done, or in all (minutes); 0 is never. */
  readonly idleMinutes: number;
  readonly totalMinutes: number;
  /** Remove every sandbox when the server stops. */
  readonly clean: boolean;
  /** The class to serve; without one, everybody who opens the printed URL is a learner. */
  readonly classroom: ClassConfig | undefined;
  /** What a reader of `/metrics` must say; without one, only this machine may read them. */
  readonly metricsToken: string | undefined;
}

/** How a class is served. */
export interface ClassConfig {
  readonly name: string;
  readonly learnersMost: number;
  /** Make a new instructor's secret; the old one opens nothing any more. */
  readonly newSecret: boolean;
  /** Make a new code to join with. */
  readonly newCode: boolean;
}

/**
 * Sandboxes kept ready for a class: a learner who starts finds one, and it is replaced three seconds later. A single
 * learner starts a lab once; a sandbox kept ready would only take memory.
 */
const CLASS_POOL = 2;

/**
 * Reads the command line, the environment, the config file and the certificate.
 *
 * @throws QuaysideError CONFIG_INVALID naming what was said where, and what is taken
 */
export function readConfig(
  project: string,
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
): Config {
  const { settings, flags } = readSettings(argv, env);
  const {
    class: name,
    learners,
    sandboxes,
    cert,
    key,
    data,
    pool,
    metricsToken,
    ...same
  } = settings;
  const { clean, ...secrets } = flags;
  if (name === undefined && (secrets.newSecret || secrets.newCode)) {
    throw invalid(
      '--new-secret and --new-code are a class’s.',
      'Name it: npm start -- --class <name> --new-secret',
    );
  }
  return {
    ...same,
    project,
    clean,
    metricsToken,
    tls: tls(cert, key),
    data: data ?? join(project, '.quayside'),
    sandboxesMost: sandboxes,
    pool: pool ?? (name === undefined ? 0 : CLASS_POOL),
    devPages: env.QUAYSIDE_DEV_PAGES || undefined,
    classroom: name === undefined ? undefined : { name, learnersMost: learners, ...secrets },
  };
}

function tls(cert: string | undefined, key: string | undefined): Config['tls'] {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) {
    throw invalid('A certificate goes with its key.', 'Give both: --cert <file> --key <file>');
  }
  return { cert: pem(cert, 'certificate'), key: pem(key, 'key') };
}

function pem(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw invalid(
      `The ${what} ${path} cannot be read: ${(error as Error).message}`,
      'Name a PEM file that this user may read.',
    );
  }
}

function invalid(message: string, remedy: string): QuaysideError {
  return new QuaysideError('CONFIG_INVALID', message, remedy);
}
