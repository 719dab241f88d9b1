import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defineLab, value } from '#lab';
import type { SessionEvent } from '#protocol';
import type { LearnerSession } from '../../server/session/sessions.ts';
import type { Terminal } from '../../server/terminal/terminal.ts';
import { openApp, started, type TestApp, until } from './stage.ts';

const LAB = defineLab({
  title: 'Run',
  hosts: {
    server01: {
      address: '10.1.10.11/24',
      aliases: ['agent01'],
      engine: true,
      images: ['mycontainer:5.6'],
    },
  },
  images: { 'mycontainer:5.6': 'mycontainer' },
  browser: 'server01',
  values: {
    'a-number': value('a number', async () => '42'),
    'no-number': value('a number', async () => undefined),
  },
  sections: [],
});

let app: TestApp;
let session: LearnerSession;

beforeAll(async () => {
  app = await openApp({ labs: new Map([['run', LAB]]), sandboxes: 1 });
  ({ session } = app.newLearner('run'));
  await started(session);
});

afterAll(() => app?.[Symbol.asyncDispose]());

const screenOf = (terminal: Terminal): string => Buffer.from(terminal.outputSince(0)).toString();

/** A terminal that the learner has in front and types into. */
async function front(): Promise<{ terminal: Terminal; type: (keys: string) => void }> {
  const { id } = await session.openTerminal('server01');
  const terminal = session.terminal(id);
  await expect.poll(() => terminal.prompt).toBe('clear');
  const { viewer } = terminal.attach(
    { client: 7n, attention: 'active', epoch: 0n, offset: 0 },
    { wake() {}, sized() {}, closed() {}, drained() {} },
  );
  const type = (keys: string) => terminal.input(viewer, terminal.taken(7n), Buffer.from(keys));
  return { terminal, type };
}

/** Has a block typed, and settles with where it was, once it has ended. */
async function run(block: string, host = 'server01'): Promise<Terminal> {
  const { terminal } = await session.run({ host, block });
  await until(session, 'the block to end', ({ runs }) => runs.length === 0);
  return session.terminal(terminal);
}

const PROGRAMS: readonly [program: string, command: string, shown: string][] = [
  ['an editor', 'vim /tmp/x', '/tmp/x'],
  ['a pager', 'less /etc/services', 'services'],
  ['what prints without end', 'ping 10.1.10.11', 'bytes from'],
  ['a container’s shell', 'docker run --rm -it mycontainer:5.6 sh', '/ # '],
];

describe('a block', () => {
  test.each(PROGRAMS)(
    'is not typed into %s, but into another terminal',
    async (_, command, shown) => {
      const { terminal, type } = await front();
      type(`${command}\r`);
      await expect.poll(() => screenOf(terminal)).toMatch(new RegExp(`\\x07[^]*${shown}`));
      const other = await run('echo "ran $((6 * 7))"');
      expect(other.id).not.toBe(terminal.id);
      expect(screenOf(other)).toContain('ran 42');
      expect(screenOf(terminal)).not.toContain('6 * 7');
      await session.closeTerminal(terminal.id);
    },
  );

  test('is typed into the terminal in front where that is at its prompt, root’s too', async () => {
    const { terminal, type } = await front();
    const own = await run('echo "mine $((6 * 7))"', 'agent01');
    expect(own.id).toBe(terminal.id);
    type('sudo -i\r');
    await expect.poll(() => screenOf(terminal)).toMatch(/root@server01.*# $/s);
    expect((await run('id -un')).id).toBe(terminal.id);
    expect(screenOf(terminal)).toContain('\x07root\r\n');
    await session.closeTerminal(terminal.id);
  });

  test('that is asked for twice at once is typed once, and held until it ends', async () => {
    const { terminal, type } = await front();
    const block = "sh -c 'echo begun; exec sleep 600'";
    const [one, two] = await Promise.all([
      session.run({ host: 'server01', block }),
      session.run({ host: 'agent01', block }),
    ]);
    expect(two).toEqual(one);
    expect(session.snapshot().runs).toMatchObject([{ host: 'server01', block }]);
    await expect.poll(() => screenOf(terminal)).toContain('\x07begun\r\n');
    type('\x03');
    await until(session, 'the block to end', ({ runs }) => runs.length === 0);
    expect(screenOf(terminal).split('\x07begun\r\n')).toHaveLength(2);
    await session.closeTerminal(terminal.id);
  });

  test('that asks says so, until it is answered', async () => {
    const { terminal, type } = await front();
    await session.run({ host: 'server01', block: 'docker network prune' });
    await until(session, 'the question', ({ runs }) => /\[y\/N\]$/.test(runs[0]?.asks ?? ''));
    type('n\r');
    await until(session, 'the block to end', ({ runs }) => runs.length === 0);
    await session.closeTerminal(terminal.id);
  });

  test('has the hosts’ own numbers in it, and is not typed where one is missing', async () => {
    const { terminal } = await front();
    await run('echo "so {a-number}"');
    expect(screenOf(terminal)).toContain('so 42');
    await expect(
      session.run({ host: 'server01', block: 'echo {no-number}' }),
    ).rejects.toMatchObject({
      code: 'NOT_RUN',
      message: expect.stringContaining('no-number'),
    });
    expect(session.snapshot().runs).toEqual([]);
    await session.closeTerminal(terminal.id);
  });

  test('stops at a command that fails, and says which did and what was left out', async () => {
    const { terminal } = await front();
    const events: SessionEvent[] = [];
    using _ = session.observe((event) => void events.push(event));
    await run('echo one\nls /nowhere\necho three');
    expect(screenOf(terminal)).not.toContain('three');
    expect(events.findLast((event) => event.type === 'runs')).toMatchObject({
      stopped: {
        reason: expect.stringMatching(/^`ls \/nowhere` on .* ended with status 2: .*\.$/),
      },
    });
    await session.closeTerminal(terminal.id);
  });
});
