import type { Action, Alternative, Mistake } from './scenarios.ts';
import type { Verdict } from './verdict.ts';
import type { SandboxView } from './view.ts';

/** Files that a host has from the start. */
export interface FilesDefinition {
  /** A file or folder beside `lab.ts`: `starter`, `web/index.html`. */
  readonly from: string;
  /** Where it is on the host: `/home/learner/web`. Of a folder, what is in it comes there. */
  readonly to: string;
  /** A user of the host, and a group where it is not the user's own: `www-data`, `root:learner`. */
  readonly owner?: string;
  /** Of each file, in octal: `'640'`. */
  readonly mode?: string;
}

/** Settings of `daemon.json`, as Docker names them: `{ 'userland-proxy': false }`. */
export interface EngineSettings {
  /** No setting, but which engine it is, whole or how it begins: `'28'`, `'28.5.2'`. Debian has it, in trixie or in sid. */
  readonly version?: string;
  /** No setting either: it runs from the start, and not from the first sign that somebody uses it. */
  readonly awake?: boolean;
  readonly [setting: string]: unknown;
}

/** A machine of a lab, as the author writes it. */
export interface HostDefinition {
  /** IPv4 address and prefix length on a network of the lab, e.g. `10.1.10.11/24`. Its interface is `eth1`. */
  readonly address: string;
  /** Addresses of further interfaces, `eth2` and on, each on the wire of its network. */
  readonly interfaces?: readonly string[];
  /** Other names of the same machine. They resolve on every host and open its terminals. */
  readonly aliases?: readonly string[];
  /** Runs a Docker Engine of its own, with these settings of `daemon.json` and of this version where they are said. */
  readonly engine?: boolean | EngineSettings;
  /** Without an engine: its sysctls of the network can be set, and `ip netns` works, as on a host with one. */
  readonly router?: boolean;
  /** It reaches the internet, from `eth1`, where the operator of the server allows that too; elsewhere the lab does not start. */
  readonly internet?: boolean;
  /** The folder of an image that the host is made from in place of ours, on which it is built: `./host`, or one below `images/`. */
  readonly image?: string;
  /** Keys of the lab's `images` that are in the host's engine from the start. */
  readonly images?: readonly string[];
  /** Files from beside `lab.ts` that it has from the start. */
  readonly files?: readonly FilesDefinition[];
  /** Command lines of bash, done once on each fresh host, in order: as root, unseen, with its files and images there. */
  readonly setup?: readonly string[];
  /** Name to command line of bash: run as root for as long as the host runs, from when it is set up, and again when it ends. */
  readonly services?: Readonly<Record<string, string>>;
}

/** What a learner chooses among to answer a question, by keys. */
export interface Choices {
  /** One of several, several of several, or all of them in an order. */
  readonly kind: 'one' | 'several' | 'order';
  /** Key to what the learner reads, in the order of the page. */
  readonly options: Readonly<Record<string, string>>;
  /** The right keys; where an order is asked for, all keys in it. It stays with the server. */
  readonly right: readonly string[];
  /** Key to what is wrong with it; in an order, to why it does not stand before others. */
  readonly because: Readonly<Record<string, string | undefined>>;
  /** What is said where no single option is wrong. */
  readonly otherwise?: string | undefined;
}

/** A number of seconds, from 1 to 60: `2s`. */
export type Seconds = `${number}s`;

/** What has to be so in the sandbox for a step to tick. */
export interface CheckDefinition<Host extends string = string> {
  readonly id: string;
  /** What will be checked, as the learner reads it. */
  readonly title: string;
  /** The lab is done without it; once it is passed, it is shown as one more. */
  readonly optional?: true;
  /** Present where the learner answers in words or numbers read off the screen. */
  readonly question?: string;
  /** Present where the answer is chosen, not typed. */
  readonly choices?: Choices;
  /** What the answer looks like, shown in the empty box, e.g. `172.17.0.1`. */
  readonly placeholder?: string;
  readonly test: (sandbox: SandboxView<Host>) => Verdict | Promise<Verdict>;
  /**
   * How often it is asked while it is open and somebody has a page of the lab open: for what changes by itself, without
   * anything that is done on the hosts. Left out, it is asked when something happens there, and every half minute.
   */
  readonly every?: Seconds;
  /**
   * Where a learner finds the answer: its first group, on the screen of the page's last command, or in the page last
   * opened, whichever came later.
   */
  readonly reads?: RegExp;
  /** What leads to it where its page shows nothing to be done: what `lab:test` and Do it for me then do. */
  readonly solution?: readonly Action[];
  /**
   * Ids of earlier checks whose steps this one stands on, where its page does not show that by the name of something that
   * they make. Do it for me does them first.
   */
  readonly needs?: readonly string[];
  /** Mistakes that get a reason of their own. */
  readonly mistakes?: readonly Mistake[];
  /** Other actions that lead to the same result, and that the page does not show. */
  readonly alternatives?: readonly Alternative[];
}

/** Something read live from the hosts and shown in the prose. */
export interface ValueDefinition<Host extends string = string> {
  /** Shown while there is none yet, e.g. `http://10.1.10.11:<port>`. */
  readonly placeholder: string;
  /** The live text, or `undefined` while there is none. */
  readonly read: (sandbox: SandboxView<Host>) => Promise<string | undefined>;
}

/** One page of the lab and the checks it shows, in order. */
export interface SectionDefinition<Host extends string = string> {
  /** The MDX file's name without its ending. */
  readonly page: string;
  readonly title: string;
  /** Its steps stand on none of the others: `lab:test` does them the other way round as well. */
  readonly anyOrder?: true;
  /** Nobody is led to its page, nor sees what is on it, until this check of an earlier section has passed. */
  readonly after?: string;
  /** None of its checks counts: the lab is done without them. */
  readonly optional?: true;
  readonly checks: readonly CheckDefinition<Host>[];
}

/** A lab, as its author writes it in `lab.ts`. */
export interface LabDefinition<Host extends string = string> {
  readonly title: string;
  /** Counts up with each change that a learner who has begun should hear of: of the hosts, or of what the steps ask for. */
  readonly version?: number;
  readonly hosts: Readonly<Record<Host, HostDefinition>>;
  /** Image tag to the folder under `images/` it is built from. */
  readonly images?: Readonly<Record<string, string>>;
  /** The host whose network the browser pane looks from. */
  readonly browser: NoInfer<Host>;
  readonly values?: Readonly<Record<string, ValueDefinition<NoInfer<Host>>>>;
  readonly sections: readonly SectionDefinition<NoInfer<Host>>[];
}
