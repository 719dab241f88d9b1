import { failureLine } from './failure.ts';
import type { Result } from './report.ts';
import type { LabTestResult } from './run-lab-test.ts';

/** Results as JUnit XML, by their labs' names: a suite for each run, a case for each step or scenario. */
export function junitOf(results: ReadonlyMap<string, LabTestResult>): string {
  const suites = [...results].flatMap(([lab, { report }]) =>
    [...new Set(report.results.map(({ run }) => run))].map((run) =>
      suiteOf(
        lab,
        run,
        report.results.filter((result) => result.run === run),
      ),
    ),
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites.join('\n')}\n</testsuites>\n`;
}

function suiteOf(lab: string, run: string, results: readonly Result[]): string {
  const cases = results.map(({ step, way, milliseconds, failure }) => {
    const name = way === undefined ? step : `${step}: ${way}`;
    const head = `    <testcase classname="${escaped(`${lab}.${run}`)}" name="${escaped(name)}" time="${seconds(milliseconds)}"`;
    return failure
      ? `${head}>\n      <failure message="${escaped(failureLine(failure))}"/>\n    </testcase>`
      : `${head}/>`;
  });
  const failures = results.filter(({ failure }) => failure).length;
  return [
    `  <testsuite name="${escaped(`${lab}: ${run}`)}" tests="${results.length}" failures="${failures}">`,
    ...cases,
    '  </testsuite>',
  ].join('\n');
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1_000).toFixed(3);
}

/** Text fit for an attribute; XML 1.0 has no place for control characters at all. */
function escaped(text: string): string {
  let clean = '';
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    clean += code < 0x20 ? ' ' : character;
  }
  return clean
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
