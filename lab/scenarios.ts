/** Something done on the way to a step, right or wrong. `{value-id}` in its text stands for that value's live text. */
export type Action =
  | { readonly kind: 'run'; readonly host: string; readonly command: string }
  | { readonly kind: 'open'; readonly url: string }
  /** A pattern is read off the screen of the deed before it, as `reads` of a question is. */
  | { readonly kind: 'answer'; readonly text: string | RegExp };

/** A mistake that learners make at a check: doing it must not pass it, and must get the reason that fits. */
export interface Mistake {
  /** What is done, in a few words: `a fixed port`. */
  readonly what: string;
  readonly actions: readonly Action[];
  /** What the check's reason must say then. */
  readonly says: string | RegExp;
  /**
   * What leads back: after it the check says again what it said before, other numbers aside. Left out where nothing on
   * the hosts has changed, and where the step's right way leads on from here.
   */
  readonly undo?: readonly Action[];
  /** The journal remembers the mistake, so that the reason stays although it is undone. */
  readonly remembered?: true;
}

/** Another way to the same result as the page's own, which must pass as well. It stands in place of the page's deeds. */
export interface Alternative {
  readonly what: string;
  readonly actions: readonly Action[];
}

/** The ways to a check that its page does not show. `npm run lab:test` goes each of them. */
export interface Scenarios {
  readonly wrong?: readonly Mistake[];
  readonly otherRight?: readonly Alternative[];
}

/**
 * Gives checks the ways that stand in a file of their own.
 *
 * @param ways check id to its ways
 * @throws Error naming an id that none of the checks has
 */
export function withScenarios<Check extends { readonly id: string } & Scenarios>(
  checks: readonly Check[],
  ways: Readonly<Record<string, Scenarios>>,
): readonly Check[] {
  const lost = Object.keys(ways).find((id) => !checks.some((check) => check.id === id));
  if (lost !== undefined) throw new Error(`ways for a check that there is none of: ${lost}`);
  return checks.map((check) => ({ ...check, ...ways[check.id] }));
}

/** A command typed into a host's terminal; a name or an alias. */
export function on(host: string, command: string): Action {
  return { kind: 'run', host, command };
}

/** A page opened in the browser pane. */
export function open(url: string): Action {
  return { kind: 'open', url };
}

/** An answer given to the check's question: a text, or a pattern to read off the screen of the deed before. */
export function answering(text: string | RegExp): Action {
  return { kind: 'answer', text };
}

const PLACE = /\{([a-z0-9][a-z0-9-]*)\}/g;

/**
 * A deed's text with each `{value-id}` replaced by what the hosts say now. Braces around anything that is no value of
 * the lab stay as they are: shells and formats have braces of their own.
 *
 * @param values value id to live text; an id that is there without a text has none yet
 * @throws Error naming the value that has no text yet
 */
export function fillIn(text: string, values: ReadonlyMap<string, string | undefined>): string {
  return text.replaceAll(PLACE, (whole, id: string) => {
    if (!values.has(id)) return whole;
    const live = values.get(id);
    if (live === undefined) throw new Error(`the value ${id} has no text yet`);
    return live;
  });
}
