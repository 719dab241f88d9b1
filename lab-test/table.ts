import type { Lab } from '#lab';
import { failureLines } from './failure.ts';
import type { Result } from './report.ts';
import type { LabTestResult } from './run-lab-test.ts';

/** Runs that do no step: they ask all checks, or reset the hosts. */
const OF_WHOLE_LAB = /^(fifty|hosts|reset)/;

/** A result as a table for people: a row for each step, then what is about all of them, then what failed. */
export function tableOf({ steps, report }: LabTestResult, lab: Lab, milliseconds: number): string {
  const rows: (readonly string[])[] = [
    ['', 'step', 'as written', 'wrong ways', 'other right ways'],
  ];
  let page = '';
  for (const step of steps) {
    if (step.page !== page) rows.push([step.page]);
    page = step.page;
    const ours = report.results.filter((result) => result.step === step.id);
    rows.push([
      markOf(ours),
      step.id,
      cell(ours.filter(({ run }) => run === 'as written')),
      cell(
        ours.filter(({ run }) => run === 'wrong ways'),
        true,
      ),
      cell(
        ours.filter(({ run }) => run === 'other right ways'),
        true,
      ),
    ]);
  }
  const lines = aligned(rows);
  const others = report.results.filter(({ run }) => OF_WHOLE_LAB.test(run));
  for (const run of new Set(others.map((result) => result.run))) {
    const ours = others.filter((result) => result.run === run);
    const failed = ours.some(({ failure }) => failure);
    lines.push(
      `${failed ? '✗' : '✓'}  ${run}: ${ours.length} of ${run === 'reset' ? 'the whole lab' : 'its looks'}, ${seconds(ours)}`,
    );
  }
  const failures = failureLines(report.failures);
  const outcome =
    failures.length === 0
      ? 'proven'
      : `${report.failures.length} of ${report.results.length} failed`;
  return [
    ...lines,
    ...failures,
    ...unlisted(
      lab,
      steps.flatMap(({ checks }) => checks),
    ),
    `${lab.title}: ${outcome} in ${(milliseconds / 1_000).toFixed(1)} s`,
  ].join('\n');
}

/** What a green table does not say: checks for which no mistake, or no other right way, is listed. */
export function unlisted(lab: Lab, ids: readonly string[]): readonly string[] {
  const checks = lab.checks.filter(({ id }) => ids.includes(id));
  const without = (what: string, lacks: readonly string[]): readonly string[] =>
    lacks.length === 0 ? [] : [`not proven, ${what}: ${lacks.join(', ')}`];
  return [
    ...without(
      'no wrong ways are listed',
      checks.filter(({ mistakes }) => !mistakes?.length).map(({ id }) => id),
    ),
    ...without(
      'no other right way is listed',
      checks.filter(({ alternatives }) => !alternatives?.length).map(({ id }) => id),
    ),
  ];
}

/** A step that no run did has neither passed nor failed, whatever its checks said when they were only asked. */
function markOf(results: readonly Result[]): string {
  if (results.some(({ failure }) => failure)) return '✗';
  return results.some(({ run }) => !OF_WHOLE_LAB.test(run)) ? '✓' : '·';
}

function cell(results: readonly Result[], counted = false): string {
  if (results.length === 0) return '–';
  const failed = results.filter(({ failure }) => failure).length;
  const count = counted ? `${results.length}, ` : '';
  return `${count}${seconds(results)}${failed > 0 ? `, ${failed} failed` : ''}`;
}

function seconds(results: readonly Result[]): string {
  const sum = results.reduce((all, { milliseconds }) => all + milliseconds, 0);
  return `${(sum / 1_000).toFixed(1)} s`;
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = [0, 1, 2, 3, 4].map((column) =>
    Math.max(...rows.filter((row) => row.length > 1).map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) =>
    row.length === 1
      ? `\n${row[0]}`
      : row
          .map((text, column) => text.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd(),
  );
}
