import { z } from 'zod';
import { tokensEqual } from '../base/tokens.ts';
import type { Learners } from './cookies.ts';
import type { Edge } from './edge.ts';
import { page, plainPage } from './html.ts';
import type { Api } from './schemas.ts';

const WRONG_TOKEN_PAGE = page(
  'This link does not sign you in',
  `<p>The start token in it is missing, or belongs to an earlier start of the server.</p>
<p>Look at the terminal where <code>npm start</code> runs. It printed a line
<code>Quayside is ready: http://…</code>; open that address.</p>`,
);

/** `GET /sign-in?token=…`: gives this browser its cookie and leads on to the front page. */
export function addSignIn(
  app: Api,
  { cookies, basePath }: Edge,
  { learners, startToken }: { readonly learners: Learners; readonly startToken: string },
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
        querystring: z.object({
          token: z.string().exactOptional(),
          learner: z
            .literal('new')
            .exactOptional()
            .describe('Not as the one learner, but as another one with hosts of their own'),
        }),
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
      const { token = '', learner } = request.query;
      if (!tokensEqual(token, startToken)) return plainPage(reply, 401, WRONG_TOKEN_PAGE);
      // A link on another site brings no cookie along, whoever is signed in: the browser gets another secret.
      if (cookies.learner(request.headers.cookie) === undefined) {
        const secret = learner === 'new' ? learners.create().secret : learners.signIn();
        cookies.set(reply, 'learner', secret);
      }
      return reply.redirect(`${basePath}/`, 303);
    },
  );
}
