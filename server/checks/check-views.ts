import type { Lab } from '#lab';
import type { CheckView } from '#protocol';
import type { Pass } from '../store/journal.ts';

/** Stands at a check until its first answer has come, which a slow host or an author's script can hold up for seconds. */
const NOT_ASKED_YET = 'Not looked at yet.';

/** A check that is passed, as pages show it. @param regressed why it would not pass any more */
export function passedView(id: string, { at, assisted }: Pass, regressed?: string): CheckView {
  return {
    id,
    state: 'passed',
    passedAt: at,
    ...(regressed !== undefined && { moved: regressed }),
    ...(assisted && { assisted: true, help: assisted }),
  };
}

/**
 * All checks of a lab as they stand.
 *
 * @param answered the checks whose answer has come; `undefined` where there are no hosts to ask
 * @param withoutHosts why nothing is known of a check then
 */
export function checkViews(
  lab: Lab,
  answered: readonly CheckView[] | undefined,
  passes: ReadonlyMap<string, Pass>,
  withoutHosts: string,
): readonly CheckView[] {
  const known = new Map(answered?.map((check) => [check.id, check]));
  const reason = answered ? NOT_ASKED_YET : withoutHosts;
  return lab.checks.map(({ id }): CheckView => {
    const check = known.get(id);
    const pass = passes.get(id);
    if (pass && check?.state !== 'passed') return passedView(id, pass);
    return check ?? { id, state: 'not-yet', reason };
  });
}

/** The checks as the present hosts have them: one that was passed on earlier hosts alone is open. */
export function viewsOfTheseHosts(
  views: readonly CheckView[],
  passes: ReadonlyMap<string, Pass>,
): readonly CheckView[] {
  return views.map((view) =>
    view.state === 'passed' && passes.get(view.id)?.about === undefined
      ? { id: view.id, state: 'not-yet', reason: 'It was passed on earlier hosts.' }
      : view,
  );
}
