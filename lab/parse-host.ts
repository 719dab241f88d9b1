import ipaddr from 'ipaddr.js';
import type { EngineSettings, FilesDefinition, HostDefinition } from './define.ts';
import { didYouMean } from './did-you-mean.ts';
import { isEngineVersion } from './engine-version.ts';

/** Files of a host that have been read and found sound. */
export interface LabFiles {
  /** Path beside `lab.ts`. */
  readonly from: string;
  /** Absolute path on the host. */
  readonly to: string;
  /** As chown(1) takes it. */
  readonly owner: string;
  /** In octal; where there is none, a file is executable if it is so beside `lab.ts`. */
  readonly mode: string | undefined;
}

/** An interface of a host. Those on the same network are on the same wire. */
export interface LabInterface {
  /** IPv4 address without the prefix length; empty where what is written is none. */
  readonly address: string;
  readonly prefixLength: number;
  /** `10.1.10.0/24` */
  readonly network: string;
}

/** A host of a lab that has been read and found sound. */
export interface LabHost {
  readonly name: string;
  readonly aliases: readonly string[];
  /** IPv4 address without the prefix length. */
  readonly address: string;
  readonly prefixLength: number;
  /** `eth1`, which has that address, and those after it. */
  readonly interfaces: readonly LabInterface[];
  readonly hasEngine: boolean;
  /** Its engine runs from the start, and not from its first use. */
  readonly isAwake: boolean;
  /** May set sysctls of the network and make network namespaces, without an engine. */
  readonly isRouter: boolean;
  /** Reaches the internet, where the operator allows it. */
  readonly hasInternet: boolean;
  /** The folder of the image that it is made from: below `images/`, or by its whole path; ours where there is none. */
  readonly image: string | undefined;
  /** Image tags that its engine holds from the start. */
  readonly images: readonly string[];
  readonly files: readonly LabFiles[];
  /** Command lines of bash, in order, for each fresh host. */
  readonly setup: readonly string[];
  /** Command lines of bash that are kept running, each with its name. */
  readonly services: readonly (readonly [name: string, command: string])[];
  /** What its engine's `daemon.json` has beside our own, as JSON; empty where it is nothing. */
  readonly engineSettings: string;
  /** Which engine it has, as the lab says it: `28`; `undefined` where the lab says nothing. */
  readonly engineVersion: string | undefined;
}

const { IPv4 } = ipaddr;

/** Host names go into DNS, container names and labels: RFC 1123, at most 32 characters so that names stay readable. */
const HOST_NAME = /^[a-z]([a-z0-9-]{0,30}[a-z0-9])?$/;
/** Prefix lengths of networks with room for hosts: a /31 has no address between its own and the broadcast one. */
const PREFIX = { least: 8, most: 30 } as const;
/** Ranges that no host of a lab can have an address in. */
const NOT_FOR_HOSTS: readonly string[] = ['unspecified', 'loopback', 'multicast', 'broadcast'];
/** An image's name as Docker takes it: a registry where there is one, a path, and a tag. */
const IMAGE =
  /^(?:[a-z0-9.-]+(?::\d+)?\/)?[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*(?::(\w[\w.-]{0,127}))?$/;

/** Of a folder with a Dockerfile: one below `images/`, or a path that begins beside `lab.ts`. */
const FOLDER = /^(?:\.{1,2}\/[^\0\n]+|[a-z0-9][a-z0-9._-]*)$/;
/** A path of plain names. Those of hosts begin with a slash. */
const RELATIVE = /^(?!\.{0,2}(?:\/|$))[^/\0\n]+(?:\/(?!\.{0,2}(?:\/|$))[^/\0\n]+)*$/;
/** A user and perhaps a group, by their names. */
const OWNER = /^[a-z_][a-z0-9_-]{0,31}(?::[a-z_][a-z0-9_-]{0,31})?$/;
const MODE = /^[0-7]{3,4}$/;
/** Where a file would not stay or do what it says: what the kernel shows, what each start makes anew, what is a host's own. */
const NOT_FOR_FILES: readonly string[] = [
  '/dev',
  '/etc/docker/daemon.json',
  '/etc/hosts',
  '/opt/quayside',
  '/proc',
  '/run',
  '/sys',
  '/var/lib/docker',
  '/var/run',
];
/** Linux takes 128 KiB as one argument, and a character has up to four bytes. */
const SETUP_CHARACTERS = 16_384;
/** What images/lab-host/init keeps running itself. */
const ENGINE_UNITS: readonly string[] = ['containerd', 'docker'];
/** What the host's first program gives its engine as options, or what an engine inside a host depends on (images/lab-host). */
const OUR_SETTINGS: readonly string[] = [
  'cgroup-parent',
  'containerd',
  'containerd-namespace',
  'containerd-plugins-namespace',
  'data-root',
  'default-runtime',
  'exec-opts',
  'exec-root',
  'group',
  'hosts',
  'pidfile',
  'runtimes',
  'shutdown-timeout',
  'userns-remap',
];
/** What is below it is the learner's, where nothing else is said. */
const HOME = '/home/learner';

/** Reads a host; what is wrong with it goes to `problems`. */
export function parseHost(
  name: string,
  host: HostDefinition,
  labs: Readonly<Record<string, string>>,
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
      problems.push(
        `host ${name}: image "${image}" is not among the lab’s images. ${didYouMean(image, Object.keys(labs))}`,
      );
    }
  }
  if (images.length > 0 && !host.engine) {
    problems.push(`host ${name} has images but no engine; add engine: true`);
  }
  if (host.image !== undefined && !FOLDER.test(host.image)) {
    const place = `${name}: { …, image: './host' }`;
    problems.push(
      Object.hasOwn(labs, host.image)
        ? `host ${name}: "${host.image}" is an image for its engine; write images: ['${host.image}']`
        : `host ${name}: image "${host.image}" is no folder with a Dockerfile: ${place}`,
    );
  }
  if (host.router && host.engine) {
    problems.push(`host ${name} is a router by its engine already; take out router: true`);
  }
  const interfaces = [host.address, ...(host.interfaces ?? [])].map((written) =>
    parseAddress(name, written, problems),
  );
  reportTwins(
    `host ${name}: an interface on`,
    interfaces.map(({ network }) => network).filter((network) => network !== ''),
    problems,
  );
  const [{ address, prefixLength } = { address: '', prefixLength: 0 }] = interfaces;
  return {
    name,
    aliases,
    address,
    prefixLength,
    interfaces,
    isRouter: host.router ?? false,
    hasInternet: host.internet ?? false,
    hasEngine: Boolean(host.engine),
    image: host.image,
    images,
    files: parseFiles(name, host.files ?? [], problems),
    setup: parseSetup(name, host.setup ?? [], problems),
    services: parseServices(name, host.services ?? {}, problems),
    ...parseEngine(
      name,
      Boolean(host.engine),
      typeof host.engine === 'object' ? host.engine : {},
      problems,
    ),
  };
}

function parseFiles(
  name: string,
  written: readonly FilesDefinition[],
  problems: string[],
): readonly LabFiles[] {
  const isBelow = (path: string, folder: string) =>
    path === folder || path.startsWith(`${folder}/`);
  const files = written.map(({ from, to, owner, mode }): LabFiles => {
    const tell = (problem: string) => problems.push(`host ${name}: ${problem}`);
    if (!RELATIVE.test(from)) {
      tell(`file "${from}" is no path of a file or folder beside lab.ts, such as starter/web`);
    }
    if (!to.startsWith('/') || !RELATIVE.test(to.slice(1))) {
      tell(`"${to}" is no full path on the host, such as ${HOME}/web`);
    }
    const kept = NOT_FOR_FILES.find((folder) => isBelow(to, folder));
    if (kept !== undefined) tell(`"${to}" is no place for a file: ${kept} is the host’s own`);
    if (owner !== undefined && !OWNER.test(owner)) {
      tell(`owner "${owner}" is no user, nor a user and a group, such as root:learner`);
    }
    if (mode !== undefined && !MODE.test(mode)) {
      tell(`mode "${mode}" is not one in octal, such as 640`);
    }
    return {
      from,
      to,
      owner: owner ?? (isBelow(to, HOME) ? 'learner:learner' : 'root:root'),
      mode,
    };
  });
  reportTwins(
    `host ${name}: file`,
    files.map(({ to }) => to),
    problems,
  );
  return files;
}

function parseServices(
  name: string,
  written: Readonly<Record<string, string>>,
  problems: string[],
): LabHost['services'] {
  const services = Object.entries(written);
  for (const [service, command] of services) {
    const tell = (problem: string) =>
      problems.push(`host ${name}: service "${service}" ${problem}`);
    if (!HOST_NAME.test(service)) {
      tell('is no name: 1 to 32 lower-case letters, digits or dashes, beginning with a letter');
    }
    if (ENGINE_UNITS.includes(service)) tell('is a service that every host with an engine has');
    if (command.trim() === '') tell('has no command');
    if (/[\n\0]/.test(command) || command.length > SETUP_CHARACTERS) {
      tell('is more than one command line; put it into a file, and run that');
    }
  }
  return services;
}

function parseEngine(
  name: string,
  hasEngine: boolean,
  { version, awake, ...settings }: EngineSettings,
  problems: string[],
): Pick<LabHost, 'engineSettings' | 'engineVersion' | 'isAwake'> {
  if (version !== undefined && !isEngineVersion(version)) {
    problems.push(
      `host ${name}: its engine’s version ${JSON.stringify(version)} is no text such as '28' or '28.5.2'`,
    );
  }
  if (awake !== undefined && typeof awake !== 'boolean') {
    problems.push(
      `host ${name}: its engine’s awake is true or false, not ${JSON.stringify(awake)}`,
    );
  }
  const engineSettings = parseSettings(name, settings, problems);
  // Settings that an engine refuses are told at the start, and not to the learner who first uses it.
  const isAwake = hasEngine && (awake ?? engineSettings !== '');
  return { engineSettings, engineVersion: version, isAwake };
}

function parseSettings(
  name: string,
  settings: Readonly<Record<string, unknown>>,
  problems: string[],
): string {
  for (const key of Object.keys(settings)) {
    if (!OUR_SETTINGS.includes(key)) continue;
    problems.push(
      `host ${name}: its engine’s setting "${key}" is the host’s own; without it, there would be no engine in a host`,
    );
  }
  const json = JSON.stringify(settings);
  if (json.length > SETUP_CHARACTERS) {
    problems.push(
      `host ${name}: its engine’s settings are longer than ${SETUP_CHARACTERS} characters`,
    );
  }
  return json === '{}' ? '' : json;
}

function parseSetup(name: string, lines: readonly string[], problems: string[]): readonly string[] {
  for (const line of lines) {
    if (line.trim() === '') problems.push(`host ${name}: a line of setup is empty; take it out`);
    // A command is one argument of a process, and the text of a process has no NUL.
    if (line.includes('\0')) problems.push(`host ${name}: a line of setup has a NUL character`);
    if (line.length > SETUP_CHARACTERS) {
      problems.push(
        `host ${name}: a line of setup has ${line.length} characters, and ${SETUP_CHARACTERS} are the most; put it into a file, and run that`,
      );
    }
  }
  return lines;
}

function parseAddress(name: string, written: string, problems: string[]): LabInterface {
  const tell = (problem: string) => problems.push(`host ${name}: ${problem}`);
  const [address = '', prefix] = written.split('/');
  const prefixLength = Number(prefix);
  if (
    !IPv4.isValidCIDRFourPartDecimal(written) ||
    prefixLength < PREFIX.least ||
    prefixLength > PREFIX.most
  ) {
    tell(`address "${written}" is no IPv4 address with a prefix length (10.1.10.11/24)`);
    return { address: '', prefixLength, network: '' };
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
  return { address, prefixLength, network: `${network}/${prefixLength}` };
}

/** The address one further or one before, where only the last number changes: networks begin and end so. */
function neighbour(address: string, step: 1 | -1): string {
  const [a = 0, b = 0, c = 0, d = 0] = IPv4.parse(address).octets;
  return new IPv4([a, b, c, d + step]).toString();
}

/**
 * A network is a wire. Two whose ranges overlap would look like one and be none; and a host that no chain of hosts joins to
 * the first one reaches none of its side, whatever routes a learner sets.
 */
export function reportNetworks(hosts: readonly LabHost[], problems: string[]): void {
  const placed = hosts.flatMap(({ name, interfaces }) =>
    interfaces.flatMap((each) => (each.address === '' ? [] : [{ name, ...each }])),
  );
  const [first, ...others] = placed;
  if (!first) return;
  const joined = new Set([first.network]);
  const isJoined = (name: string) =>
    placed.some((each) => each.name === name && joined.has(each.network));
  for (let before = 0; before < joined.size; ) {
    before = joined.size;
    for (const { name, network } of placed) if (isJoined(name)) joined.add(network);
  }
  for (const [before, { name, address, prefixLength, network }] of others.entries()) {
    const written = `host ${name}: "${address}/${prefixLength}"`;
    const earlier = placed.slice(0, before + 1);
    const isNew = earlier.every((each) => each.network !== network);
    const other = isNew ? earlier.find((each) => overlap(each.network, network)) : undefined;
    if (other) {
      problems.push(
        `${written} is on the network ${network}, which overlaps ${other.network}, on which ${other.name} is; hosts on one wire have one prefix length`,
      );
    } else if (!joined.has(network)) {
      problems.push(
        `${written} is on the network ${network}, and no host joins that to ${first.network}, on which ${first.name} is; mend the address, or give a host interfaces on both`,
      );
    }
  }
}

/** Of two networks that overlap, the larger has all of the smaller, its first address included. */
function overlap(one: string, other: string): boolean {
  const [base = ''] = one.split('/', 1);
  const [otherBase = ''] = other.split('/', 1);
  return (
    IPv4.parse(base).match(IPv4.parseCIDR(other)) ||
    IPv4.parse(otherBase).match(IPv4.parseCIDR(one))
  );
}

/** An image's name with its tag, which is `latest` where none is written; `undefined` for what is no such name. */
export function tagged(name: string): string | undefined {
  const found = IMAGE.exec(name);
  return found ? (found[1] === undefined ? `${name}:latest` : name) : undefined;
}

export function reportTwins(what: string, names: readonly string[], problems: string[]): void {
  for (const name of new Set(names.filter((each, index) => names.indexOf(each) !== index))) {
    problems.push(`${what} "${name}" stands twice`);
  }
}
