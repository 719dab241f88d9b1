import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { sleep } from './deadline.ts';
import { FileLock } from './file-lock.ts';

/** How often whoever waits looks whether it is their turn. */
const LOOK_MS = 250;

/**
 * The turn to do work that one process of this machine does at a time. It ends when it is disposed of, and with the process.
 *
 * @param path the lock's file, made where it is missing; beside it stands who has the turn
 * @param onWait told once where another has it, with that process's id where it is known
 * @throws Error where the file cannot be opened or locked at all
 */
export async function takeTurn(
  path: string,
  onWait: (holder: number | undefined) => void,
): Promise<Disposable> {
  const note = `${path}.pid`;
  for (let looks = 0; ; looks += 1) {
    const lock = FileLock.take(path, 'exclusive');
    if (lock) return noted(lock, note);
    // At the first look its holder may not have written who it is.
    if (looks === 1) onWait(holderOf(note));
    await sleep(LOOK_MS, undefined, { ref: true });
  }
}

function noted(lock: FileLock, note: string): Disposable {
  try {
    writeFileSync(note, String(process.pid));
  } catch {
    // The lock holds without it, for instance where the disk is full.
  }
  return {
    [Symbol.dispose]: () => {
      // Once it is let go of, the note is another's.
      if (lock.isHeld) rmSync(note, { force: true });
      lock[Symbol.dispose]();
    },
  };
}

/** `undefined` where the note is missing, or is one of a process that is gone. */
function holderOf(note: string): number | undefined {
  try {
    const pid = Number(readFileSync(note, 'utf8'));
    process.kill(pid, 0);
    return pid;
  } catch {
    return undefined;
  }
}
