import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

/** There where systemd is the first process. */
export const SYSTEMD = '/run/systemd/system';

/**
 * A scope of systemd's own for what is started, which is then no part of whose service started it: a service that is
 * stopped, or runs out of its memory, does not take the engine along. The settings are those of Docker's own unit, without
 * which hosts run into the number of processes that systemd lets a unit have.
 */
const SCOPE = [
  ...['systemd-run', '--scope', '--quiet', '--collect'],
  ...['--description=Docker Engine of Quayside'],
  ...['--property=Delegate=yes', '--property=TasksMax=infinity'],
  '--',
];

/** Where an engine keeps its files. */
export interface DaemonPaths {
  readonly run: string;
  readonly data: string;
  readonly log: string;
  readonly pidFile: string;
  readonly socket: string;
  readonly config: string;
}

/** The command that runs an engine of our own. @param inScope whether systemd is asked for a scope for it */
export function daemonCommand(paths: DaemonPaths, inScope: boolean): readonly string[] {
  return [
    ...(inScope ? SCOPE : []),
    'dockerd',
    `--host=unix://${paths.socket}`,
    `--data-root=${paths.data}`,
    `--exec-root=${paths.run}/exec`,
    `--pidfile=${paths.pidFile}`,
    // The machine's own /etc/docker/daemon.json belongs to another engine.
    `--config-file=${paths.config}`,
    '--bridge=none',
    '--iptables=false',
    '--ip6tables=false',
    '--ip-forward=false',
    '--ip-masq=false',
  ];
}

/**
 * Starts it, to outlive this process.
 *
 * @param onEnd told when it cannot be started, or ends
 */
export function startDaemon(
  paths: DaemonPaths,
  inScope: boolean,
  onEnd: (error: Error) => void,
): void {
  const [program = '', ...args] = daemonCommand(paths, inScope);
  const log = openSync(paths.log, 'a');
  const daemon = spawn(program, args, { detached: true, stdio: ['ignore', log, log] });
  closeSync(log);
  daemon.once('error', onEnd);
  daemon.once('exit', (code, signal) => {
    const how = signal ? `was ended by ${signal}` : `ended with status ${code}`;
    onEnd(new Error(`${program} ${how}`));
  });
  daemon.unref();
}
