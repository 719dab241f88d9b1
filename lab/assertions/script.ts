import { notYet, passed, type Verdict } from '../verdict.ts';
import type { SandboxView } from '../view.ts';
import { type Assertion, assertion } from './assertion.ts';

/** A reason is a sentence or two. */
const REASON_CHARACTERS = 300;
/** What a terminal takes for colours and the like; then all else that is no text, among it what turns the writing round. */
const SEQUENCES = /\p{Cc}\[[\d;?]*[@-~]/gu;
const NO_TEXT = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * Lines of bash that are run on a host as root, with status 0 once the step is done; the last line that they print is the
 * reason until then. For what no other helper asks. They are run again and again, whenever something has happened on the
 * host, for three seconds at most, and must change nothing.
 *
 * @example
 * test: script(`
 *   bridge -j fdb show dev vxlan42 | grep -q 10.1.10.12 && exit
 *   echo "vxlan42 does not know yet that server02 is behind it."
 *   exit 1
 * `).on('server01')
 */
export function script(lines: string) {
  return {
    on: <const Host extends string>(host: Host): Assertion<Host> =>
      assertion([host], (sandbox: SandboxView<Host>) => judge(lines, host, sandbox), {}),
  };
}

async function judge<Host extends string>(
  lines: string,
  host: Host,
  sandbox: SandboxView<Host>,
): Promise<Verdict> {
  const { status, output } = await sandbox.host(host).script(lines);
  return status === 0 ? passed() : notYet(lastLine(output) || `It is not so yet on ${host}.`);
}

function lastLine(output: string): string {
  const clean = output.split('\n').map((line) => {
    return line.replaceAll(SEQUENCES, '').replaceAll(NO_TEXT, '').trim();
  });
  return (clean.findLast((line) => line !== '') ?? '').slice(0, REASON_CHARACTERS);
}
