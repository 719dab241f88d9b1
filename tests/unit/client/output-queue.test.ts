import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { OutputQueue, type Pace } from '../../../src/client/terminal/output-queue.ts';

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

/** The page has nothing else to do. @returns how many pieces of work it found */
function beIdle(): number {
  const work = idle;
  idle = [];
  for (const piece of work) piece();
  return work.length;
}

/** Parses what it was given when it is told to. */
class SlowScreen {
  readonly given: number[] = [];
  #parsed: (() => void)[] = [];

  settled(done: () => void): void {
    this.#parsed.push(done);
  }

  parse(): void {
    const parsed = this.#parsed;
    this.#parsed = [];
    for (const done of parsed) done();
  }
}

function open(pace: Pace) {
  const queue = new OutputQueue<SlowScreen>();
  const screen = new SlowScreen();
  queue.pace = pace;
  queue.open(screen);
  let next = 0;
  const print = (bytes = 100) => {
    const number = next;
    next += 1;
    queue.add(({ given }) => given.push(number), bytes);
  };
  return { queue, screen, print };
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);

test('somebody looks: each piece of output is taken in as it comes', () => {
  const { screen, print } = open('at once');
  print();
  expect(screen.given).toEqual([0]);
  print();
  expect(screen.given).toEqual([0, 1]);
});

test('a hidden terminal’s lines are taken in together, once the page is idle', () => {
  const { screen, print } = open('when idle');
  for (const _ of upTo(20)) print();
  vi.runAllTimers();
  expect(screen.given).toEqual([]);
  expect(beIdle()).toBe(1);
  expect(screen.given).toEqual(upTo(20));
  screen.parse();
  vi.runAllTimers();
  expect(idle).toEqual([]);
});

test('much of it is taken in piece by piece, each when the page is idle again', () => {
  const { screen, print } = open('when idle');
  for (const _ of upTo(4)) print(12 * 1024);
  vi.runAllTimers();
  beIdle();
  expect(screen.given).toEqual(upTo(2));
  expect(beIdle()).toBe(0);
  screen.parse();
  beIdle();
  expect(screen.given).toEqual(upTo(4));
});

test('a hidden flood is taken in a few times a second, not as fast as it comes', () => {
  const { screen, print } = open('when idle');
  print();
  vi.advanceTimersByTime(1_000);
  beIdle();
  // Acknowledged, so more has come before the screen is done.
  print();
  screen.parse();
  expect(beIdle()).toBe(0);
  vi.advanceTimersByTime(1_000);
  beIdle();
  expect(screen.given).toEqual([0, 1]);
});

test('a hidden page does nothing with output, and takes it in when it is seen again', () => {
  const { queue, screen, print } = open('when idle');
  print();
  queue.pace = 'not now';
  for (const _ of upTo(9)) print();
  expect(vi.getTimerCount()).toBe(0);
  expect(beIdle()).toBe(0);
  queue.pace = 'at once';
  expect(screen.given).toEqual(upTo(10));
});

test('without a screen all waits, in order', () => {
  const queue = new OutputQueue<SlowScreen>();
  const screen = new SlowScreen();
  queue.pace = 'at once';
  queue.add(({ given }) => given.push(0), 1);
  queue.add(({ given }) => given.push(1));
  queue.open(screen);
  expect(screen.given).toEqual([0, 1]);
});

test('what has no output in it waits for what is before it, and for nothing else', () => {
  const { queue, screen, print } = open('when idle');
  queue.add(({ given }) => given.push(-1));
  expect(screen.given).toEqual([-1]);
  print();
  queue.add(({ given }) => given.push(-2));
  expect(screen.given).toEqual([-1]);
  queue.pace = 'at once';
  expect(screen.given).toEqual([-1, 0, -2]);
});

test('a screen that is cleared is spared the output that waits, and nothing else', () => {
  const { queue, screen, print } = open('not now');
  print();
  queue.add(({ given }) => given.push(-1));
  queue.dropOutput();
  print();
  queue.pace = 'at once';
  expect(screen.given).toEqual([-1, 1]);
});

test('however it is shown and hidden, all output is taken in once and in order', () => {
  const { queue, screen, print } = open('at once');
  const paces: readonly Pace[] = ['when idle', 'not now', 'at once', 'when idle', 'at once'];
  for (const step of upTo(500)) {
    print(5_000 * (step % 4) + 1);
    if (step % 3 === 0) vi.advanceTimersByTime(200);
    if (step % 5 === 0) beIdle();
    if (step % 7 === 0) screen.parse();
    const pace = paces[Math.floor(step / 11) % paces.length];
    if (pace && step % 11 === 0) queue.pace = pace;
  }
  queue.pace = 'at once';
  expect(screen.given).toEqual(upTo(500));
});

test('a closed one leaves nothing behind', () => {
  const { queue, screen, print } = open('when idle');
  print();
  queue[Symbol.dispose]();
  expect(vi.getTimerCount()).toBe(0);
  print();
  expect(screen.given).toEqual([]);
});
