import type { SignalOf } from '../signal.ts';
import { passed } from '../verdict.ts';
import type { SandboxView } from '../view.ts';
import {
  type Assertion,
  assertion,
  type DefaultMessages,
  type Messages,
  verdictWith,
} from './assertion.ts';
import type { ContainerAssertion } from './container.ts';
import { candidates } from './container-search.ts';

/** `name` is the container, `found` the command or the container that was looked into instead, `wanted` a right command. */
export type InsideMessage = 'otherCommand' | 'otherContainer' | 'failed' | 'runs' | 'notYet';

const MESSAGES: DefaultMessages<InsideMessage> = {
  otherCommand: ({ name, found, wanted }) =>
    `“${found}” is not what was asked for. Try ${wanted} inside ${name}.`,
  otherContainer: ({ name, found }) => `You looked inside ${found}. Look inside ${name}.`,
  failed: ({ name, found }) => `“${found}” inside ${name} has failed. Do it so that it works.`,
  runs: ({ name, found }) =>
    `“${found}” inside ${name} still runs, so it cannot be told whether it works. Let it end.`,
  notYet: ({ name }) => `Nothing has been run inside ${name} yet.`,
};

/** Whether a command was run inside a container. */
export interface InsideAssertion<Host extends string = string> extends Assertion<Host> {
  /** A command that would pass, for the reasons and the fix. @example .suchAs('ifconfig') */
  suchAs(command: string): InsideAssertion<Host>;
  /** It has ended well, with status 0. Without this word it counts as soon as it has begun. */
  andWorked(): InsideAssertion<Host>;
  /** Any of its messages in your own words. */
  withMessages(messages: Messages<InsideMessage>): InsideAssertion<Host>;
}

/**
 * A command was run inside a container: by `docker exec`, or as the container's own. What is typed in a shell inside
 * leaves no trace. Where that should count, let the pattern match the shell itself.
 *
 * @example test: ranInside(container('lonely').on('server01'), /ifconfig|\bip\b/).suchAs('ifconfig')
 */
export function ranInside<Host extends string>(
  container: ContainerAssertion<Host>,
  pattern: RegExp,
): InsideAssertion<Host> {
  return build({ container, pattern, example: undefined, mustWork: false, messages: {} });
}

/** Something that was run inside a container. */
export interface InsideCommand extends SignalOf<'container'> {
  readonly command: string;
  /** How it ended; `undefined` while it runs. */
  readonly status?: number;
}

/** What was run inside the containers of a host, oldest first: by `docker exec`, or as a container's own command. */
export function commandsInside(
  { journal }: Pick<SandboxView, 'journal'>,
  host: string,
): readonly InsideCommand[] {
  const found: InsideCommand[] = [];
  // By what was run with `docker exec`, or by the container whose own command it is: the newest end comes first.
  const ends = new Map<string, number>();
  for (const signal of journal.all('container').toReversed()) {
    if (signal.host !== host) continue;
    const { action, command, exec, id, status } = signal;
    if ((action === 'exec_die' || action === 'die') && status !== undefined) {
      ends.set(exec ?? id, status);
    }
    if ((action !== 'exec_start' && action !== 'start') || command === undefined) continue;
    const run = action === 'start' ? id : (exec ?? '');
    const ended = ends.get(run);
    ends.delete(run);
    found.push({ ...signal, command, ...(ended !== undefined && { status: ended }) });
  }
  return found.reverse();
}

interface Wanted<Host extends string> {
  readonly container: ContainerAssertion<Host>;
  readonly pattern: RegExp;
  readonly example: string | undefined;
  readonly mustWork: boolean;
  readonly messages: Messages<InsideMessage>;
}

function build<Host extends string>(all: Wanted<Host>): InsideAssertion<Host> {
  const { container, pattern, example, mustWork, messages } = all;
  const { wanted } = container;
  const { host } = wanted;
  const test = async (sandbox: SandboxView<Host>) => {
    const now = await candidates(wanted, sandbox.host(host));
    const past = sandbox.journal
      .all('container')
      .filter((signal) => signal.host === host && signal.action === 'start')
      .filter(({ name, image, networkMode }) =>
        wanted.name === undefined
          ? (wanted.network === undefined || wanted.network === networkMode) &&
            (wanted.image === undefined || wanted.image === image)
          : wanted.name === name,
      );
    const ids = new Set([...now, ...past].map(({ id }) => id));
    const commands = commandsInside(sandbox, host);
    const fits = commands.filter(({ command }) => matches(pattern, command));
    const here = fits.filter(({ id }) => ids.has(id));
    if (here.some(({ status }) => !mustWork || status === 0)) return passed();
    const tell = (key: InsideMessage, name: string, found: string) =>
      verdictWith(
        MESSAGES,
        messages,
        key,
        { name, host, found, wanted: example ?? 'the command' },
        example === undefined ? undefined : { host, command: `docker exec ${name} ${example}` },
      );
    const tried = here.at(-1);
    if (tried)
      return tell(tried.status === undefined ? 'runs' : 'failed', tried.name, tried.command);
    const other = commands.findLast(({ id, action }) => ids.has(id) && action === 'exec_start');
    if (other) return tell('otherCommand', other.name, other.command);
    const problem = await container.runs()(sandbox);
    const running = now.find((each) => each.running);
    if (problem.kind !== 'passed' || !running) return problem;
    const elsewhere = fits.at(-1);
    return elsewhere
      ? tell('otherContainer', running.name, elsewhere.name)
      : verdictWith(MESSAGES, messages, 'notYet', {
          name: running.name,
          host,
          found: '',
          wanted: '',
        });
  };
  const words = {
    suchAs: (command: string) => build({ ...all, example: command }),
    andWorked: () => build({ ...all, mustWork: true }),
    withMessages: (more: Messages<InsideMessage>) =>
      build({ ...all, messages: { ...messages, ...more } }),
  };
  return assertion([host], test, words, [host]);
}

/** Longer than any line that a lab asks for. A learner can make one for which an author's pattern takes seconds. */
const LINE_CHARACTERS = 2_000;

/**
 * Whether a text has a pattern, in what its lines begin with. (One with the flag g would remember where it stopped, and
 * answer differently the next time: it is searched for.)
 */
export function matches(pattern: RegExp, text: string): boolean {
  const lines = text.length > LINE_CHARACTERS ? text.split('\n') : [text];
  return (
    lines
      .map((line) => line.slice(0, LINE_CHARACTERS))
      .join('\n')
      .search(pattern) >= 0
  );
}
