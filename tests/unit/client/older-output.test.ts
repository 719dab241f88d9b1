import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { OlderOutput } from '../../../src/client/terminal/older-output.ts';
import type { Screen } from '../../../src/client/terminal/screen.ts';

/** Idle callbacks that the page has asked for and not had. */
let idle: (() => void)[] = [];

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('requestIdleCallback', (work: () => void) => idle.push(work));
  vi.stubGlobal('cancelIdleCallback', (handle: number) => {
    idle[handle - 1] = () => undefined;
  });
});

afterEach(() => {
  idle = [];
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** The page has nothing else to do, until it asks for nothing more. */
async function beIdle(): Promise<void> {
  while (idle.length > 0) {
    const work = idle;
    idle = [];
    for (const piece of work) piece();
    await vi.advanceTimersByTimeAsync(0);
  }
}

class FakeScreen {
  text = '';
  muted = false;
  disposed = false;
  write(bytes: Uint8Array, done: () => void): void {
    this.text += Buffer.from(bytes).toString();
    done();
  }
  clear(): void {
    this.text = '';
  }
  [Symbol.dispose](): void {
    this.disposed = true;
  }
}

/** A server that has printed `all`, and a page whose replay began at `begin`. */
function stage(all: string, begin: number) {
  const screens: FakeScreen[] = [];
  const asked: number[] = [];
  const it = {
    screens,
    asked,
    shown: undefined as FakeScreen | undefined,
    wants: 'now' as 'now' | 'later' | 'never',
    mayReplace: true,
    older: undefined as unknown as OlderOutput,
    print(text: string) {
      it.older.add(Buffer.from(text), it.printed);
      it.printed += text.length;
    },
    printed: begin,
    /** The server's answer to the last question. */
    answer(bytes: number, from = asked.at(-1) ?? 0, preamble = '') {
      it.older.take({
        offset: from,
        preamble: Buffer.from(preamble),
        bytes: Buffer.from(all.slice(from, from + bytes)),
      });
    },
  };
  it.older = new OlderOutput({
    wants: () => it.wants,
    fetch: (offset) => void asked.push(offset),
    another: async () => {
      const screen = new FakeScreen();
      screens.push(screen);
      return screen as unknown as Screen;
    },
    replace: (screen) => {
      if (!it.mayReplace) return false;
      it.shown = screen as unknown as FakeScreen;
      return true;
    },
  });
  it.older.reset(begin);
  if (all.length > begin) it.print(all.slice(begin));
  return it;
}

test('a replay of everything lacks nothing', async () => {
  const it = stage('all', 0);
  it.older.look();
  await beIdle();
  expect(it.asked).toEqual([]);
  expect(it.older.isComplete).toBe(true);
});

test('what is older comes piece by piece, then what was printed meanwhile, each once and in order', async () => {
  const it = stage('0123456789', 6);
  it.older.look();
  expect(it.asked).toEqual([]);
  await beIdle();
  expect(it.asked).toEqual([0]);
  it.answer(4);
  it.print('ab');
  await beIdle();
  expect(it.asked).toEqual([0, 4]);
  // It may well be more than was wanted.
  it.answer(100);
  it.mayReplace = false;
  await beIdle();
  expect(it.screens[0]?.text).toBe('0123456789ab');
  expect(it.screens[0]?.muted).toBe(true);
  it.print('cd');
  it.mayReplace = true;
  vi.runOnlyPendingTimers();
  await beIdle();
  expect(it.shown?.text).toBe('0123456789abcd');
  expect(it.screens).toHaveLength(1);
  expect(it.older.isComplete).toBe(true);
});

test('what the server no longer keeps is left out, and the rest goes on from where it begins', async () => {
  const it = stage('0123456789', 8);
  it.older.look();
  await beIdle();
  it.answer(2);
  await beIdle();
  it.answer(3, 5, '<modes>');
  await beIdle();
  it.answer(9);
  await beIdle();
  expect(it.shown?.text).toBe('<modes>56789');
});

test('nothing is fetched where the lines worth having are on the screen already', async () => {
  const it = stage('0123456789', 4);
  it.older.look();
  await beIdle();
  it.answer(4, 4);
  await beIdle();
  expect(it.asked).toEqual([0]);
  expect(it.shown).toBeUndefined();
  expect(it.screens[0]?.disposed).toBe(true);
  expect(it.older.isComplete).toBe(true);
});

test.each(['later', 'never'] as const)('is not asked for where it is wanted %s', async (wants) => {
  const it = stage('0123456789', 4);
  it.wants = wants;
  it.older.look();
  await beIdle();
  expect(it.asked).toEqual([]);
  expect(it.older.isComplete).toBe(wants === 'never');
});

test('after a cut it is asked for anew; after a restart of the server it is gone', async () => {
  const it = stage('0123456789', 4);
  it.older.look();
  await beIdle();
  it.older.reattached(false);
  expect(it.screens[0]?.disposed).toBe(true);
  vi.runOnlyPendingTimers();
  await beIdle();
  expect(it.asked).toEqual([0, 0]);
  it.older.reattached(true);
  expect(it.screens[1]?.disposed).toBe(true);
  expect(it.older.isComplete).toBe(true);
});

test('a flood meanwhile has it asked for anew, one question at a time, and an answer to the old one is dropped', async () => {
  const it = stage('0123456789', 4);
  it.older.look();
  await beIdle();
  it.print('x'.repeat(2 * 1024 * 1024));
  vi.runOnlyPendingTimers();
  await beIdle();
  expect(it.asked).toEqual([0]);
  it.answer(4);
  expect(it.asked).toEqual([0, 0]);
  expect(it.screens.map(({ disposed, text }) => [disposed, text])).toEqual([
    [true, ''],
    [false, ''],
  ]);
});
