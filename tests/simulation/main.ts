/**
 * Lives through seeds one after the other. `setup/simulate.ts` starts some of these side by side; by itself:
 *
 *   node tests/simulation/main.ts --seed 174             one seed, with everything that was asked of the engine
 *   node tests/simulation/main.ts --from 1 --seeds 500   many; one line for each that breaks a rule
 */
import { parseArgs } from 'node:util';
import { simulate } from './simulate.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '1' },
    from: { type: 'string', default: '1' },
  },
});

if (values.seed !== undefined) {
  const { trace, violation } = await simulate(Number(values.seed), { verbose: true });
  console.log(trace.join('\n'));
  if (violation) process.exitCode = 1;
} else {
  const from = Number(values.from);
  for (let seed = from; seed < from + Number(values.seeds); seed++) {
    const { violation } = await simulate(seed);
    if (!violation) continue;
    console.log(`seed ${seed}: ${violation.message.split('\n', 1)[0]}`);
    process.exitCode = 1;
  }
}
