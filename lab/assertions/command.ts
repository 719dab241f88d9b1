import { passed } from '../verdict.ts';
import {
  type Assertion,
  assertion,
  type DefaultMessages,
  hostAt,
  type Messages,
  verdictWith,
} from './assertion.ts';
import { matches } from './inside.ts';

/** `found` is the host it ran on instead, or the status it ended with; `name` the command that ran. */
export type CommandMessage = 'notYet' | 'onOtherHost' | 'failed';

const MESSAGES: DefaultMessages<CommandMessage> = {
  notYet: ({ host }) => `The command has not been run in a terminal of ${host} yet.`,
  onOtherHost: ({ host, found }) => `That was on ${found}. Run it in a terminal of ${host}.`,
  failed: ({ name, found }) =>
    `“${name}” ended with status ${found}. See what it says, and try again.`,
};

/** Whether a command was run in a terminal. */
export interface CommandAssertion<Host extends string = string> extends Assertion<Host> {
  /** It counts even where it failed. */
  whateverCameOfIt(): CommandAssertion<Host>;
  /** Any of its messages in your own words. */
  withMessages(messages: Messages<CommandMessage>): CommandAssertion<Host>;
}

/**
 * A command line was run in one of the terminals, and succeeded. Ask the hosts what came of it wherever that can be seen;
 * this is for what leaves no other trace.
 *
 * @example test: command(/^docker (image )?inspect/).on('server01')
 */
export function command(pattern: RegExp) {
  return {
    on: <const Host extends string>(host: Host): CommandAssertion<Host> =>
      build(pattern, host, false, {}),
  };
}

function build<Host extends string>(
  pattern: RegExp,
  host: Host,
  evenFailed: boolean,
  messages: Messages<CommandMessage>,
): CommandAssertion<Host> {
  return assertion(
    [host],
    async (sandbox) => {
      const right = hostAt(sandbox, host)?.name ?? host;
      const runs = sandbox.journal
        .all('command')
        .filter(({ line }) => matches(pattern, line.trim()));
      const here = runs.filter((run) => run.host === right);
      if (here.some(({ status }) => evenFailed || status === 0)) return passed();
      const tell = (key: CommandMessage, name = '', found = '') =>
        verdictWith(MESSAGES, messages, key, { name, host, found, wanted: '' });
      const failed = here.at(-1);
      if (failed) return tell('failed', failed.line.trim(), String(failed.status));
      const other = runs.at(-1);
      return other ? tell('onOtherHost', other.line.trim(), other.host) : tell('notYet');
    },
    {
      whateverCameOfIt: () => build(pattern, host, true, messages),
      withMessages: (more: Messages<CommandMessage>) =>
        build(pattern, host, evenFailed, { ...messages, ...more }),
    },
  );
}
