import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { isIP } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { CHECK_RUNS, type CheckRun } from '../base/check-runs.ts';
import { QuaysideError } from '../base/errors.ts';
import { tokensEqual } from '../base/tokens.ts';
import type { Sessions } from '../session/sessions.ts';
import { notFound } from './http-errors.ts';

export interface MetricsOptions {
  readonly sessions: Sessions;
  /** What a reader says in `Authorization: Bearer …`. Without one, only this machine may read. */
  readonly token: string | undefined;
  /** How many WebSockets are open. */
  readonly sockets: () => number;
}

/** From a list call's 2 ms to the deadline of a check (s). */
const CHECK_SECONDS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** What a proxy adds. With it, a visitor from this machine is somebody from anywhere. */
const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'];
const LOOPBACK_HOST = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/;

/** `GET /metrics`, as Prometheus reads it. Counts only: no name, id or word of anybody. */
export function addMetrics(app: FastifyInstance, options: MetricsOptions): void {
  const registry = new Registry();
  const { sessions, sockets } = options;
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  new Gauge({
    name: 'quayside_sessions',
    help: 'Sessions of learners, by state',
    labelNames: ['state'],
    registers,
    collect() {
      this.reset();
      for (const [state, count] of Object.entries(sessions.figures().sessions)) {
        this.set({ state }, count);
      }
    },
  });
  new Gauge({
    name: 'quayside_sandboxes',
    help: 'Sandboxes that exist or are being made',
    registers,
    collect() {
      this.set(sessions.figures().sandboxes);
    },
  });
  new Gauge({
    name: 'quayside_sandboxes_warm',
    help: 'Sandboxes that stand ready for whoever comes next',
    registers,
    collect() {
      this.set(sessions.figures().warm);
    },
  });
  new Gauge({
    name: 'quayside_terminals',
    help: 'Terminals of all sessions',
    registers,
    collect() {
      this.set(sessions.figures().terminals);
    },
  });
  new Gauge({
    name: 'quayside_sockets',
    help: 'WebSockets of all pages',
    registers,
    collect() {
      this.set(sockets());
    },
  });
  const checks = new Histogram({
    name: 'quayside_check_seconds',
    help: 'Time that a check took to answer, by its answer',
    labelNames: ['state'],
    buckets: CHECK_SECONDS,
    registers,
  });
  const onRun = (message: unknown): void => {
    const { state, milliseconds } = message as CheckRun;
    checks.observe({ state }, milliseconds / 1_000);
  };
  subscribe(CHECK_RUNS, onRun);
  app.addHook('onClose', async () => {
    unsubscribe(CHECK_RUNS, onRun);
  });

  app.get(
    '/metrics',
    {
      config: { public: true },
      schema: { hide: true },
    },
    async (request, reply) => {
      if (!mayRead(request, options.token)) throw refused(options.token);
      return reply.type(registry.contentType).send(await registry.metrics());
    },
  );
}

function mayRead({ headers, raw }: FastifyRequest, token: string | undefined): boolean {
  if (token !== undefined) return tokensEqual(headers.authorization ?? '', `Bearer ${token}`);
  return (
    isLoopback(raw.socket.remoteAddress ?? '') &&
    LOOPBACK_HOST.test(headers.host ?? '') &&
    !FORWARDED.some((name) => name in headers)
  );
}

function isLoopback(address: string): boolean {
  const plain = address.replace(/^::ffff:/, '');
  return plain === '::1' || (isIP(plain) === 4 && plain.startsWith('127.'));
}

/** Whoever may not read learns no more than of any other missing page, unless there is something to say. */
function refused(token: string | undefined): QuaysideError {
  if (token === undefined) return notFound();
  return new QuaysideError(
    'METRICS_REFUSED',
    'The metrics are read with a token.',
    'Send Authorization: Bearer and the token of the config file or QUAYSIDE_METRICS_TOKEN.',
  );
}
