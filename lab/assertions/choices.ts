import type { CheckDefinition, Choices } from '../define.ts';
import { didYouMean } from '../did-you-mean.ts';
import { answering, type Mistake, type Scenarios } from '../scenarios.ts';
import { notYet, passed, type Verdict } from '../verdict.ts';
import { onAnswer } from './assertion.ts';

/** More are not read, and a phone's screen has room for no more. Their keys fit into one answer. */
const OPTIONS = { least: 2, most: 10 } as const;
/** Keys go into the page and into an answer, where a space parts them. Names like numbers do not keep their order. */
const KEY = /^[a-z][a-z0-9-]{0,31}$/;

/** What every question with choices has. `options`: key to what the learner reads; code stands in `code marks`. */
interface Asked<Option extends string> extends Scenarios {
  readonly title: string;
  readonly question: string;
  readonly options: Readonly<Record<Option, string>>;
  readonly optional?: true;
  readonly needs?: readonly string[];
}

type Because<Option extends string> = Readonly<Partial<Record<Option, string>>>;

/** The right option, all of the right options, or all options in their order. */
type Right<Option extends string> =
  | { readonly right: Option; readonly because: Because<Option> }
  | {
      readonly right: readonly Option[];
      readonly because: Because<Option>;
      /** Said where all that were chosen are right, and some are missing. */
      readonly otherwise?: string;
    }
  | {
      readonly order: readonly Option[];
      /** Said where an option stands before one that has to come before it. */
      readonly because?: Because<Option>;
      /** Said of any other order. */
      readonly otherwise?: string;
    };

/**
 * A question that the learner answers by choosing among what stands on the page: one of several (`right` is a key),
 * several of several (`right` is a list), or an order (`order`). `because` says of each wrong option what is wrong with it.
 * `npm run lab:test` gives the right answer, and each wrong one.
 *
 * @example
 * choice('who-gives', {
 *   title: 'You know who gives a container its address',
 *   question: 'Who gives a container its address?',
 *   options: { dhcp: 'a DHCP server', engine: 'the engine', kernel: 'the kernel' },
 *   right: 'engine',
 *   because: { dhcp: 'No DHCP server is part of Docker.', kernel: 'The kernel takes the one that it is given.' },
 * })
 */
export function choice<const Option extends string>(
  id: string,
  {
    title,
    question,
    optional,
    needs,
    mistakes = [],
    alternatives,
    ...asked
  }: Asked<Option> & Right<NoInfer<Option>>,
): CheckDefinition {
  const choices: Choices = {
    ...rightOf(asked),
    options: asked.options,
    because: asked.because ?? {},
    ...('otherwise' in asked && { otherwise: asked.otherwise }),
  };
  return {
    id,
    title,
    question,
    choices,
    test: onAnswer(id, (given) => judged(choices, given)),
    solution: [answering(choices.right.join(' '))],
    mistakes: [...wrongAnswers(choices), ...mistakes],
    ...(optional && { optional }),
    ...(needs && { needs }),
    ...(alternatives && { alternatives }),
  };
}

function rightOf<Option extends string>(asked: Right<Option>): Pick<Choices, 'kind' | 'right'> {
  if ('order' in asked) return { kind: 'order', right: asked.order };
  const { right } = asked;
  return typeof right === 'string' ? { kind: 'one', right: [right] } : { kind: 'several', right };
}

/** What an answer, its keys with spaces between them, is worth. */
function judged(choices: Choices, given: string): Verdict {
  const keys = [...new Set(given.split(/\s+/))];
  const { kind, options, right } = choices;
  const isWhole = kind === 'several' || keys.length === (kind === 'one' ? 1 : right.length);
  if (!isWhole || !keys.every((key) => Object.hasOwn(options, key))) {
    return notYet('The choices are others now. Reload the page, and choose again.');
  }
  const isRight =
    kind === 'order'
      ? keys.every((key, place) => key === right[place])
      : keys.length === right.length && keys.every((key) => right.includes(key));
  return isRight ? passed() : notYet(reasonAgainst(choices, keys));
}

function reasonAgainst(
  { kind, right, because, otherwise }: Choices,
  keys: readonly string[],
): string {
  if (kind === 'order') {
    const place = keys.findIndex((key, at) => key !== right[at]);
    return because[keys[place] ?? ''] ?? otherwise ?? sortedSoFar(place);
  }
  const wrong = keys.find((key) => !right.includes(key));
  if (wrong !== undefined) return because[wrong] ?? 'That is not right.';
  return otherwise ?? 'What you chose is right, and there is more. Choose all that are right.';
}

function sortedSoFar(places: number): string {
  if (places === 0) return 'Something else comes first. Move it to the top.';
  return places === 1
    ? 'The first is right. Look at what comes after it.'
    : `The first ${places} are right. Look at what comes after them.`;
}

/** Each wrong option in an answer that is right otherwise, and one in which no single option is wrong. */
function wrongAnswers(choices: Choices): readonly Mistake[] {
  const { kind, options, right, because } = choices;
  const wrong = Object.keys(because).map((key) => {
    if (kind === 'one') return [key];
    if (kind === 'several') return [...right, key];
    // One place too early.
    const others = right.filter((each) => each !== key);
    return others.toSpliced(Math.max(0, right.indexOf(key) - 1), 0, key);
  });
  if (kind === 'order') wrong.push(Object.keys(options));
  if (kind === 'several' && right.length > 1) wrong.push(right.slice(0, -1));
  const mistakes = wrong.map((keys) => ({
    what: `choosing ${keys.join(', ')}`,
    actions: [answering(keys.join(' '))],
    says: reasonAgainst(choices, keys),
  }));
  // Each reason once: lab:test holds that a mistake changes what the check says.
  return mistakes.filter(({ says }, at) => mistakes.findIndex((each) => each.says === says) === at);
}

/** What is wrong with a question's choices, each with what to write instead. */
export function choiceProblems({ id, choices }: CheckDefinition): readonly string[] {
  if (!choices) return [];
  const { kind, options, right, because } = choices;
  const keys = Object.keys(options);
  const problems: string[] = [];
  if (keys.length < OPTIONS.least || keys.length > OPTIONS.most) {
    problems.push(`has ${keys.length} options; give it ${OPTIONS.least} to ${OPTIONS.most}`);
  }
  for (const key of keys.filter((each) => !KEY.test(each))) {
    problems.push(
      `has the option "${key}": use at most 32 lower-case letters, digits and dashes, with a letter first`,
    );
  }
  for (const key of [...right, ...Object.keys(because)].filter((each) => !keys.includes(each))) {
    problems.push(`speaks of "${key}", which is none of its options. ${didYouMean(key, keys)}`);
  }
  if (new Set(right).size < right.length) problems.push('has a right option twice');
  const reasons = Object.values(because).filter((reason) => reason !== undefined);
  const told = (reason: string) => reasons.filter((other) => other.includes(reason)).length > 1;
  for (const reason of new Set(reasons.filter(told))) {
    problems.push(`says “${reason}” of two options; say of each what is wrong with it`);
  }
  if (kind === 'order') {
    if (right.length !== keys.length) {
      problems.push('has options that stand in no place of its order; put all of them into it');
    } else if (keys.every((key, place) => key === right[place])) {
      problems.push('shows its options in the right order; write them in another one');
    }
    if (because[right[0] ?? ''] !== undefined) {
      problems.push(`has a reason against "${right[0]}", which comes first and is never too early`);
    }
    return named(id, problems);
  }
  if (right.length === 0) problems.push('has no right option');
  for (const key of keys) {
    const isRight = right.includes(key);
    if (isRight === (because[key] === undefined)) continue;
    problems.push(
      isRight
        ? `has a reason against "${key}", which is right; take out one of the two`
        : `has no reason against "${key}"; say in "because" what is wrong with it, or add it to "right"`,
    );
  }
  return named(id, problems);
}

function named(id: string, problems: readonly string[]): readonly string[] {
  return problems.map((problem) => `choice "${id}" ${problem}`);
}
