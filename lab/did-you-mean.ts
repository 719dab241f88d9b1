import { closest } from 'fastest-levenshtein';

/** A hint for a name that is not among the known ones: the nearest of them, and all of them. */
export function didYouMean(given: string, known: readonly string[]): string {
  if (known.length === 0) return 'There are none.';
  return `Did you mean "${closest(given, known)}"? There are: ${known.join(', ')}.`;
}
