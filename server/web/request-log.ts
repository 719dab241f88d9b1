import type { FastifyInstance } from 'fastify';

/** A log line says which request failed, and holds no secret: no query (the start token), no cookie, no body. */
export const SERIALIZERS = {
  req: (request: { readonly method: string; readonly url: string }) => ({
    method: request.method,
    path: request.url.split('?', 1)[0]?.replace(/^\/pane\/[^/]+/, '/pane/…'),
  }),
};

/** Logs each request to the API, how it was answered and how long that took. */
export function logRequests(app: FastifyInstance): void {
  app.addHook('onResponse', async (request, reply) => {
    // The route and not the path: a path may hold a key. Files of the site are no news.
    const { url: route } = request.routeOptions;
    if (!route?.startsWith('/api/')) return;
    const { method, learner } = request;
    const milliseconds = Math.round(reply.elapsedTime);
    request.log.info(
      { method, route, status: reply.statusCode, learner, milliseconds },
      'answered',
    );
  });
}
