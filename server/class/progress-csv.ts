import type { RosterLab } from '#protocol';
import type { RosterEntry } from './roster-entry.ts';

/** A spreadsheet takes a cell that begins with one of these for something to work out. */
const FORMULA = /^[=+\-@\t\r]/;
/** Tells spreadsheets that the text is UTF-8. */
const BYTE_ORDER_MARK = '\ufeff';

const HEAD = ['Learner', 'Joined', 'Lab', 'Section', 'Step', 'Check', 'State', 'Passed at', 'How'];

/** How a step was passed; what each of them proves stands in docs/operating.md. */
const HOW = { 'by hand': 'by hand', step: 'shown', start: 'started from' } as const;

/** The class's progress as CSV (RFC 4180): a line for each learner and step, with times in UTC. */
export function progressCsv(entries: readonly RosterEntry[], labs: readonly RosterLab[]): string {
  const rows = entries.flatMap((entry) => {
    const learner = entry.view();
    return labs.flatMap(({ name, title, steps }) =>
      steps.map((step) => {
        const progress = learner.labs[name];
        const passedAt = progress?.passed[step.id];
        const state =
          passedAt !== undefined ? 'passed' : progress?.at?.check === step.id ? 'at it' : '';
        return [
          learner.name,
          new Date(learner.joinedAt).toISOString(),
          title,
          step.section,
          step.title,
          step.id,
          state,
          passedAt === undefined ? '' : new Date(passedAt).toISOString(),
          passedAt === undefined ? '' : HOW[progress?.helped[step.id] ?? 'by hand'],
        ];
      }),
    );
  });
  const lines = [HEAD, ...rows].map((row) => row.map(cell).join(','));
  return `${BYTE_ORDER_MARK}${lines.join('\r\n')}\r\n`;
}

/** A cell that is text to every spreadsheet, whatever a learner is called. */
export function cell(text: string): string {
  const plain = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}
