/** Something done on the way to a step, right or wrong. `{value-id}` in its text stands for that value's live text. */
export type WayDeed =
  | { readonly kind: 'run'; readonly host: string; readonly command: string }
  | { readonly kind: 'open'; readonly url: string }
  | { readonly kind: 'answer'; readonly text: string };

/** A mistake that learners make at a check: doing it must not pass it, and must get the reason that fits. */
export interface WrongWay {
  /** What is done, in a few words: `a fixed port`. */
  readonly what: string;
  readonly does: readonly WayDeed[];
  /** What the check's reason must say then. */
  readonly says: string | RegExp;
  /**
   * What leads back: after it the check's reason is the one from before. Left out where nothing on the hosts changed, or
   * where the journal remembers (an answer, a visit).
   */
  readonly undo?: readonly WayDeed[];
}

/** Another way to the same result as the page's own, which must pass as well. It stands in place of the page's deeds. */
export interface OtherRightWay {
  readonly what: string;
  readonly does: readonly WayDeed[];
}

/** A command typed into a host's terminal; a name or an alias. */
export function on(host: string, command: string): WayDeed {
  return { kind: 'run', host, command };
}

/** A page opened in the browser pane. */
export function open(url: string): WayDeed {
  return { kind: 'open', url };
}

/** An answer given to the check's question. */
export function answering(text: string): WayDeed {
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
