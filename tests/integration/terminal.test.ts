import assert from 'node:assert/strict';
import { execFile, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { integers, seeded } from '../fixtures/random.ts';
import {
  adoptTerminal,
  breakable,
  localHost,
  openTerminal,
  Page,
  serveTerminals,
  WAYS,
} from './terminal-stage.ts';

const SHELL_ENDS = 200;
/** A login shell takes seconds to start on a machine that is busy with other tests. */
const SHELL_ENDS_MS = 600_000;
const CUTS = 1_000;
const run = promisify(execFile);
const newId = () => `test-${randomUUID()}`;

/** The processes whose command line holds `text`. */
async function processesWith(text: string): Promise<readonly string[]> {
  const { stdout } = await run('ps', ['-eo', 'pid=,stat=,args=']);
  return stdout.split('\n').filter((line) => line.includes(text) && !/^\s*\d+ Z/.test(line));
}

describe.each(WAYS)('over the %s way', (way) => {
  test('a shell answers, at the size of the page', async () => {
    await using host = await localHost(way);
    const terminal = await openTerminal(host, { id: newId(), title: 'local' });
    await using server = await serveTerminals(terminal);
    using page = new Page(server.url(terminal));
    page.connection.resize(132, 43);
    expect(await page.run('stty size')).toContain('43 132');
    await terminal.close();
    await page.until(({ state }) => state.state === 'gone');
  });

  test(
    'everything is shown before the exit, and then how it ended',
    async () => {
      await using host = await localHost(way);
      const ends = Array.from({ length: way === 'shared' ? SHELL_ENDS : SHELL_ENDS / 10 }, () =>
        newId(),
      );
      const failures: string[] = [];
      const endOne = async (id: string): Promise<void> => {
        const terminal = await openTerminal(host, { id, title: 'local' });
        await using server = await serveTerminals(terminal);
        using page = new Page(server.url(terminal));
        // 35,000 numbers are 198,894 bytes, and each line end becomes two.
        page.type('stty -opost; exec seq 1 35000\r');
        await page.until(({ state }) => state.state === 'exited');
        const numbers = page.screen
          .slice(page.screen.lastIndexOf('\r') + 1)
          .trim()
          .split('\n');
        const isWhole =
          numbers.length === 35_000 && numbers.every((line, at) => Number(line) === at + 1);
        if (!isWhole) failures.push(`${numbers.length} lines, ${JSON.stringify(numbers.at(-1))}`);
        if (page.state.state !== 'exited' || page.state.status !== 0) failures.push('wrong status');
      };
      for (let at = 0; at < ends.length; at += 4)
        await Promise.all(ends.slice(at, at + 4).map(endOne));
      expect(failures).toEqual([]);
    },
    SHELL_ENDS_MS,
  );

  test('closing ends the shell and all it started, and leaves nothing', async () => {
    await using host = await localHost(way);
    const id = newId();
    const terminal = await openTerminal(host, { id, title: 'local' });
    await using server = await serveTerminals(terminal);
    using page = new Page(server.url(terminal));
    const mark = `86${Date.now()}`;
    await page.run(
      `sleep ${mark}1 & nohup sleep ${mark}2 >/dev/null 2>&1 & bash -c 'trap "" HUP TERM; sleep ${mark}3; :' & sleep ${mark}4 | sleep ${mark}5 & sleep 0`,
    );
    page.type(`bash -c 'trap "" HUP; sleep ${mark}6; :'\r`);
    await expect.poll(async () => (await processesWith(mark)).length).toBeGreaterThanOrEqual(6);
    await terminal.close();
    expect(await processesWith(mark)).toEqual([]);
    expect(await processesWith(id)).toEqual([]);
  });

  test('a shell outlives a server that is killed, and another adopts it', async () => {
    await using host = await localHost(way);
    const id = newId();
    const directory = host.shared?.outside ?? '';
    const victim = fork(new URL('terminal-victim.ts', import.meta.url), [way, directory, id], {
      execArgv: [],
    });
    await once(victim, 'message');
    victim.kill('SIGKILL');
    await once(victim, 'exit');
    const terminal = await adoptTerminal(host, { id, title: 'local' });
    assert(terminal);
    await using server = await serveTerminals(terminal);
    using page = new Page(server.url(terminal));
    expect(await page.run('echo "kept: $KEPT"')).toContain('kept: 42');
    const joined = (await processesWith(id)).filter((line) => /\d+ \S+ +dtach -a/.test(line));
    // The socket goes with its server; the engine's way in is a process, and the old one has to be ended.
    expect(joined).toHaveLength(way === 'shared' ? 0 : 1);
    await terminal.close();
    expect(await adoptTerminal(host, { id, title: 'local' })).toBeUndefined();
  });
});

test('the engine’s way in is mended when it breaks', async () => {
  await using host = await localHost('engine');
  const id = newId();
  const terminal = await openTerminal(host, { id, title: 'local' });
  await using server = await serveTerminals(terminal);
  using page = new Page(server.url(terminal));
  await page.run('KEPT=42');
  const waysIn = async () =>
    (await processesWith('dtach -a')).filter(
      (line) => line.includes(id) && !line.includes('QUAYSIDE_STATUS'),
    );
  const [attached = ''] = await waysIn();
  process.kill(Number.parseInt(attached, 10), 'SIGKILL');
  // What is typed into a way in that is just breaking goes down with it; the next one carries it again.
  await expect.poll(async () => (await waysIn())[0] ?? attached).not.toBe(attached);
  expect(await page.run('echo "kept: $KEPT"')).toContain('kept: 42');
  await terminal.close();
});

test('the shared way in is mended when it breaks', async () => {
  await using host = await localHost('shared');
  const id = newId();
  await using relay = await breakable(host, id);
  const terminal = await openTerminal(relay.host, { id, title: 'local' });
  await using server = await serveTerminals(terminal);
  using page = new Page(server.url(terminal));
  await page.run('KEPT=42');
  const before = relay.connections;
  relay.breakAll();
  await expect.poll(() => relay.connections).toBeGreaterThan(before);
  expect(await page.run('echo "kept: $KEPT"')).toContain('kept: 42');
  await terminal.close();
});

test(`over ${CUTS} cuts at random moments nothing is missing and nothing comes twice`, async () => {
  await using host = await localHost('shared');
  const terminal = await openTerminal(host, { id: newId(), title: 'local' });
  await using server = await serveTerminals(terminal);
  using page = new Page(server.url(terminal));
  const integer = integers(seeded(7));
  page.keep = 100;
  await page.until(({ state }) => state.state === 'open');
  let rest = '';
  let last = 0;
  const wrong: string[] = [];
  page.onOutput = (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const number = /(?:^|\r)(\d+)\r$/.exec(line)?.[1];
      if (number === undefined) continue;
      if (Number(number) !== last + 1) wrong.push(`${number} after ${last}`);
      last = Number(number);
    }
  };
  page.type('seq 1 1000000000\r');
  await page.until(() => last > 0);
  let reconnected = 0;
  for (let cuts = 0; cuts < CUTS; cuts++) {
    const upTo = last + integer(3_000);
    await page.until(() => last > upTo);
    server.cut();
    await page.until(({ state }) => state.state === 'reconnecting');
    await page.until(({ state }) => state.state === 'open');
    reconnected += 1;
  }
  expect(wrong).toEqual([]);
  expect(reconnected).toBe(CUTS);
  expect(page.resets).toBe(1);
  await terminal.close();
});

test('what is typed over many cuts arrives once and in order', async () => {
  await using host = await localHost('shared');
  const terminal = await openTerminal(host, { id: newId(), title: 'local' });
  await using server = await serveTerminals(terminal);
  using page = new Page(server.url(terminal));
  const integer = integers(seeded(8));
  await page.run('stty -echo');
  page.type("echo rea''dy; cat\r");
  await page.until(({ screen }) => screen.includes('ready\r\n'));
  const lines = Array.from({ length: 400 }, (_, at) => `line ${at}`);
  for (const line of lines) {
    page.type(`${line}\r`);
    if (integer(4) === 0) {
      server.cut();
      // Some lines are typed while the link is down.
      if (integer(2) === 0) await page.until(({ state }) => state.state === 'open');
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  await page.until(({ screen }) => screen.includes(`line ${lines.length - 1}\r\n`));
  const printed = page.screen.split('\r\n').filter((line) => line.startsWith('line '));
  expect(printed).toEqual(lines);
  await terminal.close();
});

test('a long paste arrives whole, though the program reads late', async () => {
  await using host = await localHost('shared');
  const terminal = await openTerminal(host, { id: newId(), title: 'local' });
  await using server = await serveTerminals(terminal);
  using page = new Page(server.url(terminal));
  const paste = Array.from({ length: 100_000 }, (_, at) => `${at}`.padStart(9, '0')).join('\n');
  await page.run('stty raw -echo');
  page.type(`echo rea''dy; sleep 0.5; head -c ${paste.length} | tr -d '\\n' | cksum; stty sane\n`);
  await page.until(({ screen }) => screen.includes('ready'));
  page.type(paste);
  const { stdout } = await run('sh', ['-c', `seq -f %09.0f 0 99999 | tr -d '\\n' | cksum`]);
  await page.until(({ screen }) => screen.includes(stdout.trim()));
  await terminal.close();
});
