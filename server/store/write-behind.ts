import { QuaysideError } from '../base/errors.ts';

/** How soon it is tried again whether the disk has room. */
const RETRY_MS = 1_000;
/** A session that floods its journal while the disk is full must not fill the memory as well: the oldest are lost. */
const KEPT_MOST = 20_000;
/** SQLite's result codes, of which the low byte counts: the write failed, the disk is full (sqlite3.h). */
const SQLITE_IOERR = 10;
const SQLITE_FULL = 13;

/** SQLite's error in the words of the catalogue, where it says that there is no room. */
export function asDiskFull(error: unknown, path: string): unknown {
  const { errcode } = error as { readonly errcode?: number };
  const code = (errcode ?? 0) & 0xff;
  if (code !== SQLITE_FULL && code !== SQLITE_IOERR) return error;
  return new QuaysideError(
    'DISK_FULL',
    `The disk under ${path} is full, so nothing can be kept.`,
    'Free some room on it. The server goes on by itself; nothing that was kept before is lost.',
    { cause: error },
  );
}

/** What a late write speaks of: what happened on the hosts, or the session and the learner. */
type About = 'journal' | 'session';

interface Late {
  readonly session: string;
  readonly about: About;
  readonly write: (session: string) => void;
}

/**
 * What happened while the disk was full: kept in memory, in order, and written as soon as there is room. For records of
 * what has happened, which must not be lost; never for what has to be on disk before something else is done.
 */
export class WriteBehind implements Disposable {
  #late: Late[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** How many wait. */
  get size(): number {
    return this.#late.length;
  }

  /** Writes now if it can, else later. */
  write(session: string, about: About, write: (session: string) => void): void {
    this.#late.push({ session, about, write });
    if (this.#late.length > KEPT_MOST) this.#late.shift();
    this.flush();
  }

  /** The session has another id now. */
  rename(session: string, id: string): void {
    this.#late = this.#late.map((late) =>
      late.session === session ? { ...late, session: id } : late,
    );
  }

  /** What happened on a session's hosts is of no interest any more. */
  forgetJournal(session: string): void {
    this.#late = this.#late.filter((late) => late.session !== session || late.about !== 'journal');
  }

  /** Writes what it can. Before whatever is written at once: a late word must not have the last one. */
  flush(): void {
    clearTimeout(this.#timer);
    for (let [next] = this.#late; next; [next] = this.#late) {
      try {
        next.write(next.session);
        this.#late.shift();
      } catch (error) {
        if (!(error instanceof QuaysideError && error.code === 'DISK_FULL')) {
          this.#late.shift();
          throw error;
        }
        this.#timer = setTimeout(() => this.flush(), RETRY_MS);
        this.#timer.unref();
        return;
      }
    }
  }

  [Symbol.dispose](): void {
    this.flush();
    clearTimeout(this.#timer);
  }
}
