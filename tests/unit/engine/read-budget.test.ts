import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { OutputLimitError } from '../../../server/engine/output-limit.ts';
import { ReadBudget } from '../../../server/engine/read-budget.ts';

const MIB = 1024 ** 2;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
});

afterEach(() => {
  vi.useRealTimers();
});

test('a burst is read, and two MiB a second from then on', () => {
  const budget = new ReadBudget();
  budget.take(8 * MIB);
  vi.advanceTimersByTime(1_000);
  budget.take(2 * MIB);
  expect(() => budget.take(1)).toThrow(OutputLimitError);
});

test('a host that said too much is left alone for a while, with the reason', () => {
  const budget = new ReadBudget();
  expect(() => budget.take(9 * MIB)).toThrow('more than 8 MiB of output');
  expect(() => budget.assertOpen()).toThrow('more than 8 MiB of output');
  vi.advanceTimersByTime(4_999);
  expect(() => budget.assertOpen()).toThrow(OutputLimitError);
  vi.advanceTimersByTime(1);
  budget.assertOpen();
  budget.take(1);
});

test('a clock that was set back does not keep it closed', () => {
  const budget = new ReadBudget();
  budget.close(new OutputLimitError(1024));
  vi.setSystemTime(Date.now() - 3_600_000);
  expect(() => budget.assertOpen()).not.toThrow();
});
