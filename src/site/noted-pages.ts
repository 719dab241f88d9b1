import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { elementsOf } from '../../server/labs/page-elements.ts';
import { directoryOf } from './lab-folders.ts';
import { labList } from './lab-pages.ts';
import { EXAMPLES_LAB } from './sidebar.ts';

/** A page that has notes for the instructor. */
export interface NotedPage {
  /** Its lab's folder name. */
  readonly lab: string;
  readonly title: string;
  readonly href: string;
}

/** The pages of learners' labs that have notes, in the order of the labs. */
export function notedPages(): readonly NotedPage[] {
  return labList
    .filter(({ name }) => name !== EXAMPLES_LAB)
    .flatMap(({ name, lab }) => {
      const root = `/labs/${name}/`;
      const pages = [
        { file: 'index', title: lab.title, href: root },
        ...lab.sections.map(({ page, title }) => ({
          ...{ file: page, title: `${lab.title}: ${title}`, href: `${root}${page}/` },
        })),
      ];
      return pages.flatMap(({ file, title, href }) =>
        hasNotes(join(directoryOf(name), `${file}.mdx`)) ? [{ lab: name, title, href }] : [],
      );
    });
}

function hasNotes(file: string): boolean {
  if (!existsSync(file)) return false;
  const elements = [...elementsOf(readFileSync(file, 'utf8'), file)];
  return elements.some((each) => each.kind === 'component' && each.name === 'Instructor');
}
