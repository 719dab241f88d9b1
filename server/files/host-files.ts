import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import pLimit, { type LimitFunction } from 'p-limit';
import type { FileView, FolderView, SavedView } from '#schemas';
import { deadline, withAbort } from '../base/deadline.ts';
import { messageOf, QuaysideError } from '../base/errors.ts';
import { OutputLimitError, readAll } from '../engine/output-limit.ts';
import { ReadBudget } from '../engine/read-budget.ts';
import type { Host } from '../sandbox/host.ts';
import {
  FOUND,
  LIST_SCRIPT,
  MOVE_SCRIPT,
  READ_SCRIPT,
  REMOVE_SCRIPT,
  WRITE_SCRIPT,
} from './scripts.ts';

/** What is edited: a program of ten thousand lines. An editor on a school's laptop still answers at once. */
export const TEXT_BYTES = 512 * 1024;
/** What is downloaded or uploaded: at 1.2 Mbit/s it arrives within the 15 s that a request may take. */
export const TRANSFER_BYTES = 2 * 1024 ** 2;
/** More than a folder that is read by eye; `/usr/bin` of a host has 700. */
export const FOLDER_ENTRIES = 1_000;
/** A name has 255 bytes at most; with its kind and size it is shorter than this. */
const ENTRY_BYTES = 512;
/** To start a process in a host takes 40 to 60 ms, and seconds on a machine that is full of starts. */
const ANSWER_MS = 15_000;
/** The line before a file's bytes: its size and whether the learner may write it. */
const HEAD_BYTES = 64;
/** As much of what a host says as is worth showing. */
const WORDS_CHARACTERS = 200;
/** Who the learner is on every host, and where their files are. */
const LEARNER = 'learner';
const HOME = '/home/learner';
/** The version of a file that there is not. */
const NONE = 'none';
/** A page has one save and one read on their way; whoever sends more without waiting is refused before memory is. */
const WAITING_MOST = 4;
/** Each is a process in the host, and the engine starts those of all hosts. */
const PROCESSES_MOST = 4;

export interface HostFilesOptions {
  readonly host: Pick<Host, 'availability' | 'dial' | 'name'>;
  /** Aborted when the sandbox is no longer the session's. */
  readonly signal: AbortSignal;
  /** @param path absolute */
  readonly onChanged: (path: string) => void;
}

interface Ran {
  readonly status: number;
  readonly output: Buffer;
  readonly words: string;
}

/**
 * The files of one host, as its learner may see and write them: everything is done by a process of the learner's, so the
 * host itself refuses what they may not. The learner may be root there and let anything answer: what comes has a maximum
 * and a deadline, and goes against a budget of its own, so that no check waits for it.
 *
 * Every method throws QuaysideError: FILE_UNKNOWN, FILE_REFUSED, FILE_TOO_LARGE, FILE_NOT_TEXT; TOO_MANY where others
 * wait; SESSION_NOT_READY where the host is away; SANDBOX_FAILED where it does not answer.
 */
export class HostFiles {
  readonly #options: HostFilesOptions;
  readonly #budget = new ReadBudget();
  /** Of two windows that save the same file, the second finds what the first has saved. */
  readonly #writes = pLimit(1);
  readonly #processes = pLimit(PROCESSES_MOST);

  constructor(options: HostFilesOptions) {
    this.#options = options;
  }

  /** What is in a folder: folders first, each by its name. */
  async list(given: string): Promise<FolderView> {
    const path = absolute(given);
    const most = FOLDER_ENTRIES + 1;
    const ran = await this.#run(path, LIST_SCRIPT, [String(most)], most * ENTRY_BYTES);
    this.#refuse(path, ran);
    const found = ran.output.toString('latin1').split('\0').slice(0, -1);
    const entries = found.slice(0, FOLDER_ENTRIES).flatMap(entryOf);
    // What has a name that is no text cannot be asked for; a terminal can.
    return { path, entries: entries.toSorted(inOrder), complete: entries.length === found.length };
  }

  /** A text to edit. Of a file that there is not, an empty one with the version `none`. */
  async read(given: string): Promise<FileView> {
    const path = absolute(given);
    const ran = await this.#run(path, READ_SCRIPT, [String(TEXT_BYTES)], TEXT_BYTES + HEAD_BYTES);
    if (ran.status === FOUND.nothing) return { path, text: '', version: NONE, writable: true };
    const { bytes, writable } = this.#content(path, ran, TEXT_BYTES, 'is edited here');
    const text = textOf(bytes);
    if (text === undefined) {
      throw new QuaysideError(
        'FILE_NOT_TEXT',
        `${path} is not a text in UTF-8.`,
        'Download it, or look at it in a terminal.',
      );
    }
    return { path, text, version: versionOf(bytes), writable };
  }

  /** A file's bytes. */
  async download(given: string): Promise<Buffer> {
    const path = absolute(given);
    const limit = [String(TRANSFER_BYTES)];
    const ran = await this.#run(path, READ_SCRIPT, limit, TRANSFER_BYTES + HEAD_BYTES);
    return this.#content(path, ran, TRANSFER_BYTES, 'is downloaded').bytes;
  }

  /**
   * Writes a file where it is still the version that the writer knows; else nothing is changed, and what there is now is
   * answered. Folders that are missing are made. A file keeps its mode, and whoever reads it meanwhile reads the old one
   * or the new one.
   *
   * @param known the version that was read; `none` for a file that is to be new
   */
  async write(given: string, bytes: Buffer, known: string): Promise<SavedView> {
    this.#assertFew(this.#writes);
    return await this.#writes(async () => {
      const path = absolute(given);
      const limits = [known, String(bytes.length), String(TRANSFER_BYTES)];
      const ran = await this.#run(path, WRITE_SCRIPT, limits, HEAD_BYTES, bytes);
      if (ran.status === FOUND.changed) return { state: 'changed', ...(await this.#present(path)) };
      this.#refuse(path, ran);
      this.#options.onChanged(path);
      return { state: 'saved', version: versionOf(bytes) };
    });
  }

  /** Gives a file, or a folder with all that is in it, another path. What has that path already stays. */
  async move(given: string, to: string): Promise<void> {
    const path = absolute(given);
    const target = absolute(to);
    await this.#change(path, MOVE_SCRIPT, [target], target);
    this.#options.onChanged(target);
  }

  /** Removes a file, or a folder with all that is in it. */
  async remove(given: string): Promise<void> {
    const path = absolute(given);
    if (path === HOME) {
      throw new QuaysideError(
        'FILE_REFUSED',
        `${path} is where your files and terminals are.`,
        'Delete what is in it.',
      );
    }
    await this.#change(path, REMOVE_SCRIPT, [], path);
  }

  /** One at a time with the saves: what is written is not moved away under them. @param taken the path that may be taken */
  async #change(
    path: string,
    script: string,
    args: readonly string[],
    taken: string,
  ): Promise<void> {
    this.#assertFew(this.#writes);
    await this.#writes(async () => {
      const ran = await this.#run(path, script, args, HEAD_BYTES, Buffer.alloc(0));
      this.#refuse(ran.status === FOUND.taken ? taken : path, ran);
    });
    this.#options.onChanged(path);
  }

  /** What a file is now, for whoever knew another version of it: without its text where that cannot be shown. */
  async #present(path: string): Promise<{ readonly version: string; readonly text?: string }> {
    const limit = [String(TRANSFER_BYTES)];
    const ran = await this.#run(path, READ_SCRIPT, limit, TRANSFER_BYTES + HEAD_BYTES);
    if (ran.status === FOUND.nothing) return { version: NONE };
    const { bytes } = this.#content(path, ran, TRANSFER_BYTES, 'is compared');
    const text = bytes.length > TEXT_BYTES ? undefined : textOf(bytes);
    return { version: versionOf(bytes), ...(text !== undefined && { text }) };
  }

  /** @param does what is done with files up to `most`: "is edited here" */
  #content(path: string, ran: Ran, most: number, does: string) {
    this.#refuse(path, ran);
    const end = ran.output.subarray(0, HEAD_BYTES).indexOf('\n');
    const head = /^(\d{1,15}) ([w-])$/.exec(ran.output.toString('latin1', 0, Math.max(0, end)));
    if (!head) throw this.#noAnswer('it answered what is no file');
    const bytes = ran.output.subarray(end + 1);
    const size = Math.max(Number(head[1]), bytes.length);
    if (size > most) {
      throw new QuaysideError(
        'FILE_TOO_LARGE',
        `${path} has ${sizeText(size)}. What ${does} has at most ${sizeText(most)}.`,
        'Look at it in a terminal.',
      );
    }
    return { bytes, writable: head[2] === 'w' };
  }

  #refuse(path: string, { status, words }: Ran): void {
    const { name } = this.#options.host;
    const refused = (why: string, remedy: string) =>
      new QuaysideError('FILE_REFUSED', `${path} ${why}.`, remedy);
    switch (status) {
      case 0:
        return;
      case FOUND.nothing:
        throw new QuaysideError(
          'FILE_UNKNOWN',
          `There is no ${path} on ${name}.`,
          'Look in the folder above it.',
        );
      case FOUND.folder:
        throw refused('is a folder', 'Choose a file in it.');
      case FOUND.file:
        throw refused('is not a folder', 'Open it as a file.');
      case FOUND.special:
        throw refused('is neither a file nor a folder', 'Look at it in a terminal.');
      case FOUND.denied:
        throw refused(`may not be used so by ${LEARNER}`, 'Use sudo in a terminal.');
      case FOUND.taken:
        throw refused('is there already', 'Choose another name.');
      case FOUND.broken:
        throw this.#noAnswer('what was sent did not arrive whole');
      default:
        throw refused(
          `could not be used: ${words || `status ${status}`}`,
          'Look at it in a terminal.',
        );
    }
  }

  /** @throws QuaysideError TOO_MANY */
  #assertFew({ pendingCount }: LimitFunction): void {
    if (pendingCount < WAITING_MOST) return;
    throw new QuaysideError(
      'TOO_MANY',
      `${this.#options.host.name} has other files to read and write first.`,
      'Wait a few seconds, then try again.',
    );
  }

  async #run(
    path: string,
    script: string,
    args: readonly string[],
    most: number,
    input?: Buffer,
  ): Promise<Ran> {
    // A save has waited its turn already.
    if (input === undefined) this.#assertFew(this.#processes);
    return await this.#processes(() => this.#runNow(path, script, args, most, input));
  }

  async #runNow(
    path: string,
    script: string,
    args: readonly string[],
    most: number,
    input?: Buffer,
  ): Promise<Ran> {
    const { host, signal: outer } = this.#options;
    using limit = deadline(ANSWER_MS, AbortSignal.any([outer, host.availability]));
    const { signal } = limit;
    // It ends by itself as well: a process in a host outlives whoever waits for it.
    const ends = ['timeout', '-k', '1', String(ANSWER_MS / 1000)];
    const argv = [...ends, 'sh', '-c', script, 'quayside-files', path, ...args];
    try {
      this.#budget.assertOpen();
      return await withAbort(signal, async () => {
        const options = { user: LEARNER, signal, budget: this.#budget };
        await using dialed = await host.dial(argv, options);
        dialed.stream.end(input);
        const output = await readAll(dialed.stream, most);
        const words = dialed.stderr().trim().slice(-WORDS_CHARACTERS);
        return { status: await dialed.exited, output, words };
      });
    } catch (error) {
      outer.throwIfAborted();
      if (host.availability.aborted) {
        throw new QuaysideError(
          'SESSION_NOT_READY',
          messageOf(host.availability.reason),
          'Try again when the host is ready.',
        );
      }
      if (error instanceof OutputLimitError) throw this.#noAnswer(`it sent ${error.message}`);
      if (signal.aborted) throw this.#noAnswer(`it did not answer within ${ANSWER_MS / 1000} s`);
      throw this.#noAnswer(messageOf(error));
    }
  }

  #noAnswer(why: string): QuaysideError {
    return new QuaysideError(
      'SANDBOX_FAILED',
      `The files of ${this.#options.host.name} could not be reached: ${why}.`,
      'Wait a few seconds, then try again.',
    );
  }
}

/** The whole path; one that does not begin with `/` begins where the learner's terminals do. */
function absolute(given: string): string {
  return posix.resolve(HOME, given.replace(/^~(?=\/|$)/, HOME));
}

/** Tells two contents apart. As `sha256sum` in the host says it. */
function versionOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** A file's text as it is, its byte order mark included; `undefined` where it is none. */
function textOf(bytes: Uint8Array): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

const KINDS: Readonly<Record<string, 'file' | 'folder'>> = { f: 'file', d: 'folder' };

/** One record of the listing: what it is, its size, its name, byte by byte. */
function entryOf(record: string): FolderView['entries'] {
  const [, kind = '', bytes = '', raw = ''] = /^(\S) (\d{1,15}) ([^/]+)$/s.exec(record) ?? [];
  const name = textOf(Buffer.from(raw, 'latin1'));
  if (!name) return [];
  return [{ name, kind: KINDS[kind] ?? 'other', bytes: Number(bytes) }];
}

type Entry = FolderView['entries'][number];

function inOrder(one: Entry, other: Entry): number {
  const isFolder = ({ kind }: Entry) => Number(kind === 'folder');
  return isFolder(other) - isFolder(one) || (one.name < other.name ? -1 : 1);
}

function sizeText(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  return bytes < 1024 ** 2
    ? `${Math.ceil(bytes / 1024)} KiB`
    : `${Math.ceil((bytes / 1024 ** 2) * 10) / 10} MiB`;
}
