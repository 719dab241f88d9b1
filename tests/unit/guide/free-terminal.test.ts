import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { endCommand, freeTerminal } from '../../../server/guide/free-terminal.ts';
import { type CommandPhase, runCommand } from '../../../server/guide/run-command.ts';
import { LocalHost, PROMPT } from './local-bash.ts';

const NEVER = new AbortController().signal;

/** Runs a command on the host as the rule has it. */
async function run(host: LocalHost, command: string) {
  using free = await freeTerminal(host, { host: 'server01' }, NEVER);
  const ran = await runCommand(free.terminal, command, { keyMs: 0, signal: NEVER });
  return { ...ran, title: free.terminal.title };
}

/** What stands in the way, how a learner gets there, and when they have. */
const AT_THE_PROMPT: readonly [what: string, keys: string, shown: string | RegExp][] = [
  ['nothing', '\r', PROMPT],
  ['half a line', 'echo half', 'echo half'],
  ['half a line with the cursor at its beginning', 'echo half\x01', 'echo half'],
  ['an open quote', 'echo "hello\r', /> $/],
  ['a here-document that goes on', 'cat <<E\r', /> $/],
  ['an open group', '{\r', /> $/],
  ['a choice that goes on', 'if true\r', /> $/],
  ['a line that goes on', 'docker run \\\r', /> $/],
  ['a second line that goes on, half typed', 'if true\rthen ec', /then ec$/],
  ['a search in the history', '\x12ec', 'reverse-i-search'],
  ['a sign that is to be taken literally', '\x16', ''],
  ['a paste of two lines', '\x1b[200~echo a\necho b\x1b[201~', 'echo b'],
  ['vi mode', 'set -o vi\r', PROMPT],
  ['a line in vi mode', 'set -o vi\recho half\x1b0', /echo half/],
  ['a shell of root, or of any other user, with marks', 'bash --rcfile "$RC" -i\r', PROMPT],
];

test.each(AT_THE_PROMPT)(
  'a command runs where a learner has left %s',
  async (what, keys, shown) => {
    await using host = new LocalHost();
    const own = await host.open('active');
    await own.type(keys, shown);
    const { output, title } = await run(host, 'echo "ran: $((6 * 7))"');
    expect({ what, title, ran: output.includes('ran: 42') }).toEqual({
      what,
      title: own.terminal.title,
      ran: true,
    });
    expect(host.opened).toHaveLength(1);
  },
);

test('what was half typed is there again with Ctrl-Y', async () => {
  await using host = new LocalHost();
  const own = await host.open('active');
  await own.type('echo half', 'echo half');
  await run(host, 'true');
  await own.type('\x19 typed\r', '\x07half typed\r\n');
});

const PROGRAMS: readonly [what: string, keys: string, shown: string | RegExp][] = [
  ['writes down what is typed', 'cat > typed; echo over\r', ''],
  ['shows pages', 'less "$BASH"\r', ''],
  ['prints without end', 'while sleep 0.1; do echo tick; done\r', 'tick'],
  ['is another shell, without marks', 'sh\r', PROMPT],
  ['asks', 'read -p "Sure? [y/N] "\r', 'Sure'],
];

test.each(PROGRAMS)('nothing is typed into a program that %s', async (_, keys, shown) => {
  await using host = new LocalHost();
  const own = await host.open('active');
  await own.type(keys, shown);
  const { output } = await run(host, 'echo "ran: $((6 * 7))"');
  expect(output).toContain('ran: 42');
  expect(own.terminal.prompt).toBe('running');
  expect(own.screen).not.toContain('6 * 7');
  expect(host.opened).toHaveLength(2);
});

test('what was entered a moment ago is waited for: it may be a program, or over at once', async () => {
  await using host = new LocalHost();
  const own = await host.open('active');
  await own.type('cat > typed\r');
  await run(host, 'true');
  await own.until('running');
  await expect.poll(() => existsSync(join(own.home, 'typed'))).toBe(true);
  expect(own.screen).not.toContain('true');
  const other = host.opened[1];
  await other?.type('true\r');
  expect(await run(host, 'true')).toMatchObject({ title: other?.terminal.title });
});

test('of several at their prompts it is the one in sight, else one at which nothing is typed', async () => {
  await using host = new LocalHost();
  const half = await host.open();
  await half.type('echo half', 'echo half');
  const clear = await host.open();
  await clear.until('clear');
  expect(await run(host, 'true')).toMatchObject({ title: clear.terminal.title });
  const front = await host.open('active');
  await front.until('clear');
  expect(await run(host, 'true')).toMatchObject({ title: front.terminal.title });
});

test('two commands at once go to two terminals', async () => {
  await using host = new LocalHost();
  const own = await host.open('active');
  await own.until('clear');
  const ran = await Promise.all([run(host, 'sleep 0.2'), run(host, 'sleep 0.2')]);
  expect(new Set(ran.map(({ title }) => title)).size).toBe(2);
});

test('a command of several lines is typed as one, whatever stands in it', async () => {
  await using host = new LocalHost();
  const { output } = await run(host, 'for i in 1 2; do\n\tcat <<E\n"$i\nE\ndone |\nsort');
  expect(output).toContain('"1\r\n"2\r\n');
});

test('a command that asks is told within seconds, and again that it goes on', async () => {
  await using host = new LocalHost();
  const own = await host.open('active');
  await own.until('clear');
  const phases: CommandPhase[] = [];
  const asked = Promise.withResolvers<void>();
  using free = await freeTerminal(host, { host: 'server01' }, NEVER);
  const ran = runCommand(free.terminal, 'read -p "Continue? [y/N] "; sleep 3; echo $REPLY', {
    keyMs: 0,
    signal: NEVER,
    onPhase: (phase) => {
      phases.push(phase);
      if (phase.kind === 'asking') asked.resolve();
    },
  });
  await asked.promise;
  free.terminal.sendText('yes\r');
  expect((await ran).output).toContain('yes');
  expect(phases).toEqual([
    { kind: 'typing' },
    { kind: 'running' },
    { kind: 'asking', question: 'Continue? [y/N]' },
    { kind: 'running' },
  ]);
});

test('a block for a second terminal leaves the first one alone, and opens it where there is none', async () => {
  await using host = new LocalHost();
  using free = await freeTerminal(host, { host: 'server01', second: true }, NEVER);
  expect(host.opened.map(({ terminal }) => terminal)).toHaveLength(2);
  expect(free.terminal).toBe(host.opened[1]?.terminal);
});

test('where a command stays, the next goes into another terminal, and Ctrl-C ends it', async () => {
  await using host = new LocalHost();
  {
    using free = await freeTerminal(host, { host: 'server01' }, NEVER);
    const options = { keyMs: 0, stays: true, signal: NEVER };
    const { status, output } = await runCommand(free.terminal, 'echo up; sleep 600', options);
    expect({ status, output }).toEqual({ status: undefined, output: 'up\r\n' });
  }
  const { title } = await run(host, 'true');
  expect(title).toBe(host.opened[1]?.terminal.title);
  const ended = await endCommand(host, 'server01', NEVER);
  expect(ended).toBe(host.opened[0]?.terminal);
  expect(ended?.prompt).toBe('clear');
  expect(await endCommand(host, 'server01', NEVER)).toBeUndefined();
});
