import { access, readFile } from 'node:fs/promises';
import { release } from 'node:os';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

/** What the hosts need of the kernel, and the module that has it. The names are those of Linux 4.17 and later. */
export const KERNEL_FEATURES = {
  overlay: { option: 'OVERLAY_FS', module: 'overlay' },
  veth: { option: 'VETH', module: 'veth' },
  bridge: { option: 'BRIDGE', module: 'bridge' },
  nftables: { option: 'NF_TABLES', module: 'nf_tables' },
  'iptables-nft': { option: 'NFT_COMPAT', module: 'nft_compat' },
  nat: { option: 'NF_NAT', module: 'nf_nat' },
  ipvs: { option: 'IP_VS', module: 'ip_vs' },
  'cpu-limit': { option: 'CFS_BANDWIDTH', module: undefined },
} as const;

export type KernelFeature = keyof typeof KERNEL_FEATURES;

/** In the kernel; loaded when asked for; a module whose file is gone; not built; nothing on this machine says. */
export type FeatureState = 'there' | 'loadable' | 'file gone' | 'absent' | 'unknown';

/** What a kernel was built with, and what is left of it on disk. */
export interface KernelBuild {
  /** The text of its `.config`, where it can be read. */
  readonly config: string | undefined;
  /** The text of its `modules.dep`, where there is one. */
  readonly modules: string | undefined;
  /** The modules that are in it now. */
  readonly isLoaded: (module: string) => Promise<boolean>;
}

/** The limits of this machine's kernel that many hosts together come to. */
export interface KernelLimits {
  /** inotify instances of one user: the hosts' root is the machine's. */
  readonly inotifyInstances: number | undefined;
  /** What inotify may watch for one user. */
  readonly inotifyWatches: number | undefined;
  /** Files that may be open at once, on the whole machine. */
  readonly files: number | undefined;
  /** Files that this process may have open. */
  readonly ownFiles: number | undefined;
}

/** Reads what this machine keeps of the kernel that runs. */
export async function runningBuild(): Promise<KernelBuild> {
  const version = release();
  const directory = `/lib/modules/${version}`;
  const zipped = await readFile('/proc/config.gz').catch(() => undefined);
  const config = zipped
    ? (await promisify(gunzip)(zipped)).toString()
    : ((await textOf(`/boot/config-${version}`)) ?? (await textOf(`${directory}/config`)));
  return {
    config,
    modules: await textOf(`${directory}/modules.dep`),
    isLoaded: (module) =>
      access(`/sys/module/${module}`).then(
        () => true,
        () => false,
      ),
  };
}

/** Whether a kernel has each feature. */
export async function featuresOf(
  build: KernelBuild,
): Promise<Readonly<Record<KernelFeature, FeatureState>>> {
  const names = Object.keys(KERNEL_FEATURES) as readonly KernelFeature[];
  const states = await Promise.all(names.map(async (name) => [name, await stateOf(build, name)]));
  return Object.fromEntries(states) as Record<KernelFeature, FeatureState>;
}

async function stateOf(
  { config, modules, isLoaded }: KernelBuild,
  feature: KernelFeature,
): Promise<FeatureState> {
  const { option, module } = KERNEL_FEATURES[feature];
  if (module !== undefined) {
    if (await isLoaded(module)) return 'there';
    const hasFile = modules !== undefined && new RegExp(`/${module}\\.ko[.a-z]*:`).test(modules);
    if (hasFile) return 'loadable';
  }
  if (config === undefined) return 'unknown';
  const [, built] = new RegExp(`^CONFIG_${option}=([ym])$`, 'm').exec(config) ?? [];
  if (built === undefined) return 'absent';
  return built === 'y' ? 'there' : 'file gone';
}

/** Reads the limits that are in force. */
export async function kernelLimits(): Promise<KernelLimits> {
  const own = /^Max open files +\d+ +(\d+)/m.exec((await textOf('/proc/self/limits')) ?? '');
  return {
    inotifyInstances: await numberIn('/proc/sys/fs/inotify/max_user_instances'),
    inotifyWatches: await numberIn('/proc/sys/fs/inotify/max_user_watches'),
    files: await numberIn('/proc/sys/fs/file-max'),
    ownFiles: own ? Number(own[1]) : undefined,
  };
}

async function numberIn(path: string): Promise<number | undefined> {
  const text = await textOf(path);
  return text === undefined ? undefined : Number(text);
}

function textOf(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}
