/** `npm run lab:test`: tests labs by doing them, on fresh sandboxes of a real server. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Lab } from '#lab';
import type { Step } from '#steps';
import { didYouMean } from '../lab/did-you-mean.ts';
import { isEngineVersion, withEngine } from '../lab/engine-version.ts';
import { Background } from '../server/base/background.ts';
import { withAbort } from '../server/base/deadline.ts';
import { QuaysideError } from '../server/base/errors.ts';
import { readConfig } from '../server/cli/config.ts';
import { printFailure } from '../server/cli/failure.ts';
import { stopSignal } from '../server/cli/stop-signal.ts';
import { isPlace, type LabFolder, labFolders, namesOf } from '../server/labs/folders.ts';
import { loadAllSteps, loadLabs } from '../server/labs/loader.ts';
import { LabWatcher } from '../server/labs/watcher.ts';
import { junitOf } from './junit.ts';
import {
  KINDS,
  type Kind,
  type LabTestOptions,
  type LabTestResult,
  runLabTest,
  sandboxesAtOnce,
} from './run-lab-test.ts';
import { tableOf } from './table.ts';
import { openTestServer, type TestServer } from './test-server.ts';
import { type WatchTold, watchLab } from './watch.ts';

const PROJECT = resolve(import.meta.dirname, '..');

/** What `npm run lab:test -- --help` prints. */
const HELP = `npm run lab:test -- [lab] [options]

  --page <page>    only the steps of this page
  --step <check>   only the step of this check; those before it are done, and not looked at
  --only <kind>    only ${KINDS.join(', ')}; may be given several times
  --watch          of one lab: try the step that was changed, each time a file of it is saved
  --keep           what fails leaves its hosts up, and says how to look in
  --engine <v>     the hosts have this Docker Engine, where their lab says none: 28
  --labs <labs>    labs of a folder elsewhere, or by name; may be given several times
  --junit <file>   write the same as JUnit XML
  --help           say this`;

/** What the command line asks for. */
type Wanted = ReturnType<typeof parsed>['values'] & { readonly kinds: readonly Kind[] };

/** @returns whether all labs are as they promise */
async function testLabs(argv: readonly string[]): Promise<boolean> {
  const { values, positionals } = parsed(argv);
  if (values.help) {
    console.log(HELP);
    return true;
  }
  const folders = chosenOf(values.labs ?? [], positionals);
  // One that is broken is no other's business.
  const asked = engineOf(values.engine);
  const labs = new Map([...(await loadLabs(folders))].map(([name, lab]) => [name, asked(lab)]));
  // Whatever the site would stop at, before hosts are raised.
  const steps = await loadAllSteps(folders, labs);
  assertThere(values, steps);
  const [alone, ...others] = folders;
  if (values.watch && (!alone || others.length > 0)) {
    throw new QuaysideError(
      'CONFIG_INVALID',
      '--watch is for one lab at a time.',
      'Name it: npm run lab:test my-lab -- --watch',
    );
  }
  const wanted = { ...values, kinds: kindsOf(values.only) };
  // Leaving this function removes the sandboxes, also where it is stopped half-way.
  const stopped = stopSignal();
  const results = new Map<string, LabTestResult>();
  try {
    await using server = await openTestServer(PROJECT, labs, (line) => console.error(line));
    const watched = alone && labs.get(alone.name);
    if (values.watch && alone && watched) {
      const say = (line: string) => {
        if (!stopped.aborted) console.log(line);
      };
      const background = new Background((what, error) =>
        say(`${what}: ${error instanceof Error ? error.message : error}`),
      );
      const options = {
        ...{ server, folder: alone, lab: watched, steps: steps.get(alone.name) ?? [] },
        ...{ step: values.step, stopped, say },
        watch: ({ onLab, ...told }: WatchTold) =>
          new LabWatcher({
            ...{ ...told, background },
            onLab: (saved, changed, itsSteps) => onLab(saved, asked(changed), itsSteps),
          }),
      };
      await withAbort(stopped, () => watchLab(options));
    } else {
      const work = () => testAll(server, folders, labs, wanted, stopped);
      for (const [name, result] of await withAbort(stopped, work)) results.set(name, result);
    }
  } catch (error) {
    // What was cut short says nothing, either way. Watching has no other end.
    if (stopped.aborted) return values.watch === true;
    throw error;
  }
  if (values.junit !== undefined) await writeFile(values.junit, junitOf(results));
  return [...results.values()].every(({ report }) => report.failures.length === 0);
}

/**
 * Tests labs side by side: the walks of one begin where those of another leave room, and each lab's table comes when it is
 * done.
 */
async function testAll(
  server: TestServer,
  folders: readonly LabFolder[],
  labs: ReadonlyMap<string, Lab>,
  wanted: Wanted,
  stopped: AbortSignal,
): Promise<readonly (readonly [name: string, result: LabTestResult])[]> {
  const limit = sandboxesAtOnce();
  const tested = folders.flatMap(({ name, directory }) => {
    const lab = labs.get(name);
    if (!lab) return [];
    const progress = (line: string) =>
      console.error(folders.length > 1 ? `${name}, ${line}` : line);
    const options = { server, name, directory, lab, limit, progress, stopped };
    return [testLab(options, wanted).then((result) => [name, result] as const)];
  });
  return await Promise.all(tested);
}

async function testLab(
  options: LabTestOptions,
  { page, step, kinds, keep: isKeeping = false }: Wanted,
): Promise<LabTestResult> {
  const { server, lab } = options;
  const from = performance.now();
  const kept: string[] = [];
  const keep = async (title: string, sandbox: string) => {
    const ways = [...(await server.keep(sandbox))].map(([host, way]) => `  ${host}: ${way}`);
    kept.push(
      [`The hosts of “${title}” are as they were when it failed. To look in:`, ...ways].join('\n'),
    );
  };
  const result = await runLabTest({
    ...{ ...options, page, step, kinds },
    ...(isKeeping && { keep }),
  });
  // Another lab has the step that is wanted.
  if (result.steps.length === 0) return result;
  console.log([tableOf(result, lab, performance.now() - from), ...kept].join('\n\n'));
  return result;
}

/** @throws QuaysideError CONFIG_INVALID for a page or a step that none of the labs has */
function assertThere(
  { page, step }: Pick<Wanted, 'page' | 'step'>,
  steps: ReadonlyMap<string, readonly Step[]>,
): void {
  const all = [...steps.values()].flat();
  for (const [what, given, known] of [
    ['page', page, all.map((each) => each.page)],
    ['step', step, all.map(({ id }) => id)],
  ] as const) {
    if (given === undefined || known.includes(given)) continue;
    throw new QuaysideError(
      'CONFIG_INVALID',
      `There is no ${what} "${given}". ${didYouMean(given, [...new Set(known)])}`,
      'A step is named by its first check’s id, a page by its file’s name without the ending.',
    );
  }
}

/**
 * The labs of these names; without names, those that `--labs` says, or all.
 *
 * @throws QuaysideError LAB_UNKNOWN
 */
function chosenOf(said: readonly string[], named: readonly string[]): readonly LabFolder[] {
  const { labs: words } = readConfig(
    PROJECT,
    said.map((each) => `--labs=${each}`),
    process.env,
  );
  const all = labFolders(PROJECT, words.filter(isPlace));
  const names = named.length > 0 ? named : namesOf(words, all);
  if (names.length === 0) return all;
  return names.map((name) => {
    const folder = all.find((each) => each.name === name);
    if (folder) return folder;
    const known = all.map((each) => each.name);
    throw new QuaysideError(
      'LAB_UNKNOWN',
      `There is no lab named ${name}.`,
      `The labs are: ${known.join(', ')}. Those of another folder: npm run lab:test -- --labs ../my-labs ${name}`,
    );
  });
}

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        labs: { type: 'string', multiple: true },
        page: { type: 'string' },
        step: { type: 'string' },
        keep: { type: 'boolean' },
        watch: { type: 'boolean' },
        engine: { type: 'string' },
        junit: { type: 'string' },
        only: { type: 'string', multiple: true },
        help: { type: 'boolean' },
      },
    });
  } catch (error) {
    throw new QuaysideError(
      'CONFIG_INVALID',
      (error as Error).message,
      `What there is: npm run lab:test -- --help`,
    );
  }
}

/** @returns what gives a lab's hosts the engine that was asked for */
function engineOf(version: string | undefined): (lab: Lab) => Lab {
  if (version === undefined) return (lab) => lab;
  if (isEngineVersion(version)) return (lab) => withEngine(lab, version);
  throw new QuaysideError(
    'CONFIG_INVALID',
    `--engine takes a version of Docker’s, and ${version} is none.`,
    'Name it whole, or how it begins: npm run lab:test -- --engine 28',
  );
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
  // Runs that were cut short have nothing left to do.
  process.exit((await testLabs(process.argv.slice(2))) ? 0 : 1);
} catch (error) {
  printFailure(error);
  process.exitCode = 1;
}
