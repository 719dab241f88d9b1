import { passed } from '../verdict.ts';
import { matches } from './inside.ts';
import {
  hostAt,
  type OwnSentences,
  type Question,
  question,
  type Sentences,
  say,
} from './question.ts';

/** `found` is the host it ran on instead, or the status it ended with; `name` the command that ran. */
export type CommandSentence = 'notYet' | 'onOtherHost' | 'failed';

const SENTENCES: OwnSentences<CommandSentence> = {
  notYet: ({ host }) => `The command has not been run in a terminal of ${host} yet.`,
  onOtherHost: ({ host, found }) => `That was on ${found}. Run it in a terminal of ${host}.`,
  failed: ({ name, found }) =>
    `“${name}” ended with status ${found}. See what it says, and try again.`,
};

/** Whether a command was run in a terminal. */
export interface CommandQuestion<Host extends string = string> extends Question<Host> {
  /** It counts even where it failed. */
  whateverCameOfIt(): CommandQuestion<Host>;
  /** Any of its reasons in your own words. */
  saying(sentences: Sentences<CommandSentence>): CommandQuestion<Host>;
}

/**
 * A command line was run in one of the terminals, and succeeded. Ask the hosts what came of it wherever that can be seen;
 * this is for what leaves no other trace.
 *
 * @example test: command(/^docker (image )?inspect/).on('server01')
 */
export function command(pattern: RegExp) {
  return {
    on: <const Host extends string>(host: Host): CommandQuestion<Host> =>
      build(pattern, host, false, {}),
  };
}

function build<Host extends string>(
  pattern: RegExp,
  host: Host,
  evenFailed: boolean,
  sentences: Sentences<CommandSentence>,
): CommandQuestion<Host> {
  return question(
    [host],
    async (sandbox) => {
      const right = hostAt(sandbox, host)?.name ?? host;
      const runs = sandbox.journal
        .all('command')
        .filter(({ line }) => matches(pattern, line.trim()));
      const here = runs.filter((run) => run.host === right);
      if (here.some(({ status }) => evenFailed || status === 0)) return passed();
      const tell = (key: CommandSentence, name = '', found = '') =>
        say(SENTENCES, sentences, key, { name, host, found, wanted: '' });
      const failed = here.at(-1);
      if (failed) return tell('failed', failed.line.trim(), String(failed.status));
      const other = runs.at(-1);
      return other ? tell('onOtherHost', other.line.trim(), other.host) : tell('notYet');
    },
    {
      whateverCameOfIt: () => build(pattern, host, true, sentences),
      saying: (more: Sentences<CommandSentence>) =>
        build(pattern, host, evenFailed, { ...sentences, ...more }),
    },
  );
}
