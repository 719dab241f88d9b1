import type { Alternative, Lab } from '#lab';
import type { Step } from '#steps';

/** A check and one of its other right ways, which is done in place of the page's actions. */
export interface Detour {
  readonly check: string;
  readonly alternative: Alternative;
}

/** What a walk does at a step. */
export interface Stop {
  readonly step: Step;
  /** Whether all the mistakes of its checks are made first. */
  readonly hasMistakes: boolean;
  readonly detour: Detour | undefined;
  /** Whether more is looked at than that it passes. */
  readonly isVerified: boolean;
}

/** A walk through the lab in a sandbox of its own, and what it is for: `wrong ways, linux-bridge`. */
export interface Route {
  readonly title: string;
  readonly stops: readonly Stop[];
}

/** What a route is for, before its stops are known. */
interface Draft {
  readonly title: string;
  /** The page whose mistakes it makes. */
  readonly wrong: string | undefined;
  /** Page to which of the other right ways of each of its steps it takes, counted from 0. */
  readonly detours: Map<string, number>;
}

/**
 * The routes on which every mistake and every other right way of the chosen steps is tried once. The mistakes of each
 * page make a route. The other right ways are put on these routes, on the pages before and after as well: getting there
 * is half of the time. A route is added only where a page has more of them than there are routes, and for each page whose
 * steps can be done in any order.
 */
export function routesOf(
  lab: Pick<Lab, 'checks' | 'sections'>,
  all: readonly Step[],
  chosen: readonly Step[],
  kinds: { readonly wrong: boolean; readonly other: boolean },
): readonly Route[] {
  const pages = [...new Set(chosen.map(({ page }) => page))];
  const drafts: Draft[] = pages
    .filter(
      (page) => kinds.wrong && chosen.some((step) => step.page === page && hasMistakes(lab, step)),
    )
    .map((page) => ({ title: `wrong ways, ${page}`, wrong: page, detours: new Map() }));
  for (const page of kinds.other ? pages : []) {
    const counts = chosen
      .filter((step) => step.page === page)
      .map((step) => detoursOf(lab, step).length);
    for (let nth = 0; nth < Math.max(0, ...counts); nth++) {
      let draft = drafts
        .filter(({ detours }) => !detours.has(page))
        .sort((a, b) => distance(pages, a, page) - distance(pages, b, page))[0];
      if (!draft) {
        draft = { title: `other right way ${nth + 1}`, wrong: undefined, detours: new Map() };
        drafts.push(draft);
      }
      draft.detours.set(page, nth);
    }
  }
  const anyOrder = lab.sections.filter((section) => kinds.other && section.anyOrder);
  return [
    ...drafts.map((draft) => routeOf(draft, lab, all, chosen)),
    ...anyOrder.flatMap(({ page }) => backwards(page, all, chosen)),
  ];
}

/** The way to a page whose steps can be done in any order, and these from the last to the first. */
function backwards(page: string, all: readonly Step[], chosen: readonly Step[]): readonly Route[] {
  const own = chosen.filter((step) => step.page === page);
  const [first] = own;
  if (!first || own.length < 2) return [];
  const stop =
    (isVerified: boolean) =>
    (step: Step): Stop => {
      return { step, hasMistakes: false, detour: undefined, isVerified };
    };
  const before = all.slice(0, all.indexOf(first)).map(stop(false));
  return [
    { title: `in another order, ${page}`, stops: [...before, ...own.toReversed().map(stop(true))] },
  ];
}

/** How much longer a route gets for a page: not at all on its own page or before it, then by each page after it. */
function distance(pages: readonly string[], { wrong }: Draft, page: string): number {
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
    const isMistaken = isChosen && step.page === draft.wrong && hasMistakes(lab, step);
    const nth = isChosen ? draft.detours.get(step.page) : undefined;
    const detour = nth === undefined ? undefined : detoursOf(lab, step)[nth];
    const isVerified = isMistaken || detour !== undefined;
    return { step, hasMistakes: isMistaken, detour, isVerified };
  });
  return {
    title: draft.title,
    stops: stops.slice(0, stops.findLastIndex(({ isVerified }) => isVerified) + 1),
  };
}

function hasMistakes(lab: Pick<Lab, 'checks'>, step: Step): boolean {
  return step.checks.some((id) => lab.checks.find((check) => check.id === id)?.mistakes?.length);
}

/** The other right ways of a step, of all its checks. */
function detoursOf(lab: Pick<Lab, 'checks'>, step: Step): readonly Detour[] {
  return step.checks.flatMap((id) => {
    const check = lab.checks.find((each) => each.id === id);
    return (check?.alternatives ?? []).map((alternative) => ({ check: id, alternative }));
  });
}
