/** A buffer that counts how many of its bytes are looked at, one by one or by a search or a copy. */
export interface CountingBuffer {
  readonly buffer: Buffer;
  readonly visits: () => number;
}

type Cost = (length: number, args: readonly unknown[], result: unknown) => number;

const between = (length: number, from: unknown, to: unknown): number =>
  Number(to ?? length) - Number(from ?? 0);

/** What a method of a buffer looks at: how many bytes, by its arguments and its result. */
const COSTS: ReadonlyMap<PropertyKey, Cost> = new Map<PropertyKey, Cost>([
  [
    'indexOf',
    (length, [, from], result) =>
      between(length, from, Number(result) < 0 ? undefined : Number(result) + 1),
  ],
  ['toString', (length, [, from, to]) => between(length, from, to)],
  ['copy', (length, [, , from, to]) => between(length, from, to)],
  ['equals', (length) => length],
]);

export function countingBuffer(bytes: Buffer): CountingBuffer {
  let visits = 0;
  const wrap = (target: Buffer): Buffer =>
    new Proxy(target, {
      get: (_, key) => {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value === 'function') {
          return (...args: unknown[]) => {
            const result: unknown = Reflect.apply(value, target, args);
            visits += COSTS.get(key)?.(target.length, args, result) ?? 0;
            return key === 'subarray' ? wrap(result as Buffer) : result;
          };
        }
        if (typeof key === 'string' && /^\d+$/.test(key)) visits += 1;
        return value;
      },
    });
  return { buffer: wrap(bytes), visits: () => visits };
}

/** `text` again and again, so many bytes in all. */
export function repeated(text: string, bytes: number): Buffer {
  return Buffer.alloc(bytes, text, 'latin1');
}
