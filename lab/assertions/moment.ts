import { notYet, passed, type Verdict } from '../verdict.ts';
import type { SandboxView } from '../view.ts';
import { type Assertion, assertion } from './assertion.ts';

/** An assertion about something that happens at a moment, so that other things can be asked for after it. */
export interface Moment<Host extends string = string> extends Assertion<Host> {
  /** The first time that it happened, as a running number of the journal; `undefined` until then. */
  first(sandbox: SandboxView): Promise<number | undefined>;
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
    checks: earlier?.checks ?? [],
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

/**
 * Another check has been passed: for what counts only after it. That one comes before it in the lab.
 *
 * @example test: visited('http://10.1.10.11').after(passOf('rebuilt'))
 */
export function passOf(check: string): Moment<never> {
  const times = ({ journal }: SandboxView) =>
    journal.all('pass').flatMap((pass) => (pass.check === check ? pass.seq : []));
  const test = async (sandbox: SandboxView) =>
    times(sandbox).length > 0 ? passed() : notYet('A step before this one comes first.');
  return Object.assign(moment<never, object>([], test, times, undefined, {}), { checks: [check] });
}
