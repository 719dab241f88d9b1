import type { Finding } from '../engine/judge.ts';
import type { EngineLook } from '../engine/look.ts';

/** How a finding is marked, in a column of its own. */
const MARKS: Readonly<Record<Finding['severity'], string>> = {
  refuse: 'REFUSED',
  warning: 'to know',
  fine: 'fine',
};
const COLUMN = 2 + Math.max(...Object.values(MARKS).map((mark) => mark.length));

/** A look as a person reads it: one line for each finding, and below it what to type. */
export function linesOf(findings: readonly Finding[]): readonly string[] {
  return findings.flatMap(({ severity, what, remedy }) => [
    `${MARKS[severity].padEnd(COLUMN)}${what}`,
    ...(remedy === '' ? [] : [`${' '.repeat(COLUMN)}→ ${remedy}`]),
  ]);
}

/** What a report of a fault says of where it happened. */
export interface Where {
  readonly quayside: string;
  readonly node: string;
  readonly system: string;
  /** Absent where no engine answers. */
  readonly look: EngineLook | undefined;
}

/**
 * The same for a report: versions, kinds and limits. Addresses, paths and names of machines, which say who somebody is,
 * are left out; what the engine names freely is told by its kind.
 */
export function reportOf({ quayside, node, system, look }: Where): readonly string[] {
  const lines = [`Quayside ${quayside}, Node ${node}, ${system}`];
  if (!look) return [...lines, 'no engine answers'];
  const { info, machine, security } = look;
  const limits = machine?.limits;
  const features = Object.entries(machine?.features ?? {}).map(
    ([name, state]) => `${name} ${state}`,
  );
  return [
    ...lines,
    `engine: ${look.product} ${info.ServerVersion}, API ${look.apiVersion}, ${info.OSType}/${info.Architecture}, ${kindOf(look.address)}, ${machine ? 'this machine' : 'elsewhere'}, ${look.isRoot ? 'root' : 'not root'}`,
    `its system: ${info.OperatingSystem}, Linux ${info.KernelVersion}, ${info.NCPU} processors, ${Math.round(info.MemTotal / 1024 ** 2)} MiB`,
    `cgroups: v${info.CgroupVersion}, ${info.CgroupDriver}; limits on memory ${info.MemoryLimit}, processes ${info.PidsLimit}, processors ${info.CpuCfsQuota}`,
    `storage: ${info.Driver}, containerd’s store ${look.hasContainerdStore}, ${info.DriverStatus.map((pair) => pair.join(' ')).join(', ')}`,
    `security: ${security.join(', ')}; plugins that decide: ${info.Plugins.Authorization.length}; live restore ${info.LiveRestoreEnabled}; runtime ${info.DefaultRuntime}`,
    ...(machine
      ? [
          `disk: ${machine.freeBytes === undefined ? 'unknown' : `${Math.floor(machine.freeBytes / 1024 ** 2)} MiB`} free`,
          `limits: inotify ${limits?.inotifyInstances} instances, ${limits?.inotifyWatches} watches; files ${limits?.files}, own ${limits?.ownFiles}`,
          `kernel: ${features.join(', ')}`,
        ]
      : []),
  ];
}

/** `unix`, `tcp` */
function kindOf(address: string): string {
  return address.split(':', 1)[0] ?? '';
}
