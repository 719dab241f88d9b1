import { passed, type Verdict } from '../verdict.ts';
import type { SandboxView } from '../view.ts';
import { type DefaultMessages, hostAt, type Messages, verdictWith } from './assertion.ts';
import { matches } from './inside.ts';
import { type Moment, moment, sinceWhen } from './moment.ts';

/** `found` is the host it ran on instead, or the status it ended with; `name` the command that ran; `wanted` a status. */
export type CommandMessage =
  | 'notYet'
  | 'notSince'
  | 'onOtherHost'
  | 'failed'
  | 'worked'
  | 'otherStatus';

const MESSAGES: DefaultMessages<CommandMessage> = {
  notYet: ({ host }) => `The command has not been run in a terminal of ${host} yet.`,
  notSince: ({ name, host }) =>
    `“${name}” has not been run since then. Run it once more in a terminal of ${host}.`,
  onOtherHost: ({ host, found }) => `That was on ${found}. Run it in a terminal of ${host}.`,
  failed: ({ name, found }) =>
    `“${name}” ended with status ${found}. See what it says, and try again.`,
  worked: ({ name }) => `“${name}” has worked, and is to fail here. See what is still in place.`,
  otherStatus: ({ name, found, wanted }) =>
    `“${name}” has failed with status ${found}, and not ${wanted}: for another reason than this step is about.`,
};

/** Whether a command was run in a terminal. */
export interface CommandAssertion<Host extends string = string> extends Moment<Host> {
  /** It counts even where it failed. */
  whateverCameOfIt(): CommandAssertion<Host>;
  /** It counts only where it failed, with one exit status or with any. @example .failed(125) */
  failed(status?: number): CommandAssertion<Host>;
  /** Only a run after something else counts. @example .after(restartOf(web)) */
  after<Other extends string>(moment: Moment<Other>): CommandAssertion<Host | Other>;
  /** Any of its messages in your own words. */
  withMessages(messages: Messages<CommandMessage>): CommandAssertion<Host>;
}

/** How a command is to end. */
type End =
  | { readonly kind: 'well' }
  | { readonly kind: 'anyhow' }
  | { readonly kind: 'failed'; readonly status: number | undefined };

interface Wanted<Host extends string> {
  readonly pattern: RegExp;
  readonly host: Host;
  readonly end: End;
  readonly earlier?: Moment<Host>;
  readonly messages: Messages<CommandMessage>;
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
      build({ pattern, host, end: { kind: 'well' }, messages: {} }),
  };
}

function build<Host extends string>(wanted: Wanted<Host>): CommandAssertion<Host> {
  const { host, end, earlier, messages } = wanted;
  const times = (sandbox: SandboxView) =>
    runsOf(wanted, sandbox).here.flatMap(({ seq, status }) => (isEnd(end, status) ? seq : []));
  return moment(
    [host, ...(earlier?.hosts ?? [])],
    (sandbox) => judge(wanted, sandbox),
    times,
    earlier,
    {
      whateverCameOfIt: () => build({ ...wanted, end: { kind: 'anyhow' } }),
      failed: (status?: number) => build({ ...wanted, end: { kind: 'failed', status } }),
      after: <Other extends string>(first: Moment<Other>) =>
        build<Host | Other>({ ...wanted, earlier: first }),
      withMessages: (more: Messages<CommandMessage>) =>
        build({ ...wanted, messages: { ...messages, ...more } }),
    },
  );
}

async function judge<Host extends string>(
  wanted: Wanted<Host>,
  sandbox: SandboxView<Host>,
): Promise<Verdict> {
  const { host, end, earlier, messages } = wanted;
  const since = await sinceWhen(earlier, sandbox);
  if (typeof since !== 'number') return since;
  const { here, elsewhere } = runsOf(wanted, sandbox);
  const now = here.filter(({ seq }) => seq > since);
  if (now.some(({ status }) => isEnd(end, status))) return passed();
  const tell = (key: CommandMessage, name = '', found = '') => {
    const right = end.kind === 'failed' ? String(end.status ?? '') : '';
    return verdictWith(MESSAGES, messages, key, { name, host, found, wanted: right });
  };
  const last = now.at(-1);
  if (last) {
    const key = end.kind === 'well' ? 'failed' : last.status === 0 ? 'worked' : 'otherStatus';
    return tell(key, last.line.trim(), String(last.status));
  }
  const other = elsewhere.findLast(({ seq }) => seq > since);
  if (other) return tell('onOtherHost', other.line.trim(), other.host);
  const before = here.at(-1);
  return before ? tell('notSince', before.line.trim()) : tell('notYet');
}

/** The runs of a command, oldest first: on the host that is asked for, and on others. */
function runsOf({ pattern, host }: Wanted<string>, sandbox: SandboxView) {
  const right = hostAt(sandbox, host)?.name ?? host;
  const runs = sandbox.journal.all('command').filter(({ line }) => matches(pattern, line.trim()));
  return {
    here: runs.filter((run) => run.host === right),
    elsewhere: runs.filter((run) => run.host !== right),
  };
}

function isEnd(end: End, status: number): boolean {
  switch (end.kind) {
    case 'well':
      return status === 0;
    case 'anyhow':
      return true;
    case 'failed':
      return status !== 0 && (end.status === undefined || status === end.status);
  }
}
