import { passed, type Verdict } from '../verdict.ts';
import type { SandboxView } from '../view.ts';
import { type DefaultMessages, type Messages, verdictWith } from './assertion.ts';
import type { ContainerAssertion } from './container.ts';
import { type Moment, moment, sinceWhen } from './moment.ts';
import { startsOf } from './starts.ts';

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
