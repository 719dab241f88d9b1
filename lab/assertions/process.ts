import { CouldNotCheck, passed, type Verdict } from '../verdict.ts';
import type { HostView, SandboxView } from '../view.ts';
import {
  type Assertion,
  assertion,
  type DefaultMessages,
  type Messages,
  otherHostWhere,
  verdictWith,
} from './assertion.ts';
import { matches } from './inside.ts';

/** The kernel keeps so many characters of a program's name. */
const NAME_CHARACTERS = 15;

/** `name` is the program as it was asked for, `found` the user or the host that it runs as or on instead. */
export type ProcessMessage = 'missing' | 'onOtherHost' | 'otherUser' | 'suspended' | 'ended';

const MESSAGES: DefaultMessages<ProcessMessage> = {
  missing: ({ name, host }) => `No process ${name} runs on ${host} yet.`,
  onOtherHost: ({ name, host, found }) =>
    `${name} runs on ${found}, but the lab needs it on ${host}.`,
  otherUser: ({ name, found, wanted }) => `${name} runs as ${found}, not as ${wanted}.`,
  suspended: ({ name }) =>
    `${name} is suspended, as Ctrl-Z does it, so it does nothing. Let it go on: bg or fg in its terminal.`,
  ended: ({ name }) => `${name} has ended; only its entry is left. Start it again.`,
};

/** An assertion about a process of a host: there is one. Those of the host's containers are among them. */
export interface ProcessAssertion<Host extends string = string> extends Assertion<Host> {
  /** It runs as a user. @example .ownedBy('root') */
  ownedBy(user: string): ProcessAssertion<Host>;
  /** Any of its messages in your own words. */
  withMessages(messages: Messages<ProcessMessage>): ProcessAssertion<Host>;
}

interface Wanted<Host extends string> {
  readonly program: string | RegExp;
  readonly host: Host;
  readonly user?: string;
  readonly messages: Messages<ProcessMessage>;
}

/**
 * A process of a host, by its program's name, or by a pattern for its whole command line.
 *
 * @example test: process('dnsmasq').on('client').ownedBy('root')
 */
export function process(program: string | RegExp) {
  return {
    on: <const Host extends string>(host: Host): ProcessAssertion<Host> =>
      build({ program, host, messages: {} }),
  };
}

function build<Host extends string>(wanted: Wanted<Host>): ProcessAssertion<Host> {
  return assertion([wanted.host], (sandbox: SandboxView<Host>) => judge(wanted, sandbox), {
    ownedBy: (user: string) => build({ ...wanted, user }),
    withMessages: (more: Messages<ProcessMessage>) =>
      build({ ...wanted, messages: { ...wanted.messages, ...more } }),
  });
}

async function judge<Host extends string>(
  { program, host, user, messages }: Wanted<Host>,
  sandbox: SandboxView<Host>,
): Promise<Verdict> {
  const name = typeof program === 'string' ? program : program.source;
  const tell = (key: ProcessMessage, found = '') =>
    verdictWith(MESSAGES, messages, key, { name, host, found, wanted: user ?? '' });
  const all = await processes(sandbox.host(host), program);
  const alive = all.filter(({ state }) => state !== 'Z');
  const owned = alive.filter((each) => user === undefined || each.user === user);
  if (owned.some(({ state }) => state !== 'T')) return passed();
  if (owned.length > 0) return tell('suspended');
  const [other] = alive;
  if (other) return tell('otherUser', other.user);
  if (all.length > 0) return tell('ended');
  const elsewhere = await otherHostWhere(sandbox, host, async (each) => {
    return (await processes(each, program)).length > 0;
  });
  return elsewhere ? tell('onOtherHost', elsewhere.name) : tell('missing');
}

interface Process {
  readonly pid: string;
  readonly parent: string;
  /** `?` for one without a terminal. */
  readonly terminal: string;
  /** As ps(1) has it: `T` is suspended, `Z` has ended and waits for its parent to notice. */
  readonly state: string;
  readonly user: string;
  readonly command: string;
}

const COLUMNS = 'pid=,ppid=,tty=,stat=,user:32=';
const LINE = /^ *(\d+) +(\d+) +(\S+) +(\w)\S* +(\S+) +(.*)$/;
/** More than processes stand below each other on a host; what a host says may have none above it. */
const DEEPEST = 64;
/** The first process of a host, and what the kernel shows as the parent of one that was put into the host from outside. */
const FIRST = '1';
const OUTSIDE = '0';

/**
 * The processes of a host whose program's name, or whose command line, fits. What Quayside runs there to ask, the question
 * itself among it, is nobody's: it is put into the host from outside, without a terminal.
 */
async function processes(host: HostView, program: string | RegExp): Promise<readonly Process[]> {
  const what = typeof program === 'string' ? 'comm=' : 'args=';
  const { status, output } = await host.ask(['ps', '-eo', `${COLUMNS},${what}`]);
  if (status !== 0) throw new CouldNotCheck(`ps does not work on ${host.name}.`);
  const fits = (command: string) =>
    typeof program === 'string'
      ? command === program.slice(0, NAME_CHARACTERS)
      : matches(program, command);
  const all = output.split('\n').flatMap(parsed);
  const byPid = new Map(all.map((each) => [each.pid, each]));
  const isAsked = ({ pid, parent, terminal }: Process, depth = 0): boolean => {
    if (parent === OUTSIDE) return pid !== FIRST && terminal === '?';
    const above = byPid.get(parent);
    return above !== undefined && depth < DEEPEST && isAsked(above, depth + 1);
  };
  return all.filter((each) => fits(each.command) && !isAsked(each));
}

function parsed(line: string): readonly Process[] {
  const [, pid = '', parent = '', terminal = '', state, user = '', shown = ''] =
    LINE.exec(line) ?? [];
  if (state === undefined) return [];
  return [{ pid, parent, terminal, state, user, command: shown.replace(/ <defunct>$/, '') }];
}
