import { closest, distance } from 'fastest-levenshtein';

/** A name that differs in more than this share of its letters is another name, and no slip of the finger. */
const MOST_DIFFERENT = 0.5;

/** The known name that was probably meant; undefined where none is like the given one. */
export function probablyMeant(given: string, known: readonly string[]): string | undefined {
  const nearest = closest(given, known);
  const isLike = distance(given, nearest) <= Math.max(given.length, 1) * MOST_DIFFERENT;
  return isLike ? nearest : undefined;
}

/** Whether a name is another one with one letter too many, missing or wrong, or with its letters in another order. */
export function isSlipOf(given: string, meant: string): boolean {
  const letters = (name: string): string => [...name].sort().join('');
  return distance(given, meant) === 1 || (given !== meant && letters(given) === letters(meant));
}

/** A hint for a name that is not among the known ones: the one that was probably meant, and all of them. */
export function didYouMean(given: string, known: readonly string[]): string {
  if (known.length === 0) return 'There are none.';
  const meant = probablyMeant(given, known);
  const all = `There are: ${known.join(', ')}.`;
  return meant === undefined ? all : `Did you mean "${meant}"? ${all}`;
}
