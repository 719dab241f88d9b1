import { invalid, readSettings, VARIABLES } from './settings.ts';
import type { Service } from './unit.ts';

/** What `npm run service --` was told. */
export type ServiceCommand =
  | { readonly verb: 'help' }
  | { readonly verb: 'remove' | 'status'; readonly name: string }
  | {
      readonly verb: 'install';
      readonly name: string;
      readonly service: Service;
      /** Print the unit, and do nothing. */
      readonly print: boolean;
    };

const DEFAULT_NAME = 'quayside';
/** Enough for a word or two; systemd takes more. */
const NAME = /^[a-z][a-z0-9-]{0,63}$/;
/** As Debian's adduser and Fedora's useradd take it, or a number. */
const USER = /^([a-z_][a-z0-9_-]{0,31}|\d+)$/;
/** Options of this command that take a value; all others are of `npm start`. */
const OWN = ['name', 'user'] as const;
/** What the server reads of its environment besides its settings. */
const ALSO = [
  ...[
    'DOCKER_HOST',
    'QUAYSIDE_ENGINE_HOME',
    'NODE_EXTRA_CA_CERTS',
    'SSL_CERT_DIR',
    'MALLOC_ARENA_MAX',
  ],
  // Where labs that were named by a path are looked for from: npm sets it.
  'INIT_CWD',
];
const PROXIES = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'].flatMap((name) => [
  name,
  name.toLowerCase(),
]);

export const SERVICE_HELP = `npm run service -- <what> [options]

  install [settings of npm start]   make a service of systemd's, start it, and start it with the machine
  status                            whether it runs, and its last lines
  remove                            stop it and take it away; hosts and progress stay

  --name <name>   of the service; ${DEFAULT_NAME}, if not given
  --user <user>   whose processes it consists of; root, if not given
  --print         print the unit, and do nothing`;

/**
 * Reads the command line of `npm run service`. What is not its own is what `npm start` takes, and is judged by its parser.
 *
 * @throws QuaysideError CONFIG_INVALID with what to type
 */
export function serviceCommand(
  project: string,
  given: readonly string[],
  env: NodeJS.ProcessEnv,
): ServiceCommand {
  if (given.includes('--help')) return { verb: 'help' };
  const { own, print, rest } = parted(given);
  // `-- --remove` is understood as well as `-- remove`.
  const [verb = '', ...argv] = rest.map((each, index) =>
    index === 0 ? each.replace(/^--/, '') : each,
  );
  const name = own.name ?? DEFAULT_NAME;
  if (!NAME.test(name)) {
    throw invalid(
      `--name ${name} cannot be a service’s.`,
      'Take small letters, digits and dashes: --name quayside-tuesdays',
    );
  }
  if (verb === 'remove' || verb === 'status') {
    if (argv.length === 0) return { verb, name };
    throw invalid(
      `${verb} takes no ${argv[0]}.`,
      `npm run service -- ${verb}, with --name <name> where it has one`,
    );
  }
  if (verb !== 'install') {
    throw invalid(
      verb === '' ? 'What is to be done is not said.' : `npm run service does not know ${verb}.`,
      'npm run service -- install --class <name>, or status, or remove',
    );
  }
  const { settings, flags } = readSettings(argv, env);
  if (flags.newSecret || flags.newCode) {
    throw invalid(
      'A service that is told --new-secret or --new-code makes a new one at each start.',
      `Make it once by hand: systemctl stop ${name}, npm start with the same settings and --new-secret, Ctrl-C, systemctl start ${name}`,
    );
  }
  const user = own.user ?? 'root';
  if (!USER.test(user)) throw invalid(`--user ${user} is no user’s name.`, 'Name one: --user root');
  const node = env.npm_node_execpath ?? process.execPath;
  // setup/run.mjs has started this very process as it would the server.
  const program = [process.execPath, ...process.execArgv];
  const service = {
    ...{ name, project, node, program, argv, env: carried(env), user },
    className: settings.class,
  };
  return { verb, name, service, print };
}

/** Takes the options of this command out of what was given. */
function parted(given: readonly string[]) {
  const own: Partial<Record<(typeof OWN)[number], string>> = {};
  const rest: string[] = [];
  let print = false;
  for (let at = 0; at < given.length; at += 1) {
    const each = given[at] ?? '';
    const option = OWN.find((known) => each === `--${known}` || each.startsWith(`--${known}=`));
    if (each === '--print') print = true;
    else if (option === undefined) rest.push(each);
    else if (each.includes('=')) own[option] = each.slice(each.indexOf('=') + 1);
    else {
      at += 1;
      own[option] = given[at] ?? '';
    }
  }
  return { own, print, rest };
}

/**
 * Of this environment, what the server reads. Everybody may read a unit, so it has no secrets.
 *
 * @throws QuaysideError CONFIG_INVALID where one was said so
 */
function carried(env: NodeJS.ProcessEnv): Readonly<Record<string, string>> {
  if (env[VARIABLES.metricsToken]) {
    throw invalid(
      `${VARIABLES.metricsToken} would stand in the unit, which everybody may read.`,
      'Put it as "metricsToken" into a file that only root may read, and say --config <file>',
    );
  }
  const secret = PROXIES.find((name) => env[name]?.includes('@'));
  if (secret !== undefined) {
    throw invalid(
      `${secret} has a password, which would stand in the unit, and everybody may read that.`,
      `Take it out of the environment (unset ${secret}), write it as a line into a file that only root may read, and name that: systemctl edit <service>, [Service], EnvironmentFile=<file>`,
    );
  }
  const names = [...Object.values(VARIABLES), ...ALSO, ...PROXIES];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = env[name];
      return value ? [[name, value]] : [];
    }),
  );
}
