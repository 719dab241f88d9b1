import { join } from 'node:path';
import { QuaysideError } from './errors.ts';

/** How this server was told to run. */
export interface Config {
  /** The project's folder. */
  readonly project: string;
  readonly host: string;
  readonly port: number;
  /** Further origins that lead here, such as `https://labs.example.org` of a proxy in front. */
  readonly origins: readonly string[];
  /** Where the store is kept. */
  readonly data: string;
  readonly sandboxesMost: number;
  /** Remove every sandbox when the server stops. */
  readonly clean: boolean;
}

const DEFAULT_PORT = 4321;
/** 20 sandboxes take about 2 GB; a learner on their own machine needs one or two. */
const DEFAULT_SANDBOXES = 20;

/**
 * Reads the command line and the environment.
 *
 * @throws QuaysideError CONFIG_INVALID naming what was given and what is taken
 */
export function readConfig(
  project: string,
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
): Config {
  const unknown = argv.find((argument) => argument !== '--clean');
  if (unknown !== undefined) {
    throw new QuaysideError(
      'CONFIG_INVALID',
      `npm start does not know ${unknown}.`,
      'It takes --clean: npm start -- --clean removes every sandbox when the server stops.',
    );
  }
  return {
    project,
    host: env.HOST || '127.0.0.1',
    port: wholeNumber(env, 'PORT', DEFAULT_PORT, 0, 65_535),
    origins: (env.QUAYSIDE_ORIGINS ?? '').split(',').flatMap((origin) => origin.trim() || []),
    data: env.QUAYSIDE_DATA || join(project, '.quayside'),
    sandboxesMost: wholeNumber(env, 'QUAYSIDE_SANDBOXES', DEFAULT_SANDBOXES, 1, 1_000),
    clean: argv.includes('--clean'),
  };
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
  throw new QuaysideError(
    'CONFIG_INVALID',
    `${name}=${text} is no whole number from ${least} to ${most}.`,
    `Set it anew, or take it away to use ${otherwise}: unset ${name}`,
  );
}
