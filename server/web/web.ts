import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import cookie from '@fastify/cookie';
import Fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyServerOptions,
  LogController,
} from 'fastify';
import { validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Health } from '#protocol';
import type { Background } from '../base/background.ts';
import type { Roster } from '../class/roster.ts';
import type { Sessions } from '../session/sessions.ts';
import { addAccessControl } from './access.ts';
import { allowListFor, isSecureHost } from './allow-list.ts';
import { addBrowserProxy } from './browser-proxy.ts';
import { addInstructorRoutes } from './class/instructor-routes.ts';
import { addLearnerRoutes, addNoClass } from './class/learner-routes.ts';
import { Cookies, type Learners } from './cookies.ts';
import { HEADERS } from './csp.ts';
import { addFileRoutes } from './file-routes.ts';
import { addHealthRoutes } from './health-routes.ts';
import { errorPage, reads } from './html.ts';
import { bodyOf, httpErrorOf } from './http-errors.ts';
import { addLabRoutes } from './lab-routes.ts';
import { addMetrics } from './metrics.ts';
import { describeRoutes } from './openapi.ts';
import { limitRates } from './rate-limits.ts';
import { logRequests, SERIALIZERS } from './request-log.ts';
import { addSignIn } from './sign-in.ts';
import { addSite, answerNotFound } from './site-routes.ts';
import { addClassSockets, addEcho, addLabSockets } from './sockets/socket-routes.ts';
import { Sockets } from './sockets/sockets.ts';

export interface WebOptions {
  readonly sessions: Sessions;
  readonly learners: Learners;
  /** The built site; where it is missing, a page says so. */
  readonly dist: string;
  /** Where it will listen. With port 0 the real one is taken once it is known. */
  readonly host: string;
  readonly port: number;
  /** Further origins that lead here, e.g. `https://labs.example.org` of a proxy in front. */
  readonly origins?: readonly string[];
  /** The path of another site that a proxy puts this server below, such as `/quayside`. None, if not given. */
  readonly basePath?: string;
  /** Proxies whose `X-Forwarded-For` is believed, as addresses or networks. None, if not given. */
  readonly trustProxy?: readonly string[];
  /** Its own certificate and key (PEM); it then speaks https alone. */
  readonly tls?: Tls;
  /** A class that learners join. Without one, whoever has the start token is the one learner. */
  readonly roster?: Roster;
  /** What `GET /sign-in?token=…` must say; good for as long as the server runs, in any number of browsers. */
  readonly startToken: string;
  /** Whether the hosts are removed when the server stops; learners are told then. They stay, if not given. */
  readonly clean?: boolean;
  /** The owner of what nobody awaits. */
  readonly background: Background;
  /** Rejecting counts as not able to serve. */
  readonly health: () => Health | Promise<Health>;
  /** What a reader of `/metrics` must say. Without one, only this machine may read. */
  readonly metricsToken?: string;
  /** `info` tells every request to the API, `error` only defects. */
  readonly logLevel?: 'info' | 'error';
  /** Where the log goes; defects of ours are told, a line of JSON each, without cookies, queries or bodies. stderr, if not given. */
  readonly log?: { write(line: string): void };
}

export interface Tls {
  readonly cert: string;
  readonly key: string;
}

/** Everything a page sends is small: an address, an answer, a name. */
const BODY_BYTES = 16 * 1024;
/** HTTP: the answer of a route that answers nothing. */
const NO_CONTENT = 204;
/** Said to every page when the server stops. A close frame holds 123 bytes (RFC 6455, 5.5). */
const HOSTS_STAY = 'The server is stopping; your hosts and your work stay.';
const HOSTS_GO = 'The server is stopping; its hosts are removed, and your progress is kept.';
/** For the whole request to arrive; a visitor who dribbles bytes holds a connection no longer. */
const REQUEST_MS = 15_000;

/**
 * The web edge, ready to `listen({ host, port })` or `inject`. Closing it says goodbye on its sockets; the sessions
 * behind it belong to the caller.
 *
 * @throws QuaysideError CONFIG_INVALID for an origin that is none
 */
export async function buildWeb(options: WebOptions): Promise<FastifyInstance> {
  const { basePath = '' } = options;
  const app = Fastify({
    rewriteUrl: ({ url = '/' }) => withoutBase(url, basePath),
    bodyLimit: BODY_BYTES,
    requestTimeout: REQUEST_MS,
    forceCloseConnections: true,
    logController: new LogController({ disableRequestLogging: true }),
    logger: {
      level: options.logLevel ?? 'error',
      serializers: SERIALIZERS,
      stream: options.log ?? process.stderr,
    },
    trustProxy: options.trustProxy ? [...options.trustProxy] : false,
    ...secureServer(options.tls),
    frameworkErrors: (error, request, reply: FastifyReply) => {
      const { raw } = request;
      // No hook runs for these, so nobody else ends a connection that was to become a WebSocket.
      if (raw.headers.upgrade !== undefined) reply.raw.once('finish', () => raw.socket.end());
      const failure = httpErrorOf(error);
      reply.headers(HEADERS).code(failure.status).send(bodyOf(failure));
    },
  });

  let port = options.port;
  const namesAt = (at: number) =>
    allowListFor(options.host, at, options.origins ?? [], options.tls?.cert);
  let allowList = namesAt(port);
  app.server.on('listening', () => {
    port = (app.server.address() as AddressInfo).port;
    allowList = namesAt(port);
  });
  const { roster, sessions, background } = options;
  const cookies = new Cookies({
    learners: options.learners,
    classroom: roster?.classroom,
    basePath,
    port: () => port,
    isSecure: (host) => isSecureHost(allowList, host),
  });

  app.setErrorHandler((error, request, reply) => {
    const failure = httpErrorOf(error);
    if (failure.code === 'INTERNAL') request.log.error({ err: error, req: request });
    if (failure.code === 'WRONG_HOST' && reads(request)) return errorPage(reply, failure);
    return reply.code(failure.status).header('cache-control', 'no-store').send(bodyOf(failure));
  });
  app.setNotFoundHandler((request, reply) => answerNotFound(request, reply, options.dist));
  app.setValidatorCompiler(validatorCompiler);
  // The schemas describe answers and do not shape them: what a handler returns is typed already.
  app.setSerializerCompiler(() => JSON.stringify);
  app.removeContentTypeParser('text/plain');
  app.addHook('onRequest', async (_request, reply) => {
    reply.headers(HEADERS);
  });
  const sockets = await Sockets.on(app, background, options.clean ? HOSTS_GO : HOSTS_STAY);
  const edge = { sessions, background, cookies, sockets, basePath, allowList: () => allowList };
  addAccessControl(app, edge);
  logRequests(app);
  await app.register(cookie);
  await describeRoutes(app, cookies.name('learner'), basePath);
  await limitRates(app);
  await app.register(async (scope) => {
    const api = scope.withTypeProvider<ZodTypeProvider>();
    api.addHook('onSend', async (_request, reply) => {
      if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store');
    });
    api.addHook('preHandler', async ({ routeOptions }, reply) => {
      const answers = routeOptions.schema?.response as object | undefined;
      if (answers && NO_CONTENT in answers) reply.code(NO_CONTENT);
    });
    if (roster) {
      addLearnerRoutes(api, edge, roster);
      addInstructorRoutes(api, edge, roster);
      addClassSockets(api, edge, roster);
    } else {
      addNoClass(api);
      addSignIn(api, edge, options);
    }
    addLabRoutes(api, edge);
    addFileRoutes(api, edge);
    addLabSockets(api, edge);
    addEcho(api, edge);
    sockets.addStreams(api, cookies);
    addHealthRoutes(api, options.health);
    addMetrics(api, edge, options.metricsToken);
    api.get('/api/openapi.json', { config: { public: true }, schema: { hide: true } }, () =>
      app.swagger(),
    );
    await addBrowserProxy(api, edge);
  });
  await app.register((site) => addSite(site, options.dist, edge));

  return app;
}

/** The path that a route has. A proxy may have taken the base path away already. */
function withoutBase(url: string, basePath: string): string {
  if (basePath === '' || !url.startsWith(basePath)) return url;
  const rest = url.slice(basePath.length);
  if (rest.startsWith('/')) return rest;
  return rest === '' || rest.startsWith('?') ? `/${rest}` : url;
}

/** The framework sets the time limits of the servers it makes itself only. */
function secureServer(tls: Tls | undefined): Pick<FastifyServerOptions, 'serverFactory'> {
  if (!tls) return {};
  return {
    serverFactory: (handler) => {
      const server = createSecureServer({ cert: tls.cert, key: tls.key }, handler);
      server.requestTimeout = REQUEST_MS;
      return server;
    },
  };
}
