import { didYouMean } from './did-you-mean.ts';
import { LabError } from './parse.ts';

/** A lab of a course. */
export interface CourseLab {
  /** The lab's folder name. */
  readonly lab: string;
  /** How long a learner takes, about. */
  readonly minutes?: number;
  /** Labs before it in the course that it builds on, by their folder names. */
  readonly needs?: readonly string[];
}

/** What belongs together in a course. */
export interface CoursePart {
  readonly title: string;
  readonly labs: readonly CourseLab[];
}

/** Labs in parts and in order, as `course.ts` beside their folders says it. */
export interface Course {
  readonly title: string;
  readonly parts: readonly CoursePart[];
}

/** A day: longer is a slip of the keyboard. */
const MINUTES_MOST = 24 * 60;

/**
 * Puts labs into parts and in order.
 *
 * @throws LabError naming everything that is wrong, each with what was expected
 */
export function defineCourse(course: Course): Course {
  const problems: string[] = [];
  const before: string[] = [];
  for (const { lab, minutes, needs = [] } of course.parts.flatMap(({ labs }) => labs)) {
    if (before.includes(lab)) problems.push(`lab "${lab}" stands twice`);
    if (minutes !== undefined && !(minutes > 0 && minutes <= MINUTES_MOST)) {
      problems.push(`lab "${lab}": minutes is a number from 1 to ${MINUTES_MOST}`);
    }
    for (const needed of needs.filter((each) => !before.includes(each))) {
      problems.push(
        `lab "${lab}" needs "${needed}", which is no lab before it. ${didYouMean(needed, before)}`,
      );
    }
    before.push(lab);
  }
  if (problems.length > 0) throw new LabError(problems);
  return course;
}
