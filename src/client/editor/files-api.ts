import type { FileView, FolderView, SavedView } from '#protocol';
import { withBase } from '../base-path.ts';
import { request } from '../request.ts';

/** What a page may ask of the files of one host. Every call throws an `ApiError` when refused. */
export class FilesApi {
  readonly #root: string;

  constructor(lab: string, host: string) {
    this.#root = `/api/labs/${lab}/hosts/${encodeURIComponent(host)}`;
  }

  list(path: string): Promise<FolderView> {
    return request('GET', `${this.#root}/folder?${query({ path })}`);
  }

  read(path: string): Promise<FileView> {
    return request('GET', `${this.#root}/file?${query({ path })}`);
  }

  /** @param version what the file is known to be; `none` for one that is to be new */
  write(path: string, content: Blob, version: string): Promise<SavedView> {
    return request('PUT', `${this.#root}/file?${query({ path, version })}`, content);
  }

  /** Gives a file or a folder another path. */
  move(path: string, to: string): Promise<void> {
    return request('POST', `${this.#root}/move?${query({ path, to })}`);
  }

  /** Removes a file, or a folder with all that is in it. */
  remove(path: string): Promise<void> {
    return request('DELETE', `${this.#root}/file?${query({ path })}`);
  }

  /** Where a browser downloads a file from. */
  downloadUrl(path: string): string {
    return withBase(`${this.#root}/download?${query({ path })}`);
  }
}

function query(values: Readonly<Record<string, string>>): string {
  return new URLSearchParams(values).toString();
}
