/**
 * Measures terminals, ours and others', side by side in one run:
 *
 *   npm run bench:terminal -- [--ttyd PATH] [--wetty PATH] [--rounds 3] [--only host|local] [--json FILE] [--add]
 *                             [--server DIR] [--measure NAME …] [--contender NAME …]
 *   npm run bench:terminal -- --rtt 200             keys over a long way, with local echo and without
 *   npm run bench:terminal -- --mbit 1 [--rtt 100]  a reload over a thin line
 *
 * ttyd is a built binary; wetty is its `bin` (`npm install wetty` somewhere, then node_modules/.bin/wetty). Either is
 * left out, with a word, where no path is given. Rounds are interleaved, so that a busy moment of the machine hits all.
 * `--server` measures another checkout's server in place of this one's.
 * `--measure` and `--contender` take some alone: `--measure opening --measure echo --contender Quayside --contender ttyd`.
 * `--add` adds the rounds to those that FILE holds already, for a machine that is quiet only for minutes at a time.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { cpus, release } from 'node:os';
import { join, resolve } from 'node:path';
import { programOptions } from '../server/cli/program-options.ts';
import { barOf } from './terminal/bar.ts';
import type { Running } from './terminal/contenders.ts';
import { type Contender, contenders } from './terminal/contenders.ts';
import { measureFarKeys, measureThin } from './terminal/far.ts';
import { raiseHost } from './terminal/host.ts';
import {
  type Figures,
  measureBulk,
  measureEcho,
  measureEchoBesideFlood,
  measureIdle,
  measureInterrupt,
  measureOpening,
  measureStalled,
  measureStart,
} from './terminal/measures.ts';
import { type Result, tableOf } from './terminal/table.ts';
import { openWholeServer } from './terminal/whole-server.ts';

/** A thin line is long as well, if nothing else is said. */
const THIN_RTT_MS = 100;

const say = (text: string): void => console.error(text);
const { values: options } = programOptions(import.meta.filename, {
  options: {
    ttyd: { type: 'string' },
    wetty: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string' },
    json: { type: 'string', default: 'bench-terminal.json' },
    add: { type: 'boolean', default: false },
    server: { type: 'string' },
    measure: { type: 'string', multiple: true },
    contender: { type: 'string', multiple: true },
    rtt: { type: 'string' },
    mbit: { type: 'string' },
  },
});
const project = resolve(options.server ?? join(import.meta.dirname, '..'));
if (options.rtt !== undefined || options.mbit !== undefined) {
  const rtt = Number(options.rtt ?? THIN_RTT_MS);
  const { mbit } = options;
  console.log(
    await (mbit === undefined
      ? measureFarKeys(rtt, project)
      : measureThin(rtt, Number(mbit), project)),
  );
  process.exit();
}

/** Each gets a server of its own, so that one leaves nothing behind for the next. */
const MEASURES: Readonly<Record<string, (server: Running) => Promise<Figures>>> = {
  start: measureStart,
  opening: measureOpening,
  echo: measureEcho,
  flood: measureEchoBesideFlood,
  bulk: measureBulk,
  interrupt: (server) => measureInterrupt(server, 'fast'),
  slow: (server) => measureInterrupt(server, 'slow'),
  idle: measureIdle,
  stalled: measureStalled,
};
/** It takes long and varies little: once is enough. */
const ONCE = ['stalled'];
/** A measure that takes longer hangs. */
const MEASURE_MS = 60_000;

for (const peer of ['ttyd', 'wetty'] as const) {
  if (!options[peer]) say(`${peer} is left out: give its path with --${peer}.`);
}
await using raised = options.only === 'local' ? undefined : await raiseHost(say);
const peers = {
  ...(options.ttyd ? { ttyd: options.ttyd } : {}),
  ...(options.wetty ? { wetty: options.wetty } : {}),
};
await using whole = options.only === 'local' ? undefined : await openWholeServer(project);
const all = contenders(raised?.host, whole, peers, project).filter(
  ({ name, child }) =>
    (options.only === undefined || child === options.only) && isWanted(options.contender, name),
);
const earlier: readonly Result[] = options.add
  ? (JSON.parse(await readFile(options.json, 'utf8')) as { readonly results: readonly Result[] })
      .results
  : [];
const results = new Map<Contender, Result>(
  all.map((contender) => {
    const { name, child } = contender;
    const figures = earlier.find((is) => is.name === name && is.child === child)?.figures ?? {};
    return [contender, { name, child, figures }];
  }),
);

for (let round = 0; round < Number(options.rounds); round++) {
  for (const [what, measure] of Object.entries(MEASURES)) {
    if (!isWanted(options.measure, what)) continue;
    if (ONCE.includes(what) && (round > 0 || options.add)) continue;
    for (const contender of all) {
      say(`round ${round + 1}, ${what}: ${contender.name} (${contender.child})`);
      const figures = await measured(contender, measure);
      const result = results.get(contender);
      for (const [name, value] of Object.entries(figures)) {
        if (result) result.figures[name] = [...(result.figures[name] ?? []), value];
      }
    }
    await keep();
  }
}
console.log(tableOf(collected()));
console.log(barOf(collected()));
say(`Written to ${options.json}`);

function isWanted(names: readonly string[] | undefined, name: string): boolean {
  return names === undefined || names.includes(name);
}

/** What is measured now, then what only an earlier run has. */
function collected(): readonly Result[] {
  const now = [...results.values()];
  const isNew = (was: Result): boolean =>
    now.some((is) => is.name === was.name && is.child === was.child);
  return [...now, ...earlier.filter((was) => !isNew(was))];
}

/** After each measure: a run that is ended before its time keeps what it has. */
async function keep(): Promise<void> {
  const machine = {
    cores: cpus().length,
    model: cpus()[0]?.model,
    kernel: release(),
    node: process.version,
  };
  await writeFile(options.json, `${JSON.stringify({ machine, results: collected() }, null, 2)}\n`);
}

async function measured(
  contender: Contender,
  measure: (server: Running) => Promise<Figures>,
): Promise<Figures> {
  await using server = await contender.start();
  const late = Promise.withResolvers<Figures>();
  const timer = setTimeout(() => {
    say('  took too long and was given up');
    late.resolve({});
  }, MEASURE_MS);
  try {
    // Awaited here: the server must live that long.
    return await Promise.race([measure(server), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
