import type { Lab, LabHost } from '#lab';
import type { Dockerode } from '../engine/engine.ts';
import { RESOLVER } from './gateway.ts';
import { imageName, imagesOf } from './image-name.ts';
import { labelsOf, objectName, type SandboxLabels } from './labels.ts';
import type { SandboxRuntime } from './runtime.ts';
import { UNCONFINED } from './security-options.ts';
import type { SharedDirectory } from './shared-directory.ts';

const MIB = 1024 ** 2;

/**
 * What one host may take. A host with an engine idles at 40 MiB; a lab's containers are small, so this leaves room for
 * mistakes but not for taking the machine along.
 */
const HOST_LIMITS = limits(1024 * MIB, 1024);
/** A host without an engine runs shells only. */
const PLAIN_HOST_LIMITS = limits(256 * MIB, 256);

function limits(bytes: number, processes: number) {
  const memory = { Memory: bytes, MemorySwap: bytes };
  return { ...memory, PidsLimit: processes, CpuShares: 512 };
}

/** Half of the engine's machine, and one core at least: no host holds all of it, and an engine still starts as fast as it can. */
function nanoCpus(processors: number): number {
  return Math.max(1, Math.floor(processors / 2)) * 1e9;
}

/** A learner is root in a host, and may print as its first program does. */
const LOG = { Type: 'json-file', Config: { 'max-size': '1m', 'max-file': '1' } };

/** As our own image says it; one of a lab's own may say otherwise. */
const OURS = { Entrypoint: ['tini', '--', '/opt/quayside/init'], Cmd: [], User: 'root' };

/** What the switch is called beside the hosts. */
export const SWITCH = 'switch';

/** The container that joins the hosts. Its bridge is made by {@link LinkManager}. */
export function switchOptions(
  labels: SandboxLabels,
  image: string,
): Dockerode.ContainerCreateOptions {
  return {
    name: objectName(labels, SWITCH),
    Image: image,
    Entrypoint: ['tini', '--', 'sleep', 'infinity'],
    Labels: labelsOf(labels, 'switch'),
    NetworkDisabled: true,
    HostConfig: {
      NetworkMode: 'none',
      ...{ Memory: 32 * MIB, MemorySwap: 32 * MIB, PidsLimit: 16 },
      LogConfig: LOG,
    },
  };
}

/**
 * The container of one of a lab's hosts.
 *
 * @param shared the directory that it shares with this machine, if there is one
 * @param runtime how many processors the engine's machine has, and what the lab's images were built as
 */
export function hostOptions(
  labels: SandboxLabels,
  image: string,
  lab: Lab,
  spec: LabHost,
  shared: SharedDirectory | undefined,
  { processors, labImages }: Pick<SandboxRuntime, 'processors' | 'labImages'>,
): Dockerode.ContainerCreateOptions {
  const names = lab.hosts.map((host) =>
    [addressFrom(spec, host), host.name, ...host.aliases].join(' '),
  );
  const disk = {
    Type: 'volume' as const,
    Source: objectName(labels, `${spec.name}-disk`),
    Target: '/var/lib/docker',
    VolumeOptions: {
      NoCopy: true,
      Labels: labelsOf(labels, 'disk', spec.name),
      DriverConfig: { Name: 'local', Options: {} },
    },
  };
  const bind = shared && { Type: 'bind' as const, Source: shared.outside, Target: shared.inside };
  const hostConfig: Dockerode.HostConfig & { readonly CgroupnsMode: 'private' } = {
    NetworkMode: 'none',
    CapAdd: spec.hasEngine || spec.isRouter ? ['SYS_ADMIN', 'NET_ADMIN'] : ['NET_ADMIN'],
    SecurityOpt: UNCONFINED,
    CgroupnsMode: 'private',
    LogConfig: LOG,
    Mounts: [...(spec.hasEngine ? [disk] : []), ...(bind ? [bind] : [])],
    ...(spec.hasEngine ? HOST_LIMITS : PLAIN_HOST_LIMITS),
    NanoCpus: nanoCpus(processors),
  };
  return {
    name: objectName(labels, spec.name),
    Image: image,
    ...(spec.image === undefined ? {} : OURS),
    Hostname: spec.name,
    Labels: labelsOf(labels, 'host', spec.name),
    Env: [
      `QUAYSIDE_ENGINE=${spec.hasEngine ? 1 : 0}`,
      `QUAYSIDE_HOSTS=${names.join(';')}`,
      ...(spec.isRouter ? ['QUAYSIDE_ROUTER=1'] : []),
      ...(spec.hasInternet ? [`QUAYSIDE_INTERNET=${RESOLVER}`] : []),
      ...(spec.isAwake ? ['QUAYSIDE_AWAKE=1'] : []),
      ...stockOf(imagesOf(spec, lab, labImages)),
      ...beginningOf(spec),
    ],
    // Its network is made by {@link LinkManager}. The engine's own part in it, which comes to nothing, took more time than the rest of
    // the start: 510 ms against 190, and 0.78 s of a core against 0.41 (docs/decisions/0018-a-start.md).
    NetworkDisabled: true,
    HostConfig: hostConfig,
  };
}

/** The address that a host's name stands for on another: the one on a network that both are on, where there is one. */
function addressFrom(from: LabHost, { interfaces, address }: LabHost): string {
  const networks = from.interfaces.map(({ network }) => network);
  return interfaces.find(({ network }) => networks.includes(network))?.address ?? address;
}

/** What the host's first program knows of the images that its own image holds. */
function stockOf(images: ReadonlyMap<string, string>): readonly string[] {
  const lines = [...images].map(([name, builtAs]) => {
    const { repo, tag } = imageName(name);
    return `${builtAs} ${repo} ${tag}`;
  });
  return lines.length === 0 ? [] : [`QUAYSIDE_IMAGES=${lines.join('\n')}`];
}

/** What the host's first program knows of its beginning; nothing where it has none. */
function beginningOf({
  engineSettings,
  services,
  files,
  setup,
  interfaces,
}: LabHost): readonly string[] {
  const lines = services.map(([name, command]) => `${name} ${command}`);
  const running = [
    `QUAYSIDE_SERVICES=${lines.join('\n')}`,
    `QUAYSIDE_STEPS=${files.length + setup.length}`,
    `QUAYSIDE_INTERFACES=${interfaces.length}`,
  ];
  return [
    ...(engineSettings === '' ? [] : [`QUAYSIDE_ENGINE_SETTINGS=${engineSettings}`]),
    ...(lines.length === 0 ? [] : running),
  ];
}
