/**
 * `npm run bench:checks [-- --sandboxes 1,10 --pause 1000 --watched 2 --json FILE --server DIR]`: how long it takes from an event of
 * a host's engine to the tick, with one sandbox and with ten that are all busy: over the event socket, in the page (a
 * real browser's DOM), and drawn. The event's own time stamp (Docker's `timeNano`) is the start; all clocks are this
 * machine's. And what an idle sandbox costs.
 */
import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { resolve } from 'node:path';
import { progress } from '../server/base/progress.ts';
import { programOptions } from '../server/cli/program-options.ts';
import { findEngine } from '../server/engine/find.ts';
import { openBrowser } from './browser.ts';
import { engineProcesses, type Spent, spentIdle } from './checks/idle.ts';
import { BenchLearner, type NewHost, newHost } from './checks/learner.ts';
import { type RunningServer, startServer } from './checks/running-server.ts';
import { openPage, seenBy } from './checks/watched-page.ts';

const { values: options } = programOptions(import.meta.filename, {
  options: {
    json: { type: 'string', default: 'bench-checks.json' },
    sandboxes: { type: 'string', default: '1,10' },
    // From a container's removal to the next, in ms: quicker than anybody types, and slow enough to leave cores idle.
    pause: { type: 'string', default: '1000' },
    // The learners' browsers run on their own machines; so few are watched here that they leave the cores to the server.
    watched: { type: 'string', default: '2' },
    // The folder of another checkout, whose server and pages are measured in place of this one's.
    server: { type: 'string' },
  },
});
const SANDBOXES = options.sandboxes.split(',').map(Number);
const PROJECT = options.server === undefined ? undefined : resolve(options.server);
const WATCHED = Number(options.watched);
const PAUSE_MS = Number(options.pause);

/**
 * The first containers of each learner count by themselves: their engine has made none before, and with ten of them the
 * cores are full in that second.
 */
const COLD = 2;

interface Latencies {
  readonly sandboxes: number;
  readonly cold: readonly number[];
  readonly socket: readonly number[];
  readonly page: readonly number[];
  readonly drawn: readonly number[];
  /** How much of the machine's cores was in use meanwhile, in percent of all. */
  readonly coresBusy: number;
}

const engine = await findEngine(process.env, progress);
const results: { readonly latencies: Latencies; readonly idle: Spent }[] = [];
for (const sandboxes of SANDBOXES) {
  await using server = await startServer(sandboxes, PROJECT);
  results.push(await measure(server, sandboxes));
}

async function measure(server: RunningServer, sandboxes: number) {
  const daemons = await engineProcesses();
  const without = await spentIdle(engine, server.instance, server.pid, daemons);
  const learners: { readonly learner: BenchLearner; readonly host: NewHost }[] = [];
  while (learners.length < sandboxes) {
    const learner = await BenchLearner.start(server);
    const known = learners.map(({ host }) => host.container);
    learners.push({ learner, host: await newHost(engine, server.instance, known) });
  }
  const within = await spentIdle(engine, server.instance, server.pid, daemons);
  // What is measured is an engine at work, not its first start.
  const wake = ['systemctl', 'start', 'docker'];
  await Promise.all(learners.map(({ host }) => engine.run(host.container, wake, { user: 'root' })));
  const browser = await openBrowser();
  try {
    const watched = learners.slice(0, WATCHED);
    const pages = await Promise.all(
      watched.map(({ learner }) => openPage(browser, server, learner)),
    );
    const before = coreTimes();
    await Promise.all(learners.map(({ learner, host }) => learner.work(host.docker, PAUSE_MS)));
    const after = coreTimes();
    const seen = await Promise.all(pages.map(seenBy));
    const latencies: Latencies = {
      sandboxes,
      coresBusy: 100 * (1 - (after.idle - before.idle) / (after.all - before.all)),
      cold: learners.flatMap(({ learner }) => told(learner).slice(0, COLD)),
      socket: learners.flatMap(({ learner }) => told(learner).slice(COLD)),
      page: watched.flatMap(({ learner }, at) =>
        since(learner, (id) => seen[at]?.[id]?.changed).slice(COLD),
      ),
      drawn: watched.flatMap(({ learner }, at) =>
        since(learner, (id) => seen[at]?.[id]?.drawn).slice(COLD),
      ),
    };
    const each = (what: keyof Spent) => (within[what] - without[what]) / sandboxes;
    const idle = { server: each('server'), engine: each('engine'), hosts: each('hosts') };
    return { latencies, idle };
  } finally {
    await browser.close();
    for (const { learner } of learners) learner[Symbol.dispose]();
  }
}

/** What all cores together have spent since they were started (ms), and how much of that they did nothing. */
function coreTimes(): { readonly all: number; readonly idle: number } {
  const times = cpus().map((core) => core.times);
  const sum = (of: (time: (typeof times)[number]) => number) =>
    times.reduce((total, time) => total + of(time), 0);
  const idle = sum((time) => time.idle);
  return { idle, all: idle + sum(({ user, nice, sys, irq }) => user + nice + sys + irq) };
}

/** Milliseconds from each of a learner's events to `end`, where there is one. */
function since(learner: BenchLearner, end: (id: string) => number | undefined): readonly number[] {
  return [...learner.made].flatMap(([id, start]) => {
    const at = end(id);
    return at === undefined ? [] : at - start;
  });
}

function told(learner: BenchLearner): readonly number[] {
  return since(learner, (id) => learner.told(id));
}

/** A table of the latencies and one of what idle sandboxes cost. */
function tables(): string {
  const latencies = results.flatMap(({ latencies: { sandboxes, coresBusy, ...ends } }) =>
    Object.entries(ends).map(([end, samples]) => {
      const sorted = [...samples].sort((a, b) => a - b);
      const figures = [0.5, 0.95, 0.99].map((share) => percentile(sorted, share).toFixed(1));
      const busy = `${coresBusy.toFixed(0)} %`;
      return [sandboxes, busy, ENDS[end as keyof typeof ENDS], sorted.length, ...figures];
    }),
  );
  const idle = results.map(({ latencies: { sandboxes }, idle: { server, engine: own, hosts } }) => [
    sandboxes,
    ...[server, own, server + own, hosts].map((percent) => `${percent.toFixed(2)} %`),
  ]);
  return [
    table(
      ['sandboxes, all busy', 'cores in use', 'until', 'events', 'p50 ms', 'p95 ms', 'p99 ms'],
      latencies,
    ),
    table(['idle sandboxes', 'server', 'engine', 'both', 'their hosts'], idle),
  ].join('\n\n');
}

const ENDS = {
  cold: `the answer is out of the event socket, first ${COLD} of each`,
  socket: 'the answer is out of the event socket',
  page: 'the tick is in the page',
  drawn: 'a frame with it is drawn',
} as const;

function table(head: readonly string[], rows: readonly (readonly unknown[])[]): string {
  return [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

console.log(`\n${tables()}\n`);
const machine = { cores: cpus().length, model: cpus()[0]?.model, node: process.version };
await writeFile(options.json, `${JSON.stringify({ machine, results }, null, 2)}\n`);
progress(`Written to ${options.json}`);
process.exit(0);
