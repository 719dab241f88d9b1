import { parseArgs } from 'node:util';
import { closest } from 'fastest-levenshtein';
import { QuaysideError } from '../base/errors.ts';

const OPTIONS = {
  class: { type: 'string', takes: '<name>', does: 'serve a class: learners join with a code' },
  config: { type: 'string', takes: '<file>', does: 'read settings from a JSON file' },
  cert: { type: 'string', takes: '<file>', does: 'speak https with this certificate (PEM) …' },
  key: { type: 'string', takes: '<file>', does: '… and its key' },
  'new-secret': {
    type: 'boolean',
    takes: '',
    does: 'make a new instructor’s secret for the class',
  },
  'new-code': { type: 'boolean', takes: '', does: 'make a new code to join the class with' },
  clean: { type: 'boolean', takes: '', does: 'remove every sandbox when the server stops' },
  help: { type: 'boolean', takes: '', does: 'say this' },
} as const;
const COLUMN = 2 + Math.max(...Object.entries(OPTIONS).map((each) => call(...each).length));

/** What `npm start -- --help` prints. */
export const HELP = `npm start -- [options]

${Object.entries(OPTIONS)
  .map(([name, option]) => `  ${call(name, option).padEnd(COLUMN)}${option.does}`)
  .join('\n')}

HOST and PORT say where it listens: HOST=0.0.0.0 PORT=8000 npm start. Every setting: docs/operating.md`;

/**
 * Reads what was typed after `npm start --`.
 *
 * @throws QuaysideError CONFIG_INVALID naming what is not known, and the nearest that is
 */
export function readCommandLine(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, strict: true }).values;
  } catch (error) {
    const unknown = argv.find((each) => !isKnown(each));
    const [name = ''] = unknown?.replace(/^--/, '').split('=') ?? [];
    throw new QuaysideError(
      'CONFIG_INVALID',
      unknown === undefined
        ? `The command line is not understood: ${(error as Error).message}`
        : `npm start does not know ${unknown}. Did you mean --${closest(name, Object.keys(OPTIONS))}?`,
      'What it takes: npm start -- --help',
    );
  }
}

function call(name: string, { takes }: { readonly takes: string }): string {
  return `--${name} ${takes}`.trim();
}

/** An option of ours, or the word that follows one. */
function isKnown(argument: string): boolean {
  return !argument.startsWith('-') || (argument.slice(2).split('=')[0] ?? '') in OPTIONS;
}
