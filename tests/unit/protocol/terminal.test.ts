import { expect, test } from 'vitest';
import {
  type ClientFrame,
  decodeClientFrame,
  decodeServerFrame,
  encodeClientFrame,
  encodeServerFrame,
  FrameError,
  MAX_CLIENT_FRAME,
  type ServerFrame,
} from '#protocol';
import { integers, seeded } from '../../fixtures/random.ts';

/** An offset that needs more than 32 bits. */
const FAR = 2 ** 40 + 7;
const BYTES = Uint8Array.of(0, 1, 0xff, 0x1b);

const CLIENT_FRAMES: readonly ClientFrame[] = [
  {
    type: 'hello',
    version: 1,
    client: 0xfedcba9876543210n,
    epoch: 3n,
    offset: FAR,
    attention: 'active',
  },
  {
    type: 'hello',
    version: 1,
    client: 1n,
    epoch: 0n,
    offset: 0,
    attention: 'visible',
    newest: 0xffffffff,
  },
  { type: 'input', offset: FAR, bytes: BYTES },
  { type: 'input', offset: 0, bytes: new Uint8Array() },
  { type: 'resize', cols: 213, rows: 57 },
  { type: 'ack', offset: FAR },
  { type: 'attention', attention: 'hidden' },
  { type: 'fetch', offset: FAR, bytes: 65_536, lines: 5_000 },
  { type: 'fetch', offset: FAR, bytes: 65_536, lines: 5_000, packed: true },
];

const SERVER_FRAMES: readonly ServerFrame[] = [
  {
    type: 'attached',
    version: 1,
    epoch: 0xffffffffffffffffn,
    resume: 'restarted',
    head: FAR,
    taken: 12,
    cols: 80,
    rows: 24,
    title: 'server01 (2) – é',
  },
  { type: 'output', offset: FAR, bytes: BYTES },
  { type: 'reset', offset: FAR, preamble: BYTES },
  { type: 'exit', status: 130 },
  { type: 'exit', status: undefined },
  { type: 'beat', taken: FAR },
  { type: 'size', cols: 2, rows: 1, yours: true },
  { type: 'older', offset: FAR, preamble: BYTES, bytes: Uint8Array.of(7, 8) },
  { type: 'older', offset: 0, preamble: new Uint8Array(), bytes: BYTES },
  { type: 'older', offset: 0, preamble: BYTES, bytes: BYTES, packed: true },
];

test.each(CLIENT_FRAMES)('carries $type from page to server unchanged', (frame) => {
  expect(decodeClientFrame(encodeClientFrame(frame))).toEqual(frame);
});

test.each(SERVER_FRAMES)('carries $type from server to page unchanged', (frame) => {
  expect(decodeServerFrame(encodeServerFrame(frame))).toEqual(frame);
});

test('older output whose preamble is longer than the frame is refused', () => {
  const frame = encodeServerFrame({ type: 'older', offset: 0, preamble: BYTES, bytes: BYTES });
  frame[10] = BYTES.length * 2 + 1;
  expect(() => decodeServerFrame(frame)).toThrow(FrameError);
});

test('tells a page of another version so, whatever else its hello holds', () => {
  expect(decodeClientFrame(Uint8Array.of(1, 9, 1, 2, 3))).toMatchObject({
    type: 'hello',
    version: 9,
  });
});

test.each([
  ['an empty frame', []],
  ['an unknown frame', [0x77]],
  ['a frame of the other direction', [0x82, 0, 0, 0, 0, 0, 0, 0, 0]],
  ['a short hello', [1, 1, 0]],
  ['an input without its offset', [2, 0, 0]],
  ['a resize to nothing', [3, 0, 0, 0, 0]],
  ['a resize to more than any screen', [3, 0xff, 0xff, 0, 24]],
  ['an offset beyond all bounds', [4, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]],
  ['an unknown attention', [5, 3]],
  ['a hello that is too long', [1, 1, ...Array.from({ length: 30 }, () => 0)]],
  ['a fetch of nothing', [6, 0, 0, 0, 0, 0, 0, 0, 0]],
  ['a long frame', Array.from({ length: MAX_CLIENT_FRAME + 1 }, () => 2)],
])('refuses %s', (_, bytes) => {
  expect(() => decodeClientFrame(Uint8Array.from(bytes))).toThrow(FrameError);
});

test('of 20,000 random frames each is decoded or refused, and nothing else happens', () => {
  const integer = integers(seeded(6));
  let decoded = 0;
  let refused = 0;
  for (let round = 0; round < 20_000; round++) {
    const bytes = randomFrame(integer);
    for (const decode of [decodeClientFrame, decodeServerFrame]) {
      try {
        decode(bytes);
        decoded += 1;
      } catch (error) {
        expect(error).toBeInstanceOf(FrameError);
        refused += 1;
      }
    }
  }
  expect(decoded).toBeGreaterThan(1_000);
  expect(refused).toBeGreaterThan(1_000);
});

/** Half of them noise, half of them good frames with a few bytes changed, cut or added. */
function randomFrame(integer: (below: number) => number): Uint8Array {
  if (integer(2) === 0) return Uint8Array.from({ length: integer(64) }, () => integer(256));
  const client = CLIENT_FRAMES[integer(CLIENT_FRAMES.length)];
  const server = SERVER_FRAMES[integer(SERVER_FRAMES.length)];
  const good =
    integer(2) === 0 && client ? encodeClientFrame(client) : server && encodeServerFrame(server);
  const bytes = [...(good ?? [])];
  for (let change = integer(3); change > 0; change--) bytes[integer(bytes.length)] = integer(256);
  if (integer(3) === 0) bytes.length = integer(bytes.length + 1);
  if (integer(5) === 0) bytes.push(integer(256));
  return Uint8Array.from(bytes);
}
