import type { Outcome } from './trial.ts';

/** How one machine did. */
export interface Trial {
  readonly name: string;
  readonly what: string;
  readonly outcomes: readonly Outcome[];
}

/** Every machine with its parts, as Markdown: how long each took (s), and the words of what was wrong. */
export function tableOf(trials: readonly Trial[]): string {
  const parts = [...new Set(trials.flatMap(({ outcomes }) => outcomes.map(({ part }) => part)))];
  const rows = trials.map(({ name, what, outcomes }) => [
    `\`${name}\``,
    what,
    ...parts.map((part) => cell(outcomes.find((outcome) => outcome.part === part))),
  ]);
  const head = ['machine', 'what it is', ...parts];
  const lines = [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`);
  const wrong = trials.flatMap(({ name, outcomes }) =>
    outcomes
      .filter(({ isRight }) => !isRight)
      .map(({ part, said }) => `- \`${name}\`, ${part}: ${said.replaceAll('|', '\\|')}`),
  );
  return [...lines, ...(wrong.length > 0 ? ['', ...wrong] : [])].join('\n');
}

function cell(outcome: Outcome | undefined): string {
  if (!outcome) return '';
  return `${outcome.isRight ? '' : '✗ '}${Math.round(outcome.ms / 1_000)}`;
}
