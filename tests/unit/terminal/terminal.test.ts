import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FrameError, OUTPUT_WINDOW } from '#protocol';
import { PAUSE_BEHIND, STALLED_AFTER_MS } from '../../../server/terminal/flow-control.ts';
import { RING_BYTES } from '../../../server/terminal/output.ts';
import { RECONNECT_GRACE_MS } from '../../../server/terminal/reconnect-grace.ts';
import { Terminal } from '../../../server/terminal/terminal.ts';
import type { Arrival, Viewer } from '../../../server/terminal/viewer.ts';
import { background, FakeShell } from './fake-shell.ts';

/** A page that keeps all it gets and acknowledges when told to. */
class FakePage {
  readonly viewer: Viewer;
  readonly resume: string;
  readonly sizes: string[] = [];
  screen = '';
  resets = 0;
  exit: number | undefined | 'none' = 'none';
  gone = '';
  readonly #terminal: Terminal;

  constructor(terminal: Terminal, arrival: Partial<Arrival> = {}) {
    this.#terminal = terminal;
    const { viewer, resume } = terminal.attach(
      { client: 1n, attention: 'visible', epoch: 0n, offset: 0, ...arrival },
      {
        wake: () => undefined,
        sized: ({ cols, rows }, yours) => this.sizes.push(`${cols}x${rows}${yours ? '!' : ''}`),
        closed: (why) => {
          this.gone = why;
        },
        drained: () => undefined,
      },
    );
    this.viewer = viewer;
    this.resume = resume;
  }

  /** Takes all there is for it. */
  read(): this {
    for (;;) {
      const next = this.#terminal.take(this.viewer, 10_000);
      if (next === undefined) return this;
      if (next.kind === 'exit') {
        this.exit = next.status;
        return this;
      }
      if (next.kind === 'reset') {
        this.screen = Buffer.from(next.preamble).toString();
        this.resets += 1;
      } else {
        this.screen += Buffer.from(next.bytes).toString();
      }
    }
  }

  acknowledge(): this {
    this.#terminal.acknowledge(this.viewer, this.viewer.sent);
    return this;
  }
}

const SIZE = { cols: 80, rows: 24 };
const LINE = `${'x'.repeat(1023)}\n`;

let shell: FakeShell;
let terminal: Terminal;

beforeEach(async () => {
  vi.useFakeTimers();
  shell = new FakeShell();
  terminal = await Terminal.on({ id: 't1', host: 'server01', title: 'server01' }, shell, SIZE, {
    background,
  });
});

afterEach(async () => {
  await terminal.close();
  expect(vi.getTimerCount()).toBe(0);
  expect([...background.failures.keys()]).toEqual([]);
  vi.useRealTimers();
});

function flood(bytes: number): void {
  for (let printed = 0; printed < bytes; printed += LINE.length) shell.print(LINE);
}

test('with nobody there the program runs on into the ring', () => {
  flood(RING_BYTES + 100_000);
  expect(shell.paused).toBe(false);
});

test('the program waits for a page that does not acknowledge, and goes on when it does', () => {
  const page = new FakePage(terminal);
  flood(PAUSE_BEHIND - LINE.length);
  expect(shell.paused).toBe(false);
  flood(2 * LINE.length);
  expect(shell.paused).toBe(true);
  page.read().acknowledge();
  expect(shell.paused).toBe(false);
});

test('a page is sent no more than the window beyond what it acknowledged', () => {
  const page = new FakePage(terminal);
  flood(3 * OUTPUT_WINDOW);
  expect(page.read().screen.length).toBe(OUTPUT_WINDOW);
  expect(page.acknowledge().read().screen.length).toBe(2 * OUTPUT_WINDOW);
});

test('the program waits while a socket is full, however much is acknowledged', () => {
  const page = new FakePage(terminal);
  terminal.block(page.viewer, true);
  expect(shell.paused).toBe(true);
  expect(terminal.take(page.viewer, 100)?.kind).toBe('reset');
  shell.print('x');
  expect(terminal.take(page.viewer, 100)).toBeUndefined();
  terminal.block(page.viewer, false);
  expect(shell.paused).toBe(false);
});

test('a hidden page holds nothing up', () => {
  const page = new FakePage(terminal);
  flood(2 * PAUSE_BEHIND);
  expect(shell.paused).toBe(true);
  terminal.attend(page.viewer, 'hidden');
  expect(shell.paused).toBe(false);
});

test('alone, a page that stands still makes the program wait for as long as it does', () => {
  new FakePage(terminal).read();
  flood(2 * PAUSE_BEHIND);
  vi.advanceTimersByTime(10 * STALLED_AFTER_MS);
  expect(shell.paused).toBe(true);
});

test('a page that stands still holds others up only for a while, and then gets what the ring still has', () => {
  const page = new FakePage(terminal).read();
  const other = new FakePage(terminal, { client: 2n });
  const keepUp = () => {
    for (let window = 0; window < 3; window++) other.read().acknowledge();
  };
  flood(2 * PAUSE_BEHIND);
  keepUp();
  expect(shell.paused).toBe(true);
  vi.advanceTimersByTime(STALLED_AFTER_MS + 1);
  expect(shell.paused).toBe(false);
  for (let printed = 0; printed < RING_BYTES + 500_000; printed += PAUSE_BEHIND) {
    flood(PAUSE_BEHIND);
    keepUp();
  }
  expect(shell.paused).toBe(false);
  page.read();
  expect(page.resets).toBe(2);
  expect(page.screen.startsWith('xxx')).toBe(true);
  page.acknowledge();
  flood(2 * PAUSE_BEHIND);
  keepUp();
  expect(shell.paused).toBe(true);
});

test('the slowest page that keeps up at all sets the pace; one that leaves does not', () => {
  const quick = new FakePage(terminal);
  const slow = new FakePage(terminal, { client: 2n });
  flood(2 * PAUSE_BEHIND);
  quick.read().acknowledge().read().acknowledge();
  expect(shell.paused).toBe(true);
  terminal.leave(slow.viewer, 'gone');
  expect(shell.paused).toBe(false);
});

test('before the ring drops what a page lacks whose link broke, the program waits, for as long as it is expected back', () => {
  const page = new FakePage(terminal).read();
  terminal.leave(page.viewer, 'lost');
  flood(RING_BYTES / 2);
  expect(shell.paused).toBe(false);
  flood(RING_BYTES / 2 - LINE.length);
  expect(shell.paused).toBe(true);
  const back = new FakePage(terminal, { epoch: terminal.epoch, offset: page.viewer.sent });
  expect(back.resume).toBe('exact');
  for (let window = 0; window < RING_BYTES / OUTPUT_WINDOW; window++) back.read().acknowledge();
  expect(shell.paused).toBe(false);
  terminal.leave(back.viewer, 'lost');
  flood(RING_BYTES);
  expect(shell.paused).toBe(true);
  vi.advanceTimersByTime(RECONNECT_GRACE_MS + 1);
  expect(shell.paused).toBe(false);
});

test('a page goes on at the exact byte', () => {
  const before = new FakePage(terminal);
  shell.print('one ');
  before.read();
  const offset = before.viewer.sent;
  terminal.leave(before.viewer, 'gone');
  shell.print('two');
  const after = new FakePage(terminal, { epoch: terminal.epoch, offset });
  expect(after.resume).toBe('exact');
  expect(after.read().screen).toBe('two');
  expect(after.resets).toBe(0);
});

test('a page that comes from before a restart keeps its screen', () => {
  shell.print('new');
  const page = new FakePage(terminal, { epoch: terminal.epoch ^ 2n, offset: 12_345 });
  expect(page.resume).toBe('restarted');
  expect(page.read().screen).toBe('new');
});

test('a replay whose beginning is lost starts at a line, in the modes of then, and has programs redraw', () => {
  shell.print('\x1b[?1049h\x1b[?25l');
  flood(RING_BYTES + 1);
  const page = new FakePage(terminal);
  expect(page.resume).toBe('replay');
  const preamble = '\x1b[?1049h\x1b[?25l';
  expect(terminal.take(page.viewer, 100)).toMatchObject({
    kind: 'reset',
    preamble: Buffer.from(preamble),
  });
  expect(page.read().screen.startsWith(LINE)).toBe(true);
  expect(page.screen.length).toBeLessThanOrEqual(OUTPUT_WINDOW);
  expect(shell.sizes.at(-1)).toBe('80x23');
  vi.runOnlyPendingTimers();
  expect(shell.sizes.at(-1)).toBe('80x24');
});

test('a page that claims more than there was, or acknowledges it, is refused', () => {
  shell.print('abc');
  expect(() => new FakePage(terminal, { epoch: terminal.epoch, offset: 4 })).toThrow(FrameError);
  const page = new FakePage(terminal).read();
  expect(() => terminal.acknowledge(page.viewer, 4)).toThrow(FrameError);
});

test('what a page sends again is typed once; what is missing is refused', () => {
  const page = new FakePage(terminal);
  terminal.input(page.viewer, 0, Buffer.from('abc'));
  terminal.leave(page.viewer, 'gone');
  const again = new FakePage(terminal);
  expect(terminal.taken(1n)).toBe(3);
  terminal.input(again.viewer, 1, Buffer.from('bcde'));
  terminal.input(again.viewer, 0, Buffer.from('ab'));
  expect(shell.input.join('')).toBe('abcde');
  expect(() => terminal.input(again.viewer, 9, Buffer.from('x'))).toThrow(FrameError);
});

/** What changes within one turn of the event loop takes effect together at the next. */
const nextTurn = () => vi.advanceTimersByTime(1);

test('the page that is used decides the size, and the others are told', () => {
  const first = new FakePage(terminal);
  const second = new FakePage(terminal, { client: 2n });
  nextTurn();
  terminal.resize(first.viewer, { cols: 100, rows: 30 });
  terminal.resize(second.viewer, { cols: 50, rows: 10 });
  expect(shell.sizes.at(-1)).toBe('100x30');
  expect(second.sizes).toEqual(['100x30']);
  nextTurn();
  terminal.attend(second.viewer, 'active');
  expect(shell.sizes.at(-1)).toBe('50x10');
  expect(first.sizes.at(-1)).toBe('50x10');
  expect(second.sizes.at(-1)).toBe('50x10!');
  nextTurn();
  terminal.leave(second.viewer, 'gone');
  expect(shell.sizes.at(-1)).toBe('100x30');
});

test('of 300,000 sizes in a few turns the shell and the pages are told a few, and the last', () => {
  const page = new FakePage(terminal);
  const other = new FakePage(terminal, { client: 2n });
  nextTurn();
  const [before, beforeOther] = [shell.sizes.length, other.sizes.length];
  const turns = 3;
  for (let turn = 0; turn < turns; turn++) {
    for (let sent = 0; sent < 100_000; sent++)
      terminal.resize(page.viewer, { cols: 80 + (sent % 7), rows: 24 });
    terminal.resize(page.viewer, { cols: 120, rows: 40 + turn });
    nextTurn();
  }
  expect(shell.sizes.length - before).toBeLessThanOrEqual(2 * turns);
  expect(other.sizes.length - beforeOther).toBeLessThanOrEqual(2 * turns);
  expect(shell.sizes.at(-1)).toBe('120x42');
  expect(other.sizes.at(-1)).toBe('120x42');
});

test('of pages that take the size from each other without end, each is told a few times a turn', () => {
  const pages = [new FakePage(terminal), new FakePage(terminal, { client: 2n })];
  nextTurn();
  const before = pages.map(({ sizes }) => sizes.length);
  for (let sent = 0; sent < 10_000; sent++) {
    for (const { viewer } of pages) terminal.attend(viewer, 'active');
  }
  nextTurn();
  for (const [at, { sizes }] of pages.entries()) {
    expect(sizes.length - (before[at] ?? 0)).toBeLessThanOrEqual(2);
  }
  expect(pages[1]?.sizes.at(-1)).toBe('80x24!');
});

test('a page gets all output before the exit', () => {
  const page = new FakePage(terminal);
  flood(3 * OUTPUT_WINDOW);
  shell.print('the tail');
  shell.note('end', 3);
  shell.print('what dtach prints');
  expect(page.read().exit).toBe('none');
  for (let window = 0; window < 3; window++) page.acknowledge().read();
  expect(page.screen.endsWith('the tail')).toBe(true);
  expect(page.exit).toBe(3);
});

test('finished commands are told', () => {
  const commands: unknown[] = [];
  using _ = terminal.onCommand((command) => commands.push(command));
  shell.print('\x1b]633;E;docker ps\x07\x1b]633;C\x07\x1b]633;D;');
  shell.print('0\x07');
  expect(commands).toEqual([{ line: 'docker ps', status: 0 }]);
});

test('closing ends the shell and tells the pages; letting go only tells them', async () => {
  const page = new FakePage(terminal);
  await terminal.close();
  await terminal.close();
  expect(shell.ended).toBe(true);
  expect(page.gone).toBe('closed');
  const other = new FakeShell();
  const kept = await Terminal.on({ id: 't2', host: 'h', title: 't' }, other, SIZE, { background });
  const looking = new FakePage(kept);
  kept.detach();
  expect(looking.gone).toBe('detached');
  expect(other.ended).toBe(false);
});
