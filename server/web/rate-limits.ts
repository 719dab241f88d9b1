import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance } from 'fastify';
import { tooOften } from './http-errors.ts';

const MINUTE_MS = 60_000;

/**
 * How often one learner may ask for what costs something. Nobody who uses a page comes near these: a fresh sandbox takes
 * two seconds, a new terminal a fifth of one, and a step that is done for somebody is typed. A program that asks without
 * end is held up by itself alone: learners of a class who share one address are counted apart.
 */
export const RATE_LIMITS = {
  /** Every page that is opened asks once, and it changes nothing where the hosts run. */
  start: perMinute(120),
  /** Once a second, each time for new hosts that take two. */
  fresh: perMinute(60),
  /** Sixteen may be open at once, and each can be closed and opened again. */
  terminals: perMinute(120),
  /** Quicker than anybody presses one button after the other. */
  runs: perMinute(240),
  /** Each is a process in a host; whoever drops a hundred files asks this often. All ways to files count as one. */
  files: { rateLimit: { ...perMinute(240).rateLimit, groupId: 'files' } },
  /** Typing a step takes a second and more. */
  steps: perMinute(60),
  /** Faster than anybody writes and sends a line. */
  answers: perMinute(120),
  /** Five in a second for ten minutes: a page that reloads itself each second is far below. */
  visits: { rateLimit: { max: 3_000, timeWindow: 10 * MINUTE_MS } },
} as const;

/** Takes in the limits of the routes that are added from here on, each by the learner who asks. */
export async function limitRates(app: FastifyInstance): Promise<void> {
  await app.register(rateLimit, {
    global: false,
    keyGenerator: ({ learner }) => learner,
    // Whoever is held up is told for how long; others have no use for a count.
    addHeadersOnExceeding: OFF,
    addHeaders: { ...OFF, 'retry-after': true },
    errorResponseBuilder: (_request, { ttl }) => tooOften(ttl),
  });
}

const OFF = {
  'x-ratelimit-limit': false,
  'x-ratelimit-remaining': false,
  'x-ratelimit-reset': false,
} as const;

function perMinute(max: number) {
  return { rateLimit: { max, timeWindow: MINUTE_MS } };
}
