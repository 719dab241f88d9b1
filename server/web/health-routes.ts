import { ANSWERS, type Api, body, type Health } from './schemas.ts';

/** `GET /healthz`, for whoever watches the server. @param health rejecting counts as not able to serve */
export function addHealthRoutes(app: Api, health: () => Health | Promise<Health>): void {
  app.get(
    '/healthz',
    {
      config: { public: true },
      schema: {
        summary: 'Whether the server can serve',
        security: [],
        response: {
          200: body('It can.', ANSWERS.Health),
          503: body('It can not, and why.', ANSWERS.Health),
        },
      },
    },
    async (_request, reply) => {
      const state = await stateOf(health);
      return reply.code(state.ok ? 200 : 503).send(state);
    },
  );
}

/** A server that cannot even be asked cannot serve. */
async function stateOf(health: () => Health | Promise<Health>): Promise<Health> {
  try {
    return await health();
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.message : String(error) };
  }
}
