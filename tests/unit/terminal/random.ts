/** Numbers that look random and are the same in every run (mulberry32): 0 ≤ n < 1. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Whole numbers from 0 to `below` - 1. */
export function integers(random: () => number): (below: number) => number {
  return (below) => Math.floor(random() * below);
}

/** `bytes` in pieces of random sizes up to `largest`. */
export function* cut(
  bytes: Buffer,
  largest: number,
  integer: (below: number) => number,
): Generator<Buffer> {
  let at = 0;
  while (at < bytes.byteLength) {
    const length = 1 + integer(largest);
    yield bytes.subarray(at, at + length);
    at += length;
  }
}
