import { spawn } from 'node:child_process';
import { closeSync, copyFileSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';

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

/** What an operator has written for the machine's engine. */
const MACHINE_CONFIG = '/etc/docker/daemon.json';
/** Of that, the settings that say where images are pulled from. All others are of the other engine. */
const REGISTRIES = z.object({
  'registry-mirrors': z.array(z.string()).exactOptional(),
  'insecure-registries': z.array(z.string()).exactOptional(),
});
/** Where Go looks for the certificates of this machine, on every distribution that set-up knows. */
const CERTIFICATES = '/etc/ssl/certs';

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

/** Writes its settings: the registries of the machine's engine, where those are written down. */
export function writeConfig({ config }: Pick<DaemonPaths, 'config'>, from = MACHINE_CONFIG): void {
  writeFileSync(config, JSON.stringify(registriesIn(from)));
}

function registriesIn(path: string): z.output<typeof REGISTRIES> {
  try {
    return REGISTRIES.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    // There is none, or it is one that the machine's engine would refuse as well.
    return {};
  }
}

/**
 * Its environment: this process's, with the certificates that this one trusts beside the machine's own
 * (`NODE_EXTRA_CA_CERTS`, which only Node reads). So images are pulled through a proxy that ends TLS.
 */
export function daemonEnvironment(
  { run }: Pick<DaemonPaths, 'run'>,
  env: NodeJS.ProcessEnv,
): NodeJS.ProcessEnv {
  if (!env.NODE_EXTRA_CA_CERTS) return env;
  const directory = `${run}/certificates`;
  try {
    mkdirSync(directory, { recursive: true });
    copyFileSync(env.NODE_EXTRA_CA_CERTS, `${directory}/extra.pem`);
  } catch {
    // As Node itself does with a file that is not there.
    return env;
  }
  return { ...env, SSL_CERT_DIR: [env.SSL_CERT_DIR || CERTIFICATES, directory].join(':') };
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
  const daemon = spawn(program, args, {
    detached: true,
    stdio: ['ignore', log, log],
    env: daemonEnvironment(paths, process.env),
  });
  closeSync(log);
  daemon.once('error', onEnd);
  daemon.once('exit', (code, signal) => {
    const how = signal ? `was ended by ${signal}` : `ended with status ${code}`;
    onEnd(new Error(`${program} ${how}`));
  });
  daemon.unref();
}
