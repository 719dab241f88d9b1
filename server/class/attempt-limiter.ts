import ipaddr from 'ipaddr.js';
import { QuaysideError } from '../base/errors.ts';
import { TokenBucket } from '../base/token-bucket.ts';

/** So many mistakes at once, and so many a second from then on. */
export interface AttemptLimits {
  readonly burst: number;
  readonly perSecond: number;
}

/**
 * A room full of people who mistype a code from behind one address gets along with this; a program that guesses gets 180
 * attempts an hour, and there are five hundred thousand million codes.
 */
const PER_ADDRESS: AttemptLimits = { burst: 30, perSecond: 1 / 20 };
/** From everywhere together: 1,800 an hour. Half the codes would take more than ten thousand years. */
const OVERALL: AttemptLimits = { burst: 300, perSecond: 1 / 2 };
/** An IPv6 network gives one machine this many groups of the address to play with. */
const IPV6_NETWORK_GROUPS = 4;

/**
 * Bounds how often secrets can be guessed, by address and over all. Only mistakes count, so a class that joins at once
 * from one address is not held up. An address from which somebody has got in is not held up by the mistakes of others.
 */
export class AttemptLimiter {
  readonly #perAddress: AttemptLimits;
  readonly #overall: TokenBucket;
  readonly #byNetwork = new Map<string, TokenBucket>();
  readonly #known = new Set<string>();

  constructor({ perAddress = PER_ADDRESS, overall = OVERALL } = {}) {
    this.#perAddress = perAddress;
    this.#overall = new TokenBucket(overall.burst, overall.perSecond);
  }

  /**
   * Asked before a secret is looked at, so that a right guess is worth nothing once the attempts are used up.
   *
   * @throws QuaysideError TOO_MANY_TRIES with the time to wait
   */
  ask(address: string): void {
    const network = networkOf(address);
    const wait = this.#byNetwork.get(network)?.wait ?? 0;
    if (wait > 0) throw tooManyAttempts('from your network', wait);
    if (this.#known.has(network) || this.#overall.wait === 0) return;
    throw tooManyAttempts('from many places', this.#overall.wait);
  }

  /** It was wrong. */
  missed(address: string): void {
    for (const [key, bucket] of this.#byNetwork) if (bucket.isFull) this.#byNetwork.delete(key);
    const network = networkOf(address);
    const { burst, perSecond } = this.#perAddress;
    const own = this.#byNetwork.get(network) ?? new TokenBucket(burst, perSecond);
    this.#byNetwork.set(network, own);
    own.take();
    this.#overall.take();
  }

  /** It was right. */
  hit(address: string): void {
    this.#known.add(networkOf(address));
  }
}

/** IPv4 whole, however it is written; of IPv6 the network, for the rest is the visitor's own to change. */
function networkOf(address: string): string {
  // A proxy that is believed names whom it likes.
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  if (!(parsed instanceof ipaddr.IPv6)) return parsed.toString();
  return parsed.parts.slice(0, IPV6_NETWORK_GROUPS).join(':');
}

function tooManyAttempts(from: string, waitMs: number): QuaysideError {
  const seconds = Math.ceil(waitMs / 1_000);
  return new QuaysideError(
    'TOO_MANY_TRIES',
    `Too many wrong codes, links or secrets came ${from}.`,
    `Wait ${seconds} ${seconds === 1 ? 'second' : 'seconds'}, then try once more, with care. A personal link of this class goes on working in a browser that is signed in.`,
  );
}
