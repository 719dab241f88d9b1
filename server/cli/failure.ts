import { QuaysideError } from '../base/errors.ts';

/** Prints why a command ends: what happened and what to type, or everything where it is a defect. */
export function printFailure(error: unknown): void {
  if (error instanceof QuaysideError) console.error(`\n${error.message}\n→ ${error.remedy}\n`);
  else console.error('\nQuayside failed in a way it should not. Please report this:\n', error);
}

/** Does a command's work. Where it fails, that is printed, and the command ends with status 1. */
export async function runProgram(work: () => Promise<void>): Promise<void> {
  // Whoever reads it, such as `head`, may have read enough.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    throw error;
  });
  try {
    await work();
  } catch (error) {
    printFailure(error);
    process.exitCode = 1;
  }
}
