import { dirname } from 'node:path';

/** A server that systemd keeps running. */
export interface Service {
  /** Of its unit: `quayside` for `quayside.service`. */
  readonly name: string;
  /** The project's folder. */
  readonly project: string;
  /** The machine's Node, which installs the packages where they are missing or old. */
  readonly node: string;
  /** The project's own Node and its flags, as this process was started. */
  readonly program: readonly string[];
  /** What `npm start --` would be given. */
  readonly argv: readonly string[];
  /** The environment that it is to have. */
  readonly env: Readonly<Record<string, string>>;
  /** Whose processes it consists of. */
  readonly user: string;
  /** The class, if it serves one. */
  readonly className: string | undefined;
}

/** How a unit of ours begins, before the project's folder. */
const MADE_FOR = '# Made by npm run service in ';
/** What systemd looks for programs in, if nothing is said. */
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** `docs/operating.md` says why: whoever types does not wait for a class that fills its processors. */
const CPU_WEIGHT = 1000;
/** All that systemd lets a service have. A learner at work takes some twenty; an engine of our own hands its number on. */
const OPEN_FILES = 524_288;
/** A full class is taken leave of in seconds; with --clean, its sandboxes are removed first. */
const STOP_SECONDS = 600;
/** Packages are installed in a minute or two, over a slow line in some more. */
const INSTALL_SECONDS = 1800;
/** What an engine that starts, or a port that gets free, needs. */
const RESTART_SECONDS = 10;
/** A setting that is wrong stays so: after this many starts within this time it is left stopped. */
const RESTARTS = 5;
const RESTARTS_WITHIN_SECONDS = 600;

/** The text of a unit file. */
export function unitText(service: Service): string {
  const { project, node, program, argv, env, user, className } = service;
  const path = PATH.split(':').includes(dirname(node)) ? PATH : `${dirname(node)}:${PATH}`;
  // Packages are installed after an upgrade. The server itself has no process above it: whatever ends that one, it is known.
  const before = [node, 'setup/run.mjs', 'server/cli/prepare.ts'].map(argument);
  const command = [...program, 'server/main.ts', ...argv].map(argument);
  return `${MADE_FOR}${project}
[Unit]
Description=Quayside${className === undefined ? '' : `: ${literal(className)}`}
Wants=network-online.target
After=network-online.target docker.service
StartLimitIntervalSec=${RESTARTS_WITHIN_SECONDS}
StartLimitBurst=${RESTARTS}

[Service]
WorkingDirectory=${literal(project)}
ExecStartPre=${before.join(' ')}
ExecStart=${command.join(' ')}
TimeoutStartSec=${INSTALL_SECONDS}
User=${user}
${Object.entries({ PATH: path, ...env })
  .map(([name, value]) => `Environment=${quoted(`${name}=${value}`)}`)
  .join('\n')}
Restart=on-failure
RestartSec=${RESTART_SECONDS}
# The server alone is stopped. An engine that it has started runs on, and so do the hosts.
KillMode=process
TimeoutStopSec=${STOP_SECONDS}
# Such an engine and its hosts' helpers count as the service's.
OOMPolicy=continue
TasksMax=infinity
LimitNOFILE=${OPEN_FILES}
CPUWeight=${CPU_WEIGHT}

[Install]
WantedBy=multi-user.target
`;
}

/** The project that a unit was made for; `undefined` where it is none of ours. */
export function projectOf(unit: string): string | undefined {
  const [first = ''] = unit.split('\n', 1);
  return first.startsWith(MADE_FOR) ? first.slice(MADE_FOR.length) : undefined;
}

/** systemd puts something in the place of `%h` and the like. */
function literal(text: string): string {
  return text.replaceAll('%', '%%');
}

/** As systemd.syntax(7) reads it. */
function quoted(text: string): string {
  return `"${literal(text).replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/** Of a command, in which variables are replaced as well. */
function argument(text: string): string {
  return quoted(text).replaceAll('$', '$$$$');
}
