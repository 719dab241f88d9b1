import { type FSWatcher, readdirSync, statSync, watch } from 'node:fs';
import { join } from 'node:path';

/** What comes of a change. */
export interface FolderWatchOptions {
  /** @param path absolute; the file may be gone */
  readonly onChange: (path: string) => void;
  readonly onError: (error: unknown) => void;
}

/**
 * Tells of every change of a file in a folder and the folders below it, also where a file is put in another's place: `git
 * checkout` and many editors do that, and Node's own recursive watch no longer sees such a file afterwards. So the folders
 * are watched, and not the files. Links are not followed, hidden folders and packages are left out.
 */
export class FolderWatch implements Disposable {
  readonly #options: FolderWatchOptions;
  readonly #watchers = new Map<string, FSWatcher>();

  constructor(directory: string, options: FolderWatchOptions) {
    this.#options = options;
    this.#add(directory);
  }

  [Symbol.dispose](): void {
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #add(directory: string): void {
    if (this.#watchers.has(directory)) return;
    const watcher = watch(directory, (_event, name) => {
      if (name !== null) this.#changed(join(directory, name));
    });
    // A watcher without a listener for its errors ends the process, where the system's limit of watches is reached.
    watcher.on('error', this.#options.onError);
    this.#watchers.set(directory, watcher);
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      if (entry.isDirectory() && isWatched(entry.name)) this.#add(join(directory, entry.name));
    }
  }

  #changed(path: string): void {
    const { onChange, onError } = this.#options;
    try {
      const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory();
      if (isFolder) {
        if (isWatched(path.slice(path.lastIndexOf('/') + 1))) this.#arrived(path);
        return;
      }
      this.#forget(path);
      onChange(path);
    } catch (error) {
      onError(error);
    }
  }

  #forget(directory: string): void {
    for (const [path, watcher] of this.#watchers) {
      if (path !== directory && !path.startsWith(`${directory}/`)) continue;
      watcher.close();
      this.#watchers.delete(path);
    }
  }

  /** A folder that is new, or in another's place: what is in it may have come before it was watched. */
  #arrived(directory: string): void {
    this.#forget(directory);
    this.#add(directory);
    for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true })) {
      if (entry.isFile()) this.#options.onChange(join(entry.parentPath, entry.name));
    }
  }
}

function isWatched(name: string): boolean {
  return !name.startsWith('.') && name !== 'node_modules';
}
