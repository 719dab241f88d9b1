import type {
  CheckDefinition,
  Choices,
  FilesDefinition,
  HostDefinition,
  LabDefinition,
  SectionDefinition,
  ValueDefinition,
} from './define.ts';
import { didYouMean } from './did-you-mean.ts';
import type { Alternative, Mistake } from './scenarios.ts';

/** The keys of a part of a lab, and which of them it cannot be without. */
type Keys<Part> = {
  readonly [Key in keyof Required<Part>]: Record<never, never> extends Pick<Part, Key>
    ? 'may'
    : 'must';
};

const LAB: Keys<LabDefinition> = {
  title: 'must',
  version: 'may',
  hosts: 'must',
  images: 'may',
  browser: 'must',
  values: 'may',
  sections: 'must',
};
const HOST: Keys<HostDefinition> = {
  address: 'must',
  interfaces: 'may',
  aliases: 'may',
  engine: 'may',
  router: 'may',
  internet: 'may',
  image: 'may',
  images: 'may',
  files: 'may',
  setup: 'may',
  services: 'may',
};
const FILES: Keys<FilesDefinition> = { from: 'must', to: 'must', owner: 'may', mode: 'may' };
const VALUE: Keys<ValueDefinition> = { placeholder: 'must', read: 'must' };
const SECTION: Keys<SectionDefinition> = {
  page: 'must',
  title: 'must',
  anyOrder: 'may',
  after: 'may',
  optional: 'may',
  checks: 'must',
};
const CHECK: Keys<CheckDefinition> = {
  id: 'must',
  title: 'must',
  optional: 'may',
  question: 'may',
  choices: 'may',
  placeholder: 'may',
  test: 'must',
  reads: 'may',
  solution: 'may',
  needs: 'may',
  every: 'may',
  mistakes: 'may',
  alternatives: 'may',
};
const CHOICES: Keys<Choices> = {
  kind: 'must',
  options: 'must',
  right: 'must',
  because: 'must',
  otherwise: 'may',
};
const MISTAKE: Keys<Mistake> = {
  what: 'must',
  actions: 'must',
  says: 'must',
  undo: 'may',
  remembered: 'may',
};
const ALTERNATIVE: Keys<Alternative> = { what: 'must', actions: 'must' };

/**
 * Words that no lab has, and words that are missing: what an editor underlines, for who does without. A lab with any of
 * these is not read further.
 */
export function shapeProblems(lab: object): readonly string[] {
  return [
    ...wordsOf('the lab', lab, LAB),
    ...entries(lab, 'hosts').flatMap(([name, host]) => [
      ...wordsOf(`host "${name}"`, host, HOST),
      ...parts(host, 'files').flatMap((files) => wordsOf(`a file of host "${name}"`, files, FILES)),
    ]),
    ...entries(lab, 'values').flatMap(([id, value]) => wordsOf(`value "${id}"`, value, VALUE)),
    ...parts(lab, 'sections').flatMap((section) => [
      ...wordsOf(named('section', section, 'page'), section, SECTION),
      ...parts(section, 'checks').flatMap(checkProblems),
    ]),
  ];
}

function checkProblems(check: object): readonly string[] {
  const name = named('check', check, 'id');
  const scenarios = (key: string, keys: Readonly<Record<string, string>>) =>
    parts(check, key).flatMap((each) =>
      wordsOf(`${named(key.slice(0, -1), each, 'what')} of ${name}`, each, keys),
    );
  return [
    ...wordsOf(name, check, CHECK),
    ...('choices' in check && isObject(check.choices) ? wordsOf(name, check.choices, CHOICES) : []),
    ...scenarios('mistakes', MISTAKE),
    ...scenarios('alternatives', ALTERNATIVE),
  ];
}

/** What is said of a part: each word that is none first, since the line can be found by it. */
function wordsOf(
  part: string,
  written: object,
  keys: Readonly<Record<string, string>>,
): readonly string[] {
  const known = Object.keys(keys);
  const said = Object.entries(written).flatMap(([key, value]) => (value === undefined ? [] : key));
  const strange = said.filter((key) => !known.includes(key));
  const missing = known.filter((key) => keys[key] === 'must' && !said.includes(key));
  return [
    ...strange.map((key) => `"${key}" is no word of ${part}. ${didYouMean(key, known)}`),
    // One that is there under a wrong name is not missing as well.
    ...(strange.length > 0 ? [] : missing.map((key) => `${part} has no ${key}; write ${key}: …`)),
  ];
}

function named(what: string, part: object, key: string): string {
  const name: unknown = Reflect.get(part, key);
  return typeof name === 'string' ? `${what} "${name}"` : `a ${what}`;
}

function entries(whole: object, key: string): readonly (readonly [string, object])[] {
  const part: unknown = Reflect.get(whole, key);
  if (!isObject(part)) return [];
  return Object.entries(part).filter((entry): entry is [string, object] => isObject(entry[1]));
}

function parts(whole: object, key: string): readonly object[] {
  const part: unknown = Reflect.get(whole, key);
  return Array.isArray(part) ? part.filter(isObject) : [];
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
