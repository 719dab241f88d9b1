/** The most letters that may differ for one name to be a slip of the other. */
const SLIP = 2;
/** Names that Docker makes up: `quirky_hopper`, `quirky_hopper3`. */
const MADE_UP = /^[a-z]+_[a-z]+\d?$/;

/** The name among `known` that takes the fewest edits to get from `given` ("" where there are none). */
export function nearest(given: string, known: readonly string[]): string {
  let best = '';
  let fewest = Number.POSITIVE_INFINITY;
  for (const name of known) {
    const edits = distance(given, name);
    if (edits < fewest) [best, fewest] = [name, edits];
  }
  return best;
}

/** Whether a container's name may stand for another: it is a slip of it, or Docker made it up. `web1` is no slip of `web2`. */
export function nearby(given: string, wanted: string): boolean {
  if (MADE_UP.test(given)) return true;
  const numbered = /\d$/.test(given) && /\d$/.test(wanted);
  return !numbered && distance(given, wanted) <= SLIP;
}

/** Levenshtein's distance, one row at a time. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...from].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...to].entries()) {
      const replaced = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
