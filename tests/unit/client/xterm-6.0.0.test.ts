import type { Terminal } from '@xterm/xterm';
import { expect, test } from 'vitest';
import { mendXterm } from '../../../src/client/terminal/xterm-6.0.0.ts';

test.each([
  ['nothing inside', {}],
  ['another inside', { _core: { _renderService: {}, _selectionService: { refresh() {} } } }],
])('a terminal with %s is left as it is, and written to', (_, insides) => {
  const before = Object.keys(insides);
  const written: Uint8Array[] = [];
  const terminal = Object.assign(insides, { write: (bytes: Uint8Array) => written.push(bytes) });
  const bytes = new Uint8Array([1]);
  const mended = mendXterm(terminal as unknown as Terminal);
  mended.hold(true);
  mended.write(bytes);
  expect(written).toEqual([bytes]);
  expect(Object.keys(insides)).toEqual([...before, 'write']);
});
