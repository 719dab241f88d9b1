import type { RosterLab, RosterLearner } from '#protocol';
import { clock, make } from './make.ts';
import { duration, passedOf, STUCK_AFTER_MS, stateWord } from './roster-order.ts';

/** The head: sections over their steps, each step a number with its title behind it. */
export function headOf(lab: RosterLab): HTMLTableSectionElement {
  const sections: { title: string; steps: number }[] = [];
  for (const { section } of lab.steps) {
    const last = sections.at(-1);
    if (last?.title === section) last.steps += 1;
    else sections.push({ title: section, steps: 1 });
  }
  const upper = make('tr', {}, column('Learner', { rowSpan: 2 }), column('Hosts', { rowSpan: 2 }));
  for (const { title, steps } of sections) {
    const head = make(
      'th',
      { scope: 'colgroup', colSpan: steps, className: 'roster-section' },
      title,
    );
    head.title = title;
    upper.append(head);
  }
  upper.append(column('Passed', { rowSpan: 2 }), column('At', { rowSpan: 2 }));
  const lower = make('tr');
  lab.steps.forEach(({ title }, index) => {
    const number = make('span', { ariaHidden: 'true' }, String(index + 1));
    const head = make(
      'th',
      { scope: 'col', className: 'roster-step', title },
      number,
      hidden(title),
    );
    lower.append(head);
  });
  return make('thead', {}, upper, lower);
}

/** One learner's row. */
export function rowOf(learner: RosterLearner, lab: RosterLab, now: number): HTMLTableRowElement {
  const progress = learner.labs[lab.name];
  const open = make(
    'button',
    { type: 'button', className: 'roster-open', dataset: { open: learner.id } },
    learner.name,
  );
  const name = make('th', { scope: 'row', className: 'roster-name' }, open);
  if (learner.handAt !== undefined) {
    const since = duration(now - learner.handAt);
    name.append(make('span', { className: 'roster-hand' }, `Hand up, ${since}`));
  }
  if (!learner.present) name.append(make('span', { className: 'roster-away' }, 'away'));
  const word = stateWord(progress);
  const state = make(
    'td',
    {
      className: 'roster-state',
      dataset: { state: word.endsWith('down') ? 'failed' : (progress?.state ?? 'none') },
    },
    make('span', { className: 'roster-dot', ariaHidden: 'true' }),
    word,
  );
  const row = make('tr', { dataset: { learner: learner.id } }, name, state);
  for (const step of lab.steps) row.append(stepCell(learner, lab, step.id));
  row.append(
    make(
      'td',
      { className: 'roster-passed' },
      `${passedOf(learner, lab.name)} of ${lab.steps.length}`,
    ),
    atCell(learner, lab, now),
  );
  return row;
}

function stepCell(learner: RosterLearner, lab: RosterLab, step: string): HTMLTableCellElement {
  const progress = learner.labs[lab.name];
  const at = progress?.passed[step];
  const isHere = progress?.at?.check === step;
  const state = at !== undefined ? `passed ${clock(at)}` : isHere ? 'at it' : 'open';
  return make(
    'td',
    {
      className: 'roster-cell',
      title: state,
      dataset: { step: at !== undefined ? 'passed' : isHere ? 'here' : 'open' },
    },
    make('span', { className: 'roster-mark', ariaHidden: 'true' }),
    hidden(state),
  );
}

function atCell(learner: RosterLearner, lab: RosterLab, now: number): HTMLTableCellElement {
  const at = learner.labs[lab.name]?.at;
  const cell = make('td', { className: 'roster-at' });
  if (!at) {
    if (lab.steps.length > 0 && passedOf(learner, lab.name) === lab.steps.length)
      cell.append('Done');
    return cell;
  }
  const index = lab.steps.findIndex(({ id }) => id === at.check);
  const time = now - at.since;
  cell.append(
    make(
      'span',
      { className: 'roster-at-step' },
      `${index + 1}. ${lab.steps[index]?.title ?? at.check}`,
    ),
    make(
      'span',
      { className: 'roster-since', dataset: { stuck: String(time >= STUCK_AFTER_MS) } },
      `for ${duration(time)}`,
    ),
  );
  return cell;
}

function column(text: string, properties: { readonly rowSpan?: number }): HTMLTableCellElement {
  return make('th', { scope: 'col', ...properties }, text);
}

function hidden(text: string): HTMLSpanElement {
  return make('span', { className: 'sr-only' }, text);
}
