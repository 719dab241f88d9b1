import type { Alternative, Lab } from '#lab';
import type { Step } from '#steps';

/** A check and one of its other right ways. */
export interface Detour {
  readonly check: string;
  readonly way: Alternative;
}

/** What a walk does at a step. */
export interface Stop {
  readonly step: Step;
  /** Whether all the wrong ways of its checks are gone first. */
  readonly misled: boolean;
  /** What is done in place of the page's deeds. */
  readonly detour: Detour | undefined;
  /** Whether more is looked at than that it passes. */
  readonly proven: boolean;
}

/** A way through the lab, in a sandbox of its own, and what it is for: `wrong ways, linux-bridge`. */
export interface Route {
  readonly title: string;
  readonly stops: readonly Stop[];
}

/** A route in the making. */
interface Draft {
  readonly title: string;
  /** The page whose wrong ways it goes. */
  readonly wrong: string | undefined;
  /** Page to which of its other right ways are gone, counted from 0: of each step that many-th. */
  readonly detours: Map<string, number>;
}

/**
 * The routes on which every wrong way and every other right way of the chosen steps is gone once. Each page's wrong ways
 * make a route. The other right ways lead it past the wrong ones, and through the pages before and after: getting there
 * is half of the time. Only where a page has more of them than there are routes, one is added.
 */
export function routesOf(
  lab: Pick<Lab, 'checks'>,
  all: readonly Step[],
  chosen: readonly Step[],
  kinds: { readonly wrong: boolean; readonly other: boolean },
): readonly Route[] {
  const pages = [...new Set(chosen.map(({ page }) => page))];
  const drafts: Draft[] = pages
    .filter(
      (page) => kinds.wrong && chosen.some((step) => step.page === page && isWrong(lab, step)),
    )
    .map((page) => ({ title: `wrong ways, ${page}`, wrong: page, detours: new Map() }));
  for (const page of kinds.other ? pages : []) {
    const counts = chosen
      .filter((step) => step.page === page)
      .map((step) => detoursOf(lab, step).length);
    for (let nth = 0; nth < Math.max(0, ...counts); nth++) {
      let draft = drafts
        .filter(({ detours }) => !detours.has(page))
        .sort((a, b) => farness(pages, a, page) - farness(pages, b, page))[0];
      if (!draft) {
        draft = { title: `other right way ${nth + 1}`, wrong: undefined, detours: new Map() };
        drafts.push(draft);
      }
      draft.detours.set(page, nth);
    }
  }
  return drafts.map((draft) => routeOf(draft, lab, all, chosen));
}

/** How much a route is out of its way for a page: none on its own, little where it passes anyway, then what comes after. */
function farness(pages: readonly string[], { wrong }: Draft, page: string): number {
  if (wrong === undefined) return 0;
  const beyond = pages.indexOf(page) - pages.indexOf(wrong);
  return beyond <= 0 ? beyond / -pages.length : beyond;
}

function routeOf(
  draft: Draft,
  lab: Pick<Lab, 'checks'>,
  all: readonly Step[],
  chosen: readonly Step[],
): Route {
  const stops = all.map((step): Stop => {
    const isChosen = chosen.includes(step);
    const misled = isChosen && step.page === draft.wrong && isWrong(lab, step);
    const nth = isChosen ? draft.detours.get(step.page) : undefined;
    const detour = nth === undefined ? undefined : detoursOf(lab, step)[nth];
    return { step, misled, detour, proven: misled || detour !== undefined };
  });
  return {
    title: draft.title,
    stops: stops.slice(0, stops.findLastIndex(({ proven }) => proven) + 1),
  };
}

function isWrong(lab: Pick<Lab, 'checks'>, step: Step): boolean {
  return step.checks.some((id) => lab.checks.find((check) => check.id === id)?.wrong?.length);
}

/** The other right ways of a step, of all its checks. */
function detoursOf(lab: Pick<Lab, 'checks'>, step: Step): readonly Detour[] {
  return step.checks.flatMap((id) => {
    const check = lab.checks.find((each) => each.id === id);
    return (check?.otherRight ?? []).map((way) => ({ check: id, way }));
  });
}
