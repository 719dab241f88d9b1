import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hostNamed, type Lab } from '../../lab/parse.ts';
import type { Action, HowRun } from '../../lab/scenarios.ts';
import { elementsOf, type PageElement } from './page-elements.ts';

/**
 * Something that a page asks its reader to do, and the line that asks. To run a fenced block on the host that it names:
 * `host` is the host's own name, whichever name the page uses. To press Ctrl-C where a command stays. To open an address in the browser pane: `{value-id}` in it
 * stands for that value's live text. To answer a question: with a text, or by a pattern that is read off the screen.
 */
export type StepAction = {
  readonly line: number;
  /** The file of that line, where it is another than the step's. */
  readonly file?: string;
} & (
  | ({ readonly kind: 'run'; readonly host: string; readonly command: string } & HowRun)
  | { readonly kind: 'interrupt'; readonly host: string }
  | { readonly kind: 'open'; readonly url: string }
  | { readonly kind: 'answer'; readonly check: string; readonly text?: string | RegExp }
);

/** What is to be done since the last check of a page, and the check, or checks, that then tick. */
export interface Step {
  /** Its first check's id, or `<page>-rest` for what is asked after a page's last check. */
  readonly id: string;
  /** The section's page: the file's name without its ending. */
  readonly page: string;
  /** The heading above its first check, or above its last action; the section's title where there is none. */
  readonly heading: string;
  /** Path of the page, or of the part of it in which the step begins. */
  readonly file: string;
  /** The line of its first action or, where it has none, of its first check. */
  readonly line: number;
  readonly actions: readonly StepAction[];
  /** Ids, in the page's order; empty for the rest. */
  readonly checks: readonly string[];
}

/**
 * The steps of a lab, in order, read from its pages: what a learner is asked to do is written there and nowhere else.
 * What stands in a hint is another way to the same, and no action. Where a page shows nothing to do for a check, its
 * `solution` is what is done. A page that is missing, and a name in it that the lab
 * does not have, are for the site's build to report; they make no step.
 *
 * @param labDirectory the folder that holds the lab's `lab.ts` and its pages
 */
export async function loadSteps(labDirectory: string, lab: Lab): Promise<readonly Step[]> {
  const pages = await Promise.all(
    lab.sections.map(async (section) => {
      const file = join(labDirectory, `${section.page}.mdx`);
      const source = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return '';
        throw error;
      });
      return stepsOf(source, { page: section.page, title: section.title, file }, lab);
    }),
  );
  return pages.flat();
}

/** The steps of one page. */
export function stepsOf(
  source: string,
  place: { readonly page: string; readonly title: string; readonly file: string },
  lab: Pick<Lab, 'hosts' | 'checks' | 'values'>,
): readonly Step[] {
  const steps: Step[] = [];
  let draft = draftUnder(place.title, place.file);
  const finish = (id: string): void => {
    const { heading, line, checks } = draft;
    const solved = () => checks.flatMap((check) => solutionOf(lab, check, line));
    const actions = draft.actions.length > 0 ? draft.actions : solved();
    steps.push({ id, page: place.page, heading, file: draft.file, line, actions, checks });
    draft = draftUnder(heading, place.file);
  };
  for (const element of elementsOf(source, place.file)) {
    if (element.within !== 'page') continue;
    const check = checkOf(element, lab);
    const asked = actionsOf(element, lab);
    if (element.kind !== 'heading' && check === undefined && asked.length === 0) continue;
    const [done] = draft.checks;
    // Whatever comes after checks begins the next step, unless it is one more check.
    if (done !== undefined && check === undefined) finish(done);
    if (element.kind === 'heading') {
      draft.heading = element.text;
      continue;
    }
    const { file, line } = element;
    if (draft.actions.length === 0 && draft.checks.length === 0)
      Object.assign(draft, { file, line });
    if (check !== undefined && draft.checks.includes(check)) continue;
    draft.actions.push(
      ...asked.map((action) => ({ ...action, ...(file !== draft.file && { file }) })),
    );
    if (check !== undefined) draft.checks.push(check);
  }
  const [last] = draft.checks;
  if (last !== undefined) finish(last);
  else if (draft.actions.length > 0) finish(`${place.page}-rest`);
  return steps;
}

/** A step that is still being read. */
interface Draft {
  heading: string;
  file: string;
  line: number;
  readonly actions: StepAction[];
  readonly checks: string[];
}

function draftUnder(heading: string, file: string): Draft {
  return { heading, file, line: 0, actions: [], checks: [] };
}

const IS_URL = /^https?:\/\//;

/** The id of the check that an element shows, where the lab has it. */
function checkOf(element: PageElement, lab: Pick<Lab, 'checks'>): string | undefined {
  if (element.kind !== 'component') return undefined;
  if (element.name !== 'Check' && element.name !== 'Answer') return undefined;
  const id = element.attributes.get('id');
  return lab.checks.some((check) => check.id === id) ? id : undefined;
}

type LabParts = Pick<Lab, 'hosts' | 'checks' | 'values'>;

/** What an element asks its reader to do. */
function actionsOf(element: PageElement, lab: LabParts): readonly StepAction[] {
  const { line } = element;
  if (element.kind !== 'block' && element.kind !== 'component') return [];
  if (element.kind === 'block') {
    const host = hostNamed(lab, element.host);
    const { code, stays, second, fails } = element;
    const how = { ...(stays && { stays }), ...(second && { second }), ...(fails && { fails }) };
    return host ? [{ kind: 'run', host: host.name, command: code, ...how, line }] : [];
  }
  const { name, attributes } = element;
  const id = attributes.get('id') ?? '';
  if (name === 'Answer') {
    const check = lab.checks.find((each) => each.id === id);
    if (!check) return [];
    const { reads, solution } = check;
    if (reads || !solution)
      return [{ kind: 'answer', check: id, line, ...(reads && { text: reads }) }];
    return solutionOf(lab, id, line);
  }
  if (name === 'Interrupt') {
    const host = hostNamed(lab, attributes.get('host') ?? '');
    return host ? [{ kind: 'interrupt', host: host.name, line }] : [];
  }
  if (name === 'Visit') {
    const url = attributes.get('url') ?? '';
    return url === '' ? [] : [{ kind: 'open', url, line }];
  }
  return name === 'Value' && IS_URL.test(lab.values[id]?.placeholder ?? '')
    ? [{ kind: 'open', url: `{${id}}`, line }]
    : [];
}

/** What is to be done for a check where its page does not show it. */
function solutionOf(lab: LabParts, id: string, line: number): readonly StepAction[] {
  const solution = lab.checks.find((check) => check.id === id)?.solution ?? [];
  return solution.flatMap((action) => stepAction(action, lab, id, line) ?? []);
}

function stepAction(
  action: Action,
  lab: LabParts,
  check: string,
  line: number,
): StepAction | undefined {
  switch (action.kind) {
    case 'run':
    case 'interrupt': {
      const host = hostNamed(lab, action.host);
      return host && { ...action, host: host.name, line };
    }
    case 'open':
      return { ...action, line };
    case 'answer':
      return { ...action, check, line };
    default:
      return action satisfies never;
  }
}
