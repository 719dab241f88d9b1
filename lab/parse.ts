import ipaddr from 'ipaddr.js';
import { hostsOf, type Test } from './assertions/assertion.ts';
import type {
  CheckDefinition,
  HostDefinition,
  LabDefinition,
  SectionDefinition,
  ValueDefinition,
} from './define.ts';
import { didYouMean } from './did-you-mean.ts';
import type { Scenarios } from './scenarios.ts';
import { notYet, type Verdict } from './verdict.ts';
import type { SandboxView } from './view.ts';

/** A host of a lab that has been read and found sound. */
export interface LabHost {
  readonly name: string;
  readonly aliases: readonly string[];
  /** IPv4 address without the prefix length. */
  readonly address: string;
  readonly prefixLength: number;
  readonly hasEngine: boolean;
  /** Image tags that its engine holds from the start. */
  readonly images: readonly string[];
}

/** A lab that has been read and found sound: what everything behind `lab.ts` works on. */
export interface Lab {
  readonly title: string;
  readonly hosts: readonly LabHost[];
  /** Image tag to its folder under `images/`. */
  readonly images: Readonly<Record<string, string>>;
  readonly browser: string;
  readonly values: Readonly<Record<string, ValueDefinition>>;
  readonly sections: readonly SectionDefinition[];
  /** Every check of every section, in order. */
  readonly checks: readonly CheckDefinition[];
}

const { IPv4 } = ipaddr;

/** A `lab.ts` that cannot work, with everything that is wrong with it. */
export class LabError extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(`This lab cannot run:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'LabError';
    this.problems = problems;
  }
}

/** Host names go into DNS, container names and labels: RFC 1123, at most 32 characters so that names stay readable. */
const HOST_NAME = /^[a-z]([a-z0-9-]{0,30}[a-z0-9])?$/;
/** Check and value ids go into HTML attributes and URLs. */
const ID = /^[a-z0-9][a-z0-9-]{0,63}$/;
/** Prefix lengths of networks with room for hosts: a /31 has no address between its own and the broadcast one. */
const PREFIX = { least: 8, most: 30 } as const;
/** Ranges that no host of a lab can have an address in. */
const NOT_FOR_HOSTS: readonly string[] = ['unspecified', 'loopback', 'multicast', 'broadcast'];
/** An image's name as Docker takes it: a registry where there is one, a path, and a tag. */
const IMAGE =
  /^(?:[a-z0-9.-]+(?::\d+)?\/)?[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*(?::(\w[\w.-]{0,127}))?$/;

/**
 * A check: its id, what the learner reads of it (`title`), and the test of the sandbox.
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
    readonly needs?: readonly string[];
    readonly test: Test<Host>;
  },
): CheckDefinition<Host> {
  return { id, ...rest };
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
    readonly needs?: readonly string[];
    readonly reads?: RegExp;
    readonly judge: (given: string, sandbox: SandboxView<Host>) => Verdict | Promise<Verdict>;
  },
): CheckDefinition<Host> {
  const { judge, ...written } = rest;
  const test = (sandbox: SandboxView<Host>) => {
    const given = sandbox.journal.last('answer', (signal) => signal.check === id)?.text.trim();
    return given ? judge(given, sandbox) : notYet('Not answered yet.');
  };
  return { id, ...written, test: Object.assign(test, { hosts: hostsOf(judge) }) };
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
  const problems: string[] = [];
  const images = parseImages(definition.images ?? {}, problems);
  const hosts = Object.entries<HostDefinition>(definition.hosts).map(([name, host]) =>
    parseHost(name, host, images, problems),
  );
  reportOtherNetworks(hosts, problems);
  reportTwins('host name', [...hosts.flatMap((host) => [host.name, ...host.aliases])], problems);
  reportTwins(
    'address',
    hosts.map((host) => host.address),
    problems,
  );
  if (!hosts.some((host) => host.name === definition.browser)) {
    problems.push(
      `browser: "${definition.browser}" is no host; there are ${hosts.map((host) => host.name).join(', ')}`,
    );
  }
  const checks = definition.sections.flatMap((section) => section.checks);
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
  const known = hosts.flatMap(({ name, aliases }) => [name, ...aliases]);
  for (const { id, test, mistakes = [], alternatives = [] } of checks) {
    const actions = [...mistakes, ...alternatives].flatMap((scenario) => scenario.actions);
    const typedOn = actions.flatMap((action) => (action.kind === 'run' ? [action.host] : []));
    reportStrangers(`check "${id}"`, [...hostsOf(test), ...typedOn], known, problems);
  }
  for (const [id, { read }] of Object.entries<ValueDefinition>(definition.values ?? {})) {
    reportStrangers(`value "${id}"`, hostsOf(read), known, problems);
  }
  reportTwins(
    'page',
    definition.sections.map((section) => section.page),
    problems,
  );
  if (problems.length > 0) throw new LabError(problems);
  return {
    title: definition.title,
    hosts,
    images,
    browser: definition.browser,
    values: definition.values ?? {},
    sections: definition.sections,
    checks,
  };
}

/** The host that a name or an alias stands for. */
export function hostNamed(lab: Pick<Lab, 'hosts'>, name: string): LabHost | undefined {
  return lab.hosts.find((host) => host.name === name || host.aliases.includes(name));
}

function parseHost(
  name: string,
  host: HostDefinition,
  labs: Lab['images'],
  problems: string[],
): LabHost {
  const aliases = host.aliases ?? [];
  for (const each of [name, ...aliases]) {
    if (!HOST_NAME.test(each)) {
      problems.push(
        `host "${each}": a name is 1 to 32 lower-case letters, digits or dashes, and begins with a letter`,
      );
    }
  }
  const images = (host.images ?? []).map((image) => tagged(image) ?? image);
  for (const image of images) {
    if (!Object.hasOwn(labs, image)) {
      problems.push(`host ${name}: image "${image}" is not among the lab's images`);
    }
  }
  if (images.length > 0 && !host.engine) {
    problems.push(`host ${name} has images but no engine; add engine: true`);
  }
  return {
    name,
    aliases,
    ...parseAddress(name, host.address, problems),
    hasEngine: host.engine ?? false,
    images,
  };
}

function parseAddress(
  name: string,
  written: string,
  problems: string[],
): Pick<LabHost, 'address' | 'prefixLength'> {
  const tell = (problem: string) => problems.push(`host ${name}: ${problem}`);
  const [address = '', prefix] = written.split('/');
  const prefixLength = Number(prefix);
  if (
    !IPv4.isValidCIDRFourPartDecimal(written) ||
    prefixLength < PREFIX.least ||
    prefixLength > PREFIX.most
  ) {
    tell(`address "${written}" is no IPv4 address with a prefix length (10.1.10.11/24)`);
    return { address: '', prefixLength };
  }
  const range = IPv4.parse(address).range();
  const network = IPv4.networkAddressFromCIDR(written).toString();
  const broadcast = IPv4.broadcastAddressFromCIDR(written).toString();
  const between = `hosts have those from ${neighbour(network, 1)} to ${neighbour(broadcast, -1)}`;
  if (NOT_FOR_HOSTS.includes(range)) {
    tell(`"${written}" is no address for a host: it is a ${range} one`);
  } else if (address === network) {
    tell(`"${written}" is the address of the network itself; ${between}`);
  } else if (address === broadcast) {
    tell(`"${written}" is the network’s broadcast address; ${between}`);
  }
  return { address, prefixLength };
}

/** The address one further or one before, where only the last number changes: networks begin and end so. */
function neighbour(address: string, step: 1 | -1): string {
  const [a = 0, b = 0, c = 0, d = 0] = IPv4.parse(address).octets;
  return new IPv4([a, b, c, d + step]).toString();
}

/** One bridge joins all hosts, so that one on another network would reach none of them. */
function reportOtherNetworks(hosts: readonly LabHost[], problems: string[]): void {
  const [first, ...others] = hosts.filter(({ address }) => address !== '');
  if (!first) return;
  const networkOf = ({ address, prefixLength }: LabHost): string =>
    `${IPv4.networkAddressFromCIDR(`${address}/${prefixLength}`)}/${prefixLength}`;
  for (const host of others) {
    if (networkOf(host) === networkOf(first)) continue;
    problems.push(
      `host ${host.name}: "${host.address}/${host.prefixLength}" is not on the network ${networkOf(first)}, on which ${first.name} is; the hosts of a lab share one`,
    );
  }
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

/** An image's name with its tag, which is `latest` where none is written; `undefined` for what is no such name. */
function tagged(name: string): string | undefined {
  const found = IMAGE.exec(name);
  return found ? (found[1] === undefined ? `${name}:latest` : name) : undefined;
}

function reportTwins(what: string, names: readonly string[], problems: string[]): void {
  for (const name of new Set(names.filter((each, index) => names.indexOf(each) !== index))) {
    problems.push(`${what} "${name}" stands twice`);
  }
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
