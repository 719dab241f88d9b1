import { QuaysideError } from '../base/errors.ts';

/** Prints why a command ends: what happened and what to type, or everything where it is a defect. */
export function printFailure(error: unknown): void {
  if (error instanceof QuaysideError) console.error(`\n${error.message}\n→ ${error.remedy}\n`);
  else console.error('\nQuayside failed in a way it should not. Please report this:\n', error);
}

/** Does a command's work. Where it fails, that is printed, and the command ends with status 1. */
export async function runProgram(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    printFailure(error);
    process.exitCode = 1;
  }
}
