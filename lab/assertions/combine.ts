import { notYet, passed } from '../verdict.ts';
import { type Assertion, assertion, checksOf, enginesOf, hostsOf, type Test } from './assertion.ts';

/**
 * Passes when every test does. They run in order; the first that does not pass gives the reason, and the rest does not
 * run.
 *
 * @example test: all(container('web').on('server01').runs(), file('/etc/motd').on('server01').says(/hello/))
 */
export function all<const Tests extends readonly Test[]>(...tests: Tests): Assertion<Asked<Tests>> {
  return assertion(
    askedBy(tests),
    async (sandbox) => {
      for (const test of tests) {
        const verdict = await test(sandbox);
        if (verdict.kind !== 'passed') return verdict;
      }
      return passed();
    },
    { checks: tests.flatMap(checksOf) },
    tests.flatMap(enginesOf),
  );
}

/**
 * Passes when one of the tests does: for a step that can be done in several ways. While none is passed, the first one
 * gives the reason, so put the way that the page teaches first.
 *
 * @example test: firstOf(route('172.17.0.0/16').on('client').via('10.1.10.11'), route('default').on('client').via('10.1.10.11'))
 */
export function firstOf<const Tests extends readonly Test[]>(
  ...tests: Tests
): Assertion<Asked<Tests>> {
  return assertion(
    askedBy(tests),
    async (sandbox) => {
      const verdicts = [];
      for (const test of tests) {
        const verdict = await test(sandbox);
        if (verdict.kind === 'passed') return verdict;
        verdicts.push(verdict);
      }
      return verdicts[0] ?? notYet('There is nothing to do here.');
    },
    { checks: tests.flatMap(checksOf) },
    tests.flatMap(enginesOf),
  );
}

/** The hosts that any of the tests asks; those of a function are not known. */
type Asked<Tests extends readonly Test[]> = Tests[number] extends infer Each
  ? Each extends Assertion<infer Host>
    ? Host
    : never
  : never;

function askedBy<const Tests extends readonly Test[]>(tests: Tests): readonly Asked<Tests>[] {
  // An assertion's hosts are its own host names; `hostsOf` forgets only their literal types.
  return tests.flatMap((test) => hostsOf(test)) as readonly string[] as readonly Asked<Tests>[];
}
