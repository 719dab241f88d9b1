import type { KernelFeature } from './kernel.ts';
import type { EngineLook, MachineLook } from './look.ts';

/** What a look at an engine comes to: one thing, and what to type where it is not as it should be. */
export interface Finding {
  /** `refuse`: no host could run. `warning`: it runs, but something is missing or works otherwise. */
  readonly severity: 'refuse' | 'warning' | 'fine';
  readonly what: string;
  /** Empty where there is nothing to do. */
  readonly remedy: string;
}

/** Docker 20.10: the first that gives a container a cgroup namespace of its own. */
const OLDEST_API = [1, 41] as const;
/** What a Docker Engine runs containers with; others are machines or kernels of their own, with no way into them. */
const RUNTIMES = ['', 'runc', 'crun', 'io.containerd.runc.v2', 'nvidia'];
/** Drivers that copy all of an image for each host. */
const COPYING_DRIVERS = ['vfs'];
/** The images, the base that they are made from, and room for the hosts' own layers (bytes). */
const ROOM_BYTES = 3 * 1024 ** 3;
const GIB = 1024 ** 3;
/** What Linux gives each user if not told otherwise; a learner's hosts and their containers take about ten. */
const LEAST_INOTIFY = 128;
/** On cgroup v2 containerd takes one for each container, outside and in the hosts: 40 learners have 500. */
const CLASS_INOTIFY = 1024;
/** A learner takes some 30 files of the server, and 1,000 of the machine. */
const LEAST_OWN_FILES = 1024;
const LEAST_FILES = 65_536;

/**
 * An engine of our own is none of what an engine of the machine is set to. Where Docker’s package is installed for it and
 * starts an engine of the machine’s, as with Podman, that one is it: the address is what the command prints.
 */
const OWN_ENGINE =
  'Let Quayside have an engine of its own beside it: sudo DOCKER_HOST=$(sudo npm run -s engine -- start) npm start';

const KERNEL_NEEDS: Readonly<Record<Exclude<KernelFeature, 'ipvs'>, string>> = {
  'cpu-limit': 'CFS bandwidth (CONFIG_CFS_BANDWIDTH), with which a host’s processors are limited',
  overlay: 'overlay file systems, which a host’s engine keeps its images on',
  veth: 'veth pairs, which are the wires between hosts',
  bridge: 'bridges, which join the wires',
  nftables: 'nftables, with which a host’s engine publishes ports',
  'iptables-nft': 'iptables over nftables, with which a host’s engine publishes ports',
  nat: 'NAT, with which a host’s engine publishes ports',
};

/** What an engine comes to, in the order in which it is told: first what refuses, then warnings. */
export function judge(look: EngineLook): readonly Finding[] {
  const findings = judged(look);
  // Root types it as it is, and may have no sudo.
  if (!look.isRoot) return findings;
  return findings.map((each) => ({ ...each, remedy: each.remedy.replaceAll('sudo ', '') }));
}

function judged(look: EngineLook): readonly Finding[] {
  const product = productOf(look);
  // One that is no engine for hosts says the rest in its own way: Podman tells of no limit on processors.
  if (product.some(({ severity }) => severity === 'refuse')) return product;
  const all = [
    ...product,
    ...cgroupsOf(look),
    ...storageOf(look),
    ...securityOf(look),
    ...placeOf(look),
    ...(look.machine ? machineOf(look.machine, look.info.CgroupVersion) : []),
  ];
  const order = ['refuse', 'warning', 'fine'];
  return all.toSorted((one, other) => order.indexOf(one.severity) - order.indexOf(other.severity));
}

function productOf({ product, info, apiVersion }: EngineLook): readonly Finding[] {
  const { ServerVersion, OSType, Architecture, DefaultRuntime } = info;
  if (product === 'podman') {
    return [
      refuse(
        `This is Podman ${ServerVersion}, which answers like a Docker Engine and is none: hosts need a real one.`,
        OWN_ENGINE,
      ),
    ];
  }
  const found = fine(
    `Docker Engine ${ServerVersion} (API ${apiVersion}, ${OSType}/${Architecture})`,
  );
  if (OSType !== '' && OSType !== 'linux') {
    return [
      refuse(
        `The engine runs ${OSType} containers; hosts are Linux.`,
        'Switch Docker Desktop to Linux containers (in its menu), or set DOCKER_HOST to a Linux engine.',
      ),
    ];
  }
  if (isOlder(apiVersion)) {
    return [
      refuse(
        `Docker Engine ${ServerVersion} is too old: 20.10 is the first that can run hosts.`,
        'Upgrade it (https://docs.docker.com/engine/install/), or set DOCKER_HOST to a newer one.',
      ),
    ];
  }
  if (RUNTIMES.includes(DefaultRuntime)) return [found];
  return [
    found,
    warning(
      `The engine runs containers with ${DefaultRuntime}; hosts are known to work with runc.`,
      'If a start fails, set "default-runtime": "runc" in /etc/docker/daemon.json and restart Docker.',
    ),
  ];
}

function isOlder(apiVersion: string): boolean {
  const [, major, minor] = /^(\d{1,5})\.(\d{1,5})/.exec(apiVersion) ?? [];
  if (major === undefined) return false;
  const [oldestMajor, oldestMinor] = OLDEST_API;
  return (
    Number(major) < oldestMajor || (Number(major) === oldestMajor && Number(minor) < oldestMinor)
  );
}

function cgroupsOf({ info, machine }: EngineLook): readonly Finding[] {
  const { CgroupVersion, CgroupDriver, MemoryLimit, PidsLimit, CpuCfsQuota } = info;
  const findings = [fine(`cgroup v${CgroupVersion || '?'}, driver ${CgroupDriver || '?'}`)];
  // Rootless says why, and what to do.
  if (isRootless(info.SecurityOptions)) return findings;
  // Where the kernel itself can be looked at, that says it.
  if (!CpuCfsQuota && machine?.features['cpu-limit'] !== 'absent') {
    findings.push(
      refuse(
        'The engine’s kernel cannot limit processors (CFS bandwidth), and the engine makes no host without that.',
        'Boot a kernel that has CONFIG_CFS_BANDWIDTH, or set DOCKER_HOST to another engine.',
      ),
    );
  }
  const unlimited = [...(MemoryLimit ? [] : ['memory']), ...(PidsLimit ? [] : ['processes'])];
  if (unlimited.length > 0) {
    findings.push(
      warning(
        `The engine cannot limit ${unlimited.join(' and ')}: one host can take all there is.`,
        'Boot the kernel without cgroup_disable on its command line (a Raspberry Pi: with cgroup_enable=memory); /proc/cgroups shows what is on.',
      ),
    );
  }
  return findings;
}

function storageOf({ info, hasContainerdStore }: EngineLook): readonly Finding[] {
  const { Driver, DockerRootDir } = info;
  const store = hasContainerdStore ? 'containerd’s image store' : 'Docker’s image store';
  const findings = [fine(`storage driver ${Driver}, ${store}, in ${DockerRootDir}`)];
  if (COPYING_DRIVERS.includes(Driver)) {
    findings.push(
      warning(
        `The storage driver ${Driver} copies 0.5 GB for each host, which is slow and fills the disk.`,
        'Set "storage-driver": "overlay2" in /etc/docker/daemon.json and restart Docker. If it does not start, its "data-root" has to be on ext4, xfs or btrfs.',
      ),
    );
  }
  return findings;
}

function securityOf({ security, info }: EngineLook): readonly Finding[] {
  const findings = [fine(`security: ${security.join(', ') || 'none'}`)];
  if (isRootless(info.SecurityOptions)) {
    findings.push(
      refuse(
        'The engine is rootless: it may not give a host the network and the cgroups that the host’s own engine needs.',
        `${OWN_ENGINE}. Or use the machine’s engine: unset DOCKER_HOST; docker context use default`,
      ),
    );
  }
  if (security.includes('userns')) {
    findings.push(
      refuse(
        'The engine maps users (userns-remap): a host’s programs would belong to no root, and sudo in it would not run.',
        `${OWN_ENGINE}. Or take "userns-remap" out of /etc/docker/daemon.json and restart Docker.`,
      ),
    );
  }
  const profile = info.SecurityOptions.map((each) => /^name=seccomp,profile=(.+)/.exec(each)?.[1]);
  const own = profile.find((each) => each?.startsWith('/'));
  if (own !== undefined) {
    findings.push(
      warning(
        `The engine has a seccomp profile of its own (${own}); hosts need what Docker’s allows to SYS_ADMIN.`,
        'If a start fails, take "seccomp-profile" out of /etc/docker/daemon.json and restart Docker.',
      ),
    );
  }
  if (info.Plugins.Authorization.length > 0) {
    findings.push(
      warning(
        `A plugin decides what the engine is asked (${info.Plugins.Authorization.join(', ')}).`,
        'If a start fails, let it allow containers with SYS_ADMIN, NET_ADMIN and the machine’s process ids.',
      ),
    );
  }
  return findings;
}

function isRootless(options: readonly string[]): boolean {
  return options.includes('name=rootless');
}

/** What is possible only as root and on the engine's own machine. */
function placeOf({ machine, isRoot, hasCommand }: EngineLook): readonly Finding[] {
  if (machine && isRoot) return [fine('the engine is on this machine, and this user is root')];
  const why = machine ? 'This user is not root' : 'The engine is not on this machine';
  if (!hasCommand) {
    return [
      refuse(
        `${why}, so terminals go through the docker command, which is not installed.`,
        'Install it. On Debian 13 and Ubuntu: sudo apt-get install docker-cli; on Debian 12: docker.io; elsewhere: https://docs.docker.com/engine/install/',
      ),
    ];
  }
  return [
    warning(
      `${why}: terminals go through the engine (a millisecond or so a key), and nobody watches how much hosts write to its disk.`,
      machine
        ? 'For a class, start as root: sudo npm start'
        : 'For a class, start Quayside on the engine’s machine.',
    ),
  ];
}

function machineOf(
  { freeBytes, limits, features }: MachineLook,
  cgroup: string,
): readonly Finding[] {
  const findings: Finding[] = [];
  for (const [feature, need] of Object.entries(KERNEL_NEEDS)) {
    const state = features[feature as KernelFeature];
    if (state === 'absent') {
      findings.push(
        refuse(
          `The kernel has no ${need}.`,
          'Boot your distribution’s own kernel, or set DOCKER_HOST to an engine on another machine.',
        ),
      );
    } else if (state === 'file gone') {
      findings.push(
        refuse(
          `The kernel has no ${need}: its modules are no longer on the disk, as after an upgrade.`,
          'Reboot into the installed kernel: sudo reboot',
        ),
      );
    }
  }
  if (!findings.length) findings.push(fine('the kernel has all that hosts need'));
  if (features.ipvs !== 'there' && features.ipvs !== 'unknown') {
    findings.push(
      warning(
        'The kernel has no IPVS: the ports of Swarm services are refused. All else works.',
        features.ipvs === 'loadable'
          ? 'Load it: sudo modprobe ip_vs'
          : 'Let a service publish with mode=host, or boot your distribution’s own kernel.',
      ),
    );
  }
  if (freeBytes !== undefined) {
    const gib = (freeBytes / GIB).toFixed(1);
    findings.push(
      freeBytes >= ROOM_BYTES
        ? fine(`${gib} GiB free on the engine’s disk`)
        : warning(
            `Only ${gib} GiB are free on the engine’s disk; images and hosts take ${ROOM_BYTES / GIB}.`,
            'See what takes it: docker system df. Free what nobody uses: docker image prune',
          ),
    );
  }
  return [...findings, ...limitsOf(limits, cgroup)];
}

function limitsOf(limits: MachineLook['limits'], cgroup: string): readonly Finding[] {
  const { inotifyInstances, files, ownFiles } = limits;
  const findings: Finding[] = [];
  if (inotifyInstances !== undefined) {
    const more = `sudo sysctl -w fs.inotify.max_user_instances=${CLASS_INOTIFY}`;
    const isFew = cgroup === '2' && inotifyInstances < CLASS_INOTIFY;
    findings.push(
      inotifyInstances < LEAST_INOTIFY
        ? warning(`A user has only ${inotifyInstances} inotify instances.`, `More: ${more}`)
        : {
            ...fine(`${inotifyInstances} inotify instances for each user`),
            remedy: isFew ? `More for a class: ${more}` : '',
          },
    );
  }
  if (ownFiles !== undefined && ownFiles < LEAST_OWN_FILES) {
    findings.push(
      warning(
        `This process may have only ${ownFiles} files open.`,
        'More, in the same shell before the start: sudo prlimit --nofile=65536 --pid $$',
      ),
    );
  }
  if (files !== undefined && files < LEAST_FILES) {
    findings.push(
      warning(
        `The machine may have only ${files} files open.`,
        'More: sudo sysctl -w fs.file-max=1000000',
      ),
    );
  }
  return findings;
}

function refuse(what: string, remedy: string): Finding {
  return { severity: 'refuse', what, remedy };
}

function warning(what: string, remedy: string): Finding {
  return { severity: 'warning', what, remedy };
}

function fine(what: string): Finding {
  return { severity: 'fine', what, remedy: '' };
}
