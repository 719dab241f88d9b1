import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { probablyMeant } from '../../lab/did-you-mean.ts';
import { messageOf, QuaysideError } from '../base/errors.ts';
import { printFailure } from './failure.ts';

/** The comment that a program's file begins with: what it does, and how it is called. */
const FIRST_COMMENT = /^\/\*\*(.*?)\*\//s;

/** Prints what a program's file begins with, and ends it, where `--help` is asked of it. */
export function answerHelp(file: string): void {
  if (!process.argv.slice(2).includes('--help')) return;
  const [, comment = ''] = FIRST_COMMENT.exec(readFileSync(file, 'utf8')) ?? [];
  console.log(comment.replaceAll(/^ \* ?/gm, '').trim());
  process.exit(0);
}

/**
 * Reads a program's own command line, as `parseArgs` does. Where that is not understood, a sentence says so, and the
 * program ends with status 1.
 *
 * @param file the program's, which `--help` shows the beginning of
 */
export function programOptions<const Config extends ParseArgsConfig>(
  file: string,
  config: Config,
): ReturnType<typeof parseArgs<Config>> {
  answerHelp(file);
  try {
    return parseArgs(config);
  } catch (error) {
    printFailure(
      new QuaysideError('CONFIG_INVALID', problemOf(error, config), `What there is: ${call(file)}`),
    );
    process.exit(1);
  }
}

function problemOf(error: unknown, { options = {} }: ParseArgsConfig): string {
  const known = Object.keys(options);
  const nameOf = (word: string) => word.replace(/^-+/, '').replace(/=.*/s, '');
  const unknown = process.argv
    .slice(2)
    .find((word) => word.startsWith('-') && !known.includes(nameOf(word)));
  // Node's own sentence is followed by advice for whoever wrote the program.
  if (unknown === undefined) return `${messageOf(error).split(/\. |\n/, 1)}.`;
  const meant = known.length > 0 ? probablyMeant(nameOf(unknown), known) : undefined;
  return `There is no option ${unknown}.${meant === undefined ? '' : ` Did you mean --${meant}?`}`;
}

/** How the help of a program is asked for: by the name of the script that npm runs it by. */
function call(file: string): string {
  const { npm_lifecycle_event: script } = process.env;
  return script === undefined
    ? `node setup/run.mjs …/${basename(file)} --help`
    : `npm run ${script} -- --help`;
}
