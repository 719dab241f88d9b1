import { expect, test } from 'vitest';
import { simulate } from './simulate.ts';

/** Tests run so many seeds, in parts that fail by themselves. */
const PART = 100;

/** A seed takes a twentieth of a second; this is for a machine that is busy with other things. */
export const PART_MS = 120_000;

/** All rules hold through seeds `from` to `from + count - 1`. */
export function holdsThrough(from: number, count: number): void {
  for (let first = from; first < from + count; first += PART) {
    test(`seeds ${first} to ${first + PART - 1}`, { timeout: PART_MS }, async () => {
      const broken: string[] = [];
      for (let seed = first; seed < first + PART; seed++) {
        const { violation } = await simulate(seed);
        if (violation) broken.push(`npm run simulate -- --seed ${seed}: ${violation.message}`);
      }
      expect(broken).toEqual([]);
    });
  }
}
