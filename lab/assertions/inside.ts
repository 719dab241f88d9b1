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
export type InsideMessage = 'otherCommand' | 'otherContainer' | 'notYet';

const MESSAGES: DefaultMessages<InsideMessage> = {
  otherCommand: ({ name, found, wanted }) =>
    `“${found}” is not what was asked for. Try ${wanted} inside ${name}.`,
  otherContainer: ({ name, found }) => `You looked inside ${found}. Look inside ${name}.`,
  notYet: ({ name }) => `Nothing has been run inside ${name} yet.`,
};

/** Whether a command was run inside a container. */
export interface InsideAssertion<Host extends string = string> extends Assertion<Host> {
  /** A command that would pass, for the reasons and the fix. @example .suchAs('ifconfig') */
  suchAs(command: string): InsideAssertion<Host>;
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
  return build(container, pattern, undefined, {});
}

/** What was run inside the containers of a host: by `docker exec`, or as a container's own command. */
export function commandsInside(
  { journal }: SandboxView,
  host: string,
): readonly (SignalOf<'container'> & { readonly command: string })[] {
  return journal
    .all('container')
    .filter(({ action }) => action === 'exec_start' || action === 'start')
    .filter((signal) => signal.host === host)
    .flatMap(({ command, ...signal }) => (command === undefined ? [] : [{ ...signal, command }]));
}

function build<Host extends string>(
  container: ContainerAssertion<Host>,
  pattern: RegExp,
  example: string | undefined,
  messages: Messages<InsideMessage>,
): InsideAssertion<Host> {
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
    if (fits.some(({ id }) => ids.has(id))) return passed();
    const tell = (key: InsideMessage, name: string, found: string) =>
      verdictWith(
        MESSAGES,
        messages,
        key,
        { name, host, found, wanted: example ?? 'the command' },
        example === undefined ? undefined : { host, command: `docker exec ${name} ${example}` },
      );
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
  return assertion([host], test, {
    suchAs: (command: string) => build(container, pattern, command, messages),
    withMessages: (more: Messages<InsideMessage>) =>
      build(container, pattern, example, { ...messages, ...more }),
  });
}

/** A pattern with the flag g would remember where it stopped, and answer differently the next time. */
export function matches(pattern: RegExp, text: string): boolean {
  return text.search(pattern) >= 0;
}
