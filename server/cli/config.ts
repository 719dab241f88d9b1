import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { invalid, readSettings, type Settings } from './settings.ts';

/** How this server was told to run. */
export interface Config
  extends Omit<Settings, 'class' | 'learners' | 'cert' | 'key' | 'data' | 'pool' | 'idleMinutes'> {
  /** The project's folder. */
  readonly project: string;
  /** Its own certificate and key (PEM), where it speaks https itself. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  /** The folder of the store. */
  readonly data: string;
  /** Where `npm run dev` shows the pages; the server then builds none, and takes up each saved `lab.ts`. */
  readonly devPages: string | undefined;
  /** Sandboxes kept ready ahead, for each lab. */
  readonly pool: number;
  /** After this the hosts of an idle session are stopped; 0 is never. */
  readonly idleMinutes: number;
  /** Remove every sandbox when the server stops. */
  readonly clean: boolean;
  /** The class to serve; without one, everybody who opens the printed URL is a learner. */
  readonly classroom: ClassConfig | undefined;
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
 * A class shares a machine, so that hosts which nobody uses give their memory back: after more than a long lecture. On one's
 * own machine nothing is stopped that nobody has asked to stop, and where stopped hosts are not kept neither.
 */
const CLASS_IDLE_MINUTES = 120;

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
  const { class: name, learners, cert, key, data, pool, idleMinutes, ...same } = settings;
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
    tls: tls(cert, key),
    data: data ?? join(project, '.quayside'),
    idleMinutes:
      idleMinutes ?? (name === undefined || settings.keepDays === 0 ? 0 : CLASS_IDLE_MINUTES),
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
