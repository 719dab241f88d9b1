import { type FSWatcher, watch } from 'node:fs';
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Lab } from '#lab';
import type { Step } from '#steps';
import type { Background } from '../base/background.ts';
import { Timers } from '../base/timers.ts';
import { LABS_DIRECTORY, loadLab, loadLabSteps } from './loader.ts';

/** An editor writes a file in several goes; what follows within this time belongs to the same save. */
const SAVE_MS = 60;
/** Marks an import as one that is to be read afresh, with all that it imports of the labs. */
const FRESH = '?fresh=';

/** What comes of a save. */
export interface LabWatcherOptions {
  readonly project: string;
  readonly background: Background;
  readonly onLab: (name: string, lab: Lab, steps: readonly Step[]) => void;
  /** The lab as it was stays in use. */
  readonly onBroken: (name: string, error: unknown) => void;
}

/**
 * Reads a lab again whenever its `lab.ts`, one of its pages or a file beside them is saved. For `npm run dev`: Node keeps
 * every module that it has read, so each save makes one more.
 */
export class LabWatcher implements Disposable {
  readonly #options: LabWatcherOptions;
  readonly #watcher: FSWatcher;
  readonly #hooks: { deregister(): void };
  readonly #due = new Timers();
  /** Lab to its newest read. Reads of one lab may end in any order, and only the newest counts. */
  readonly #newest = new Map<string, number>();
  #reads = 0;

  constructor(options: LabWatcherOptions) {
    this.#options = options;
    const directory = join(options.project, LABS_DIRECTORY);
    const labs = pathToFileURL(`${directory}/`).href;
    this.#hooks = registerHooks({
      resolve: (specifier, context, next) => {
        const found = next(specifier, context);
        const [, fresh] = context.parentURL?.split(FRESH) ?? [];
        const isOurs = found.url.startsWith(labs) && !found.url.includes(FRESH);
        return fresh !== undefined && isOurs ? { ...found, url: found.url + FRESH + fresh } : found;
      },
    });
    this.#watcher = watch(directory, { recursive: true }, (_event, path) => {
      const [name = ''] = path?.split('/') ?? [];
      if (path?.endsWith('.ts') || path?.endsWith('.mdx')) this.#saved(name);
    });
    // A watcher without a listener for its errors ends the process, where the system's limit of watches is reached.
    this.#watcher.on('error', (error) => options.background.fail('watch of labs', error));
  }

  [Symbol.dispose](): void {
    this.#watcher.close();
    this.#hooks.deregister();
    this.#due[Symbol.dispose]();
    this.#newest.clear();
  }

  #saved(name: string): void {
    const { background } = this.#options;
    this.#due.set(name, SAVE_MS, () => background.run('read of a lab', () => this.#read(name)));
  }

  async #read(name: string): Promise<void> {
    const { project, onLab, onBroken } = this.#options;
    this.#reads += 1;
    const read = this.#reads;
    this.#newest.set(name, read);
    const isNewest = () => this.#newest.get(name) === read;
    try {
      const directory = join(project, LABS_DIRECTORY);
      const lab = await loadLab(directory, name, FRESH + read);
      const steps = await loadLabSteps(directory, name, lab);
      if (isNewest()) onLab(name, lab, steps);
    } catch (error) {
      if (isNewest()) onBroken(name, error);
    }
  }
}
