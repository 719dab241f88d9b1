import { notYet, passed, type Verdict } from '../verdict.ts';
import type { SandboxView } from '../view.ts';
import {
  type DefaultMessages,
  enginesOf,
  hostAt,
  type Messages,
  type Reading,
  verdictWith,
} from './assertion.ts';
import { addressIn } from './ipv4.ts';

/** Fewer characters of an ID might fit by luck. */
const LEAST_ID = 4;

/** `found` is what the learner typed, `name` what it really is; `wanted` stays empty, so that no reason gives it away. */
export type AnswerMessage =
  | 'nothingYet'
  | 'wrong'
  | 'notOne'
  | 'ofHost'
  | 'ofInterface'
  | 'netmask'
  | 'broadcast'
  | 'ofContainer'
  | 'tooShort';

/** Compares a learner's answer with the truth: what `answer` takes as its `judge`. */
export interface Judge<Host extends string = string> {
  (given: string, sandbox: SandboxView<Host>): Promise<Verdict>;
  readonly hosts: readonly Host[];
}

const OWN: DefaultMessages<AnswerMessage> = {
  nothingYet: () => 'There is nothing to read yet.',
  wrong: ({ found }) => `It is not ${found}. Read it again.`,
  notOne: () => 'That is not what was asked for.',
  ofHost: ({ name, found }) => `${found} is the address of ${name}.`,
  ofInterface: ({ name, found }) => `${found} belongs to ${name}.`,
  netmask: () => 'That is the netmask. The address stands before it.',
  broadcast: () => 'That is the broadcast address. The interface’s own stands before it.',
  ofContainer: ({ name, found }) => `${found} belongs to the container ${name}.`,
  tooShort: () => `Type at least ${LEAST_ID} characters of it.`,
};

/**
 * The answer is an IPv4 address. It may stand in what was copied with it, such as `inet 172.17.0.1/16`. Addresses of other
 * hosts, interfaces and containers, netmasks and broadcast addresses are told apart.
 *
 * @example judge: theAddress(addressOf('docker0').on('server01'))
 */
export function theAddress<Host extends string>(
  truth: Reading<Host>,
  messages: Messages<AnswerMessage> = {},
): Judge<Host> {
  return judge('theAddress', truth, messages, async (given, right, sandbox, tell) => {
    const read = addressIn(given);
    if (read === undefined) {
      return messages.notOne === undefined
        ? notYet('Type one IPv4 address: four numbers with dots between them.')
        : tell('notOne', '', given);
    }
    if (read === right) return passed();
    if (read.startsWith('255.')) return tell('netmask', '', read);
    if (read.endsWith('.255')) return tell('broadcast', '', read);
    const host = hostAt(sandbox, read);
    if (host) return tell('ofHost', host.name, read);
    for (const asked of truth.hosts) {
      const view = sandbox.host(asked);
      for (const device of ['eth1', 'docker0', 'lo']) {
        if (read === (await view.addressOf(device))) return tell('ofInterface', device, read);
      }
      if (!view.hasEngine) continue;
      for (const { containers } of await view.networks()) {
        const [name] = Object.entries(containers).find(([, address]) => address === read) ?? [];
        if (name !== undefined) return tell('ofContainer', name, read);
      }
    }
    return tell('wrong', '', read);
  });
}

/**
 * The answer is a number, such as a port. It may stand in what was copied with it: `0.0.0.0:32768` gives 32768.
 *
 * @example judge: theNumber(container('web').on('server01').hostPort(80))
 */
export function theNumber<Host extends string>(
  truth: Reading<Host>,
  messages: Messages<AnswerMessage> = {},
): Judge<Host> {
  return judge('theNumber', truth, messages, async (given, right, _sandbox, tell) => {
    const [, read] = /(?:^|[:\s])(\d+)\/?$/.exec(given) ?? [];
    if (read === undefined) {
      return messages.notOne === undefined ? notYet('Type a number.') : tell('notOne', '', given);
    }
    return Number(read) === Number(right) ? passed() : tell('wrong', '', read);
  });
}

/**
 * The answer is a text, compared without regard to capitals and spaces at its ends.
 *
 * @example judge: theText(file('/proc/sys/net/ipv4/ip_forward').on('server01').text)
 */
export function theText<Host extends string>(
  truth: Reading<Host>,
  messages: Messages<AnswerMessage> = {},
): Judge<Host> {
  return judge('theText', truth, messages, async (given, right, _sandbox, tell) =>
    given.toLowerCase() === right.toLowerCase() ? passed() : tell('wrong', '', given),
  );
}

/**
 * The answer is an ID, whole or its first characters.
 *
 * @example judge: theId(networkId('bridge').on('server01'))
 */
export function theId<Host extends string>(
  truth: Reading<Host>,
  messages: Messages<AnswerMessage> = {},
): Judge<Host> {
  return judge('theId', truth, messages, async (given, right, _sandbox, tell) => {
    const read = given.toLowerCase().replace(/^sha256:/, '');
    if (!/^[0-9a-f]+$/.test(read)) {
      return messages.notOne === undefined
        ? notYet('An ID has only the digits 0–9 and the letters a–f.')
        : tell('notOne', '', given);
    }
    if (read.length < LEAST_ID) return tell('tooShort', '', read);
    return right.replace(/^sha256:/, '').startsWith(read) ? passed() : tell('wrong', '', read);
  });
}

type Tell = (key: AnswerMessage, name: string, found: string) => Verdict;

/** @throws TypeError where the truth is no helper's reading, as in a lab whose types nobody looked at */
function judge<Host extends string>(
  name: string,
  truth: Reading<Host>,
  messages: Messages<AnswerMessage>,
  compare: (
    given: string,
    right: string,
    sandbox: SandboxView<Host>,
    tell: Tell,
  ) => Promise<Verdict>,
): Judge<Host> {
  if (typeof truth !== 'function' || !('hosts' in truth)) {
    throw new TypeError(
      `${name} takes what a helper reads, such as ${name}(file('/etc/hostname').on('server01').text). With a function of your own, compare yourself: judge: async (given, sandbox) => …`,
    );
  }
  const tell: Tell = (key, name, found) =>
    verdictWith(OWN, messages, key, { name, found, host: truth.hosts[0] ?? '', wanted: '' });
  const judged = async (given: string, sandbox: SandboxView<Host>) => {
    const right = await truth(sandbox);
    if (right === undefined) return tell('nothingYet', '', given);
    return await compare(given.trim(), right, sandbox, tell);
  };
  return Object.assign(judged, { hosts: truth.hosts, engines: enginesOf(truth) });
}
