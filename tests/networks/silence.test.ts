import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { Terminal } from '../../server/terminal/terminal.ts';
import { detour } from '../../src/client/detour.ts';
import { browserAt } from '../fixtures/browser-at.ts';
import { background, FakeShell } from '../unit/terminal/fake-shell.ts';
import { stage, TERMINAL } from '../unit/web/stage.ts';
import { page } from './stage.ts';

/** By then it is noticed, or back: each dead connection that the browser still holds may take it some seconds. */
const BACK_MS = 60_000;

/** A line to a server that can fall silent: what goes into its connections is lost, and neither end is told. */
async function line() {
  let target = 0;
  const open = new Set<{ swallows: boolean; readonly ends: readonly Socket[] }>();
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    const each = { swallows: false, ends: [near, far] };
    open.add(each);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on('data', (bytes) => {
        if (!each.swallows) to.write(bytes);
      });
      from.on('error', () => undefined);
      from.on('close', () => {
        if (!each.swallows) to.destroy();
      });
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const { ends } of open) for (const end of ends) end.destroy();
    server.close();
  });
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    leadTo: (port: number) => {
      target = port;
    },
    /** Of the connections that there are; new ones go through. */
    fallSilent: () => {
      for (const each of open) each.swallows = true;
    },
  };
}

test.each([
  ['over sockets', false],
  ['over HTTP', true],
])(
  'a line that falls silent without a close is noticed within half a minute %s; terminal and events come back by themselves, with what happened meanwhile',
  async (_, stopsSockets) => {
    const silent = await line();
    const web = await stage({ origins: [silent.origin] });
    silent.leadTo(web.port);
    const shell = new FakeShell();
    const identity = { id: TERMINAL, host: 'server01', title: 'server01' };
    const terminal = await Terminal.on(identity, shell, { cols: 80, rows: 24 }, { background });
    web.sessions.carried = terminal;
    web.sessions.terminals.set(TERMINAL, 'learner1');
    const browser = browserAt(silent.origin, await web.signIn(), { stopped: stopsSockets });
    onTestFinished(async () => {
      detour[Symbol.dispose]();
      browser[Symbol.dispose]();
      terminal.detach();
      await web[Symbol.asyncDispose]();
    });
    const { links, states, connection, screen, events } = page();
    await expect.poll(() => links.at(-1)).toEqual({ state: 'live' });
    await expect.poll(() => connection.state).toEqual({ state: 'open' });

    silent.fallSilent();
    const heard = links.length;
    const stood = states.length;
    shell.print('printed meanwhile');
    const checks = [{ id: 'myapp2-runs', state: 'passed', passedAt: 2 }] as const;
    web.sessions.change('learner1', { checks });

    await expect
      .poll(() => links.slice(heard), { timeout: BACK_MS })
      .toContainEqual({ state: 'reconnecting', goodbye: undefined });
    await expect.poll(() => links.at(-1), { timeout: BACK_MS }).toEqual({ state: 'live' });
    await expect.poll(screen, { timeout: BACK_MS }).toContain('printed meanwhile');
    expect(states.length).toBeGreaterThan(stood);
    expect(events.at(-1)).toMatchObject({ type: 'snapshot', snapshot: { checks } });
    connection.type('still typed into');
    await expect.poll(() => shell.input.join('')).toContain('still typed into');
  },
  4 * BACK_MS,
);
