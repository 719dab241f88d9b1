import { describe, expect, test, vi } from 'vitest';
import { ActionRunner } from '../../../client-driver/action-runner.ts';
import { signIn } from '../../../client-driver/http.ts';
import { Learner } from '../../../client-driver/learner.ts';
import { defineLab } from '../../../lab/index.ts';
import type { HostStatus, SessionEvent } from '../../../protocol/index.ts';
import { QUIET_MS } from '../../../server/labs/screen-text.ts';
import { Terminal } from '../../../server/terminal/terminal.ts';
import { background, FakeShell } from '../terminal/fake-shell.ts';
import { LAB, START_TOKEN, type Stage, stage, TERMINAL } from '../web/stage.ts';

const SOON = { ms: 10_000 } as const;
const HOSTS: readonly HostStatus[] = [];
const READY: SessionEvent = { type: 'status', status: { state: 'ready', hosts: HOSTS } };
const TERMINALS: SessionEvent = {
  type: 'terminals',
  terminals: [{ id: TERMINAL, host: 'server01', title: 'server01' }],
};

async function openedOn(web: Stage): Promise<Learner> {
  const http = await signIn(`${web.origin}/sign-in?token=${START_TOKEN}`);
  return Learner.open(http, LAB, SOON);
}

function tell(web: Stage, ...events: readonly SessionEvent[]): void {
  for (const event of events) {
    for (const listener of web.sessions.listeners.get('learner1') ?? []) listener(event);
  }
}

/** Settles when the server was asked for that. */
async function asked(web: Stage, what: string): Promise<void> {
  await expect.poll(() => web.sessions.asked).toContain(`${what} learner1`);
}

describe('a start', () => {
  test('has come when the hosts are ready and have a terminal', async () => {
    await using web = await stage();
    using learner = await openedOn(web);
    let hasCome = false;
    const starting = learner.start(SOON).then(() => {
      hasCome = true;
    });
    await asked(web, 'start');
    tell(web, { type: 'status', status: { state: 'starting', hosts: HOSTS } }, READY);
    await learner.events.until({
      ...SOON,
      what: 'ready',
      look: () => learner.events.status.state === 'ready',
      seen: () => '',
    });
    expect(hasCome).toBe(false);
    tell(web, TERMINALS);
    await starting;
  });

  test('that cannot be is told with the session’s own reason', async () => {
    await using web = await stage();
    using learner = await openedOn(web);
    const starting = learner.start(SOON);
    const told = expect(starting).rejects.toThrow('failed: No image.');
    await asked(web, 'start');
    tell(web, { type: 'status', status: { state: 'failed', reason: 'No image.', remedy: '' } });
    await told;
  });
});

test('a reset has not come while only the hosts of before are ready', async () => {
  await using web = await stage();
  using learner = await openedOn(web);
  const starting = learner.start(SOON);
  await asked(web, 'start');
  tell(web, READY, TERMINALS);
  await starting;
  let hasCome = false;
  const resetting = learner.reset(SOON).then(() => {
    hasCome = true;
  });
  await asked(web, 'reset');
  // Something that is no news of the hosts.
  tell(web, { type: 'values', values: [{ id: 'port', text: '1' }] });
  await expect.poll(() => learner.events.value('port')).toBe('1');
  expect(hasCome).toBe(false);
  tell(web, READY);
  await resetting;
});

/** Answers each line that is typed as bash does: with its marks, `output` and success. */
class ScriptedShell extends FakeShell {
  readonly lines: string[] = [];
  readonly #output: (line: string) => string;

  readonly #status: number;

  constructor(output: (line: string) => string, status = 0) {
    super();
    this.#output = output;
    this.#status = status;
    this.onJoin = () => setImmediate(() => this.print('\u001b[?2004h$ '));
    this.onInput = (text) => {
      for (const line of text.split('\r').slice(0, -1)) setImmediate(() => this.#run(line));
    };
  }

  #run(line: string): void {
    this.lines.push(line);
    const marked = `\u001b]633;C\u0007${this.#output(line)}\r\n\u001b]633;D;${this.#status}\u0007`;
    this.print(`\u001b[?2004l\r${marked}\u001b[?2004h$ `);
  }
}

describe('in a terminal', () => {
  async function withShell(web: Stage, shell: FakeShell): Promise<Learner> {
    const identity = { id: TERMINAL, host: 'server01', title: 'server01' };
    web.sessions.carried = await Terminal.on(
      identity,
      shell,
      { cols: 80, rows: 24 },
      { background },
    );
    web.sessions.terminals.set(TERMINAL, 'learner1');
    const learner = await openedOn(web);
    tell(web, READY, TERMINALS);
    return learner;
  }

  test('a command is typed and followed to its end', async () => {
    await using web = await stage();
    const shell = new ScriptedShell((line) => `did ${line}`);
    using learner = await withShell(web, shell);
    const terminal = await learner.terminal('server01');
    expect(await terminal.run('hostname', SOON)).toEqual({ status: 0, screen: 'did hostname\n' });
    expect(terminal.size).toEqual({ cols: 240, rows: 50 });
  });

  test('a paste longer than a frame comes whole, and in order', async () => {
    await using web = await stage();
    const shell = new FakeShell();
    using learner = await withShell(web, shell);
    const terminal = await learner.terminal('server01');
    const text = Array.from({ length: 8_000 }, (_, index) => `${index} `).join('');
    terminal.type(text);
    await expect.poll(() => shell.input.join('').length).toBe(text.length);
    expect(shell.input.join('')).toBe(text);
  });

  test('a command that does not end is told with what is on the screen', async () => {
    await using web = await stage();
    const shell = new FakeShell();
    shell.onJoin = () => setImmediate(() => shell.print('\u001b[?2004h$ '));
    using learner = await withShell(web, shell);
    const terminal = await learner.terminal('server01');
    await terminal.prompt(SOON);
    await expect(terminal.run('sleep 9', { ms: 100 })).rejects.toThrow(
      'expected “sleep 9” on server01 to end; seen: after 0.1 s, the screen says “$”',
    );
  });

  test('a command that asks is told with its question once it has said nothing for a while', async () => {
    await using web = await stage();
    const shell = new FakeShell();
    shell.onJoin = () => setImmediate(() => shell.print('\u001b[?2004h$ '));
    shell.onInput = () =>
      setImmediate(() => shell.print('\u001b[?2004l\r\u001b]633;C\u0007Remove all? [y/N] '));
    using learner = await withShell(web, shell);
    const terminal = await learner.terminal('server01');
    const told = expect(terminal.run('docker network prune', SOON)).rejects.toThrow(
      'expected “docker network prune” on server01 to end; seen: it asks “Remove all? [y/N]” and waits. Give it the answer in the block, as with -f or -y',
    );
    await terminal.until({
      ...SOON,
      what: 'the question',
      look: () => terminal.screen.includes('Remove all?'),
      seen: () => terminal.screen,
    });
    const later = performance.now() + QUIET_MS;
    using _clock = vi.spyOn(performance, 'now').mockReturnValue(later);
    await told;
    expect(shell.input.join('')).toBe('docker network prune\r');
  });

  test('a shell that has ended is told at once', async () => {
    await using web = await stage();
    const shell = new ScriptedShell(() => '');
    using learner = await withShell(web, shell);
    const terminal = await learner.terminal('server01');
    await terminal.prompt(SOON);
    shell.note('end', 3);
    await expect(terminal.run('true', SOON)).rejects.toThrow('socket closed: 4000');
    expect(terminal.exit).toEqual({ status: 3 });
  });

  test('what a page asks for is done: a command, and an answer read off its screen', async () => {
    await using web = await stage();
    const shell = new ScriptedShell(() => '80/tcp -> 0.0.0.0:32768');
    using learner = await withShell(web, shell);
    const actions = new ActionRunner(lab, learner);
    const line = 1;
    await actions.follow({ kind: 'run', host: 'server01', command: 'docker port web', line });
    await actions.follow({ kind: 'answer', check: 'port-changed', text: /:(\d+)/, line });
    expect(shell.lines).toEqual(['docker port web']);
    expect(web.sessions.asked).toContain('answer learner1');
    expect(actions.told).toEqual(['answered “32768”, read from “80/tcp -> 0.0.0.0:32768”']);
    actions.begin();
    expect(actions.told).toEqual([]);
  });

  test('an answer, and the line that it is read from, are told as far as a line goes', async () => {
    await using web = await stage();
    const shell = new ScriptedShell(() => `${'x'.repeat(300)}:32768`);
    using learner = await withShell(web, shell);
    const actions = new ActionRunner(lab, learner);
    await actions.go([{ kind: 'run', host: 'server01', command: 'cat long' }], 'port-changed');
    await actions.go([{ kind: 'answer', text: /(x+:\d+)/ }], 'port-changed');
    expect(actions.told[0]?.length).toBeLessThan(400);
    expect(actions.told[0]).toMatch(/^answered “x+…”, read from “x+…”$/);
  });

  test('a command of a scenario may fail, and is told with what it said', async () => {
    await using web = await stage();
    const shell = new ScriptedShell(() => 'chmod: cannot access /srv/notes', 1);
    using learner = await withShell(web, shell);
    const actions = new ActionRunner(lab, learner);
    const command = 'chmod 640 /srv/notes';
    await actions.go([{ kind: 'run', host: 'server01', command }], 'port-changed');
    expect(actions.told).toEqual([
      '“chmod 640 /srv/notes” had exit status 1, “chmod: cannot access /srv/notes”',
    ]);
  });
});

test('an address is opened with the value that the page shows, once it shows one', async () => {
  await using web = await stage();
  using learner = await openedOn(web);
  const actions = new ActionRunner(lab, learner);
  const opening = actions.go([{ kind: 'open', url: 'http://10.1.10.11:{port}' }], 'port-changed');
  tell(web, { type: 'values', values: [{ id: 'port', text: '32768' }] });
  await opening;
  expect(web.sessions.asked).toContain('visit learner1');
});

test('a value that the hosts have no text for is told, and its braces are not typed', async () => {
  await using web = await stage();
  using learner = await openedOn(web);
  const actions = new ActionRunner(lab, learner, async () => undefined);
  const line = 1;
  await expect(
    actions.follow({ kind: 'run', host: 'server01', command: 'curl localhost:{port}', line }),
  ).rejects.toThrow('expected a text for the value port; seen: none yet');
  expect(web.sessions.asked).not.toContain('terminal learner1');
});

const lab = defineLab({
  title: 'Docker Networking',
  hosts: { server01: { address: '10.1.10.11/24', engine: true } },
  browser: 'server01',
  values: { port: { placeholder: 'the port', read: async () => undefined } },
  sections: [
    {
      page: 'ports',
      title: 'Ports',
      checks: [
        {
          id: 'port-changed',
          title: 'Port',
          test: () => ({ kind: 'passed' }),
          reads: /:(\d+)$/m,
        },
      ],
    },
  ],
});
