import { type Reading, reading } from './assertion.ts';

/**
 * The IPv4 address of an interface of a host, for a value or an answer.
 *
 * @example value('<docker0’s address>', addressOf('docker0').on('server01'))
 */
export function addressOf(device: string) {
  return {
    on: <const Host extends string>(host: Host): Reading<Host> =>
      reading([host], (sandbox) => sandbox.host(host).addressOf(device), {}),
  };
}

/**
 * Which Docker Engine a host has, for a value or an answer: `28.5.2`.
 *
 * @example value('<version>', engineVersion().on('server01'))
 */
export function engineVersion() {
  return {
    on: <const Host extends string>(host: Host): Reading<Host> =>
      reading([host], (sandbox) => sandbox.host(host).engineVersion(), {}, [host]),
  };
}

/**
 * The ID of a network, in full, for a value or an answer.
 *
 * @example judge: theId(networkId('bridge').on('server01'))
 */
export function networkId(name: string) {
  return {
    on: <const Host extends string>(host: Host): Reading<Host> =>
      reading(
        [host],
        async (sandbox) =>
          (await sandbox.host(host).networks()).find((each) => each.name === name)?.id,
        {},
        [host],
      ),
  };
}

/**
 * The first subnet of a network, for a value, an answer or a route.
 *
 * @example test: route(subnetOf('bridge').on('server01')).on('client').via('10.1.10.11')
 */
export function subnetOf(name: string) {
  return {
    on: <const Host extends string>(host: Host): Reading<Host> =>
      reading(
        [host],
        async (sandbox) =>
          (await sandbox.host(host).networks()).find((each) => each.name === name)?.subnets[0],
        {},
        [host],
      ),
  };
}
