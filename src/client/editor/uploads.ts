import { ApiError } from '../api.ts';
import { ask } from './elements.ts';
import type { FilesApi } from './files-api.ts';

/** As the server has it (`TRANSFER_BYTES`): it is told before megabytes are sent for nothing. */
const UPLOAD_BYTES = 2 * 1024 ** 2;
/** The version of a file that there is not. */
export const NONE = 'none';

/** Where files are uploaded to. */
export interface UploadPlace {
  readonly api: FilesApi;
  readonly host: string;
  /** Absolute. */
  readonly folder: string;
}

/** Uploads files one after the other. @returns what became of each, as a text */
export async function uploaded(files: readonly File[], place: UploadPlace): Promise<string> {
  const told: string[] = [];
  for (const file of files) told.push(await uploadOne(file, place));
  return told.join(' ');
}

async function uploadOne(file: File, { api, host, folder }: UploadPlace): Promise<string> {
  const { name, size } = file;
  if (size > UPLOAD_BYTES) {
    return `${name} has more than ${UPLOAD_BYTES / 1024 ** 2} MiB and is not uploaded.`;
  }
  const path = `${folder === '/' ? '' : folder}/${name}`;
  try {
    let answer = await api.write(path, file, NONE);
    if (answer.state === 'changed') {
      const choices = [
        ['stay', 'Keep what is there'],
        ['mine', 'Replace it'],
      ] as const;
      const text = `${path} is on ${host} already.`;
      if ((await ask(`Replace ${name}?`, text, choices)) === 'stay') return `${path} stays.`;
      answer = await api.write(path, file, answer.version);
    }
    return answer.state === 'saved'
      ? `${path} is uploaded.`
      : `${path} has just changed and is not uploaded.`;
  } catch (error) {
    if (!(error instanceof ApiError)) {
      // A folder that is dropped looks like a file, and cannot be read.
      return `${name} could not be read. Upload files, not folders.`;
    }
    return `${error.message} ${error.remedy}`;
  }
}
