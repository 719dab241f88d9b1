/** Prints one line about what a command is doing. */
export type Progress = (line: string) => void;

/** Wide enough for a line of apt; the rest of a detail tells nothing more. */
const WIDTH = 100;

let detailStands = false;

/**
 * Prints what set-up is doing. A line that begins with a space is a detail: in a terminal the next line replaces it, so
 * that the steps can be read at a glance; elsewhere (a log, a pipe) details are left out.
 */
export function progress(line: string): void {
  const { stdout } = process;
  const isDetail = line.startsWith(' ');
  if (isDetail && !stdout.isTTY) return;
  if (detailStands) stdout.write('\r\u001b[K');
  stdout.write(isDetail ? line.slice(0, Math.min(WIDTH, stdout.columns - 1)) : `${line}\n`);
  detailStands = isDetail;
}
