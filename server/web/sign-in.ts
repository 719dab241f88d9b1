import { fastifyCookie } from '@fastify/cookie';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { tokensEqual } from '../base/tokens.ts';
import { page, plainPage } from './html.ts';
import type { Learners } from './learners.ts';
import type { Api } from './schemas.ts';

/** A year, in seconds: progress belongs to the cookie, and a class may come back next term. */
const COOKIE_SECONDS = 365 * 24 * 60 * 60;

/** The cookie's name. Cookies know no ports, so two servers on one machine need two names. */
export function cookieName(port: number): string {
  return `quayside_${port}`;
}

/** The learner that a request's `Cookie` header speaks for. The only way in, for HTTP and for sockets. */
export function learnerOf(
  header: string | undefined,
  port: number,
  learners: Learners,
): string | undefined {
  const secret = header === undefined ? undefined : fastifyCookie.parse(header)[cookieName(port)];
  return secret ? learners.find(secret) : undefined;
}

/**
 * Gives this browser a cookie that stays.
 *
 * @param secure whether it came by https; the cookie then goes by nothing else
 */
export function setLastingCookie(
  reply: FastifyReply,
  name: string,
  secret: string,
  secure: boolean,
  seconds = COOKIE_SECONDS,
): void {
  reply.setCookie(name, secret, {
    httpOnly: true,
    sameSite: 'strict',
    path: '/',
    maxAge: seconds,
    secure,
  });
}

const WRONG_TOKEN_PAGE = page(
  'This link does not sign you in',
  `<p>The start token in it is missing, or belongs to an earlier start of the server.</p>
<p>Look at the terminal where <code>npm start</code> runs. It printed a line
<code>Quayside is ready: http://…</code>; open that address.</p>`,
);

/** `GET /sign-in?token=…`: gives this browser its cookie and leads on to the front page. */
export function addSignIn(
  app: Api,
  options: {
    readonly learners: Learners;
    readonly startToken: string;
    readonly port: () => number;
    /** Whether a browser that names the server so speaks https to it. */
    readonly isSecure: (host: string) => boolean;
  },
): void {
  app.get(
    '/sign-in',
    {
      config: { public: true },
      exposeHeadRoute: false,
      schema: {
        summary: 'Sign this browser in',
        security: [],
        description: 'Sets the cookie that all else needs, and redirects to the front page.',
        querystring: z.object({ token: z.string().exactOptional() }),
        response: {
          303: z.undefined().describe('Signed in.'),
          401: {
            description: 'A page that says what to open instead.',
            content: { 'text/html': { schema: z.string() } },
          },
        },
      },
    },
    async (request, reply) => {
      if (!tokensEqual(request.query.token ?? '', options.startToken)) {
        return plainPage(reply, 401, WRONG_TOKEN_PAGE);
      }
      const port = options.port();
      if (learnerOf(request.headers.cookie, port, options.learners) === undefined) {
        const { secret } = options.learners.create();
        setLastingCookie(
          reply,
          cookieName(port),
          secret,
          options.isSecure(request.headers.host ?? ''),
        );
      }
      return reply.redirect('/', 303);
    },
  );
}
