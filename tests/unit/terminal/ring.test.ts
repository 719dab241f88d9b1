import { expect, test } from 'vitest';
import { Ring } from '../../../server/terminal/ring.ts';
import { cut, integers, seeded } from '../../fixtures/random.ts';

function everythingIn(ring: Ring): Buffer {
  const pieces: Buffer[] = [];
  for (let at = ring.start; at < ring.head; ) {
    const piece = ring.read(at, 1000);
    pieces.push(Buffer.from(piece));
    at += piece.byteLength;
  }
  return Buffer.concat(pieces);
}

test('keeps exactly the last bytes, whatever the sizes they come in', () => {
  const integer = integers(seeded(1));
  const stream = Buffer.from(Array.from({ length: 300_000 }, () => integer(256)));
  const ring = new Ring(40_000);
  const evicted: Buffer[] = [];
  for (const piece of cut(stream, 3_000, integer)) {
    ring.append(piece, (bytes) => evicted.push(Buffer.from(bytes)));
  }
  expect(ring.head).toBe(stream.byteLength);
  expect(ring.start).toBe(stream.byteLength - 40_000);
  expect(everythingIn(ring).equals(stream.subarray(-40_000))).toBe(true);
  expect(Buffer.concat(evicted).equals(stream.subarray(0, -40_000))).toBe(true);
});

test('takes a piece larger than itself', () => {
  const ring = new Ring(10);
  const evicted: string[] = [];
  ring.append(Buffer.from('abc'));
  ring.append(Buffer.from('0123456789ABCDE'), (bytes) => evicted.push(bytes.toString()));
  expect(everythingIn(ring).toString()).toBe('56789ABCDE');
  expect(evicted.join('')).toBe('abc01234');
});

test('gives nothing at its head and refuses what it does not have', () => {
  const ring = new Ring(4);
  ring.append(Buffer.from('abcdef'));
  expect(ring.read(6, 10).byteLength).toBe(0);
  expect(() => ring.read(1, 1)).toThrow(RangeError);
  expect(() => ring.read(7, 1)).toThrow(RangeError);
});
