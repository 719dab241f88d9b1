import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { QuaysideError } from '../base/errors.ts';
import { FileLock } from '../base/file-lock.ts';

/** Time for a holder that is just letting go, and for two that take the lock at the same instant. */
const WAIT_MS = 200;

const HOLDER = z.object({
  does: z.enum(['serve', 'clean']),
  pid: z.int(),
  /** The machine or container whose process it is. */
  machine: z.string(),
  /** Milliseconds since the epoch. */
  since: z.number(),
  /** Where it serves, once it does. */
  url: z.string().optional(),
});

type Holder = z.infer<typeof HOLDER>;

/**
 * The right to a data folder. One process has it at a time: the server whose learners and sandboxes are in it, or
 * `npm run clean`. It ends with the process; the files of a killed one do not hinder the next.
 */
export class DataLock implements Disposable {
  readonly #lock: FileLock;
  readonly #note: string;
  #holder: Holder;

  private constructor(lock: FileLock, note: string, holder: Holder) {
    this.#lock = lock;
    this.#note = note;
    this.#holder = holder;
    this.#write();
  }

  /**
   * Takes the data folder, which is made where it is missing.
   *
   * @throws QuaysideError DATA_IN_USE naming the process that has it; CONFIG_INVALID where the folder cannot be used
   */
  static take(data: string, does: Holder['does']): DataLock {
    const note = join(data, 'server.json');
    const lock = lockOf(data);
    if (!lock) throw inUse(data, does, readHolder(note));
    const holder = { does, pid: process.pid, machine: hostname(), since: Date.now() };
    return new DataLock(lock, note, holder);
  }

  /** Notes where the folder is served. DATA_IN_USE names it. */
  servedAt(url: string): void {
    this.#holder = { ...this.#holder, url };
    this.#write();
  }

  [Symbol.dispose](): void {
    // Once it is let go of, the note is another's.
    if (this.#lock.isHeld) rmSync(this.#note, { force: true });
    this.#lock[Symbol.dispose]();
  }

  /** The lock holds without its note, for instance where the disk is full. */
  #write(): void {
    const fresh = `${this.#note}.${process.pid}`;
    try {
      writeFileSync(fresh, JSON.stringify(this.#holder), { mode: 0o600 });
      renameSync(fresh, this.#note);
    } catch {
      rmSync(fresh, { force: true });
    }
  }
}

function lockOf(data: string): FileLock | undefined {
  try {
    mkdirSync(data, { recursive: true, mode: 0o700 });
    return FileLock.take(join(data, 'server.lock'), 'exclusive', WAIT_MS);
  } catch (error) {
    throw new QuaysideError(
      'CONFIG_INVALID',
      `The data folder ${data} cannot be used: ${(error as Error).message}`,
      'Name one that this user may write to: QUAYSIDE_DATA=<folder> npm start',
      { cause: error },
    );
  }
}

function readHolder(note: string): Holder | undefined {
  try {
    return HOLDER.parse(JSON.parse(readFileSync(note, 'utf8')));
  } catch {
    return undefined;
  }
}

function inUse(data: string, wants: Holder['does'], holder: Holder | undefined): QuaysideError {
  const isHere = holder?.machine === hostname();
  const stop = isHere ? `stop that process (kill ${holder.pid})` : 'stop that process';
  return new QuaysideError(
    'DATA_IN_USE',
    `The data folder ${data} is in use: ${holder ? described(holder, isHere) : 'another process has it'}.`,
    wants === 'clean'
      ? `To remove its hosts, ${stop} and type npm run clean again.`
      : `Use that server; or ${stop}; or give this one a folder of its own: QUAYSIDE_DATA=<folder> npm start`,
  );
}

function described({ does, pid, machine, since, url }: Holder, isHere: boolean): string {
  const who = isHere ? `process ${pid}` : `process ${pid} on ${machine}`;
  const when = new Date(since).toLocaleString('en-GB', {
    dateStyle: 'medium',
    timeStyle: 'medium',
  });
  if (does === 'clean') return `${who} removes its sandboxes (npm run clean, since ${when})`;
  return url === undefined
    ? `${who} starts a server on it (since ${when})`
    : `${who} serves it at ${url} (since ${when})`;
}
