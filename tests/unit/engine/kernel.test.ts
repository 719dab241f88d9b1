import { expect, test } from 'vitest';
import { featuresOf, type KernelBuild, kernelLimits } from '../../../server/engine/kernel.ts';

const build = (more: Partial<KernelBuild>): KernelBuild => ({
  config: undefined,
  modules: undefined,
  isLoaded: async () => false,
  ...more,
});
const CONFIG =
  'CONFIG_OVERLAY_FS=m\nCONFIG_VETH=y\nCONFIG_CFS_BANDWIDTH=y\n# CONFIG_IP_VS is not set\n';

test('a kernel has what is built in, what is loaded, and what it has a module for', async () => {
  const features = await featuresOf(
    build({
      config: CONFIG,
      modules:
        'kernel/fs/overlayfs/overlay.ko.xz:\nkernel/net/bridge/bridge.ko: kernel/net/llc/llc.ko\n',
      isLoaded: async (module) => module === 'nf_tables',
    }),
  );
  expect(features).toEqual({
    ...{ overlay: 'loadable', veth: 'there', bridge: 'loadable', nftables: 'there' },
    ...{ 'iptables-nft': 'absent', nat: 'absent', ipvs: 'absent', 'cpu-limit': 'there' },
  });
});

test('a module whose file is gone is told from what was never built', async () => {
  const { overlay, ipvs } = await featuresOf(build({ config: CONFIG }));
  expect([overlay, ipvs]).toEqual(['file gone', 'absent']);
});

test('what is in no module is in the kernel, or is not', async () => {
  const { 'cpu-limit': limit } = await featuresOf(
    build({ config: 'CONFIG_CGROUPS=y\n', isLoaded: async () => true }),
  );
  expect(limit).toBe('absent');
});

test('nothing is said of a kernel that says nothing', async () => {
  expect(new Set(Object.values(await featuresOf(build({}))))).toEqual(new Set(['unknown']));
});

test('the limits in force are numbers', async () => {
  const { inotifyInstances, ownFiles } = await kernelLimits();
  expect(inotifyInstances).toBeGreaterThan(0);
  expect(ownFiles).toBeGreaterThan(0);
});
