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
import { portKey } from './container-spec.ts';

/** `name` is the port, `found` the program, the port, the address or the host that was found instead. */
export type ListensMessage =
  | 'nothing'
  | 'onOtherHost'
  | 'onOtherPort'
  | 'otherProgram'
  | 'loopback'
  | 'oneAddress';

const MESSAGES: DefaultMessages<ListensMessage> = {
  nothing: ({ name, host }) => `Nothing listens on port ${name} of ${host} yet.`,
  onOtherHost: ({ name, host, found }) =>
    `Something listens on port ${name} of ${found}, but the lab needs it on ${host}.`,
  onOtherPort: ({ name, host, found, wanted }) =>
    `${wanted} listens on port ${found} of ${host}, not on ${name}.`,
  otherProgram: ({ name, host, found, wanted }) =>
    `On port ${name} of ${host} it is ${found} that listens, and not ${wanted}.`,
  loopback: ({ name, host, found }) =>
    `What listens on port ${name} is bound to ${found}, so only ${host} itself reaches it. Bind it to 0.0.0.0.`,
  oneAddress: ({ name, found }) =>
    `What listens on port ${name} is bound to ${found} alone. Bind it to 0.0.0.0.`,
};

/** An assertion about a port of a host: something listens on it. */
export interface ListensAssertion<Host extends string = string> extends Assertion<Host> {
  /** It is a program, by its name as `ss -p` shows it. A port that Docker publishes is docker-proxy's. @example .by('nginx') */
  by(program: string): ListensAssertion<Host>;
  /** It is bound to no single address. */
  onEveryAddress(): ListensAssertion<Host>;
  /** Any of its messages in your own words. */
  withMessages(messages: Messages<ListensMessage>): ListensAssertion<Host>;
}

interface Wanted<Host extends string> {
  readonly port: string;
  readonly host: Host;
  readonly program?: string;
  readonly everywhere: boolean;
  readonly messages: Messages<ListensMessage>;
}

/**
 * Something listens on a port of a host.
 *
 * @example test: listens(8080).on('server01').by('nginx').onEveryAddress()
 */
export function listens(port: number | string) {
  return {
    on: <const Host extends string>(host: Host): ListensAssertion<Host> =>
      build({ port: portKey(port), host, everywhere: false, messages: {} }),
  };
}

function build<Host extends string>(wanted: Wanted<Host>): ListensAssertion<Host> {
  return assertion([wanted.host], (sandbox: SandboxView<Host>) => judge(wanted, sandbox), {
    by: (program: string) => build({ ...wanted, program }),
    onEveryAddress: () => build({ ...wanted, everywhere: true }),
    withMessages: (more: Messages<ListensMessage>) =>
      build({ ...wanted, messages: { ...wanted.messages, ...more } }),
  });
}

async function judge<Host extends string>(
  { port, host, program, everywhere, messages }: Wanted<Host>,
  sandbox: SandboxView<Host>,
): Promise<Verdict> {
  const [number = '', protocol = ''] = port.split('/');
  const tell = (key: ListensMessage, found = '') => {
    const name = protocol === 'udp' ? port : number;
    return verdictWith(MESSAGES, messages, key, { name, host, found, wanted: program ?? '' });
  };
  const isProgram = ({ programs }: Listener) => program === undefined || programs.includes(program);
  const all = await listeners(sandbox.host(host), protocol);
  const there = all.filter((each) => each.port === number);
  const right = there.filter(isProgram);
  if (right.some(({ address }) => !everywhere || EVERY.includes(address))) return passed();
  const [first] = right;
  if (first) return tell(LOOPBACK.test(first.address) ? 'loopback' : 'oneAddress', first.address);
  const moved = program === undefined ? undefined : all.find(isProgram);
  if (moved) return tell('onOtherPort', moved.port);
  const [stranger] = there;
  if (stranger) return tell('otherProgram', stranger.programs.join(' and ') || 'another program');
  const other = await otherHostWhere(sandbox, host, async (each) => {
    return (await listeners(each, protocol)).some((at) => at.port === number && isProgram(at));
  });
  return other ? tell('onOtherHost', other.name) : tell('nothing');
}

/** Something that listens, as `ss` shows it. */
interface Listener {
  /** `0.0.0.0`, `*`, `127.0.0.1`, `[::1]` … */
  readonly address: string;
  readonly port: string;
  readonly programs: readonly string[];
}

/** Where it listens for everybody who comes by IPv4; `ss` writes a socket of both families as a star. */
const EVERY: readonly string[] = ['0.0.0.0', '*'];
const LOOPBACK = /^(127\.|\[::1\])/;
/** State, two queues, where it listens, and from where: the rest of the line is about its programs. */
const COLUMNS = 5;

/** On a host without an engine, root is not shown the programs of other users: the learner’s are asked for once more. */
const AS_LEARNER = ['setpriv', '--reuid=learner', '--regid=learner', '--clear-groups'] as const;

async function listeners(host: HostView, protocol: string): Promise<readonly Listener[]> {
  const sockets = protocol === 'udp' ? '-Hlunp' : '-Hltnp';
  const { status, output } = await host.ask(['ss', sockets]);
  if (status !== 0) throw new CouldNotCheck(`ss does not work on ${host.name}.`);
  const seen = parsed(output);
  if (seen.every(({ programs }) => programs.length > 0)) return seen;
  const more = parsed((await host.ask([...AS_LEARNER, 'ss', sockets])).output);
  return [...more.filter(({ programs }) => programs.length > 0), ...seen];
}

function parsed(output: string): readonly Listener[] {
  return output.split('\n').map((line) => {
    const local = line.split(/\s+/, COLUMNS)[COLUMNS - 2] ?? '';
    const colon = local.lastIndexOf(':');
    return {
      // An address of one interface has its name behind it: 127.0.0.53%lo.
      address: local.slice(0, Math.max(colon, 0)).replace(/%.*$/, ''),
      port: local.slice(colon + 1),
      programs: [...new Set([...line.matchAll(/"([^"]*)",pid=/g)].map(([, name = '']) => name))],
    };
  });
}
