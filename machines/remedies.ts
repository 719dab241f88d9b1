import { ExpectationFailed } from '../client-driver/expectation-failed.ts';
import type { Complaint, Remedy } from './definitions.ts';
import type { Machine } from './machine.ts';
import type { Quayside } from './quayside.ts';

/** What is typed by root before a remedy: packages, and an engine that is started. */
const GIVEN_MS = 8 * 60_000;
const DOCTOR = 'npm run -s doctor';
/** Doctor has come to its end: it names the engine first, also where none answers. */
const ANSWERED = 'The engine: ';

/**
 * Types what a refusal says, and does then what is possible only where it helped: hosts, a container, the end.
 *
 * @param said the refusal with its remedies
 * @throws ExpectationFailed where it is printed in other words, or does not help
 */
export async function tryRemedy(
  quayside: Quayside,
  machine: Machine,
  { given, printed, typed = printed }: Remedy,
  said: string,
): Promise<string> {
  if (!said.includes(printed)) throw new ExpectationFailed(`“${printed}” to be printed`, said);
  await give(machine, given);
  await quayside.start({}, typed);
  const seen = [await quayside.learner('hosts'), await quayside.learner('container')];
  await quayside.stop();
  await quayside.command(typed.replace('npm start', 'npm run clean'));
  return `“${typed}” helps: ${seen.join(', ')}, cleaned`;
}

/**
 * Makes things true that doctor tells of, one after the other, and types what it says to type.
 *
 * @returns how many of them helped
 * @throws ExpectationFailed with those that did not
 */
export async function tryComplaints(
  quayside: Quayside,
  machine: Machine,
  complaints: readonly Complaint[],
): Promise<string> {
  const failures: string[] = [];
  for (const complaint of complaints) {
    await tryComplaint(quayside, machine, complaint).catch((error: Error) =>
      failures.push(error.message),
    );
  }
  if (failures.length === 0) return `${complaints.length} remedies of doctor help`;
  throw new ExpectationFailed(`${complaints.length} remedies to help`, failures.join(' ⏎ '));
}

/** Makes something true that doctor tells of, types what it says to type, and asks it again. */
async function tryComplaint(
  quayside: Quayside,
  machine: Machine,
  { given, shell, says, typed, printed = typed, atNextSignIn, isReboot }: Complaint,
): Promise<void> {
  await give(machine, given);
  const inShell = shell === undefined ? '' : `${shell}; `;
  const before = (await quayside.run(`${inShell}${DOCTOR}`)).lines.join('\n');
  if (!says.test(before)) throw new ExpectationFailed(`${says}`, before);
  if (!before.includes(printed)) throw new ExpectationFailed(`“${printed}” to be printed`, before);
  if (isReboot) {
    await machine.reboot();
    quayside.forget();
    const { lines } = await quayside.run(DOCTOR);
    assertHelped(lines, says, typed);
    return;
  }
  const then = atNextSignIn ? typed : `${inShell}${typed}; ${DOCTOR}`;
  const { status, lines } = await quayside.run(then);
  if (atNextSignIn && status !== 0) throw new ExpectationFailed(typed, lines.slice(-4).join(' ⏎ '));
  assertHelped(atNextSignIn ? (await quayside.run(DOCTOR)).lines : lines, says, typed);
}

/** @throws ExpectationFailed where doctor still says it, or has not come to its end */
function assertHelped(lines: readonly string[], says: RegExp, typed: string): void {
  const after = lines.join('\n');
  if (says.test(after) || !after.includes(ANSWERED))
    throw new ExpectationFailed(`“${typed}” to help`, after);
}

async function give(machine: Machine, given: readonly string[] = []): Promise<void> {
  for (const text of given) {
    const { status, lines } = await machine.run('root', text, GIVEN_MS);
    if (status !== 0) throw new ExpectationFailed(text, lines.slice(-3).join(' ⏎ '));
  }
}
