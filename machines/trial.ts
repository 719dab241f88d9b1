import { ExpectationFailed } from '../client-driver/expectation-failed.ts';
import { BASE_IMPORT, type Definition, type Kernel } from './definitions.ts';
import type { Machine } from './machine.ts';
import { Quayside } from './quayside.ts';
import { tryComplaints, tryRemedy } from './remedies.ts';

/** What one host may write while the disk is tried (MiB); the learner writes three times that. */
const DISK_MIB = '100';
/** The engine’s packages come over the network. */
const SET_UP_MS = 8 * 60_000;

/** A line of the look that is no refusal, and worth a word. */
const TO_KNOW = /^to know/;

/** How one part went. */
export interface Outcome {
  readonly part: string;
  readonly ms: number;
  readonly isRight: boolean;
  readonly said: string;
}

/** What a trial needs. */
export interface TrialOptions {
  readonly machine: Machine;
  readonly definition: Definition;
  readonly kernel: Kernel;
  readonly signal: AbortSignal;
  /** What the machine prints. */
  readonly log: (line: string) => void;
  /** Told as soon as a part is over. */
  readonly onOutcome: (outcome: Outcome) => void;
}

/** Does everything that a person does with Quayside on a new machine. It ends with the first part that nothing follows. */
export async function tryMachine(options: TrialOptions): Promise<void> {
  const { machine, definition, kernel, signal, log, onOutcome } = options;
  const quayside = new Quayside(machine, definition, signal, log);
  const part = async (name: string, work: () => Promise<string>): Promise<boolean> => {
    const began = performance.now();
    const outcome = await work().then(
      (said) => ({ isRight: true, said }),
      (error: unknown) => ({
        isRight: false,
        said: error instanceof Error ? error.message : String(error),
      }),
    );
    signal.throwIfAborted();
    onOutcome({ part: name, ms: performance.now() - began, ...outcome });
    if (!outcome.isRight) await logJournal(options);
    return outcome.isRight;
  };

  if (!(await part('boot', () => booted(machine)))) return;
  if (!(await part('set-up', () => setUp(options)))) return;
  const { complaints = [], remedies = [], refusal } = definition;
  if (complaints.length > 0) {
    await part('typed', async () => {
      const made = complaints.filter(({ isKernels }) => !isKernels || kernel === 'uml');
      return await tryComplaints(quayside, machine, made);
    });
  }
  if (!(await part('base', () => giveBase(options)))) return;
  await part('doctor', () => diagnosed(quayside, refusal));
  if (refusal) {
    let said = '';
    const isRefused = await part('refusal', async () => {
      said = await refused(quayside, refusal);
      return said;
    });
    for (const remedy of isRefused ? remedies : []) {
      await part(remedy.name, () => tryRemedy(quayside, machine, remedy, said));
    }
    return;
  }
  if (!(await part('start', () => quayside.start()))) return;
  if (!(await part('hosts', () => quayside.learner('hosts')))) return;
  await part('container', () => quayside.learner('container'));
  await part('visit', () => quayside.learner('visit'));
  const restarted = await part('restart', async () => {
    await quayside.stop();
    await quayside.start();
    return await quayside.learner('again');
  });
  const rebooted = await part('reboot', async () => {
    await machine.reboot();
    quayside.forget();
    await quayside.start({ QUAYSIDE_DISK_MIB: DISK_MIB });
    return await quayside.learner('again');
  });
  if (rebooted) {
    // Only root is told what hosts write: doctor says so.
    if (definition.user === 'root') await part('disk', () => quayside.learner('disk'));
    await part('new hosts', () => quayside.learner('hosts'));
  }
  if (!restarted && !rebooted) return;
  await part('clean', async () => {
    await quayside.stop();
    return await quayside.command('npm run clean');
  });
}

async function booted(machine: Machine): Promise<string> {
  await machine.start();
  const look = 'uname -r; systemctl --version | head -1; stat -fc %T /sys/fs/cgroup';
  const { lines } = await machine.run('root', look, SET_UP_MS);
  return lines.filter((line) => line !== '').join(', ');
}

async function setUp({ machine, definition, log }: TrialOptions): Promise<string> {
  const { user, setUp: commands, userSetUp = [] } = definition;
  const typed: readonly (readonly [string, string])[] = [
    ...commands.map((text) => ['root', text] as const),
    ...userSetUp.map((text) => [user, text] as const),
  ];
  for (const [who, text] of typed) {
    const { status, lines } = await machine.run(who, text, SET_UP_MS);
    for (const line of lines) log(line);
    if (status !== 0) throw new Error(`“${text}”: ${lines.slice(-3).join(' ⏎ ')}`);
  }
  return 'as its owner has it';
}

/** Gives the engine, where there is one, the base of all images: a registry would. @returns which engine it is */
async function giveBase({ machine, definition }: TrialOptions): Promise<string> {
  const { user, environment = {}, hasBase } = definition;
  if (!hasBase) return 'no engine';
  const variables = Object.entries(environment).map(([name, value]) => `${name}='${value}' `);
  const engine = `${variables.join('')}$(command -v docker || command -v podman)`;
  const version = `${engine} version --format '{{.Server.Version}}' | tail -1`;
  const { status, lines } = await machine.run(
    user,
    `${engine} ${BASE_IMPORT} && ${version}`,
    SET_UP_MS,
  );
  if (status !== 0) throw new Error(lines.slice(-3).join(' ⏎ '));
  return `engine ${lines.findLast((line) => line !== '') ?? 'none'}`;
}

/** `npm run doctor`, which has to say of a machine that will be refused why that is, and of another that nothing is. */
async function diagnosed(quayside: Quayside, refusal: RegExp | undefined): Promise<string> {
  const { status, lines } = await quayside.run('npm run -s doctor');
  const wanted = refusal ?? TO_KNOW;
  const said = lines.find((line) => wanted.test(line));
  const isRight = refusal ? said !== undefined : status === 0;
  if (!isRight) throw new Error(`status ${status}: ${lines.filter(Boolean).join(' ⏎ ')}`);
  return said?.trim() ?? `status ${status}`;
}

/** What the machine itself has noted, for whoever looks for the cause. */
async function logJournal({ machine, log }: TrialOptions): Promise<void> {
  const look =
    'systemctl --failed --no-legend; journalctl --no-pager --lines=80; free -m; ps -eo pid,ppid,stat,etimes,rss,args --sort=-rss | cut -c -200 | head -n 60';
  const { lines } = await machine.run('root', look, SET_UP_MS).catch(() => ({ lines: [] }));
  for (const line of lines) log(line);
}

/** @throws Error where it is not refused, or with other words */
async function refused(quayside: Quayside, words: RegExp): Promise<string> {
  const said = await quayside.start().then(
    () => undefined,
    (error: Error) => (error instanceof ExpectationFailed ? error.seen : error.message),
  );
  if (said === undefined) {
    const hosts = await quayside.learner('hosts').catch((error: Error) => error.message);
    await quayside.stop();
    throw new Error(`not refused: ready; then ${hosts}`);
  }
  if (!words.test(said)) throw new Error(`refused in other words: ${said}`);
  return said;
}
