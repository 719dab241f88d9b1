import type { SectionDefinition } from './define.ts';

/** The ids of the checks that count: with all of them passed, a lab or a section is done. */
export function countedIn({ checks }: Pick<SectionDefinition, 'checks'>): readonly string[] {
  return checks.filter(({ optional }) => !optional).map(({ id }) => id);
}
