import { checksOf, enginesOf, hostsOf, onAnswer, type Test } from './assertions/assertion.ts';
import { choiceProblems } from './assertions/choices.ts';
import type {
  CheckDefinition,
  HostDefinition,
  LabDefinition,
  Seconds,
  SectionDefinition,
  ValueDefinition,
} from './define.ts';
import { didYouMean } from './did-you-mean.ts';
import { rhythmProblems } from './every.ts';
import { reportInternet } from './internet.ts';
import { type LabHost, parseHost, reportNetworks, reportTwins, tagged } from './parse-host.ts';
import type { Action, Scenarios } from './scenarios.ts';
import { shapeProblems } from './shape.ts';
import type { Verdict } from './verdict.ts';
import type { SandboxView } from './view.ts';

export type { LabFiles, LabHost } from './parse-host.ts';

/** A lab that has been read and found sound: what everything behind `lab.ts` works on. */
export interface Lab {
  readonly title: string;
  readonly version?: number | undefined;
  readonly hosts: readonly LabHost[];
  /** Image tag to its folder under `images/`. */
  readonly images: Readonly<Record<string, string>>;
  readonly browser: string;
  readonly values: Readonly<Record<string, ValueDefinition>>;
  readonly sections: readonly SectionDefinition[];
  /** Every check of every section, in order. */
  readonly checks: readonly CheckDefinition[];
  /** The folder that it was read from; none where it was made in code. */
  readonly source?: LabSource;
}

/** A file from beside `lab.ts`. */
export interface SourceFile {
  /** Its path below what was asked for; empty where that is the file itself. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly isExecutable: boolean;
}

/** Where a lab stands, for whoever puts its files on hosts or speaks of its lines. */
export interface LabSource {
  /** A file, or all files of a folder. @throws Error where it is not there or larger than a host may be given */
  files(from: string): Promise<readonly SourceFile[]>;
  /** The file and line of a text of `lab.ts`, below what it belongs to, as an editor opens it; of that name, where the text stands nowhere so. */
  placeOf(text: string, of: string): string;
  /** The first place of an error's stack that lies in the lab. */
  placeIn(stack: string): string | undefined;
}

/** A `lab.ts` that cannot work, with everything that is wrong with it. */
export class LabError extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(`This lab cannot run:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'LabError';
    this.problems = problems;
  }
}

/** Check and value ids go into HTML attributes and URLs. */
const ID = /^[a-z0-9][a-z0-9-]{0,63}$/;

/**
 * A check: its id, what the learner reads of it (`title`), and the test of the sandbox. `solution` is what is to be done
 * where its page shows nothing to do, as in a challenge. A test that asks about another check's pass `needs` that one.
 *
 * @example
 * check('web-runs', {
 *   title: 'A container named web runs on server01',
 *   test: container('web').on('server01').runs(),
 * })
 */
export function check<const Host extends string = string>(
  id: string,
  rest: Scenarios & {
    readonly title: string;
    readonly optional?: true;
    readonly needs?: readonly string[];
    readonly every?: Seconds;
    readonly solution?: readonly Action[];
    readonly test: Test<Host>;
  },
): CheckDefinition<Host> {
  const needs = [...(rest.needs ?? []), ...checksOf(rest.test)];
  return { id, ...rest, ...(needs.length > 0 && { needs }) };
}

/**
 * A question that the learner answers with what they read off the screen.
 * `judge` gets the newest answer, trimmed, and compares it with the live truth. `reads` says where it stands: its first
 * group, on the screen of the page's last command before the question, or in the page last opened.
 *
 * @example
 * answer('docker0-address', {
 *   title: 'You read the bridge’s address off the screen',
 *   question: 'What is the IP of docker0?',
 *   placeholder: '172.17.0.x',
 *   reads: /inet (\S+)/,
 *   judge: theAddress(addressOf('docker0').on('server01')),
 * })
 */
export function answer<const Host extends string = string>(
  id: string,
  rest: Scenarios & {
    readonly title: string;
    readonly question: string;
    readonly placeholder?: string;
    readonly optional?: true;
    readonly needs?: readonly string[];
    readonly reads?: RegExp;
    readonly solution?: readonly Action[];
    readonly judge: (given: string, sandbox: SandboxView<Host>) => Verdict | Promise<Verdict>;
  },
): CheckDefinition<Host> {
  const { judge, ...written } = rest;
  return { id, ...written, test: onAnswer(id, judge) };
}

/**
 * A value of the prose: shown live, or as `placeholder` while the hosts have none.
 *
 * @example value('<port>', container('web').on('server01').hostPort(80))
 */
export function value<const Host extends string = string>(
  placeholder: string,
  read: (sandbox: SandboxView<Host>) => Promise<string | undefined>,
): ValueDefinition<Host> {
  return { placeholder, read };
}

/**
 * Reads a lab once: what the author wrote becomes what runs.
 *
 * @throws LabError naming everything that is wrong, each with what was expected
 */
export function defineLab<const Host extends string>(definition: LabDefinition<Host>): Lab {
  const misshapen = shapeProblems(definition);
  if (misshapen.length > 0) throw new LabError(misshapen);
  const problems: string[] = [];
  const images = parseImages(definition.images ?? {}, problems);
  const hosts = Object.entries<HostDefinition>(definition.hosts).map(([name, host]) =>
    parseHost(name, host, images, problems),
  );
  reportNetworks(hosts, problems);
  reportInternet(hosts, problems);
  const { version } = definition;
  if (version !== undefined && !(Number.isSafeInteger(version) && version > 0)) {
    problems.push(`"version" is a whole number from 1 on, and not ${version}`);
  }
  reportTwins('host name', [...hosts.flatMap((host) => [host.name, ...host.aliases])], problems);
  reportTwins(
    'address',
    hosts.flatMap(({ interfaces }) => interfaces.map(({ address }) => address)),
    problems,
  );
  if (!hosts.some((host) => host.name === definition.browser)) {
    problems.push(
      `browser: "${definition.browser}" is no host; there are ${hosts.map((host) => host.name).join(', ')}`,
    );
  }
  const sections = definition.sections.map(asOptional);
  const checks = sections.flatMap((section) => section.checks);
  const ids = checks.map((each) => each.id);
  for (const id of [...ids, ...Object.keys(definition.values ?? {})]) {
    if (!ID.test(id)) problems.push(`id "${id}": use lower-case letters, digits and dashes`);
  }
  reportTwins('check id', ids, problems);
  for (const [index, { id, needs = [] }] of checks.entries()) {
    for (const needed of needs) {
      if (ids.slice(0, index).includes(needed)) continue;
      problems.push(
        `check "${id}" needs "${needed}", which is no check before it. ${didYouMean(needed, ids)}`,
      );
    }
  }
  for (const [index, { page, after }] of sections.entries()) {
    const before = sections
      .slice(0, index)
      .flatMap((section) => section.checks.map(({ id }) => id));
    if (after === undefined || before.includes(after)) continue;
    problems.push(
      `section "${page}" opens after "${after}", which is no check of a section before it. ${didYouMean(after, before)}`,
    );
  }
  problems.push(...checks.flatMap(choiceProblems), ...checks.flatMap(rhythmProblems));
  const known = hosts.flatMap(({ name, aliases }) => [name, ...aliases]);
  for (const { id, test, mistakes = [], alternatives = [], solution = [] } of checks) {
    const actions = [...mistakes, ...alternatives, { actions: solution }].flatMap(
      (scenario) => scenario.actions,
    );
    const typedOn = actions.flatMap((action) => ('host' in action ? [action.host] : []));
    reportStrangers(`check "${id}"`, [...hostsOf(test), ...typedOn], known, problems);
    reportEngineless(`check "${id}"`, enginesOf(test), hosts, problems);
  }
  for (const [id, { read }] of Object.entries<ValueDefinition>(definition.values ?? {})) {
    reportStrangers(`value "${id}"`, hostsOf(read), known, problems);
    reportEngineless(`value "${id}"`, enginesOf(read), hosts, problems);
  }
  reportTwins(
    'page',
    definition.sections.map((section) => section.page),
    problems,
  );
  if (problems.length > 0) throw new LabError(problems);
  return {
    title: definition.title,
    version,
    hosts,
    images,
    browser: definition.browser,
    values: definition.values ?? {},
    sections,
    checks,
  };
}

/** A section, with its checks optional where it is so. */
function asOptional<Host extends string>(
  section: SectionDefinition<Host>,
): SectionDefinition<Host> {
  if (!section.optional) return section;
  return { ...section, checks: section.checks.map((each) => ({ ...each, optional: true })) };
}

/** The host that a name or an alias stands for. */
export function hostNamed(lab: Pick<Lab, 'hosts'>, name: string): LabHost | undefined {
  return lab.hosts.find((host) => host.name === name || host.aliases.includes(name));
}

/** The lab's images by their full names. */
function parseImages(
  written: NonNullable<LabDefinition['images']>,
  problems: string[],
): Lab['images'] {
  const images = Object.entries(written).map(([name, folder]) => {
    const full = tagged(name);
    if (full === undefined) {
      problems.push(`image "${name}" is no name with a tag, such as my-image:1.0`);
    }
    return [full ?? name, folder] as const;
  });
  reportTwins(
    'image',
    images.map(([name]) => name),
    problems,
  );
  return Object.fromEntries(images);
}

/** A name that no host bears, wherever a helper or a scenario speaks of one. */
function reportStrangers(
  where: string,
  named: readonly string[],
  known: readonly string[],
  problems: string[],
): void {
  for (const name of new Set(named.filter((each) => !known.includes(each)))) {
    problems.push(
      `${where} asks about the host "${name}", which this lab does not have. ${didYouMean(name, known)}`,
    );
  }
}

/** A host without an engine, whose engine a helper asks. */
function reportEngineless(
  where: string,
  asked: readonly string[],
  hosts: readonly LabHost[],
  problems: string[],
): void {
  for (const name of new Set(asked)) {
    const host = hostNamed({ hosts }, name);
    if (!host || host.hasEngine) continue;
    const others = hosts.filter(({ hasEngine }) => hasEngine).map((each) => each.name);
    problems.push(
      `${where} asks the Docker Engine of ${name}, which has none; give it engine: true, or ask another host: ${others.join(', ') || 'none has an engine'}`,
    );
  }
}
