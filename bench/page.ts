/**
 * What reaches the eye: our lab page beside a bare page with the same xterm.js, in one run.
 *
 *   npm run bench:page                                all of it, in a quarter of an hour
 *   npm run bench:page -- --only 'key|flood'          the measures that are named so
 *   npm run bench:page -- --slow 4 --rounds 3         on a processor four times slower, three times each
 *   npm run bench:page -- --json FILE --add           adds to what FILE holds, for a machine that is quiet for minutes
 *   npm run bench:page -- --server ../before          the server and the pages of another checkout
 *
 * The bare page is xterm.js over `ws` and node-pty, with its shell in the same host as ours. What each row is:
 * docs/benchmarks.md.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { programOptions } from '../server/cli/program-options.ts';
import { machine } from './class/machine.ts';
import { type Contender, openStage } from './page/contenders.ts';
import { MEASURES, type Measure } from './page/measures.ts';
import { type Result, tableOf } from './page/report.ts';
import type { Figures } from './terminal/measures.ts';

/** A measure that takes longer hangs. */
const MEASURE_MS = 150_000;

const say = (text: string): void => console.error(text);
const { values: options } = programOptions(import.meta.filename, {
  options: {
    only: { type: 'string', default: '' },
    slow: { type: 'string', default: '1,4' },
    rounds: { type: 'string', default: '1' },
    json: { type: 'string', default: 'bench-page.json' },
    add: { type: 'boolean', default: false },
    server: { type: 'string' },
  },
});
const project = options.server === undefined ? undefined : resolve(options.server);
const speeds = options.slow.split(',').map(Number);
const only = new RegExp(options.only);
const results: Result[] = options.add
  ? (JSON.parse(await readFile(options.json, 'utf8')) as { results: Result[] }).results
  : [];

await using stage = await openStage(project);
for (let round = 0; round < Number(options.rounds); round++) {
  for (const measure of MEASURES.filter(({ name }) => only.test(name))) {
    for (const slow of measure.at === 'once' ? [1] : speeds) {
      for (const contender of stage.contenders) {
        if (measure.of === 'ours' && contender.name !== 'Quayside') continue;
        say(`round ${round + 1}: ${measure.name}, ${contender.name}, ${slow}× slower`);
        keep(measure, slow, contender, await measured(measure, slow, contender));
      }
    }
    // After each measure: a run that is ended before its time keeps what it has.
    await writeFile(options.json, `${JSON.stringify({ machine: machine(), results }, null, 2)}\n`);
  }
}
console.log(`${machine()}\n\n${tableOf(results)}`);
say(`Written to ${options.json}`);

/** `undefined`: it took too long, or the page broke. */
async function measured(
  measure: Measure,
  slow: number,
  contender: Contender,
): Promise<Figures | undefined> {
  const browser = await contender.openBrowser();
  const late = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => {
    say('  took too long and was given up');
    late.resolve(undefined);
  }, MEASURE_MS);
  const measuring = measure.run({ contender, browser, slow, project }).catch((error: unknown) => {
    say(`  ${error instanceof Error ? error.message : error}`);
    return undefined;
  });
  try {
    return await Promise.race([measuring, late.promise]);
  } finally {
    clearTimeout(timer);
    // Whatever still waits for it is over then.
    await browser.close();
    await measuring;
  }
}

function keep(
  { name: measure }: Measure,
  slow: number,
  { name: contender }: Contender,
  figures: Figures | undefined,
): void {
  const known = results.filter(
    (result) =>
      result.measure === measure && result.slow === slow && result.contender === contender,
  );
  const names = figures ? Object.keys(figures) : known.map(({ figure }) => figure);
  for (const figure of names.length > 0 ? names : ['']) {
    const before = known.find((result) => result.figure === figure);
    const value = figures?.[figure] ?? null;
    if (before) results[results.indexOf(before)] = { ...before, values: [...before.values, value] };
    else results.push({ measure, figure, slow, contender, values: [value] });
  }
}
