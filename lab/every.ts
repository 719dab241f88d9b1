import type { CheckDefinition } from './define.ts';

/** What is asked more often takes the hosts from those who work on them; all is asked every half minute anyhow (s). */
const SHORTEST = 1;
const LONGEST = 60;

/** How often a check is to be asked (ms); `undefined` where it does not say, or says what cannot be. */
export function rhythmOf({ every }: Pick<CheckDefinition, 'every'>): number | undefined {
  const seconds = Number(/^(\d{1,2}(?:\.\d{1,3})?)s$/.exec(every ?? '')?.[1]);
  return seconds >= SHORTEST && seconds <= LONGEST ? 1_000 * seconds : undefined;
}

/** What is wrong with how often a check is to be asked. */
export function rhythmProblems(check: Pick<CheckDefinition, 'id' | 'every'>): readonly string[] {
  if (check.every === undefined || rhythmOf(check) !== undefined) return [];
  return [
    `check "${check.id}": every "${check.every}" is no number of seconds from ${SHORTEST} to ${LONGEST}, such as 2s`,
  ];
}
