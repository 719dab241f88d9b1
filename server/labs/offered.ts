import { closest } from 'fastest-levenshtein';
import type { Lab } from '#lab';
import { QuaysideError } from '../base/errors.ts';

/** The lab whose pages are the authors' guide's live examples: nothing to learn from. `src/site/sidebar.ts` has it too. */
const EXAMPLES_LAB = 'components';

/**
 * The labs that this server has, in the order in which they are shown: those that were named, or all there are. The
 * authors' examples come last, also beside named ones, as their guide leads there; a class has them only where they were named.
 *
 * @throws QuaysideError CONFIG_INVALID for a name that is no lab's
 */
export function offeredLabs(
  all: ReadonlyMap<string, Lab>,
  named: readonly string[],
  isClass: boolean,
): ReadonlyMap<string, Lab> {
  const names = [...all.keys()];
  const unknown = named.find((name) => !all.has(name));
  if (unknown !== undefined) {
    throw new QuaysideError(
      'CONFIG_INVALID',
      `There is no lab named ${unknown}. Did you mean ${closest(unknown, names)}?`,
      `The labs are: ${names.join(', ')}.`,
    );
  }
  const others = names.filter((name) => name !== EXAMPLES_LAB);
  const examples = names.filter((name) => name === EXAMPLES_LAB && !isClass);
  const wanted = new Set([...(named.length > 0 ? named : others), ...examples]);
  return new Map(
    [...wanted].flatMap((name) => {
      const lab = all.get(name);
      return lab ? [[name, lab] as const] : [];
    }),
  );
}
