import type { Lab } from '#lab';
import { commandsOf } from './shell-commands.ts';
import type { Step } from './steps.ts';

/**
 * The steps that a step stands on, directly or by others, in the lab's order. It stands on the last step before it that
 * makes a thing which it names (a container, a network, a volume, an image), on the steps of its checks' `needs`, and,
 * where all that it asks for is to read the screen, on the step before it on its page.
 */
export function stepsBelow(
  steps: readonly Step[],
  step: Step,
  lab: Pick<Lab, 'checks'>,
): readonly Step[] {
  const below = new Set<Step>();
  const add = (of: Step): void => {
    for (const each of directlyBelow(steps, of, lab)) {
      if (below.has(each)) continue;
      below.add(each);
      add(each);
    }
  };
  add(step);
  return steps.filter((each) => below.has(each));
}

function directlyBelow(
  steps: readonly Step[],
  step: Step,
  { checks }: Pick<Lab, 'checks'>,
): readonly Step[] {
  const before = steps.slice(0, steps.indexOf(step));
  const own = checks.filter(({ id }) => step.checks.includes(id));
  const asked = step.actions.flatMap((action) => {
    if (action.kind === 'run') return action.command;
    return action.kind === 'open' ? action.url : [];
  });
  const text = [...asked, ...own.flatMap(({ id, title, question = '' }) => [id, title, question])];
  // `myapp2-url` names myapp2, and my-app is a name as well.
  const words = new Set(
    text
      .join(' ')
      .split(/[^\w.:-]+/)
      .flatMap((word) => [word, ...word.split('-')]),
  );
  const makes = namesMade(step);
  const found = new Map<string, Step>();
  for (const each of before) {
    for (const name of namesMade(each)) {
      if (words.has(name) && !makes.includes(name)) found.set(name, each);
    }
  }
  const needs = own.flatMap((check) => check.needs ?? []);
  const needed = before.filter((each) => each.checks.some((id) => needs.includes(id)));
  const last = before.at(-1);
  const knows = step.actions.some(
    ({ kind, ...rest }) => 'text' in rest && typeof rest.text === 'string',
  );
  const reads = asked.length === 0 && !knows && last?.page === step.page ? [last] : [];
  return [...found.values(), ...needed, ...reads];
}

/** The names that a step's commands give to what they make. */
function namesMade({ actions }: Step): readonly string[] {
  return actions.flatMap((action) =>
    action.kind === 'run' ? commandsOf(action.command).flatMap(namesIn) : [],
  );
}

function namesIn(command: string): readonly string[] {
  const words = command.trim().split(/\s+/);
  const at = words.indexOf('docker');
  if (at < 0) return [];
  const after = (flag: string): readonly string[] =>
    words.flatMap((word, index) => {
      if (word === flag) return words[index + 1] ?? [];
      return word.startsWith(`${flag}=`) ? word.slice(flag.length + 1) : [];
    });
  const [what = '', verb = ''] = words.slice(at + 1);
  const last = words.at(-1) ?? '';
  if (verb === 'create' && (what === 'network' || what === 'volume')) return [last];
  if ([what, verb].some((word) => word === 'tag' || word === 'rename')) return [last];
  if ([what, verb].includes('build')) return [...after('-t'), ...after('--tag')];
  return after('--name');
}
