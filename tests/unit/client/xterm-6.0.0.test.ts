import type { Terminal } from '@xterm/xterm';
import { expect, test } from 'vitest';
import { stopHiddenDrawing } from '../../../src/client/terminal/xterm-6.0.0.ts';

test.each([
  ['nothing inside', {}],
  ['another inside', { _core: { _renderService: {}, _selectionService: { refresh() {} } } }],
])('a terminal with %s is left as it is', (_, insides) => {
  const before = structuredClone(Object.keys(insides));
  expect(stopHiddenDrawing(insides as unknown as Terminal)).toBe(false);
  expect(Object.keys(insides)).toEqual(before);
});
