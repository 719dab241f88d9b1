import type { NetworkInterfaceInfo } from 'node:os';
import { expect, test } from 'vitest';
import { isLoopback, learnersOrigin } from '../../../server/web/allow-list.ts';

const at = (address: string, internal = false): NetworkInterfaceInfo => ({
  ...{ address, internal, family: 'IPv4', netmask: '255.255.255.0' },
  ...{ mac: '02:00:00:00:00:01', cidr: null },
});
const INTERFACES = {
  lo: [at('127.0.0.1', true)],
  docker0: [at('172.17.0.1')],
  eth0: [at('192.0.2.7')],
};
const HERE = 'http://127.0.0.1:4321';
const origin = (host: string, origins: readonly string[] = [], interfaces = INTERFACES) =>
  learnersOrigin({ host, origins, tls: undefined }, HERE, interfaces);

test('learners find a server that listens everywhere by this machine’s address in its network', () => {
  expect(origin('0.0.0.0')).toBe('http://192.0.2.7:4321');
  expect(origin('::')).toBe('http://192.0.2.7:4321');
});

test('by its first origin, where it has one', () => {
  expect(origin('0.0.0.0', ['https://labs.example.org', HERE])).toBe('https://labs.example.org');
});

test('by the address it listens on alone, which may be this machine’s own', () => {
  expect(origin('127.0.0.1')).toBe(HERE);
  expect([HERE, 'http://[::1]:1', 'http://192.0.2.7:1'].map(isLoopback)).toEqual([
    true,
    true,
    false,
  ]);
});

test('where there is no network, by what this machine finds it by', () => {
  expect(origin('0.0.0.0', [], { ...INTERFACES, eth0: [] })).toBe(HERE);
});
