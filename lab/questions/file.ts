import { passed } from '../verdict.ts';
import type { SandboxView } from '../view.ts';
import { matches } from './inside.ts';
import {
  type OwnSentences,
  type Question,
  question,
  type Reading,
  type Sentences,
  say,
} from './question.ts';

/** What the hosts say of a file that is not there (server/sandbox/host-view.ts). */
const NO_SUCH_FILE = /no such file/i;

export type FileSentence = 'missing' | 'otherText';

const SENTENCES: OwnSentences<FileSentence> = {
  missing: ({ name, host }) => `There is no ${name} on ${host} yet.`,
  otherText: ({ name, host }) => `${name} on ${host} does not say what was asked for yet.`,
};

/** A question about a file: whether it is there. Its text can be read, for a value or an answer. */
export interface FileQuestion<Host extends string = string> extends Question<Host> {
  /** Its text, trimmed. */
  readonly text: Reading<Host>;
  /** Its text, trimmed, is just this, or fits a pattern. @example .says('1') */
  says(text: string | RegExp): FileQuestion<Host>;
  /** Any of its reasons in your own words. */
  saying(sentences: Sentences<FileSentence>): FileQuestion<Host>;
}

/**
 * A file on a host. Best for what is small: `/proc`, `/etc`, what a step writes.
 *
 * @example test: file('/etc/docker/daemon.json').on('server01').says(/"mtu":\s*1400/)
 */
export function file(path: string) {
  return {
    on: <const Host extends string>(host: Host): FileQuestion<Host> =>
      build(path, host, undefined, {}),
  };
}

function build<Host extends string>(
  path: string,
  host: Host,
  wanted: string | RegExp | undefined,
  sentences: Sentences<FileSentence>,
): FileQuestion<Host> {
  const read = async (sandbox: SandboxView<Host>): Promise<string | undefined> =>
    await sandbox
      .host(host)
      .read(path)
      .catch((error: Error) => {
        if (matches(NO_SUCH_FILE, error.message)) return undefined;
        throw error;
      });
  return question(
    [host],
    async (sandbox) => {
      const text = await read(sandbox);
      const facts = { name: path, host, found: text ?? '', wanted: String(wanted ?? '') };
      if (text === undefined) return say(SENTENCES, sentences, 'missing', facts);
      const fits =
        wanted === undefined ||
        (typeof wanted === 'string' ? text === wanted : matches(wanted, text));
      return fits ? passed() : say(SENTENCES, sentences, 'otherText', facts);
    },
    {
      text: Object.assign(read, { hosts: [host] }),
      says: (text: string | RegExp) => build(path, host, text, sentences),
      saying: (more: Sentences<FileSentence>) =>
        build(path, host, wanted, { ...sentences, ...more }),
    },
  );
}
