import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Full-screen frames, in the host. */
export const FRAMES_FILE = '/tmp/quayside-bench-frames';
export const FRAMES = 150;

/**
 * Draws every cell of a screen in one of 256 colours and with a letter of its own, {@link FRAMES} times, on the
 * alternate screen: what a full-screen program does at its worst.
 */
const PROGRAM = `BEGIN {
  printf "\\033[?1049h"
  for (frame = 0; frame < ${FRAMES}; frame++) {
    for (row = 1; row <= rows; row++) {
      printf "\\033[%d;1H", row
      for (col = 1; col <= cols; col++)
        printf "\\033[38;5;%dm%c", (frame + row * 3 + col) % 256, 97 + (frame + row + col) % 26
    }
  }
  printf "\\033[0m\\033[?1049l"
}`;

/** @param into the arguments of `docker` that run a command in the host */
export async function writeFrames(
  into: readonly string[],
  { cols, rows }: { readonly cols: string; readonly rows: string },
): Promise<void> {
  const script = 'awk -v cols="$1" -v rows="$2" "$3" > "$4"; chmod a+r "$4"';
  const args = ['sh', '-c', script, 'sh', cols, rows, PROGRAM, FRAMES_FILE];
  await promisify(execFile)('docker', [...into, ...args]);
}
