import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Course, LabError } from '#lab';
import { didYouMean } from '../../lab/did-you-mean.ts';
import { QuaysideError } from '../base/errors.ts';
import { COURSE_FILE, courseRoots, type LabFolder } from './folders.ts';
import { offerKit } from './kit-hooks.ts';
import { PROJECT } from './loader.ts';
import { problemsOf } from './source-location.ts';

/**
 * Reads the course of each folder of labs that has one.
 *
 * @param query appended to each module's address; another one reads the file afresh
 * @throws QuaysideError LAB_INVALID naming each problem with its file and line
 */
export async function loadCourses(
  folders: readonly LabFolder[],
  query = '',
): Promise<readonly Course[]> {
  const courses: Course[] = [];
  for (const root of courseRoots(folders)) {
    try {
      if (!root.startsWith(`${PROJECT}/`)) offerKit(PROJECT);
      const file = pathToFileURL(join(root, COURSE_FILE)).href;
      const { course } = (await import(file + query)) as { course?: Course };
      if (!course) {
        throw new LabError([
          'it exports no "course"; write export const course = defineCourse({ … })',
        ]);
      }
      const strangers = strangersIn(course, folders);
      if (strangers.length > 0) throw new LabError(strangers);
      courses.push(course);
    } catch (error) {
      throw new QuaysideError(
        'LAB_INVALID',
        `The course of ${root} cannot be taken:\n${problemsOf(error, root, COURSE_FILE).join('\n')}`,
        'Mend the file and start again.',
        { cause: error },
      );
    }
  }
  return courses;
}

function strangersIn(course: Course, folders: readonly LabFolder[]): readonly string[] {
  const known = folders.map(({ name }) => name);
  return course.parts
    .flatMap(({ labs }) => labs.map(({ lab }) => lab))
    .filter((lab) => !known.includes(lab))
    .map(
      (lab) => `the course names the lab "${lab}", which is not there. ${didYouMean(lab, known)}`,
    );
}
