import { type Fix, notYet, type Verdict } from '../verdict.ts';
import type { HostView, SandboxView } from '../view.ts';

/**
 * A test of a sandbox: what a check takes as its `test`. It has the names of the hosts it reads, so that a name which the
 * lab does not have is found when the lab is read, not when a learner waits for a tick.
 */
export interface Assertion<Host extends string = string> {
  (sandbox: SandboxView<Host>): Promise<Verdict>;
  readonly hosts: readonly Host[];
  /** Ids of the checks whose passes it asks about. */
  readonly checks?: readonly string[];
}

/** Something read from the hosts: for `value`, and for comparing an answer with. `undefined` while there is none. */
export interface Reading<Host extends string = string> {
  (sandbox: SandboxView<Host>): Promise<string | undefined>;
  readonly hosts: readonly Host[];
}

/** Anything that a check can take as its `test`. */
export type Test<Host extends string = string> = (
  sandbox: SandboxView<Host>,
) => Verdict | Promise<Verdict>;

/** What a message may speak of. Which of them are filled depends on the message. */
export interface MessageFacts {
  /** The container, network, file or command asked for, as the learner reads it. */
  readonly name: string;
  /** The host it is asked for on. */
  readonly host: string;
  /** What was found instead: another name, image, port, host … */
  readonly found: string;
  /** What would have been right. */
  readonly wanted: string;
}

/** A message in the author's own words: fixed, or made of the facts. */
export type Message = string | ((facts: MessageFacts) => string);

/** Some of a helper's messages, in the author's own words. */
export type Messages<Key extends string> = Readonly<Partial<Record<Key, Message>>>;

/** A helper's own messages, all of them. */
export type DefaultMessages<Key extends string> = Readonly<
  Record<Key, (facts: MessageFacts) => string>
>;

/** A "not yet" in the author's words where there are any, else in the helper's own. */
export function verdictWith<Key extends string>(
  own: DefaultMessages<Key>,
  authors: Messages<Key>,
  key: Key,
  facts: MessageFacts,
  fix?: Fix,
): Verdict {
  const message = authors[key] ?? own[key];
  return notYet(typeof message === 'string' ? message : message(facts), fix);
}

/**
 * Gives a test its hosts, and the words that can follow it.
 *
 * @param engines those of the hosts whose Docker Engine it asks
 */
export function assertion<Host extends string, More extends object>(
  hosts: readonly Host[],
  test: (sandbox: SandboxView<Host>) => Promise<Verdict>,
  more: More,
  engines: readonly string[] = [],
): Assertion<Host> & More {
  return Object.assign(test, { hosts: [...new Set(hosts)], engines }, more);
}

/** Gives a reader its hosts, and the words that can follow it. */
export function reading<Host extends string, More extends object>(
  hosts: readonly Host[],
  read: (sandbox: SandboxView<Host>) => Promise<string | undefined>,
  more: More,
  engines: readonly string[] = [],
): Reading<Host> & More {
  return Object.assign(read, { hosts: [...new Set(hosts)], engines }, more);
}

/** The test of a question: its newest answer, trimmed, as `judge` finds it. */
export function onAnswer<Host extends string>(
  id: string,
  judge: (given: string, sandbox: SandboxView<Host>) => Verdict | Promise<Verdict>,
): Test<Host> & { readonly hosts: readonly string[] } {
  const test = (sandbox: SandboxView<Host>) => {
    const given = sandbox.journal.last('answer', ({ check }) => check === id)?.text.trim();
    return given ? judge(given, sandbox) : notYet('Not answered yet.');
  };
  return Object.assign(test, { hosts: hostsOf(judge), engines: enginesOf(judge) });
}

/** The hosts that a test is known to read; none for a function that the author wrote. */
export function hostsOf(test: object): readonly string[] {
  return 'hosts' in test ? textsIn(test.hosts) : [];
}

/** The hosts whose Docker Engine a test is known to ask. */
export function enginesOf(test: object): readonly string[] {
  return 'engines' in test ? textsIn(test.engines) : [];
}

function textsIn(list: unknown): readonly string[] {
  return Array.isArray(list) ? list.filter((each) => typeof each === 'string') : [];
}

/** The checks whose passes a test is known to ask about; none where the author has written no test. */
export function checksOf(test: object | undefined): readonly string[] {
  return test !== undefined && 'checks' in test ? textsIn(test.checks) : [];
}

/** The lab's other hosts. */
export function otherHosts(sandbox: SandboxView, host: string): readonly HostView[] {
  const here = sandbox.host(host).name;
  return sandbox.hosts.filter(({ name }) => name !== here);
}

/** The lab's other hosts that have an engine. */
export function otherEngines(sandbox: SandboxView, host: string): readonly HostView[] {
  return otherHosts(sandbox, host).filter(({ hasEngine }) => hasEngine);
}

/** The first of the lab's other hosts on which something is so. */
export async function otherHostWhere(
  sandbox: SandboxView,
  host: string,
  isSo: (other: HostView) => Promise<boolean>,
): Promise<HostView | undefined> {
  for (const other of otherHosts(sandbox, host)) if (await isSo(other)) return other;
  return undefined;
}

/** The lab's host with an address, name or alias. */
export function hostAt(sandbox: SandboxView, nameOrAddress: string): HostView | undefined {
  const wanted = nameOrAddress.toLowerCase();
  return sandbox.hosts.find(
    ({ name, aliases, addresses }) =>
      name === wanted || addresses.includes(wanted) || aliases.includes(wanted),
  );
}
