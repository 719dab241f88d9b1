import type { LabFiles, LabHost, LabSource, SourceFile } from '#lab';
import { asSentence, QuaysideError } from '../base/errors.ts';
import type { ProcessOptions, ProcessResult } from '../engine/engine.ts';
import { engineCall } from '../engine/engine-call.ts';
import { HostCannotRunError, readable } from './host-cannot-run.ts';
import { quoted } from './host-shell-channel.ts';

/** What does the steps (images/lab-host/begin). Each command has a minute there; all of them together have this. */
const SCRIPT = '/opt/quayside/begin';
const BEGINNING_MS = 300_000;
/** The status of a command that timeout(1) has ended. */
const TIMED_OUT = 124;
/** Of a command's last words. */
const WORDS_CHARACTERS = 600;
/** Of a long command line only so much is repeated. */
const COMMAND_CHARACTERS = 80;

/** What is needed of a host. */
interface FreshHost {
  readonly spec: LabHost;
  run(
    argv: readonly string[],
    options: ProcessOptions & { readonly input: string },
  ): Promise<ProcessResult>;
}

/** Whether a host has anything to be done before it is the learner's. */
export function hasBeginning({ files, setup }: LabHost): boolean {
  return files.length + setup.length > 0;
}

/**
 * Gives a host its files, then does its set-up: each once for every fresh host, however often this is called.
 *
 * @returns whether anything was done
 * @throws QuaysideError SANDBOX_FAILED naming the line of `lab.ts`, the host and the last words of what failed; the
 *   signal's reason
 */
export async function begin(
  host: FreshHost,
  source: LabSource | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  const { name, files, setup } = host.spec;
  const given = await Promise.all(files.map((each) => fileStep(each, name, source)));
  const steps = [...given, ...setup.map((line) => `command_line ${quoted(line)}`)];
  const input = steps.map((step) => `step && {\n${step}\nfinished\n}\n`).join('');
  const { status, stdout, stderr } = await engineCall(
    signal,
    (abortSignal) =>
      host.run([SCRIPT], { user: 'root', input: `${input}true\n`, signal: abortSignal }),
    BEGINNING_MS,
  );
  if (status === 0) return stdout !== '';
  const at = Number(stdout.trim().split('\n').at(-1)) - 1;
  const file = files[at];
  const command = setup[at - files.length];
  const what = file ? `the file ${file.to}` : `“${shortened(command ?? SCRIPT)}”`;
  const how =
    status === TIMED_OUT ? 'was not done within a minute' : `failed with status ${status}`;
  const words = readable(stderr).slice(-WORDS_CHARACTERS);
  throw notBegun(
    name,
    placeOf(source, file?.from ?? command, name),
    `${what} ${how}: ${words || 'it said nothing'}`,
  );
}

/** What is said where a host's engine does not start with the settings of its lab. @param said its last words */
export function settingsRefused(
  { name, engineSettings }: LabHost,
  source: LabSource | undefined,
  said: string,
): HostCannotRunError {
  const [setting] = Object.keys(JSON.parse(engineSettings) as object);
  const { message, remedy } = notBegun(
    name,
    placeOf(source, setting, name),
    `its engine does not start with these settings: ${readable(said)}`,
  );
  return new HostCannotRunError(message, remedy);
}

/** The files of one entry, as code for the script. */
async function fileStep(
  { from, to, owner, mode }: LabFiles,
  host: string,
  source: LabSource | undefined,
): Promise<string> {
  const files = await filesOf(from, host, source);
  const written = files.map(({ path, bytes, isExecutable }) => {
    const target = path === '' ? to : `${to}/${path}`;
    const octal = mode ?? (isExecutable ? '755' : '644');
    return `file ${quoted(target)} ${owner} ${octal} <<'.'\n${wrapped(bytes)}.`;
  });
  return written.join('\n');
}

async function filesOf(
  from: string,
  host: string,
  source: LabSource | undefined,
): Promise<readonly SourceFile[]> {
  if (!source) throw new Error('a lab that was read from no folder has no files');
  try {
    return await source.files(from);
  } catch (error) {
    // The author has changed it since the lab was read.
    throw notBegun(host, placeOf(source, from, host), `“${from}” ${(error as Error).message}`);
  }
}

function placeOf(source: LabSource | undefined, text: string | undefined, host: string): string {
  return source && text !== undefined ? source.placeOf(text, host) : 'lab.ts';
}

function notBegun(host: string, place: string, why: string): QuaysideError {
  return new QuaysideError(
    'SANDBOX_FAILED',
    asSentence(`${host} could not be set up. ${place}: ${why}`),
    'Who writes the lab can mend that line; then Reset gives fresh hosts.',
  );
}

function shortened(line: string): string {
  return line.length > COMMAND_CHARACTERS ? `${line.slice(0, COMMAND_CHARACTERS)}…` : line;
}

/** Bytes in base64, in lines. */
function wrapped(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString('base64')
    .replaceAll(/.{1,1000}/g, '$&\n');
}
