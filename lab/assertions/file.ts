import { passed } from '../verdict.ts';
import type { SandboxView } from '../view.ts';
import {
  type Assertion,
  assertion,
  type DefaultMessages,
  type Messages,
  type Reading,
  verdictWith,
} from './assertion.ts';
import { matches } from './inside.ts';

/** The error of a host for a file that is not there (server/sandbox/host-view.ts). */
const NO_SUCH_FILE = /no such file/i;

export type FileMessage = 'missing' | 'otherText';

const MESSAGES: DefaultMessages<FileMessage> = {
  missing: ({ name, host }) => `There is no ${name} on ${host} yet.`,
  otherText: ({ name, host }) => `${name} on ${host} does not say what was asked for yet.`,
};

/** An assertion about a file: whether it is there. Its text can be read, for a value or an answer. */
export interface FileAssertion<Host extends string = string> extends Assertion<Host> {
  /** Its text, trimmed. */
  readonly text: Reading<Host>;
  /** Its text, trimmed, is just this, or fits a pattern. @example .says('1') */
  says(text: string | RegExp): FileAssertion<Host>;
  /** Any of its messages in your own words. */
  withMessages(messages: Messages<FileMessage>): FileAssertion<Host>;
}

/**
 * A file on a host. Best for what is small: `/proc`, `/etc`, what a step writes.
 *
 * @example test: file('/etc/docker/daemon.json').on('server01').says(/"mtu":\s*1400/)
 */
export function file(path: string) {
  return {
    on: <const Host extends string>(host: Host): FileAssertion<Host> =>
      build(path, host, undefined, {}),
  };
}

function build<Host extends string>(
  path: string,
  host: Host,
  wanted: string | RegExp | undefined,
  messages: Messages<FileMessage>,
): FileAssertion<Host> {
  const read = async (sandbox: SandboxView<Host>): Promise<string | undefined> =>
    await sandbox
      .host(host)
      .read(path)
      .catch((error: Error) => {
        if (matches(NO_SUCH_FILE, error.message)) return undefined;
        throw error;
      });
  return assertion(
    [host],
    async (sandbox) => {
      const text = await read(sandbox);
      const facts = { name: path, host, found: text ?? '', wanted: String(wanted ?? '') };
      if (text === undefined) return verdictWith(MESSAGES, messages, 'missing', facts);
      const fits =
        wanted === undefined ||
        (typeof wanted === 'string' ? text === wanted : matches(wanted, text));
      return fits ? passed() : verdictWith(MESSAGES, messages, 'otherText', facts);
    },
    {
      text: Object.assign(read, { hosts: [host] }),
      says: (text: string | RegExp) => build(path, host, text, messages),
      withMessages: (more: Messages<FileMessage>) =>
        build(path, host, wanted, { ...messages, ...more }),
    },
  );
}
