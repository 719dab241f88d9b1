/**
 * A class at work: `npm run bench:class`.
 *
 *   npm run bench:class                                  1, 10, 25, 50 and 100 learners
 *   npm run bench:class -- --sizes 1,10 --active 50      those, of whom at most 50 are at work at once
 *   npm run bench:class -- --json figures.json           the figures into a file as well
 *   npm run bench:class -- --trouble                     what one learner's trouble does to the others and the server
 *   npm run bench:class -- --trouble --only ESC --rounds 1      only troubles that are named so, once each
 *   npm run bench:class -- --finish 25                   25 learners do the whole lab, and nothing may be left
 *   npm run bench:class -- --server ../before            any of these with the server of another checkout
 *   npm run bench:class -- --swarm 1,2,3 --sizes 8       8 learners for each of 1, 2 and 3 machines of one processor
 *   npm run bench:class -- --swarm 2 --elsewhere         the first of them, where the server is, takes none
 *
 * The server runs as `npm start` runs it, in a process of its own; the learners are in this one, and speak HTTP and
 * WebSockets as pages do. Both share the machine.
 */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { openClassroom } from '../client-driver/classroom.ts';
import { finishLab } from '../client-driver/lab-walk.ts';
import { programOptions } from '../server/cli/program-options.ts';
import { machine, percentile } from './class/machine.ts';
import { measureClass, measurePool, type Row } from './class/measure.ts';
import { type Subject, subjectOf } from './class/subject.ts';
import { measureSwarm, type SwarmOptions, type SwarmRow } from './class/swarm.ts';
import { figuresOf, measureTrouble } from './class/trouble.ts';
import { between } from './class/typing.ts';

const LAB = 'docker-networking';
const SIZES = '1,10,25,50,100';
const ACTIVE_MOST = '50';
/** What still feels immediate (ms). */
const ECHO_LIMIT_MS = 50;
/** A quick reader's time for the page between two steps. */
const READING_MS = [5_000, 15_000] as const;
/** Each trouble is made so often: one odd turn of the machine does not make its figures. */
const ROUNDS = '3';

const COLUMNS: readonly (readonly [string, (row: Row) => string])[] = [
  ['Learners', (row) => String(row.learners)],
  ['At work', (row) => String(row.active)],
  ['Ready p50, s', (row) => (row.readyP50 / 1000).toFixed(1)],
  ['Ready, the last, s', (row) => (row.readyMost / 1000).toFixed(1)],
  ['Echo p50, ms', (row) => row.echoP50.toFixed(1)],
  ['Echo p99, ms', (row) => row.echoP99.toFixed(1)],
  ['First keys p99, ms', (row) => row.firstP99.toFixed(1)],
  ['Tick p50, ms', (row) => row.tickP50.toFixed(0)],
  ['Tick p95, ms', (row) => row.tickP95.toFixed(0)],
  ['MiB each', (row) => row.mibEach.toFixed(0)],
  ['CPU still, %', (row) => row.cpuStill.toFixed(0)],
  ['CPU typing, %', (row) => row.cpuActive.toFixed(0)],
];

const SWARM_COLUMNS: readonly (readonly [string, (row: SwarmRow) => string])[] = [
  ['Machines', (row) => String(row.machines)],
  ['Sandboxes on each', ({ spread }) => spread.join(', ')],
  ...COLUMNS,
];

type Figures = ReturnType<typeof figuresOf>;

const TROUBLE_COLUMNS: readonly (readonly [string, (row: Figures) => string])[] = [
  ['Trouble', (row) => row.trouble],
  ['Quiet p50, ms', ({ quiet }) => quiet.p50.toFixed(1)],
  ['Quiet p99, ms', ({ quiet }) => quiet.p99.toFixed(1)],
  ['Beside it p50, ms', ({ beside }) => beside.p50.toFixed(1)],
  ['Beside it p99, ms', ({ beside }) => beside.p99.toFixed(1)],
  ['p50, ratio', ({ quiet, beside }) => (beside.p50 / quiet.p50).toFixed(1)],
  ['p99, ratio', ({ quiet, beside }) => (beside.p99 / quiet.p99).toFixed(1)],
  ['Health p99 quiet, ms', ({ quiet }) => quiet.health.toFixed(0)],
  ['Health p99 beside, ms', ({ beside }) => beside.health.toFixed(0)],
  ['Health failed beside', ({ beside }) => beside.failed],
  ['Server, MiB more', ({ quiet, beside }) => (beside.rssMost - quiet.rssMost).toFixed(0)],
];

function table<Row>(
  columns: readonly (readonly [string, (row: Row) => string])[],
  rows: readonly Row[],
): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    line(columns.map(([name]) => name)),
    line(columns.map(() => '---:')),
    ...rows.map((row) => line(columns.map(([, read]) => read(row)))),
  ].join('\n');
}

async function measure(sizes: readonly number[], active: number, subject: Subject, json?: string) {
  const rows: Row[] = [];
  for (const size of sizes) {
    console.log(`${size} learners …`);
    rows.push(await measureClass(size, active, subject));
    if (json !== undefined) await keep(json, { rows });
  }
  console.log(`\n${machine()}\n\n${table(COLUMNS, rows)}\n`);
  const good = rows.filter(({ echoP99 }) => echoP99 < ECHO_LIMIT_MS).map((row) => row.learners);
  console.log(
    `The most learners with an echo p99 below ${ECHO_LIMIT_MS} ms: ${Math.max(0, ...good)}.`,
  );
  const pool = await measurePool(subject);
  if (json !== undefined) await keep(json, { rows, pool });
  console.log(
    `From the pool, one after another: ready after ${percentile(pool, 0.5).toFixed(0)} ms at the median, ${Math.max(...pool).toFixed(0)} ms at most (${pool.length} starts).`,
  );
}

async function measureMachines(
  counts: readonly number[],
  how: Omit<SwarmOptions, 'machines'>,
  subject: Subject,
  json?: string,
) {
  const rows: SwarmRow[] = [];
  for (const machines of counts) {
    console.log(`${machines} machines …`);
    rows.push(await measureSwarm({ ...how, machines }, subject));
    if (json !== undefined) await keep(json, { swarm: rows });
  }
  console.log(`\n${machine()}\n\n${table(SWARM_COLUMNS, rows)}`);
}

/** Writes what is known so far: what a long run has measured must not be lost with its last part. */
async function keep(file: string, figures: object): Promise<void> {
  await writeFile(file, JSON.stringify({ machine: machine(), ...figures }, undefined, 2));
}

async function finish(count: number, { name, lab, steps, project }: Subject): Promise<boolean> {
  const from = performance.now();
  const wrong: string[] = [];
  {
    await using classroom = await openClassroom({
      learners: count,
      lab: name,
      project,
      onLeft: (left) => wrong.push(`${left} sandboxes are left`),
    });
    const reading = () => delay(between(READING_MS));
    wrong.push(...(await finishLab(classroom.learners, lab, steps, reading)));
  }
  const seconds = Math.round((performance.now() - from) / 1000);
  console.log(`${count} learners, ${lab.checks.length} checks each, in ${seconds} s.`);
  const isGood = wrong.length === 0;
  console.log(isGood ? 'Every check is ticked, and nothing is left behind.' : wrong.join('\n'));
  return isGood;
}

const { values: options } = programOptions(import.meta.filename, {
  options: {
    sizes: { type: 'string', default: SIZES },
    active: { type: 'string', default: ACTIVE_MOST },
    json: { type: 'string' },
    finish: { type: 'string' },
    trouble: { type: 'boolean', default: false },
    rounds: { type: 'string', default: ROUNDS },
    only: { type: 'string', default: '' },
    server: { type: 'string' },
    swarm: { type: 'string' },
    elsewhere: { type: 'boolean', default: false },
  },
});
const project = options.server === undefined ? undefined : resolve(options.server);
const subject = await subjectOf(LAB, project);
if (options.swarm !== undefined) {
  const [learnersEach = 0] = options.sizes.split(',').map(Number);
  const how = { learnersEach, isElsewhere: options.elsewhere };
  await measureMachines(options.swarm.split(',').map(Number), how, subject, options.json);
} else if (options.trouble) {
  const rounds = Number(options.rounds);
  const rows = await measureTrouble(subject, { rounds, only: new RegExp(options.only) });
  const figures = rows.map(figuresOf);
  console.log(`${machine()}\n\n${table(TROUBLE_COLUMNS, figures)}`);
  if (options.json !== undefined) await keep(options.json, { trouble: figures });
} else if (options.finish === undefined) {
  const sizes = options.sizes.split(',').map(Number);
  await measure(sizes, Number(options.active), subject, options.json);
} else {
  process.exitCode = (await finish(Number(options.finish), subject)) ? 0 : 1;
}
