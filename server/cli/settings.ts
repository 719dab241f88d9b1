import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { probablyMeant } from '../../lab/did-you-mean.ts';
import { isEngineVersion } from '../../lab/engine-version.ts';
import { QuaysideError } from '../base/errors.ts';
import { isPlace } from '../labs/folders.ts';

/** A week, in minutes: longer is never. */
const LONGEST_MINUTES = 7 * 24 * 60;

/**
 * What the paths of this server's own pages and routes begin with. Below a path of such a name nobody could tell whether a
 * proxy has taken it away.
 */
export const OWN_NAMES: readonly string[] = [
  ...['api', 'pane', 'sign-in', 'healthz', 'metrics'],
  ...['labs', 'authors', 'join', 'class', 'check', 'pagefind', '_astro'],
];

/** Segments of letters, digits and what else stands in a path as it is; never `.` or `..`. */
const BASE_PATH = /^(\/[a-z0-9_~-][a-z0-9_.~-]*)+$/i;

const NO_VERSION = 'must be a version of Docker’s as a text, such as "28" or "28.5.2"';

/**
 * Every setting: what it may be, and its default. A config file has these keys; `docs/operating.md`
 * and `docs/automation.md` list them, and a test compares.
 */
export const SETTINGS = z.strictObject({
  class: text(1, 60)
    .regex(/^\P{Cc}*$/u, { error: 'must have no control characters' })
    .exactOptional()
    .describe('serve a class: learners join with a code'),
  // Everybody who has the code can add learners, so there is a bound. A hundred is a large class.
  learners: wholeNumber(1, 1_000).default(100).describe('how many learners may join'),
  labs: list().describe('the labs that there are, in this order, by name or folder: a,../b'),
  host: text(1, 255).default('127.0.0.1').describe('the address to listen on'),
  port: wholeNumber(0, 65_535).default(4321).describe('the port to listen on; 0 takes a free one'),
  origins: list().describe('further origins that lead here, such as a proxy’s'),
  basePath: basePath().describe('the path of another site that this server is below: /quayside'),
  trustProxy: list().describe('proxies whose X-Forwarded-For is believed: addresses or networks'),
  cert: text(1, 4096).exactOptional().describe('speak https with this certificate (PEM) …'),
  key: text(1, 4096).exactOptional().describe('… and its key'),
  data: text(1, 4096).exactOptional().describe('the folder for learners and their progress'),
  // 20 sandboxes take about 2 GB; a learner on their own machine needs one or two.
  sandboxes: wholeNumber(1, 1_000).default(20).describe('how many sandboxes may run at once'),
  pool: wholeNumber(0, 100).exactOptional().describe('sandboxes kept ready ahead, for each lab'),
  hostEngine: z
    .string({ error: NO_VERSION })
    .refine(isEngineVersion, { error: NO_VERSION })
    .exactOptional()
    .describe('the Docker Engine of hosts whose lab says none: 28'),
  // A lab's images and containers take some MiB; a real image or two, a GiB or two.
  diskMib: wholeNumber(64, 1024 ** 2)
    .default(4096)
    .describe('what one host may write to its disk'),
  internet: yesOrNo().describe('hosts of labs that ask for it reach the internet'),
  resolver: address().exactOptional().describe('who is asked for names there'),
  swarm: yesOrNo().describe(
    'sandboxes go to all nodes of the Docker Swarm with the label quayside=true',
  ),
  idleMinutes: wholeNumber(0, LONGEST_MINUTES)
    .exactOptional()
    .describe('the hosts of idle sessions are stopped after this'),
  totalMinutes: wholeNumber(0, LONGEST_MINUTES)
    .default(0)
    .describe('the hosts of all sessions are stopped after this'),
  // From one week's lesson to the next, and once more.
  keepDays: wholeNumber(0, 365)
    .default(14)
    .describe('stopped hosts are kept so long; 0 removes them at once'),
  // Further up, the engine itself has no room to work any more.
  keepFill: wholeNumber(1, 100)
    .default(95)
    .describe('the oldest of them go while the engine’s disk is fuller'),
  metricsToken: text(16, 1024).exactOptional().describe('what a reader of /metrics must say'),
});

export type Settings = z.output<typeof SETTINGS>;
type Key = keyof Settings;
const KEYS = Object.keys(SETTINGS.shape);

/** The settings that the environment can say, and the variable of each. */
export const VARIABLES = {
  host: 'HOST',
  port: 'PORT',
  origins: 'QUAYSIDE_ORIGINS',
  basePath: 'QUAYSIDE_BASE_PATH',
  labs: 'QUAYSIDE_LABS',
  data: 'QUAYSIDE_DATA',
  sandboxes: 'QUAYSIDE_SANDBOXES',
  pool: 'QUAYSIDE_POOL',
  hostEngine: 'QUAYSIDE_HOST_ENGINE',
  diskMib: 'QUAYSIDE_DISK_MIB',
  internet: 'QUAYSIDE_INTERNET',
  resolver: 'QUAYSIDE_RESOLVER',
  swarm: 'QUAYSIDE_SWARM',
  idleMinutes: 'QUAYSIDE_IDLE_MINUTES',
  totalMinutes: 'QUAYSIDE_TOTAL_MINUTES',
  keepDays: 'QUAYSIDE_KEEP_DAYS',
  keepFill: 'QUAYSIDE_KEEP_FILL',
  metricsToken: 'QUAYSIDE_METRICS_TOKEN',
} as const satisfies Partial<Record<Key, string>>;

/** The settings that the command line can say, and what follows each. */
const SAID_AS_OPTIONS = {
  class: '<name>',
  labs: '<names>',
  cert: '<file>',
  key: '<file>',
  internet: '',
  swarm: '',
} as const;

const FLAG = { type: 'boolean', takes: '' } as const;

/** What `npm start --` takes, in the order in which `--help` lists it. */
export const OPTIONS = {
  class: option('class'),
  labs: { ...option('labs'), multiple: true },
  config: { type: 'string', takes: '<file>', does: 'read settings from a JSON file' },
  cert: option('cert'),
  key: option('key'),
  internet: { ...FLAG, does: SETTINGS.shape.internet.description ?? '' },
  swarm: { ...FLAG, does: SETTINGS.shape.swarm.description ?? '' },
  'new-secret': { ...FLAG, does: 'make a new instructor’s secret for the class' },
  'new-code': { ...FLAG, does: 'make a new code to join the class with' },
  clean: { ...FLAG, does: 'remove every sandbox when the server stops' },
  help: { ...FLAG, does: 'say this' },
} as const;

const CALLS = Object.entries(OPTIONS).map(([name, { takes }]) => `--${name} ${takes}`.trim());
const COLUMN = 2 + Math.max(...CALLS.map((call) => call.length));

/** What `npm start -- --help` prints. */
export const HELP = `npm start -- [options]

${Object.values(OPTIONS)
  .map(({ does }, index) => `  ${(CALLS[index] ?? '').padEnd(COLUMN)}${does}`)
  .join('\n')}

HOST and PORT say where it listens: HOST=0.0.0.0 PORT=8000 npm start. Every setting: docs/operating.md`;

/** What was said on the command line and is no setting. */
export interface Flags {
  readonly newSecret: boolean;
  readonly newCode: boolean;
  /** Remove every sandbox when the server stops. */
  readonly clean: boolean;
}

/** A value as it was said, and where: `PORT=x`, `port in class.json`, `--class`. */
interface Said {
  readonly value: unknown;
  readonly place: string;
}

/**
 * Reads the command line, the environment and the config file; the earlier of these has the last word.
 *
 * @throws QuaysideError CONFIG_INVALID naming each place that says something wrong, and what it takes
 */
export function readSettings(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
): { readonly settings: Settings; readonly flags: Flags } {
  const options = readOptions(argv);
  if (env.QUAYSIDE_BASE?.startsWith('/')) {
    throw invalid(
      `QUAYSIDE_BASE=${env.QUAYSIDE_BASE} is a path. QUAYSIDE_BASE names the image that Quayside’s own is built from.`,
      `For a path of another site: QUAYSIDE_BASE_PATH=${env.QUAYSIDE_BASE}`,
    );
  }
  const said = new Map<string, Said>([
    ...(options.config === undefined ? [] : inFile(options.config)),
    ...inEnvironment(env),
    ...Object.keys(SAID_AS_OPTIONS).flatMap((name) => {
      const text = options[name as keyof typeof SAID_AS_OPTIONS];
      if (text === undefined) return [];
      const value = Array.isArray(text) ? placed(text.flatMap(parted), here(env)) : text;
      return [[name, { value, place: `--${name}` }] as const];
    }),
  ]);
  const read = SETTINGS.safeParse(
    Object.fromEntries([...said].map(([key, { value }]) => [key, value])),
  );
  if (!read.success) throw problemsWith(read.error.issues, said);
  const { 'new-secret': newSecret = false, 'new-code': newCode = false, clean = false } = options;
  return { settings: read.data, flags: { newSecret, newCode, clean } };
}

function readOptions(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, strict: true }).values;
  } catch (error) {
    const unknown = argv.find(
      (each) => each.startsWith('-') && !Object.hasOwn(OPTIONS, nameOf(each)),
    );
    throw invalid(
      unknown === undefined
        ? `The command line is not understood: ${(error as Error).message}`
        : `There is no option ${unknown}.${meant('--', nameOf(unknown), Object.keys(OPTIONS))}`,
      'What there is: npm start -- --help',
    );
  }
}

/** `class` of `--class` and of `--class=A`. */
function nameOf(argument: string): string {
  return argument.replace(/^--?/, '').split('=')[0] ?? '';
}

function inEnvironment(env: NodeJS.ProcessEnv): readonly (readonly [string, Said])[] {
  return Object.entries(VARIABLES).flatMap(([key, variable]) => {
    const text = env[variable];
    if (!text) return [];
    const value =
      key === 'labs' ? placed(parted(text), here(env)) : key === 'origins' ? parted(text) : text;
    const isSecret = key === 'metricsToken';
    return [[key, { value, place: isSecret ? variable : `${variable}=${text}` }]];
  });
}

/** A list as a line of text says it. */
function parted(text: string): readonly string[] {
  return text.split(',').flatMap((each) => each.trim() || []);
}

/** Where the command was given: npm runs it in the project's folder. */
function here(env: NodeJS.ProcessEnv): string {
  return env.INIT_CWD ?? '.';
}

/** Names and folders of labs, the folders by their whole paths. */
function placed(words: readonly string[], from: string): readonly string[] {
  return words.map((word) => (isPlace(word) ? resolve(from, word) : word));
}

/** Settings of a JSON file. Paths in it are taken from where it lies. */
function inFile(path: string): readonly (readonly [string, Said])[] {
  const file = resolve(path);
  const content = jsonIn(file);
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw invalid(`${path} is no JSON object.`, 'docs/operating.md shows one.');
  }
  return Object.entries(content).map(([key, value]) => {
    const folder = dirname(file);
    const isPath = ['cert', 'key', 'data'].includes(key) && typeof value === 'string';
    const areLabs = key === 'labs' && isTexts(value);
    const taken = isPath ? resolve(folder, value) : areLabs ? placed(value, folder) : value;
    return [key, { value: taken, place: `${key} in ${path}` }];
  });
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}

function jsonIn(file: string): unknown {
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch (error) {
    throw invalid(
      `The config file ${file} cannot be read: ${(error as Error).message}`,
      'Name one that is there: npm start -- --config <file>',
    );
  }
  try {
    return JSON.parse(content);
  } catch (error) {
    throw invalid(
      `${file} is no JSON: ${(error as Error).message}`,
      'Correct it; docs/operating.md shows one.',
    );
  }
}

function problemsWith(
  issues: readonly z.core.$ZodIssue[],
  said: ReadonlyMap<string, Said>,
): QuaysideError {
  const problems = issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => {
        const place = said.get(key)?.place ?? key;
        return `${place} is no setting.${meant('', key, KEYS)}`;
      });
    }
    const place = said.get(String(issue.path[0]))?.place ?? issue.path.join('.');
    return [`${place} ${issue.message}.`];
  });
  return invalid(problems.join('\n'), 'docs/operating.md lists every setting and what it takes.');
}

/** ` Did you mean --class?`; nothing where no known name is like the given one. */
function meant(before: string, given: string, known: readonly string[]): string {
  const name = probablyMeant(given, known);
  return name === undefined ? '' : ` Did you mean ${before}${name}?`;
}

/** Why a setting or an option cannot be used. */
export function invalid(message: string, remedy: string): QuaysideError {
  return new QuaysideError('CONFIG_INVALID', message, remedy);
}

/** A whole number, or its digits: the environment has only text. */
function wholeNumber(least: number, most: number) {
  const error = `must be a whole number from ${least} to ${most}`;
  return z.preprocess(
    (value) => (typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value),
    z.int({ error }).min(least, { error }).max(most, { error }),
  );
}

/** The environment says 1 and 0. */
function yesOrNo() {
  const error = 'must be true or false (1 or 0 in the environment)';
  const said: Readonly<Record<string, boolean>> = {
    '1': true,
    true: true,
    '0': false,
    false: false,
  };
  return z
    .preprocess((value) => (typeof value === 'string' ? said[value] : value), z.boolean({ error }))
    .default(false);
}

/** An IPv4 address. */
function address() {
  return z.ipv4({ error: 'must be an IPv4 address' });
}

function text(least: number, most: number) {
  const error = `must be a text of ${least} to ${most} characters`;
  return z.string({ error }).trim().min(least, { error }).max(most, { error });
}

function list() {
  const error = 'must be a list of texts';
  return z.array(z.string({ error }), { error }).default([]);
}

/** `/quayside`, without a slash at its end; empty for none. */
function basePath() {
  const error = 'must be a path such as /quayside, of letters, digits, dashes and dots';
  const own = `may not begin with a name of Quayside’s own: ${OWN_NAMES.join(', ')}`;
  return z
    .string({ error })
    .trim()
    .transform((path) => path.replace(/\/+$/, ''))
    .refine((path) => path === '' || BASE_PATH.test(path), { error })
    .refine((path) => !OWN_NAMES.includes(path.split('/')[1] ?? ''), { error: own })
    .default('');
}

function option<Name extends keyof typeof SAID_AS_OPTIONS>(name: Name) {
  const does = SETTINGS.shape[name].description ?? '';
  return { type: 'string', takes: SAID_AS_OPTIONS[name], does } as const;
}
