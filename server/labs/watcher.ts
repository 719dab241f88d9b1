import { basename } from 'node:path';
import type { Lab } from '#lab';
import type { Step } from '#steps';
import type { Background } from '../base/background.ts';
import { Timers } from '../base/timers.ts';
import { loadCourses } from './courses.ts';
import { FolderWatch } from './folder-watch.ts';
import { COURSE_FILE, inOrder, type LabFolder, rootsOf } from './folders.ts';
import { freshQuery, freshWithin } from './fresh.ts';
import { loadLab, loadLabSteps } from './loader.ts';

/** An editor writes a file in several goes; what follows within this time belongs to the same save. */
const SAVE_MS = 60;

/** What comes of a save. */
export interface LabWatcherOptions {
  /** The labs there are; asked again at each save, since one may be made while the server runs. */
  readonly folders: () => readonly LabFolder[];
  readonly background: Background;
  readonly onLab: (name: string, lab: Lab, steps: readonly Step[]) => void;
  /** The lab as it was stays in use. */
  readonly onBroken: (name: string, error: unknown) => void;
  /** The labs are in this order now, as their courses say. */
  readonly onCourses: (names: readonly string[]) => void;
  /** The order of before stays. */
  readonly onBrokenCourse: (error: unknown) => void;
}

/**
 * Reads a lab again whenever its `lab.ts`, one of its pages or a file beside them is saved, all labs of a folder whenever a
 * file beside their own folders is, and the courses whenever one of these is. For `npm run dev`.
 */
export class LabWatcher implements Disposable {
  readonly #options: LabWatcherOptions;
  readonly #watches: readonly FolderWatch[];
  readonly #hooks: Disposable;
  readonly #due = new Timers();
  /** Lab to its newest read. Reads of one lab may end in any order, and only the newest counts. */
  readonly #newest = new Map<string, number>();
  #reads = 0;

  constructor(options: LabWatcherOptions) {
    this.#options = options;
    const roots = rootsOf(options.folders());
    this.#hooks = freshWithin(roots);
    this.#watches = roots.map(
      (root) =>
        new FolderWatch(root, {
          onChange: (path) => {
            if (path.endsWith('.ts') || path.endsWith('.mdx')) this.#saved(path);
          },
          onError: (error) => options.background.fail('watch of labs', error),
        }),
    );
  }

  [Symbol.dispose](): void {
    for (const watch of this.#watches) watch[Symbol.dispose]();
    this.#hooks[Symbol.dispose]();
    this.#due[Symbol.dispose]();
    this.#newest.clear();
  }

  #saved(path: string): void {
    const { background, folders } = this.#options;
    if (basename(path) === COURSE_FILE) {
      this.#due.set(COURSE_FILE, SAVE_MS, () =>
        background.run('read of a course', () => this.#readCourses()),
      );
      return;
    }
    const there = folders();
    const own = there.find(({ directory }) => path.startsWith(`${directory}/`));
    // What lies beside labs may be a part of any of them.
    const beside = () => there.filter(({ root }) => path.startsWith(`${root}/`));
    for (const folder of own ? [own] : beside()) {
      this.#due.set(folder.directory, SAVE_MS, () =>
        background.run('read of a lab', () => this.#read(folder)),
      );
    }
  }

  async #readCourses(): Promise<void> {
    const { folders, onCourses, onBrokenCourse } = this.#options;
    const there = folders();
    try {
      const courses = await loadCourses(there, freshQuery());
      onCourses(inOrder(there, courses).map(({ name }) => name));
    } catch (error) {
      onBrokenCourse(error);
    }
  }

  async #read(folder: LabFolder): Promise<void> {
    const { onLab, onBroken } = this.#options;
    const { name } = folder;
    this.#reads += 1;
    const read = this.#reads;
    this.#newest.set(name, read);
    const isNewest = () => this.#newest.get(name) === read;
    try {
      const lab = await loadLab(folder, freshQuery());
      const steps = await loadLabSteps(folder, lab);
      if (isNewest()) onLab(name, lab, steps);
    } catch (error) {
      if (isNewest()) onBroken(name, error);
    }
  }
}
