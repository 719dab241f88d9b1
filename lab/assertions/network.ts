import { passed } from '../verdict.ts';
import type { NetworkView } from '../view.ts';
import {
  type Assertion,
  assertion,
  type DefaultMessages,
  type Messages,
  otherEngines,
  verdictWith,
} from './assertion.ts';

/** Docker makes these itself; any other network is the learner's own. */
const DOCKERS_OWN: readonly string[] = ['bridge', 'host', 'none', 'docker_gwbridge', 'ingress'];

/** Every common way for a network not to be what the lab asks for. */
export type NetworkMessage = 'missing' | 'onOtherHost' | 'wrongDriver' | 'wrongSubnet';

const MESSAGES: DefaultMessages<NetworkMessage> = {
  missing: ({ name, host }) => `No ${name} on ${host} yet.`,
  onOtherHost: ({ name, found, host }) =>
    `The network ${name} is on ${found}. Make one on ${host}.`,
  wrongDriver: ({ name, found, wanted }) =>
    `The network ${name} has the driver ${found}. Make one with the driver ${wanted}${wanted === 'bridge' ? ', which is what you get without naming any' : ''}.`,
  wrongSubnet: ({ name, found, wanted }) =>
    `The network ${name} has the subnet ${found}, not ${wanted}. Remove it and make it anew.`,
};

/** An assertion about a network on a host's engine. */
export interface NetworkAssertion<Host extends string = string> extends Assertion<Host> {
  /** It has a driver. @example .hasDriver('bridge') */
  hasDriver(driver: string): NetworkAssertion<Host>;
  /** It has a subnet. @example .hasSubnet('172.30.0.0/16') */
  hasSubnet(subnet: string): NetworkAssertion<Host>;
  /** Any of its messages in your own words. */
  withMessages(messages: Messages<NetworkMessage>): NetworkAssertion<Host>;
}

interface Wanted<Host extends string> {
  readonly name: string | undefined;
  readonly host: Host;
  readonly driver: string | undefined;
  readonly subnet: string | undefined;
  readonly messages: Messages<NetworkMessage>;
}

/**
 * A network by its name.
 *
 * @example test: network('mynet').on('server01').hasDriver('bridge')
 */
export function network(name: string) {
  return {
    on: <const Host extends string>(host: Host): NetworkAssertion<Host> =>
      build({ name, host, driver: undefined, subnet: undefined, messages: {} }),
  };
}

/**
 * Any network that Docker did not make itself.
 *
 * @example test: aNetwork().on('server01').hasDriver('bridge')
 */
export function aNetwork() {
  return {
    on: <const Host extends string>(host: Host): NetworkAssertion<Host> =>
      build({ name: undefined, host, driver: undefined, subnet: undefined, messages: {} }),
  };
}

/** Whether Docker made a network itself: `bridge`, `host`, `none`, and those of a swarm. */
export function isDockersOwn({ name }: NetworkView): boolean {
  return DOCKERS_OWN.includes(name);
}

function build<Host extends string>(wanted: Wanted<Host>): NetworkAssertion<Host> {
  const { name, host, driver, subnet, messages } = wanted;
  const create = [
    'docker network create',
    ...(driver === undefined || driver === 'bridge' ? [] : [`--driver ${driver}`]),
    ...(subnet === undefined ? [] : [`--subnet ${subnet}`]),
  ].join(' ');
  const meant = (each: NetworkView) =>
    name === undefined ? !isDockersOwn(each) : each.name === name;
  const isRight = (each: NetworkView) =>
    (driver === undefined || each.driver === driver) &&
    (subnet === undefined || each.subnets.includes(subnet));
  return assertion(
    [host],
    async (sandbox) => {
      const tell = (key: NetworkMessage, called: string, found = '', right = '', command = '') =>
        verdictWith(
          MESSAGES,
          messages,
          key,
          { name: called, host, found, wanted: right },
          command === '' ? undefined : { host, command },
        );
      const candidates = (await sandbox.host(host).networks()).filter(meant);
      if (candidates.some(isRight)) return passed();
      const [close] = candidates;
      const remade = close && `docker network rm ${close.name} && ${create} ${close.name}`;
      if (close && driver !== undefined && close.driver !== driver) {
        return tell('wrongDriver', close.name, close.driver, driver, remade);
      }
      if (close && subnet !== undefined) {
        return tell('wrongSubnet', close.name, close.subnets.join(' and '), subnet, remade);
      }
      for (const other of otherEngines(sandbox, host)) {
        const there = (await other.networks()).filter(meant).find(isRight);
        if (there)
          return tell('onOtherHost', there.name, other.name, '', `${create} ${there.name}`);
      }
      return tell('missing', name === undefined ? 'network of your own' : `network named ${name}`);
    },
    {
      hasDriver: (right: string) => build({ ...wanted, driver: right }),
      hasSubnet: (right: string) => build({ ...wanted, subnet: right }),
      withMessages: (more: Messages<NetworkMessage>) =>
        build({ ...wanted, messages: { ...messages, ...more } }),
    },
    [host],
  );
}
