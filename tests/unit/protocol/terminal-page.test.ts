import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  ACKNOWLEDGE_EVERY,
  BEAT_MS,
  type ClientFrame,
  encodeClientFrame,
  encodeServerFrame,
  INPUT_WINDOW,
  MAX_CLIENT_FRAME,
  MAX_OUTPUT_BYTES,
  OUTPUT_WINDOW,
  type ServerFrame,
  TERMINAL_CLOSE,
  TERMINAL_PROTOCOL_VERSION,
  TERMINAL_SIZE_LIMITS,
} from '#protocol';
import { LABEL } from '../../../server/sandbox/labels.ts';
import { TERMINALS_MOST } from '../../../server/session/terminals.ts';
import { STALLED_AFTER_MS } from '../../../server/terminal/flow-control.ts';
import { RING_BYTES } from '../../../server/terminal/output.ts';
import { RECONNECT_GRACE_MS } from '../../../server/terminal/reconnect-grace.ts';
import { MAX_VIEWERS } from '../../../server/terminal/terminal.ts';
import { SOCKETS_PER_LEARNER } from '../../../server/web/sockets/sockets.ts';

const PAGE = readFileSync(new URL('../../../docs/terminal-protocol.md', import.meta.url), 'utf8');
const NOTHING = new Uint8Array();

/** One of each; a type that is missing here does not compile. */
const CLIENT_FRAMES: { readonly [T in ClientFrame['type']]: Extract<ClientFrame, { type: T }> } = {
  hello: {
    type: 'hello',
    version: TERMINAL_PROTOCOL_VERSION,
    client: 1n,
    epoch: 0n,
    offset: 0,
    attention: 'visible',
    newest: 0,
  },
  input: { type: 'input', offset: 0, bytes: NOTHING },
  resize: { type: 'resize', cols: 80, rows: 24 },
  ack: { type: 'ack', offset: 0 },
  attention: { type: 'attention', attention: 'hidden' },
  fetch: { type: 'fetch', offset: 0, bytes: 0, lines: 0, packed: true },
};
const SERVER_FRAMES: { readonly [T in ServerFrame['type']]: Extract<ServerFrame, { type: T }> } = {
  attached: {
    type: 'attached',
    version: TERMINAL_PROTOCOL_VERSION,
    epoch: 1n,
    resume: 'exact',
    head: 0,
    taken: 0,
    cols: 80,
    rows: 24,
    title: '',
  },
  output: { type: 'output', offset: 0, bytes: NOTHING },
  reset: { type: 'reset', offset: 0, preamble: NOTHING },
  exit: { type: 'exit', status: 0 },
  beat: { type: 'beat', taken: 0 },
  size: { type: 'size', cols: 80, rows: 24, yours: true },
  older: { type: 'older', offset: 0, preamble: NOTHING, bytes: NOTHING },
};

/** The cells of the rows of all tables whose first cell has the form of `first`. */
function rows(first: RegExp): readonly (readonly string[])[] {
  return PAGE.split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )
    .filter(([cell = '']) => first.test(cell));
}

/** The bytes that a row's layout adds up to: "version (1 byte) · client (8)"; what has no number may be empty. */
function lengthOf(layout: string): number {
  return [...layout.matchAll(/\((\d+)[^)]*\)/g)].reduce((sum, [, bytes]) => sum + Number(bytes), 1);
}

test('the page lists every frame, with its first byte and its length', () => {
  const listed = rows(/^0x/).map(([byte, frame, layout = '']) => [byte, frame, lengthOf(layout)]);
  const encoded = [
    ...Object.values(CLIENT_FRAMES).map((frame) => [frame.type, encodeClientFrame(frame)] as const),
    ...Object.values(SERVER_FRAMES).map((frame) => [frame.type, encodeServerFrame(frame)] as const),
    ['packed', encodeServerFrame({ ...SERVER_FRAMES.older, packed: true })] as const,
  ];
  expect(listed).toEqual(
    encoded.map(([type, bytes]) => [
      `0x${bytes[0]?.toString(16).padStart(2, '0')}`,
      `\`${type}\``,
      bytes.byteLength,
    ]),
  );
});

test('the page lists every close code of ours', () => {
  const listed = rows(/^4\d{3}$/).map(([code]) => Number(code));
  expect(listed).toEqual(Object.values(TERMINAL_CLOSE).sort((a, b) => a - b));
});

test('the page names the version and the limits in force', () => {
  const kib = (bytes: number): string => `${bytes / 1024} KiB`;
  const limits = new Map(rows(/./).map(([what = '', limit = '']) => [what, limit]));
  const { minCols, maxCols, minRows, maxRows } = TERMINAL_SIZE_LIMITS;
  expect(PAGE).toContain(`The version is **${TERMINAL_PROTOCOL_VERSION}**`);
  expect(limits.get('terminals of one session')).toBe(`${TERMINALS_MOST}`);
  expect(limits.get('sockets of one learner, those for events included')).toBe(
    `${SOCKETS_PER_LEARNER}`,
  );
  expect(limits.get('a frame from a page')).toBe(`${kib(MAX_CLIENT_FRAME)}, head included`);
  expect(limits.get('output in one frame')).toBe(kib(MAX_OUTPUT_BYTES));
  expect(limits.get('sent and not acknowledged, per page')).toBe(kib(OUTPUT_WINDOW));
  expect(limits.get('input under way, per page')).toContain(kib(INPUT_WINDOW));
  expect(limits.get('size')).toBe(
    `${minCols} to ${maxCols} columns, ${minRows} to ${maxRows} rows`,
  );
  expect(limits.get('pages on one terminal')).toBe(`${MAX_VIEWERS}`);
  expect(limits.get('kept for replay')).toBe(`the last ${RING_BYTES / 2 ** 20} MiB`);
  expect(PAGE).toContain(`at the latest after ${kib(ACKNOWLEDGE_EVERY)}`);
  expect(PAGE).toContain(`\`beat\` comes at least every ${BEAT_MS / 1000} s`);
  expect(PAGE).toContain(`makes no progress for ${STALLED_AFTER_MS / 1000} s`);
  expect(PAGE).toContain(`for ${RECONNECT_GRACE_MS / 1000} s the program waits`);
});

test('the way from a terminal to its containers uses the labels in force', () => {
  expect(PAGE).toContain(`--filter label=${LABEL.host})`);
  expect(PAGE).toContain(`--filter label=${LABEL.sandbox}=`);
});
