import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import type { QuaysideError } from '../base/errors.ts';
import type { Edge } from './edge.ts';
import { httpError, wrongHost, wrongOrigin } from './http-errors.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Whose request it is; set before any handler of a route that is not public. */
    learner: string;
  }
  interface FastifyContextConfig {
    /** Answered without login. Whatever does not say so asks for it. */
    readonly public?: boolean;
    /** Answered to the instructor of the class alone, whoever else is at that browser. */
    readonly instructor?: boolean;
    /**
     * Takes every method and WebSockets from any origin, because its path holds an unguessable key and it heeds no cookie. A sandboxed frame
     * has no origin to name.
     */
    readonly anyOrigin?: boolean;
  }
}

/** Of the names that are refused, the log tells so many, each once: whoever sends more is no proxy set up wrongly. */
const NAMES_LOGGED = 16;
const SAFE_METHODS = new Set(['GET', 'HEAD']);

/**
 * What is asked of every request before anything of it is read, in this order: the name it came by, the page it came
 * from (where it may change something, or asks for a WebSocket), and who sent it.
 */
export function addAccessControl(
  app: FastifyInstance,
  { allowList, cookies, basePath }: Edge,
): void {
  app.decorateRequest('learner', '');
  const logged = new Set<string>();
  /** Tells the operator, too: only they can set it right. */
  const refuse = (error: QuaysideError, log: FastifyBaseLogger): never => {
    if (!logged.has(error.message) && logged.size < NAMES_LOGGED) {
      logged.add(error.message);
      log.error({ code: error.code }, `${error.message} ${error.remedy}`);
    }
    throw error;
  };
  app.addHook('onRequest', async (request) => {
    const { headers, method } = request.raw;
    const { config } = request.routeOptions;
    const { hosts, origins } = allowList();
    const { host = '', origin = '' } = headers;
    if (!hosts.has(host)) refuse(wrongHost(host), request.log);
    // Every browser names the page that opens a WebSocket, and no rule but this keeps other sites' pages out.
    const asksOrigin = !config.anyOrigin && (request.ws || !SAFE_METHODS.has(method ?? ''));
    if (asksOrigin && !origins.has(origin)) refuse(wrongOrigin(origin), request.log);
    const isOpen = config.anyOrigin || (config.public && (!request.ws || config.socket));
    if (isOpen || (!request.ws && request.is404)) return;
    if (config.instructor) {
      if (!cookies.isInstructor(headers.cookie)) throw httpError('NOT_INSTRUCTOR', basePath);
    } else {
      const learner = cookies.learner(headers.cookie);
      if (learner === undefined) throw cookies.whyNobody(headers.cookie);
      request.learner = learner;
    }
    if (request.ws && !config.socket) throw httpError('NOT_FOUND');
  });
}
