import { z } from 'zod';
import type { ClassView, JoinedView } from '#protocol';
import { lab, terminal } from '../schemas.ts';

/** What comes in and goes out over HTTP in a class: as in `schemas.ts`, whose rules hold here too. */

/** More than any code, with room for what gets pasted along with it. */
const CODE_CHARACTERS = 64;
/** Longer names are refused with a better word by the class itself. */
const NAME_CHARACTERS = 200;
/** As `Store.createLearner` makes them. */
const LEARNER = /^[0-9a-f]{16}$/;
/** A few sentences: it lies over the learners' pages. */
const MESSAGE_CHARACTERS = 500;
/** Of a personal link; all of ours are shorter. */
const KEY_CHARACTERS = 200;

const learner = z.string().regex(LEARNER);

const classView: z.ZodType<ClassView> = z
  .discriminatedUnion('mode', [
    z.object({ mode: z.literal('single') }),
    z.object({
      mode: z.literal('class'),
      name: z.string(),
      me: z.object({ name: z.string() }).exactOptional().describe('Who this browser is'),
      instructor: z.boolean().describe('This browser is signed in as the instructor'),
    }),
  ])
  .meta({ id: 'Class' });

const joined: z.ZodType<JoinedView> = z
  .object({
    name: z.string(),
    link: z.string().describe('The personal link, a path on this server; keep it secret'),
  })
  .meta({ id: 'Joined' });

export const CLASS_ANSWERS = {
  Class: classView,
  Joined: joined,
} as const;

export const CLASS_REQUESTS = {
  join: z.strictObject({
    code: z.string().max(CODE_CHARACTERS),
    name: z.string().max(NAME_CHARACTERS),
  }),
  key: z.strictObject({ key: z.string().max(KEY_CHARACTERS) }),
  secret: z.strictObject({ secret: z.string().max(CODE_CHARACTERS) }),
  hand: z.strictObject({ raised: z.boolean() }),
  typing: z.strictObject({ allowed: z.boolean() }),
  learner: z.strictObject({ learner }),
  learnerAndLab: z.strictObject({ learner, lab }),
  learnerLabAndTerminal: z.strictObject({ learner, lab, terminal }),
  message: z.strictObject({
    text: z.string().max(MESSAGE_CHARACTERS).regex(/\S/),
    to: learner.exactOptional().describe('One learner; everybody, if not given'),
  }),
} as const;
