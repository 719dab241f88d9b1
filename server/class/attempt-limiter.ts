import { QuaysideError } from '../base/errors.ts';

/** So many mistakes at once, then one more each so many ms. */
export interface AttemptLimits {
  readonly burst: number;
  readonly refillMs: number;
}

/**
 * A room full of people who mistype a code from behind one address gets along with this; a program that guesses gets 180
 * tries an hour, and there are five hundred thousand million codes.
 */
const PER_ADDRESS: AttemptLimits = { burst: 30, refillMs: 20_000 };
/** From everywhere together: 1,800 an hour. Half the codes would take more than ten thousand years. */
const OVERALL: AttemptLimits = { burst: 300, refillMs: 2_000 };
/** An IPv6 network gives one machine this many bits of address to play with. */
const IPV6_NETWORK_GROUPS = 4;

/**
 * Bounds how often secrets can be guessed, by address and over all. Only mistakes count, so a class that joins at once
 * from one address is not held up. An address from which somebody has got in is not held up by the mistakes of others.
 */
export class AttemptLimiter {
  readonly #perAddress: AttemptLimits;
  readonly #overall: Bucket;
  readonly #buckets = new Map<string, Bucket>();
  readonly #known = new Set<string>();
  readonly #now: () => number;

  constructor(
    options: {
      readonly perAddress?: AttemptLimits;
      readonly overall?: AttemptLimits;
      readonly now?: () => number;
    } = {},
  ) {
    this.#now = options.now ?? Date.now;
    this.#perAddress = options.perAddress ?? PER_ADDRESS;
    this.#overall = new Bucket(options.overall ?? OVERALL, this.#now());
  }

  /**
   * Asked before a secret is looked at, so that a right guess is worth nothing once the tries are used up.
   *
   * @throws QuaysideError TOO_MANY_TRIES with the time to wait
   */
  ask(address: string): void {
    const now = this.#now();
    const own = this.#buckets.get(networkOf(address));
    const wait = own?.wait(now) ?? 0;
    if (wait > 0) throw tooManyTries('from your network', wait);
    if (this.#known.has(networkOf(address))) return;
    const overall = this.#overall.wait(now);
    if (overall > 0) throw tooManyTries('from many places', overall);
  }

  /** It was wrong. */
  missed(address: string): void {
    const now = this.#now();
    const network = networkOf(address);
    for (const [key, bucket] of this.#buckets) if (bucket.isFull(now)) this.#buckets.delete(key);
    const own = this.#buckets.get(network) ?? new Bucket(this.#perAddress, now);
    this.#buckets.set(network, own);
    own.take(now);
    this.#overall.take(now);
  }

  /** It was right. */
  hit(address: string): void {
    this.#known.add(networkOf(address));
  }
}

/** Tries that are left, and come back with time. */
class Bucket {
  readonly #limits: AttemptLimits;
  #left: number;
  #at: number;

  constructor(limits: AttemptLimits, now: number) {
    this.#limits = limits;
    this.#left = limits.burst;
    this.#at = now;
  }

  take(now: number): void {
    this.#left = Math.max(0, this.#leftAt(now) - 1);
    this.#at = now;
  }

  /** Milliseconds until there is a try again; 0 where there is one. */
  wait(now: number): number {
    const left = this.#leftAt(now);
    return left >= 1 ? 0 : Math.ceil((1 - left) * this.#limits.refillMs);
  }

  isFull(now: number): boolean {
    return this.#leftAt(now) >= this.#limits.burst;
  }

  #leftAt(now: number): number {
    return Math.min(this.#limits.burst, this.#left + (now - this.#at) / this.#limits.refillMs);
  }
}

/** IPv4 whole; of IPv6 the network, for the rest is the visitor's own to change. */
function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped) return mapped;
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  const end = tail ? tail.split(':') : [];
  const missing = tail === undefined ? 0 : 8 - groups.length - end.length;
  const whole = [...groups, ...Array.from({ length: missing }, () => '0'), ...end];
  return whole.slice(0, IPV6_NETWORK_GROUPS).join(':');
}

function tooManyTries(whence: string, waitMs: number): QuaysideError {
  const seconds = Math.ceil(waitMs / 1_000);
  return new QuaysideError(
    'TOO_MANY_TRIES',
    `Too many wrong codes, links or secrets came ${whence}.`,
    `Wait ${seconds} ${seconds === 1 ? 'second' : 'seconds'}, then try once more, with care. A personal link of this class goes on working in a browser that is signed in.`,
  );
}
