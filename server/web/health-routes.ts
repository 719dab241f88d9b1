import { type Health, health } from '#schemas';
import { messageOf } from '../base/errors.ts';
import { type Api, body } from './schemas.ts';

/** `GET /healthz`, for whoever watches the server. @param ask rejecting counts as not able to serve */
export function addHealthRoutes(app: Api, ask: () => Health | Promise<Health>): void {
  app.get(
    '/healthz',
    {
      config: { public: true },
      schema: {
        summary: 'Whether the server can serve',
        security: [],
        response: { 200: body('It can.', health), 503: body('It can not, and why.', health) },
      },
    },
    async (_request, reply) => {
      const state = await Promise.try(ask).catch((error: unknown) => ({
        ok: false,
        reason: messageOf(error),
      }));
      return reply.code(state.ok ? 200 : 503).send(state);
    },
  );
}
