import { closest } from 'fastest-levenshtein';

/** What to say of a name that is none of those there are: the nearest of them, and all of them. */
export function didYouMean(given: string, known: readonly string[]): string {
  if (known.length === 0) return 'There are none.';
  return `Did you mean "${closest(given, known)}"? There are: ${known.join(', ')}.`;
}
