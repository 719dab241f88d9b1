import { QuaysideError } from '../base/errors.ts';
import type { Progress } from '../base/progress.ts';
import type { Engine } from './engine.ts';
import { judge } from './judge.ts';
import { lookAt } from './look.ts';

/**
 * Looks whether hosts can run on an engine, before anything is built on it. What only works otherwise is counted, and
 * `npm run doctor` says it.
 *
 * @throws QuaysideError ENGINE_UNFIT with all that keeps hosts from running, and what to type; whatever the engine said
 */
export async function assertFit(engine: Engine, progress: Progress): Promise<void> {
  const findings = judge(await lookAt(engine));
  const refusals = findings.filter(({ severity }) => severity === 'refuse');
  if (refusals.length > 0) {
    const [whats, remedies] = [
      refusals.map((each) => each.what),
      refusals.map((each) => each.remedy),
    ];
    throw new QuaysideError(
      'ENGINE_UNFIT',
      `Hosts cannot run on the engine at ${engine.address}. ${whats.join(' ')}`,
      [...new Set(remedies)].join('\n→ '),
    );
  }
  const warnings = findings.filter(({ severity }) => severity === 'warning').length;
  if (warnings === 0) return;
  const things = warnings === 1 ? 'One thing' : `${warnings} things`;
  progress(`${things} to know about this engine: npm run doctor`);
}
