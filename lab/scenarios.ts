import { VALUE_PLACE } from './value-place.ts';

/** Where a command is typed, and whether it comes to an end. */
export interface HowRun {
  /** It runs on until Ctrl-C. What it prints first, or the step's tick, is waited for, and not its end. */
  readonly stays?: true;
  /** It is typed into a second terminal of the host. */
  readonly second?: true;
  /** It is to fail, of a solution: the commands of a mistake and of an alternative may. */
  readonly fails?: true;
}

/** Something that a learner does, right or wrong. `{value-id}` in its text stands for that value's live text. */
export type Action =
  | ({ readonly kind: 'run'; readonly host: string; readonly command: string } & HowRun)
  /** Ctrl-C in the terminal in which a command stays. */
  | { readonly kind: 'interrupt'; readonly host: string }
  | { readonly kind: 'open'; readonly url: string }
  /** A pattern is read off the screen of the action before it, as `reads` of a question is. */
  | { readonly kind: 'answer'; readonly text: string | RegExp };

/** What a mistake `says` that has no reason of its own: the check goes on saying what it said before. */
export const asBefore: unique symbol = Symbol('as before');

/** A mistake that learners make at a check. It must not pass the check, and must get the reason that fits. */
export interface Mistake {
  /** What is done, in a few words: `a fixed port`. */
  readonly what: string;
  readonly actions: readonly Action[];
  /** What the check's reason must say then; `asBefore` where the check does not see the mistake, and only must not pass. */
  readonly says: string | RegExp | typeof asBefore;
  /**
   * What puts it right: after it the check has the reason from before again, other numbers aside. Left out where nothing on
   * the hosts has changed, and where the page's own actions lead on from here.
   */
  readonly undo?: readonly Action[];
  /** The journal remembers the mistake, so that the reason stays although it is undone. */
  readonly remembered?: true;
}

/** Actions that lead to the same result as the page's own, in their place. They must pass the check as well. */
export interface Alternative {
  readonly what: string;
  readonly actions: readonly Action[];
}

/** What the page of a check does not show. `npm run lab:test` tries all of it. */
export interface Scenarios {
  readonly mistakes?: readonly Mistake[];
  readonly alternatives?: readonly Alternative[];
}

/**
 * Gives checks the scenarios that stand in a file of their own.
 *
 * @param scenarios check id to its scenarios
 * @throws Error naming an id that none of the checks has
 */
export function withScenarios<Check extends { readonly id: string } & Scenarios>(
  checks: readonly Check[],
  scenarios: Readonly<Record<string, Scenarios>>,
): readonly Check[] {
  const lost = Object.keys(scenarios).find((id) => !checks.some((check) => check.id === id));
  if (lost !== undefined)
    throw new Error(`scenarios for a check that the lab does not have: ${lost}`);
  return checks.map((check) => ({ ...check, ...scenarios[check.id] }));
}

/** A command typed into a host's terminal; a name or an alias. */
export function on(host: string, command: string, how: HowRun = {}): Action {
  return { kind: 'run', host, command, ...how };
}

/** Ctrl-C, in the host's terminal in which a command stays. */
export function interrupt(host: string): Action {
  return { kind: 'interrupt', host };
}

/** A page opened in the browser pane. */
export function open(url: string): Action {
  return { kind: 'open', url };
}

/** An answer given to the check's question: a text, or a pattern to read off the screen of the action before. */
export function answering(text: string | RegExp): Action {
  return { kind: 'answer', text };
}

/**
 * An action's text with each `{value-id}` replaced by its text of now. Braces around anything that is no value of
 * the lab stay as they are: shells and formats have braces of their own.
 *
 * @param values value id to live text; an id that is there without a text has none yet
 * @throws Error naming the value that has no text yet
 */
export function fillIn(text: string, values: ReadonlyMap<string, string | undefined>): string {
  return text.replaceAll(VALUE_PLACE, (whole, id: string) => {
    if (!values.has(id)) return whole;
    const live = values.get(id);
    if (live === undefined) throw new Error(`the value ${id} has no text yet`);
    return live;
  });
}
