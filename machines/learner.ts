/**
 * Runs on the machine that is tested, beside its server, and does one part of a learner's work:
 *
 *   node machines/learner.ts <part> <the ready line's URL> <a file for what it remembers>
 *
 * It prints what it saw, and ends with status 1 where that is not as it should be.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { HttpClient, signIn } from '../client-driver/http.ts';
import { Learner } from '../client-driver/learner.ts';

const LAB = 'docker-networking';
const HOST = 'server01';
const CHECKS = { run: 'myapp2-on-ephemeral-port', visit: 'myapp2-page-opened' } as const;
/** A command, or a check’s answer, on a machine that has a small share of a processor. */
const SLOW = { ms: 240_000 } as const;
/** The disk watch looks every few seconds. */
const FULL_MS = 120_000;
/** More than the limit under which this is run. */
const WRITTEN_MIB = 300;

/** What one part does, and then says. */
type Part = (learner: Learner) => Promise<string>;

const PARTS: Readonly<Record<string, Part>> = {
  hosts: async (learner) => {
    await learner.start();
    return `hosts ready, ${learner.events.terminals.length} terminals`;
  },
  container: async (learner) => {
    const terminal = await learner.terminal(HOST);
    await terminal.prompt(SLOW);
    await terminal.run('docker run -d --name myapp2 -p :80 mycontainer:5.6', SLOW);
    await passed(learner, CHECKS.run);
    return `${CHECKS.run} passed`;
  },
  visit: async (learner) => {
    const terminal = await learner.terminal(HOST);
    const { screen } = await terminal.run('docker port myapp2', SLOW);
    const [, port] = /0\.0\.0\.0:(\d+)/.exec(screen) ?? [];
    const { text } = await learner.visit(`http://10.1.10.11:${port}/`);
    await passed(learner, CHECKS.visit);
    return `the page came: ${text.replaceAll(/\s+/g, ' ').slice(0, 60)}`;
  },
  again: async (learner) => {
    await learner.start();
    await passed(learner, CHECKS.run);
    const terminal = await learner.terminal(HOST);
    // What stands on a screen that is taken up has lost the marks of its prompt, so the words are waited for.
    terminal.type('\rping -c 1 -W 5 10.1.10.100\r');
    await terminal.until({
      ...SLOW,
      what: 'the client to answer',
      look: () => terminal.screen.includes(' 1 received'),
      seen: () => terminal.screen.trim().split('\n').slice(-3).join(' ⏎ '),
    });
    return 'pass kept, terminal open, wires up';
  },
  disk: async (learner) => {
    const terminal = await learner.terminal(HOST);
    await terminal.prompt(SLOW);
    terminal.type(`dd if=/dev/zero of=/var/tmp/full bs=1M count=${WRITTEN_MIB}\r`);
    return await learner.events.until({
      ms: FULL_MS,
      what: 'the session to end by its disk',
      look: () => {
        const { status } = learner.events;
        return status.state === 'ended' && status.reason;
      },
      seen: () => JSON.stringify(learner.events.status),
    });
  },
};

async function passed(learner: Learner, check: string): Promise<void> {
  await learner.events.until({
    ...SLOW,
    what: `the check ${check} to pass`,
    look: () => learner.events.passed.includes(check),
    seen: () => JSON.stringify(learner.events.check(check)),
  });
}

/** The same learner in every part: as one browser that keeps its cookie. */
async function browser(printed: string, memory: string): Promise<HttpClient> {
  const cookie = await readFile(memory, 'utf8').catch(() => '');
  if (cookie !== '') return new HttpClient(new URL(printed).origin, cookie);
  const http = await signIn(printed);
  await writeFile(memory, http.cookie);
  return http;
}

const [name = '', printed = '', memory = ''] = process.argv.slice(2);
try {
  const part = PARTS[name];
  if (!part) throw new Error(`no part is named ${name}`);
  using learner = await Learner.open(await browser(printed, memory), LAB);
  console.log(await part(learner));
} catch (error) {
  console.log(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
