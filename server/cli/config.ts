import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { QuaysideError } from '../base/errors.ts';
import { readCommandLine } from './args.ts';
import { readConfigFile, type Settings } from './config-file.ts';

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
  /** Where the store is kept. */
  readonly data: string;
  readonly sandboxesMost: number;
  /** Where `npm run dev` shows the pages; the server then builds none, and takes up each saved `lab.ts`. */
  readonly devPages: string | undefined;
  /** Sandboxes kept ready ahead, per lab. */
  readonly pool: number;
  /** What one host may write to its disk (MiB). */
  readonly diskMib: number;
  /** A session ends after so long without anything done, or in all (minutes); 0 is never. */
  readonly idleMinutes: number;
  readonly totalMinutes: number;
  /** Remove every sandbox when the server stops. */
  readonly clean: boolean;
  /** The class to serve; without one, whoever opens the printed URL is a learner. */
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

const DEFAULT_PORT = 4321;
/** 20 sandboxes take about 2 GB; a learner on their own machine needs one or two. */
const DEFAULT_SANDBOXES = 20;
/**
 * Sandboxes kept ready for a class: whoever comes finds one, and the next is there three seconds later. A single learner
 * starts a lab once; for that, a second sandbox would take its memory for nothing.
 */
const CLASS_POOL = 2;
/** A lab's images and containers take some MiB; a real image or two, a GiB or two. */
const DEFAULT_DISK_MIB = 4096;
/** A week: longer is never. */
const MINUTES_MOST = 7 * 24 * 60;
/** A large room. Whoever has the code can add learners, so there is a bound. */
const DEFAULT_LEARNERS = 100;

/**
 * Reads the command line, the environment and the config file; the earlier of these has the last word.
 *
 * @throws QuaysideError CONFIG_INVALID naming what was given and what is taken
 */
export function readConfig(
  project: string,
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
): Config {
  const given = readCommandLine(argv);
  const file: Settings = given.config === undefined ? {} : readConfigFile(given.config);
  const className = given.class ?? file.class;
  if (className === undefined && (given['new-secret'] || given['new-code'])) {
    throw invalid(
      '--new-secret and --new-code are a class’s.',
      'Name it: npm start -- --class <name> --new-secret',
    );
  }
  const origins = env.QUAYSIDE_ORIGINS?.split(',').flatMap((origin) => origin.trim() || []);
  return {
    project,
    host: env.HOST || file.host || '127.0.0.1',
    port: wholeNumber(env, 'PORT', file.port ?? DEFAULT_PORT, 0, 65_535),
    origins: origins ?? file.origins ?? [],
    trustProxy: file.trustProxy ?? [],
    tls: tls(given.cert ?? file.cert, given.key ?? file.key),
    data: env.QUAYSIDE_DATA || file.data || join(project, '.quayside'),
    sandboxesMost: wholeNumber(
      env,
      'QUAYSIDE_SANDBOXES',
      file.sandboxes ?? DEFAULT_SANDBOXES,
      1,
      1_000,
    ),
    devPages: env.QUAYSIDE_DEV_PAGES || undefined,
    clean: given.clean ?? false,
    classroom:
      className === undefined
        ? undefined
        : {
            name: named(className),
            learnersMost: file.learners ?? DEFAULT_LEARNERS,
            newSecret: given['new-secret'] ?? false,
            newCode: given['new-code'] ?? false,
          },
    metricsToken: env.QUAYSIDE_METRICS_TOKEN || file.metricsToken,
    pool: wholeNumber(
      env,
      'QUAYSIDE_POOL',
      file.pool ?? (className === undefined ? 0 : CLASS_POOL),
      0,
      100,
    ),
    diskMib: wholeNumber(env, 'QUAYSIDE_DISK_MIB', file.diskMib ?? DEFAULT_DISK_MIB, 64, 1024 ** 2),
    idleMinutes: wholeNumber(env, 'QUAYSIDE_IDLE_MINUTES', file.idleMinutes ?? 0, 0, MINUTES_MOST),
    totalMinutes: wholeNumber(
      env,
      'QUAYSIDE_TOTAL_MINUTES',
      file.totalMinutes ?? 0,
      0,
      MINUTES_MOST,
    ),
  };
}

function named(name: string): string {
  const tidy = name.trim();
  if (tidy !== '' && !/\p{Cc}/u.test(tidy)) return tidy;
  throw invalid('A class needs a name.', 'As in: npm start -- --class "Docker 101"');
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

function wholeNumber(
  env: NodeJS.ProcessEnv,
  name: string,
  otherwise: number,
  least: number,
  most: number,
): number {
  const text = env[name];
  if (!text) return otherwise;
  const number = Number(text);
  if (Number.isInteger(number) && number >= least && number <= most) return number;
  throw invalid(
    `${name}=${text} is no whole number from ${least} to ${most}.`,
    `Set it anew, or take it away to use ${otherwise}: unset ${name}`,
  );
}

function invalid(message: string, remedy: string): QuaysideError {
  return new QuaysideError('CONFIG_INVALID', message, remedy);
}
