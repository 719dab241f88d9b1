import { expect, test } from 'vitest';
import { defineLab } from '#lab';
import {
  gatewayEndpoints,
  gatewayOn,
  gatewayOptions,
  refusalOf,
} from '../../../server/sandbox/gateway.ts';

const labOf = (internet: boolean) =>
  defineLab({
    title: 'T',
    hosts: {
      client: { address: '10.0.1.2/24' },
      router: { address: '10.0.2.1/24', interfaces: ['10.0.1.1/24'], router: true, internet },
      server: { address: '10.0.2.2/24', internet },
      far: { address: '10.0.3.3/24', interfaces: ['10.0.2.3/24'], internet },
    },
    browser: 'client',
    sections: [],
  });
const LABELS = { instance: 'i', sandbox: 's', session: 'x' };
const ALLOWED = { image: 'gateway', resolver: undefined };

test('a gateway is on the first network of each host that asks for it, once, and on no other', () => {
  const ends = gatewayEndpoints(labOf(true), 7, (network) => `bridge of ${network}`);
  expect(ends).toEqual([
    { pid: 7, interface: 'lab0', address: '198.18.1.1/32', bridge: 'bridge of 10.0.2.0/24' },
    { pid: 7, interface: 'lab1', address: '198.18.1.2/32', bridge: 'bridge of 10.0.3.0/24' },
  ]);
  expect(gatewayOn(labOf(true), '10.0.1.0/24')).toBeUndefined();
});

test('a lab that asks for it is refused where it is not allowed, and no other lab ever', () => {
  expect(refusalOf(labOf(true), undefined)).toMatchObject({ code: 'INTERNET_REFUSED' });
  expect(refusalOf(labOf(true), ALLOWED)).toBeUndefined();
  expect(refusalOf(labOf(false), undefined)).toBeUndefined();
  expect(refusalOf(labOf(false), ALLOWED)).toBeUndefined();
});

test('it belongs to its sandbox, has a name that no host can have, and is bounded', () => {
  const { name, Labels, Env, HostConfig } = gatewayOptions(LABELS, ALLOWED);
  expect(name).toMatch(/^quayside-s-.*_/);
  expect(Labels).toMatchObject({ 'quayside.sandbox': 's', 'quayside.role': 'gateway' });
  expect(Env).toBeUndefined();
  expect(HostConfig).toMatchObject({ CapDrop: ['ALL'], PidsLimit: expect.any(Number) });
  expect(HostConfig?.Memory).toBe(HostConfig?.MemorySwap);
  expect(gatewayOptions(LABELS, { ...ALLOWED, resolver: '9.9.9.9' }).Env).toEqual([
    'QUAYSIDE_RESOLVER=9.9.9.9',
  ]);
});
