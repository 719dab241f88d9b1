import type { Roster } from '../../class/roster.ts';
import { type Api, answers, answersNothing } from '../schemas.ts';
import { personalLink, secretIn } from './auth-routes.ts';
import { CLASS_ANSWERS, CLASS_REQUESTS } from './class-schemas.ts';

/** What learners ask of their class, under their own cookie. */
export function addLearnerRoutes(
  app: Api,
  { roster, port }: { readonly roster: Roster; readonly port: () => number },
): void {
  app.get(
    '/api/class/me',
    {
      schema: answers(
        'Who this browser is in the class, and the personal link',
        CLASS_ANSWERS.Joined,
      ),
    },
    ({ learner, headers }) => ({
      name: roster.entry(learner).member.name,
      // Made of the cookie that came with the request: the secret is kept nowhere.
      link: personalLink(secretIn(headers.cookie, port())),
    }),
  );
  app.put(
    '/api/class/me/hand',
    { schema: { body: CLASS_REQUESTS.hand, ...answersNothing('Raise one’s hand, or lower it') } },
    async ({ learner, body }, reply) => {
      roster.setHand(learner, body.raised);
      return reply.code(204).send();
    },
  );
  app.put(
    '/api/class/me/typing',
    {
      schema: {
        body: CLASS_REQUESTS.typing,
        ...answersNothing('Let the instructor type into terminals they watch, or no more'),
      },
    },
    async ({ learner, body }, reply) => {
      roster.setMayType(learner, body.allowed);
      return reply.code(204).send();
    },
  );
}
