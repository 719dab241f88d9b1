/** A shell adds this to the number of the signal that ended a command. */
const SIGNALLED = 128;
const SUSPENDED: readonly number[] = [
  SIGNALLED + 19,
  SIGNALLED + 20,
  SIGNALLED + 21,
  SIGNALLED + 22,
];

/** What the more common statuses say; the numbers are Linux's. */
const MEANINGS: Readonly<Record<number, string>> = {
  126: 'it could not be run',
  127: 'there is no such command',
  129: 'hung up',
  130: 'stopped with Ctrl+C',
  131: 'stopped with Ctrl+\\',
  134: 'aborted',
  137: 'killed',
  139: 'a memory fault',
  141: 'nobody read its output',
  143: 'told to end',
};

/** Whether the status is one to point out: not of success, and not of a command that only waits (Ctrl+Z). */
export function isFailure(status: number): boolean {
  return status > 0 && !SUSPENDED.includes(status);
}

/** "This command ended with status 127: there is no such command." */
export function failureText(status: number): string {
  const meaning = MEANINGS[status] ?? (status > SIGNALLED ? `signal ${status - SIGNALLED}` : '');
  return `This command ended with status ${status}${meaning && `: ${meaning}`}.`;
}
