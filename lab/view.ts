import type Dockerode from 'dockerode';
import type { PublishedPorts, SignalKind, SignalOf } from './signal.ts';

/** A container on a host, as its engine describes it now. */
export interface ContainerView {
  readonly id: string;
  readonly name: string;
  /** The image as it was named when the container was made, e.g. `mycontainer:5.6`. */
  readonly image: string;
  /** The id of that image; the name may stand for another image by now. */
  readonly imageId: string;
  /** The program that it starts, and the program's arguments. */
  readonly command: readonly string[];
  /** A program runs in it now. Not so while its restart policy is about to start it again. */
  readonly running: boolean;
  /** How often its restart policy has started it again since it was last started by hand. */
  readonly restarts: number;
  /** `created`, `running`, `exited` …: Docker's own word. */
  readonly status: string;
  readonly exitCode: number;
  /** `bridge`, `none`, `host`, or the network it was started on. */
  readonly networkMode: string;
  /** Network name to the container's IPv4 address there ("" while stopped). */
  readonly addresses: Readonly<Record<string, string>>;
  /** What Docker bound, now; empty while stopped. */
  readonly ports: PublishedPorts;
  /** What was asked for: container port to the host ports written by the learner ("" means "Docker picks"). */
  readonly requestedPorts: Readonly<Record<string, readonly string[]>>;
  /** Likewise to the addresses of the host that they were written with ("" means "all of them"). */
  readonly requestedAddresses: Readonly<Record<string, readonly string[]>>;
  /** The published ports were asked for with `-P`. */
  readonly publishAll: boolean;
  readonly startedAt: number;
}

/** An image in a host's engine. */
export interface ImageView {
  readonly id: string;
  /** The program that it starts unless told otherwise, and the program's arguments. */
  readonly command: readonly string[];
  /** It bears the name of one of the lab's own images. */
  readonly isLabs: boolean;
  readonly labels: Readonly<Record<string, string>>;
  /** The hashes of its layers, lowest first. An image that is built on another begins with all of that one's. */
  readonly layers: readonly string[];
}

/** An image in the list of a host's engine. */
export interface ListedImage {
  readonly id: string;
  /** `web:1`, `registry:5000/web:1`; none for one that was built without a name, or whose name stands for another now. */
  readonly names: readonly string[];
  /** When it was built (s since the epoch). */
  readonly created: number;
}

/** A network on a host's engine. */
export interface NetworkView {
  readonly id: string;
  readonly name: string;
  readonly driver: string;
  readonly subnets: readonly string[];
  /** Container name to IPv4 address (without the prefix length). */
  readonly containers: Readonly<Record<string, string>>;
}

/** One IPv4 route of a host's kernel. */
export interface RouteView {
  /** `default` or CIDR, e.g. `172.17.0.0/16`. */
  readonly destination: string;
  readonly via: string | undefined;
  readonly device: string;
}

/** The sockets of TCP or of UDP that listen, with their programs. */
type Sockets = '-Hltnp' | '-Hlunp';

/**
 * A command of a host that only reads: sockets that listen, a file’s mode and owner, a user and its groups, processes, the
 * way to an address, and what a web server answers to one GET, within two seconds and in 64 KiB. These are all that a check
 * can run there.
 */
export type ReadingCommand =
  | readonly ['ss', Sockets]
  | readonly ['setpriv', '--reuid=learner', '--regid=learner', '--clear-groups', 'ss', Sockets]
  | readonly ['stat', '-Lc', string, '--', string]
  | readonly ['id', '-Gn', '--', string]
  | readonly ['getent', 'passwd' | 'group', string]
  | readonly ['ps', '-eo', string]
  | readonly ['ip', '-j', '-4', 'route', 'get', string]
  | readonly [
      ...['curl', '-q', '-s', '-m', '2', '--noproxy', '*', '--max-filesize', '65536'],
      ...['-H', string, '-w', string, string],
    ];

/** What a command of a host came back with. */
export interface CommandAnswer {
  readonly status: number;
  /** stdout and stderr together, trimmed; at most 256 KiB of it. */
  readonly output: string;
}

/** A host of the lab. It can be read and not changed. */
export interface HostView {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly hasEngine: boolean;
  /** Its first address on the lab's networks, without the prefix length. */
  readonly address: string;
  /** All that it has on the lab's networks, that one first. */
  readonly addresses: readonly string[];
  /** The host's own engine. Only requests that read get through. What they bring is remembered for no other check. */
  readonly docker: Dockerode;
  /** By exact name or id; `undefined` where there is none. */
  container(nameOrId: string): Promise<ContainerView | undefined>;
  containers(): Promise<readonly ContainerView[]>;
  /** Which engine that is, as Docker counts: `28.5.2`, without what a distribution adds. */
  engineVersion(): Promise<string>;
  /** By name or id; `undefined` where there is none. */
  image(nameOrId: string): Promise<ImageView | undefined>;
  /** Every image, as its engine lists them: without those in between that a build has left. */
  images(): Promise<readonly ListedImage[]>;
  /** What each step of an image's build ran, newest first, as `docker history` has it. @param id its id, in full */
  imageSteps(id: string): Promise<readonly string[]>;
  networks(): Promise<readonly NetworkView[]>;
  routes(): Promise<readonly RouteView[]>;
  /** IPv4 address of an interface, or `undefined`. */
  addressOf(device: string): Promise<string | undefined>;
  /**
   * The rules of its firewall, as `iptables-save` prints them, and the policy of each chain (`:FORWARD DROP`). None where
   * they cannot be had.
   */
  firewall(): Promise<readonly string[]>;
  /**
   * A file's text, without spaces and ends of lines at its beginning and its end, at most 64 KiB of it; meant for `/proc`
   * and `/etc`. `undefined` where there is no file.
   */
  read(path: string): Promise<string | undefined>;
  /** What a command that only reads says. That it fails is an answer as well. */
  ask(command: ReadingCommand): Promise<CommandAnswer>;
  /**
   * Sends one packet, and waits a second for the answer: what `ping` says of it, or of a port `nc`.
   *
   * @param to an address or a name
   * @param from the id or name of a container that runs: in its network then, by the names that are known there
   */
  probe(to: string, port?: number, from?: string): Promise<CommandAnswer>;
  /**
   * What bash says of lines of its own, as root: the end of it, 2 KiB at most.
   *
   * @throws CouldNotCheck where they take longer than 3 s
   */
  script(lines: string): Promise<CommandAnswer>;
}

/** The session's past. */
export interface JournalView {
  /** Signals of a kind, oldest first. */
  all<K extends SignalKind>(kind: K): readonly SignalOf<K>[];
  /** The newest signal of a kind that fits. */
  last<K extends SignalKind>(
    kind: K,
    fits?: (signal: SignalOf<K>) => boolean,
  ): SignalOf<K> | undefined;
}

/**
 * What a check or a value may look at. What it has looked at decides when it is asked again: after a signal that can
 * have changed that.
 */
export interface SandboxView<Host extends string = string> {
  host(name: Host): HostView;
  /** Every host of the lab, in its order. */
  readonly hosts: readonly HostView[];
  readonly journal: JournalView;
  /** Aborted at the check's deadline. */
  readonly signal: AbortSignal;
}
