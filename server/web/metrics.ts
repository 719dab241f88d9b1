import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import ipaddr from 'ipaddr.js';
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { CHECK_RUNS, type CheckRun } from '../base/check-runs.ts';
import { tokensEqual } from '../base/tokens.ts';
import type { Edge } from './edge.ts';
import { httpError } from './http-errors.ts';

/** From a list call's 2 ms to the deadline of a check (s). */
const CHECK_SECONDS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** What a proxy adds. With it, a visitor from this machine is somebody from anywhere. */
const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'];
const LOOPBACK_HOST = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/;

/**
 * `GET /metrics`, as Prometheus reads it. Counts only: no name, id or word of anybody.
 *
 * @param token what a reader says in `Authorization: Bearer …`; without one, only this machine may read
 */
export function addMetrics(
  app: FastifyInstance,
  { sessions, sockets }: Edge,
  token: string | undefined,
): void {
  const registry = new Registry();
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
  for (const [name, help, count] of [
    ['sandboxes', 'Sandboxes that exist or are being made', () => sessions.figures().sandboxes],
    ['sandboxes_stopped', 'Sandboxes that are stopped and kept', () => sessions.figures().stopped],
    [
      'sandboxes_warm',
      'Sandboxes that stand ready for whoever comes next',
      () => sessions.figures().warm,
    ],
    ['terminals', 'Terminals of all sessions', () => sessions.figures().terminals],
    ['sockets', 'WebSockets of all pages', () => sockets.count],
  ] as const) {
    new Gauge({
      ...{ name: `quayside_${name}`, help, registers },
      collect() {
        this.set(count());
      },
    });
  }
  if (sessions.figures().nodes) {
    new Gauge({
      name: 'quayside_node_sandboxes',
      help: 'Sandboxes of learners on a node of the Swarm that can be reached',
      labelNames: ['node'],
      registers,
      collect() {
        this.reset();
        for (const [node, count] of Object.entries(sessions.figures().nodes ?? {})) {
          this.set({ node }, count);
        }
      },
    });
  }
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
    { config: { public: true }, schema: { hide: true } },
    async (request, reply) => {
      // Whoever may not read learns no more than of any other missing page, unless there is something to say.
      if (!mayRead(request, token)) {
        throw httpError(token === undefined ? 'NOT_FOUND' : 'METRICS_REFUSED');
      }
      return reply.type(registry.contentType).send(await registry.metrics());
    },
  );
}

function mayRead({ headers, raw }: FastifyRequest, token: string | undefined): boolean {
  if (token !== undefined) return tokensEqual(headers.authorization ?? '', `Bearer ${token}`);
  const { remoteAddress = '' } = raw.socket;
  return (
    ipaddr.isValid(remoteAddress) &&
    ipaddr.process(remoteAddress).range() === 'loopback' &&
    LOOPBACK_HOST.test(headers.host ?? '') &&
    !FORWARDED.some((name) => name in headers)
  );
}
