/**
 * `npm run lab:test`: proves labs by doing them, on fresh sandboxes of a real server.
 *
 *   npm run lab:test                          every lab
 *   npm run lab:test docker-networking        one lab
 *   npm run lab:test -- --page linux-bridge   one page; --step <id> for one step
 *   npm run lab:test -- --only wrong          written, wrong, other, hygiene or away; may be given several times
 *   npm run lab:test -- --junit report.xml    the same as JUnit XML
 */
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { QuaysideError } from '../server/base/errors.ts';
import { LABS_DIRECTORY, loadLabs } from '../server/labs/loader.ts';
import { junitOf } from './junit.ts';
import { KINDS, type Kind, type Proof, prove } from './run-lab-test.ts';
import { tableOf } from './table.ts';
import { openServer } from './test-server.ts';

const PROJECT = resolve(import.meta.dirname, '..');

async function proveLabs(argv: readonly string[]): Promise<boolean> {
  const { values, positionals } = parsed(argv);
  const labs = await loadLabs(PROJECT);
  const names = positionals.length > 0 ? positionals : [...labs.keys()];
  const unknown = names.find((name) => !labs.has(name));
  if (unknown !== undefined) {
    throw new QuaysideError(
      'LAB_UNKNOWN',
      `There is no lab named ${unknown}.`,
      `The labs are: ${[...labs.keys()].join(', ')}.`,
    );
  }
  const kinds = kindsOf(values.only);
  const proofs = new Map<string, Proof>();
  let proven = true;
  await using server = await openServer(PROJECT, labs, (line) => console.error(line));
  // Whoever stops it half-way must not be left with its sandboxes.
  const stopped = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      stopped.abort();
      void server[Symbol.asyncDispose]().then(() => process.exit(1));
    });
  }
  for (const name of names) {
    const lab = labs.get(name);
    if (!lab) continue;
    const from = performance.now();
    const proof = await prove({
      server,
      name,
      lab,
      directory: join(PROJECT, LABS_DIRECTORY, name),
      page: values.page,
      step: values.step,
      kinds,
      stopped: stopped.signal,
      say: (line) => console.error(line),
    });
    // What was cut short has proven nothing, either way.
    if (stopped.signal.aborted) return false;
    if (proof.steps.length === 0) {
      throw new QuaysideError(
        'CONFIG_INVALID',
        `The lab ${name} has no step that fits.`,
        'A step is named by its first check’s id, a page by its file’s name without the ending.',
      );
    }
    console.log(tableOf(proof, lab, performance.now() - from));
    proofs.set(name, proof);
    proven &&= proof.report.failures.length === 0;
  }
  if (values.junit !== undefined) await writeFile(values.junit, junitOf(proofs));
  return proven;
}

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        page: { type: 'string' },
        step: { type: 'string' },
        junit: { type: 'string' },
        only: { type: 'string', multiple: true },
      },
    });
  } catch (error) {
    throw new QuaysideError(
      'CONFIG_INVALID',
      (error as Error).message,
      'Say: npm run lab:test [lab] [-- --page <page>] [--step <check>] [--only <kind>] [--junit <file>]',
    );
  }
}

function kindsOf(given: readonly string[] | undefined): readonly Kind[] {
  if (given === undefined) return KINDS;
  const kinds = KINDS.filter((kind) => given.includes(kind));
  if (kinds.length === given.length) return kinds;
  throw new QuaysideError(
    'CONFIG_INVALID',
    `--only does not know ${given.join(', ')}.`,
    `It takes any of ${KINDS.join(', ')}.`,
  );
}

try {
  process.exitCode = (await proveLabs(process.argv.slice(2))) ? 0 : 1;
} catch (error) {
  if (!(error instanceof QuaysideError)) throw error;
  console.error(`\n${error.message}\n→ ${error.remedy}\n`);
  process.exitCode = 1;
}
