import { notYet, passed, type Verdict } from '../verdict.ts';
import type { SandboxView } from '../view.ts';
import {
  type Assertion,
  assertion,
  type DefaultMessages,
  type Messages,
  verdictWith,
} from './assertion.ts';
import type { ContainerAssertion } from './container.ts';
import { startsOf } from './starts.ts';

/** An assertion about something that happens at a moment, so that other things can be asked for after it. */
export interface Moment<Host extends string = string> extends Assertion<Host> {
  /** The first time that it happened, as a running number of the journal; `undefined` until then. */
  first(sandbox: SandboxView): Promise<number | undefined>;
}

export type RestartMessage = 'notYet' | 'madeAnew' | 'notSince';

const MESSAGES: DefaultMessages<RestartMessage> = {
  notYet: ({ name }) => `${name} has not been restarted yet.`,
  madeAnew: ({ name }) =>
    `This ${name} is a new container, which is not a restart. Restart the one you have.`,
  notSince: ({ name }) => `${name} has not been restarted since.`,
};

/** Whether a container was restarted. */
export interface RestartAssertion<Host extends string = string> extends Moment<Host> {
  /** Only a restart after something else counts. @example restartOf(web).after(visited(web.atItsAddress())) */
  after<Other extends string>(moment: Moment<Other>): RestartAssertion<Host | Other>;
  /** Any of its messages in your own words. */
  withMessages(messages: Messages<RestartMessage>): RestartAssertion<Host>;
}

/**
 * A restart of a container: `docker restart`, or a stop and a start. A container that was removed and made again has not
 * been restarted, which has a reason of its own.
 *
 * @example test: restartOf(container('myapp2').on('server01'))
 */
export function restartOf<Host extends string>(
  container: ContainerAssertion<Host>,
): RestartAssertion<Host> {
  return build(container, undefined, {});
}

function build<Host extends string>(
  container: ContainerAssertion<Host>,
  earlier: Moment<Host> | undefined,
  messages: Messages<RestartMessage>,
): RestartAssertion<Host> {
  const { host, name } = container.wanted;
  const test = async (sandbox: SandboxView<Host>): Promise<Verdict> => {
    const since = await sinceWhen(earlier, sandbox);
    if (typeof since !== 'number') return since;
    const starts = startsOf(sandbox.journal, host, name).filter(({ seq }) => seq > since);
    if (starts.some(({ again }) => again)) return passed();
    const problem = await container.runs()(sandbox);
    if (problem.kind !== 'passed') return problem;
    const now = name === undefined ? undefined : await sandbox.host(host).container(name);
    const facts = { name: name ?? 'The container', host, found: '', wanted: '' };
    const restart = { host, command: `docker restart ${now?.name ?? facts.name}` };
    const others = earlier ? starts.length > 0 : starts.some(({ id }) => id !== now?.id);
    if (others) return verdictWith(MESSAGES, messages, 'madeAnew', facts, restart);
    return verdictWith(MESSAGES, messages, earlier ? 'notSince' : 'notYet', facts);
  };
  const times = ({ journal }: SandboxView) =>
    startsOf(journal, host, name).flatMap(({ seq, again }) => (again ? seq : []));
  const words = {
    after: <Other extends string>(first: Moment<Other>) =>
      build<Host | Other>(container, first, messages),
    withMessages: (more: Messages<RestartMessage>) =>
      build(container, earlier, { ...messages, ...more }),
  };
  return moment([host, ...(earlier?.hosts ?? [])], test, times, earlier, words, [host]);
}

/**
 * Gives a test that happens at moments its hosts, when it happened, and the words that can follow it.
 *
 * @param times when it happened, as running numbers of the journal, oldest first
 * @param earlier only what comes after this counts
 * @param engines those of the hosts whose Docker Engine it asks
 */
export function moment<Host extends string, More extends object>(
  hosts: readonly Host[],
  test: (sandbox: SandboxView<Host>) => Promise<Verdict>,
  times: (sandbox: SandboxView) => readonly number[] | Promise<readonly number[]>,
  earlier: Moment<Host> | undefined,
  more: More,
  engines: readonly string[] = [],
): Moment<Host> & More {
  return Object.assign(assertion(hosts, test, {}, engines), more, {
    first: async (sandbox: SandboxView) => {
      const since = earlier ? await earlier.first(sandbox) : 0;
      return since === undefined ? undefined : (await times(sandbox)).find((seq) => seq > since);
    },
  });
}

/** The first time that something happened, or why it has not; 0 where nothing has to have happened before. */
export async function sinceWhen<Host extends string>(
  earlier: Moment<Host> | undefined,
  sandbox: SandboxView<Host>,
): Promise<number | Verdict> {
  if (!earlier) return 0;
  const first = await earlier.first(sandbox);
  if (first !== undefined) return first;
  const verdict = await earlier(sandbox);
  if (verdict.kind !== 'passed') return verdict;
  // It has happened since the first look, or is seen before the journal has it: that is no pass of what comes after it.
  return (await earlier.first(sandbox)) ?? notYet('What this comes after has only just happened.');
}
