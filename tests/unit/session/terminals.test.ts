import { expect, onTestFinished, test, vi } from 'vitest';
import type { Lab } from '#lab';
import type { Host } from '../../../server/sandbox/host.ts';
import type { Sandbox } from '../../../server/sandbox/sandbox.ts';
import { Terminals } from '../../../server/session/terminals.ts';
import { Store } from '../../../server/store/store.ts';
import { Terminal } from '../../../server/terminal/terminal.ts';
import { FaultyDatabase } from '../../fixtures/faulty-database.ts';
import { background, FakeShell } from '../terminal/fake-shell.ts';

const HOST = { name: 'server01' } as Host;

/** The terminals of a session whose shells open when the test says so. */
async function stage() {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const store = new Store(new FaultyDatabase(), () => undefined);
  const closed = new AbortController();
  /** Openings that are under way. */
  const openings: PromiseWithResolvers<FakeShell>[] = [];
  /** Looks for shells of an earlier server that are under way. */
  const looks: PromiseWithResolvers<undefined>[] = [];
  const terminals = new Terminals({
    stored: store.session(store.learners.create().learner, 'harbour'),
    background,
    onChange: () => undefined,
    onKeys: () => undefined,
    onCommand: () => undefined,
    backend: {
      open: async (host, name) => {
        const opening = Promise.withResolvers<FakeShell>();
        openings.push(opening);
        const shell = await opening.promise;
        const identity = { ...name, host: host.name };
        return Terminal.on(identity, shell, { cols: 80, rows: 24 }, { background });
      },
      adopt: () => {
        const look = Promise.withResolvers<undefined>();
        looks.push(look);
        return look.promise;
      },
    },
  });
  onTestFinished(() => {
    closed.abort();
    terminals.detach();
    store[Symbol.dispose]();
    vi.useRealTimers();
  });
  const opened = terminals.open(HOST, closed.signal);
  openings.shift()?.resolve(new FakeShell());
  const { id } = await opened;
  return { terminals, openings, looks, id, signal: closed.signal };
}

/** Longer than a failed opening waits before its next. */
const pass = () => vi.advanceTimersByTimeAsync(10_000);

test('a tab has a new shell once its host has been restarted', async () => {
  const { terminals, openings, id, signal } = await stage();
  const before = terminals.get(id);
  terminals.hostEnded('server01');
  expect(() => terminals.get(id)).toThrow('This terminal is being taken up again.');
  expect(terminals.views).toMatchObject([{ id }]);
  terminals.hostStarted(HOST, signal);
  openings.shift()?.resolve(new FakeShell());
  await pass();
  expect(terminals.get(id)).not.toBe(before);
});

test('a host that ends again while its tabs are given shells has one opening for each tab, and no other', async () => {
  const { terminals, openings, id, signal } = await stage();
  terminals.hostEnded('server01');
  terminals.hostStarted(HOST, signal);
  const [first] = openings.splice(0);
  terminals.hostEnded('server01');
  first?.reject(new Error('server01 is not running.'));
  terminals.hostStarted(HOST, signal);
  await pass();
  expect(openings).toHaveLength(1);
  openings.shift()?.resolve(new FakeShell());
  await pass();
  expect(openings).toHaveLength(0);
  expect(terminals.get(id).host).toBe('server01');
});

test('a tab whose host starts while its shell of before is looked for has a new shell, whatever the look finds', async () => {
  const { terminals, openings, looks, id, signal } = await stage();
  terminals.detach();
  terminals.expect();
  const sandbox = { host: () => HOST } as unknown as Sandbox;
  const prepared = terminals.prepare({ hosts: [] } as unknown as Lab, sandbox, signal);
  terminals.hostStarted(HOST, signal);
  looks.shift()?.resolve(undefined);
  await prepared;
  openings.shift()?.resolve(new FakeShell());
  await pass();
  expect(terminals.get(id).host).toBe('server01');
});
