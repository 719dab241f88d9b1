import { describe, expect, test } from 'vitest';
import { PART_MS } from './hold.ts';
import { MUTANTS } from './mutants.ts';
import { simulate } from './simulate.ts';

/** As many as `npm test` lives through. */
const SEEDS = 2_000;

describe('a fault put back is found', () => {
  test.each(Object.entries(MUTANTS))('%s', { timeout: PART_MS }, async (_, { install, rule }) => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { violation } = await simulate(seed, { mutant: install });
      if (violation?.rule === rule) return;
    }
    expect.fail(`${SEEDS} seeds do not break “${rule}”`);
  });
});

test('a seed takes the same course each time, told or not', { timeout: PART_MS }, async () => {
  for (const seed of [3, 33, 333]) {
    const { trace, calls } = await simulate(seed);
    expect(await simulate(seed)).toMatchObject({ trace, calls });
    const told = await simulate(seed, { verbose: true });
    expect(told.trace.filter((line) => trace.includes(line))).toEqual(trace);
    expect(told.calls).toBe(calls);
  }
});
