import type { Engine } from './engine.ts';
import { engineCall } from './engine-call.ts';
import { type EngineInfo, hasContainerdStore, infoOf } from './info.ts';
import {
  type FeatureState,
  featuresOf,
  type KernelFeature,
  type KernelLimits,
  kernelLimits,
  runningBuild,
} from './kernel.ts';
import { freeBytes, isOnThisMachine } from './local-engine.ts';
import { isInstalled } from './packages.ts';

/** An engine names its version in milliseconds. */
const VERSION_MS = 20_000;
/** How many of an engine's parts are read, to find Podman among them. */
const COMPONENTS_MOST = 10;

/** An engine as it is, before anything is built on it. */
export interface EngineLook {
  /** As `DOCKER_HOST` names it. */
  readonly address: string;
  readonly product: 'docker' | 'podman';
  readonly info: EngineInfo;
  /** The newest API that it speaks: `1.41`. */
  readonly apiVersion: string;
  /** Whether images and containers are in containerd's store. */
  readonly hasContainerdStore: boolean;
  /** Names of `docker info`'s security options: `seccomp`, `apparmor`, `selinux`, `userns`, `rootless` … */
  readonly security: readonly string[];
  /** The machine under it, where that is the one that we run on. */
  readonly machine: MachineLook | undefined;
  /** Whether this process is root, which reaches the hosts' files and sockets without the engine. */
  readonly isRoot: boolean;
  /** Whether the `docker` command is here: without shared directories, terminals go through it. */
  readonly hasCommand: boolean;
}

/** The machine that an engine and we run on. */
export interface MachineLook {
  /** On the disk that the engine keeps its data on (bytes), where that can be seen. */
  readonly freeBytes: number | undefined;
  readonly limits: KernelLimits;
  readonly features: Readonly<Record<KernelFeature, FeatureState>>;
}

/**
 * Looks at an engine and at the machine under it. No container is started.
 *
 * @throws the signal's reason; whatever the engine said
 */
export async function lookAt(engine: Engine, signal?: AbortSignal): Promise<EngineLook> {
  const info = await infoOf(engine, signal);
  const version = await engineCall(signal, () => engine.docker.version(), VERSION_MS);
  return {
    ...{ address: engine.address, info, ...identityOf(version), ...traitsOf(info) },
    machine: isOnThisMachine(engine, info) ? await machineLook(info.DockerRootDir) : undefined,
    isRoot: process.getuid?.() === 0,
    hasCommand: isInstalled('docker'),
  };
}

/** What kind of engine it is, by its answer to `docker version`. */
export function identityOf(version: unknown): Pick<EngineLook, 'product' | 'apiVersion'> {
  const { ApiVersion, Components } = (version ?? {}) as {
    readonly ApiVersion?: unknown;
    readonly Components?: unknown;
  };
  const parts = Array.isArray(Components) ? Components.slice(0, COMPONENTS_MOST) : [];
  const isPodman = parts.some(
    (part: { readonly Name?: unknown } | null) => part?.Name === 'Podman Engine',
  );
  return {
    product: isPodman ? 'podman' : 'docker',
    apiVersion: typeof ApiVersion === 'string' ? ApiVersion.slice(0, 20) : '',
  };
}

/** What follows from `docker info`. */
export function traitsOf(info: EngineInfo): Pick<EngineLook, 'hasContainerdStore' | 'security'> {
  return {
    hasContainerdStore: hasContainerdStore(info),
    // `name=seccomp,profile=builtin`
    security: info.SecurityOptions.map((option) => /^name=([^,]+)/.exec(option)?.[1] ?? option),
  };
}

async function machineLook(dataRoot: string): Promise<MachineLook> {
  return {
    freeBytes: await freeBytes(dataRoot).catch(() => undefined),
    limits: await kernelLimits(),
    features: await featuresOf(await runningBuild()),
  };
}
