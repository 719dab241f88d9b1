/**
 * `npm run simulate`: lives through what chance makes of a server, its learners and everything that can go wrong around
 * them (tests/simulation), and names the seeds that break a rule.
 *
 *   npm run simulate -- --seeds 100000              so many seeds, on all cores
 *   npm run simulate -- --seeds 1000 --from 5001    others
 *   npm run simulate -- --seed 174                  one, told step by step: the same each time
 */
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import pLimit from 'p-limit';
import { programOptions } from '../server/cli/program-options.ts';

const PROGRAM = join(resolve(import.meta.dirname, '..'), 'tests/simulation/main.ts');
/** Of one process: long enough that its start does not count, and short enough to tell how far all of it is. */
const SEEDS_OF_ONE = 1_000;
/** A seed takes a twentieth of a second; these are for a machine that is busy with other things. */
const SEED_MS = 2_000;

const { values } = programOptions(import.meta.filename, {
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '2000' },
    from: { type: 'string', default: '1' },
  },
});

/** A count or a seed as typed: a word that is no number would else be zero seeds, all of which hold. */
function wholeNumber(option: 'seed' | 'seeds' | 'from', text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  console.error(
    `--${option} ${text} must be a whole number from 1.\n→ npm run simulate -- --seeds 2000`,
  );
  process.exit(2);
}

const node = (...args: string[]) =>
  execa(process.execPath, ['--disable-warning=ExperimentalWarning', PROGRAM, ...args], {
    stdio: 'inherit',
    reject: false,
    timeout: SEEDS_OF_ONE * SEED_MS,
  });

async function simulateMany(from: number, seeds: number): Promise<boolean> {
  const began = performance.now();
  const parts = Array.from({ length: Math.ceil(seeds / SEEDS_OF_ONE) }, (_, index) => ({
    first: from + index * SEEDS_OF_ONE,
    count: Math.min(SEEDS_OF_ONE, seeds - index * SEEDS_OF_ONE),
  }));
  let done = 0;
  const held = await pLimit(availableParallelism()).map(parts, async ({ first, count }) => {
    const { exitCode } = await node('--from', String(first), '--seeds', String(count));
    done += count;
    const seconds = Math.round((performance.now() - began) / 1_000);
    console.log(`${done} of ${seeds} seeds in ${seconds} s`);
    return exitCode === 0;
  });
  return held.every(Boolean);
}

const held =
  values.seed === undefined
    ? await simulateMany(wholeNumber('from', values.from), wholeNumber('seeds', values.seeds))
    : (await node('--seed', String(wholeNumber('seed', values.seed)))).exitCode === 0;
process.exitCode = held ? 0 : 1;
