import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { release } from 'node:os';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { defineLab } from '#lab';
import type { ShellHost } from '../../server/terminal/shell-host.ts';
import type { FinishedCommand } from '../../server/terminal/shell-integration.ts';
import { openRuntime, startSandbox } from './stage.ts';
import { adoptTerminal, openTerminal, Page, serveTerminals } from './terminal-stage.ts';

/** All of them the quick way; the engine's way is slow, and the same code. */
const CLOSED_TERMINALS = { shared: 50, engine: 10 } as const;
const AT_ONCE = 5;
/** From the request for a terminal to its prompt. */
const PROCESSES_MOST = 12;
const LAB = defineLab({
  title: 'Terminals',
  hosts: { server01: { address: '10.1.10.11/24' } },
  images: {},
  browser: 'server01',
  sections: [],
});
const newId = () => randomUUID();

let open: Awaited<ReturnType<typeof openRuntime>>;
let sandbox: Awaited<ReturnType<typeof startSandbox>>;
let host: ShellHost;

beforeAll(async () => {
  open = await openRuntime(new Map([['terminals', LAB]]));
  sandbox = await startSandbox(open.runtime, open.instance, LAB);
  host = sandbox.sandbox.host('server01');
});

afterAll(async () => {
  await sandbox?.[Symbol.asyncDispose]();
  await open?.[Symbol.asyncDispose]();
});

/** What runs in the host, but for the processes that ask. */
async function processes(): Promise<readonly string[]> {
  const { stdout } = await host.run(['ps', '-eo', 'stat=,args=']);
  return stdout
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('Z') && !line.includes('ps -eo'))
    .sort();
}

describe.each(['shared', 'engine'] as const)('on a lab host, over the %s way', (way) => {
  const there = (): ShellHost =>
    way === 'shared'
      ? host
      : {
          name: host.name,
          shared: undefined,
          run: (argv, options) => host.run(argv, options),
          runSmall: (argv, options) => host.runSmall(argv, options),
          ttyCommand: (argv, options) => host.ttyCommand(argv, options),
        };

  test('the shell is the learner’s, at home, with a prompt that names the host, and tells of its commands', async () => {
    const terminal = await openTerminal(there(), { id: newId(), title: 'server01' });
    const commands: FinishedCommand[] = [];
    using _ = terminal.onCommand((command) => commands.push(command));
    await using server = await serveTerminals(terminal);
    using page = new Page(server.url(terminal));
    await page.until(({ screen }) => screen.includes('learner@server01'));
    expect(await page.run('whoami; pwd; command -v ifconfig')).toMatch(
      /learner\s+\/home\/learner\s+\/usr\/sbin\/ifconfig/,
    );
    page.type('(exit 7)\r');
    await expect.poll(() => commands.at(-1)).toEqual({ line: '(exit 7)', status: 7 });
    page.type("PS1='mine> '; PROMPT_COMMAND=; PS0=\r");
    await page.until(({ screen }) => screen.endsWith('mine> '));
    expect(await page.run('echo st""ill')).toContain('still');
    await terminal.close();
  });

  test('the shell gets its turn soon after it has asked for it, where the system can be told so, and what it starts does not', async () => {
    const [major = 0, minor = 0] = release().split('.').map(Number);
    const knowsSlices = major > 6 || (major === 6 && minor >= 12);
    const terminal = await openTerminal(there(), { id: newId(), title: 'server01' });
    await using server = await serveTerminals(terminal);
    using page = new Page(server.url(terminal));
    await page.until(({ screen }) => screen.includes('learner@server01'));
    const said = await page.run('chrt -p $$; echo asked');
    expect(said).toContain('asked');
    expect(said.includes('runtime parameter: 100000')).toBe(knowsSlices);
    // A shell of its own: the command would be the shell itself.
    const child = await page.run(`sh -c 'chrt -p $$; :'; echo asked`);
    expect(child).toContain('SCHED_OTHER');
    expect(child).not.toContain('runtime parameter: 100000');
    await terminal.close();
  });

  test('Tab completes what a command takes, also at the first one', async () => {
    const terminal = await openTerminal(there(), { id: newId(), title: 'server01' });
    await using server = await serveTerminals(terminal);
    using page = new Page(server.url(terminal));
    await page.until(({ screen }) => screen.includes('learner@server01'));
    page.type('docker network ins\t');
    await page.until(({ screen }) => screen.includes('docker network inspect '));
    await terminal.close();
  });

  test(`after ${CLOSED_TERMINALS[way]} terminals were closed nothing of them is left`, async () => {
    // One shell stays in a host to start the terminals' shells from.
    await host.runSmall(['true']);
    const before = await processes();
    const openAndClose = async (): Promise<void> => {
      const terminal = await openTerminal(there(), { id: newId(), title: 'server01' });
      await using server = await serveTerminals(terminal);
      using page = new Page(server.url(terminal));
      await page.run('sleep 1000 & nohup sleep 1001 >/dev/null 2>&1 & true');
      page.type('sudo sleep 1002\r');
      await expect.poll(async () => (await processes()).join()).toContain('sleep 1002');
      await terminal.close();
    };
    for (let opened = 0; opened < CLOSED_TERMINALS[way]; opened += AT_ONCE) {
      await Promise.all(Array.from({ length: AT_ONCE }, openAndClose));
    }
    expect(await processes()).toEqual(before);
  });

  test('a server that lets go leaves the shell running, and adopts it again', async () => {
    const id = newId();
    const first = await openTerminal(there(), { id, title: 'server01' });
    await using server = await serveTerminals(first);
    using page = new Page(server.url(first));
    await page.run('KEPT=42');
    first.detach();
    const second = await adoptTerminal(there(), { id, title: 'server01' });
    assert(second);
    await using later = await serveTerminals(second);
    using again = new Page(later.url(second));
    expect(await again.run('echo "kept: $KEPT"')).toContain('kept: 42');
    await second.close();
  });
});

test('a terminal is opened without the engine where one was opened before, and shows its prompt after a dozen processes', async () => {
  const there = sandbox.sandbox.host('server01');
  const lastProcess = async () => {
    const { output } = await there.exec(['cat', '/proc/loadavg'], new AbortController().signal);
    return Number(output.split(' ').at(-1));
  };
  const first = await openTerminal(host, { id: newId(), title: 'server01' });
  const before = await lastProcess();
  const asked = vi.spyOn(open.runtime.engine.docker.modem, 'dial');
  const terminal = await openTerminal(host, { id: newId(), title: 'server01' });
  await using server = await serveTerminals(terminal);
  using page = new Page(server.url(terminal));
  await page.until(({ screen }) => screen.includes('learner@server01'));
  expect(asked).not.toHaveBeenCalled();
  asked.mockRestore();
  // The last is the one that looks.
  expect((await lastProcess()) - before - 1).toBeLessThanOrEqual(PROCESSES_MOST);
  await first.close();
  await terminal.close();
});

test('a shell has the same rights, limits and variables, whether it was started over the shell that stays or by the engine', async () => {
  const asked =
    "id; umask; ulimit -a; grep -E '^(Cap|NoNewPrivs|Seccomp|Groups)' /proc/self/status; cat /proc/self/cgroup /proc/self/oom_score_adj; pwd; env | grep -v '^_=' | sort";
  const found: string[] = [];
  for (const start of ['runSmall', 'run'] as const) {
    const started: ShellHost = {
      name: host.name,
      shared: host.shared,
      run: (argv, options) => host.run(argv, options),
      runSmall: (argv, options) => host[start](argv, options),
      ttyCommand: (argv, options) => host.ttyCommand(argv, options),
    };
    const terminal = await openTerminal(started, { id: newId(), title: 'server01' });
    await using server = await serveTerminals(terminal);
    using page = new Page(server.url(terminal));
    await page.until(({ screen }) => screen.includes('learner@server01'));
    const said = await page.run(asked);
    found.push(said.slice(said.indexOf('uid=')));
    await terminal.close();
  }
  expect(found[0]).toContain('HOME=/home/learner');
  expect(found[0]).toBe(found[1]);
});

test('a terminal’s container is found by the terminal’s id, as the protocol’s page says', async () => {
  const id = newId();
  const terminal = await openTerminal(host, { id, title: 'server01' });
  const { container } = sandbox.sandbox.host('server01');
  const { Processes } = await open.runtime.engine.docker.getContainer(container).top();
  expect(Processes.flat().join(' ')).toContain(`quayside-shell ${id}`);
  await terminal.close();
});

test('whether a shell lives on a paused host cannot be found out, and it is adopted when the host goes on', async () => {
  const id = newId();
  const first = await openTerminal(host, { id, title: 'server01' });
  first.detach();
  const container = open.runtime.engine.docker.getContainer(
    sandbox.sandbox.host('server01').container,
  );
  await container.pause();
  try {
    await expect(adoptTerminal(host, { id, title: 'server01' })).rejects.toMatchObject({
      code: 'SANDBOX_FAILED',
    });
  } finally {
    await container.unpause();
  }
  const second = await adoptTerminal(host, { id, title: 'server01' });
  assert(second);
  await second.close();
  expect(await adoptTerminal(host, { id, title: 'server01' })).toBeUndefined();
});
