import type {
  FastifyBaseLogger,
  FastifyContextConfig,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { errorBody } from '#schemas';

/*
 * What comes in over HTTP, and how routes are described. The schemas validate requests, give the handlers their types
 * and make `/api/openapi.json`. What goes out stands in `protocol/schemas.ts`.
 */

/** A part of the server's routes, whose handlers are typed by their schemas. */
export type Api = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** A lab's folder, a host, an alias or a check: the names that `lab.ts` may use. */
const NAME = /^[a-z0-9][a-z0-9-]{0,63}$/;
const TERMINAL_ID = /^[A-Za-z0-9_-]{1,64}$/;
/** An answer is a port, an address or an id; the longest is a network's 64 digits, with room for a clumsy paste. */
const ANSWER_CHARACTERS = 500;
/** A page's longest block is a file in a here-document. */
const BLOCK_CHARACTERS = 16_384;
/** Browsers and servers agree on about this much for an address. */
const URL_CHARACTERS = 2_048;
/** More than any code of a class, with room for what gets pasted along with it. */
const CODE_CHARACTERS = 64;
/** Longer names are refused with a better word by the class itself. */
const LEARNER_NAME_CHARACTERS = 200;
/** As `Store.createLearner` makes them. */
const LEARNER = /^[0-9a-f]{16}$/;
/** As a Swarm makes them: 25 of these. */
const NODE = /^[a-z0-9]{25}$/;
/** A few sentences: it lies over the learners' pages. */
const MESSAGE_CHARACTERS = 500;
/** Linux takes no longer path (PATH_MAX). */
const PATH_CHARACTERS = 4_095;
/** Of a file: see `SavedView`. */
const VERSION = /^(none|[0-9a-f]{64})$/;
/** Of a personal link; all of ours are shorter. */
const KEY_CHARACTERS = 200;

const REFUSALS = {
  '4xx': body('Refused; nothing was changed.', errorBody),
  '5xx': body('Failed.', errorBody),
} as const;

/** What a route takes: the names in its path, and a body. */
interface Taken {
  readonly params?: z.ZodType;
  readonly querystring?: z.ZodType;
  readonly body?: z.ZodType;
}

/** A route's options: what it does, for OpenAPI; what it answers where it is not refused; and what it takes. */
export function answering<Answer extends z.ZodType, Given extends Taken>(
  summary: string,
  answer: Answer,
  taken: Given,
  config: FastifyContextConfig = {},
) {
  const response = { 200: body('Done.', answer), ...REFUSALS };
  return { config, schema: { summary, ...taken, ...openTo(config), response } };
}

/** The same of a route that answers 204, with no body. Its handler returns nothing. */
export function answeringNothing<Given extends Taken>(
  summary: string,
  taken: Given,
  config: FastifyContextConfig = {},
) {
  const response = { 204: z.undefined().describe('Done.'), ...REFUSALS };
  return { config, schema: { summary, ...taken, ...openTo(config), response } };
}

function openTo(config: FastifyContextConfig): { readonly security?: [] } {
  return config.public ? { security: [] } : {};
}

/** An answer with what it means. */
export function body<Schema extends z.ZodType>(description: string, schema: Schema) {
  return { description, content: { 'application/json': { schema } } } as const;
}

const lab = z.string().regex(NAME);
const host = z.string().regex(NAME).describe('A name or an alias');
const terminal = z.string().regex(TERMINAL_ID);
const learner = z.string().regex(LEARNER);

/** Names in paths. Whatever is not listed is refused. */
export const PARAMS = {
  none: z.strictObject({}),
  lab: z.strictObject({ lab }),
  labAndHost: z.strictObject({ lab, host }),
  labAndTerminal: z.strictObject({ lab, terminal }),
  labAndCheck: z.strictObject({ lab, check: z.string().regex(NAME) }),
  labAndStep: z.strictObject({ lab, step: z.string().regex(NAME) }),
  learner: z.strictObject({ learner }),
  node: z.strictObject({ node: z.string().regex(NODE) }),
  learnerAndLab: z.strictObject({ learner, lab }),
  learnerLabAndHost: z.strictObject({ learner, lab, host }),
  learnerLabAndTerminal: z.strictObject({ learner, lab, terminal }),
} as const;

const path = z
  .string()
  .min(1)
  .max(PATH_CHARACTERS)
  .regex(/^[^\0]*$/)
  .describe('Absolute, or from the learner’s home');

/** Queries of requests. Whatever is not listed is refused. */
export const QUERIES = {
  path: z.strictObject({ path }),
  pathAndTarget: z.strictObject({ path, to: path }),
  pathAndVersion: z.strictObject({ path, version: z.string().regex(VERSION) }),
} as const;

/** Bodies of requests. Whatever is not listed is refused. */
export const BODIES = {
  start: z.union([
    z.strictObject({ page: z.string().regex(NAME).describe("A section's page") }),
    z.strictObject({ step: z.string().regex(NAME).describe("A step: its first check's id") }),
  ]),
  host: z.strictObject({ host }),
  run: z.strictObject({
    host,
    block: z.string().min(1).max(BLOCK_CHARACTERS),
    second: z.boolean().optional().describe('In a second terminal of the host'),
  }),
  answer: z.strictObject({ text: z.string().max(ANSWER_CHARACTERS) }),
  url: z.strictObject({ url: z.string().min(1).max(URL_CHARACTERS) }),
  join: z.strictObject({
    code: z.string().max(CODE_CHARACTERS),
    name: z.string().max(LEARNER_NAME_CHARACTERS),
  }),
  key: z.strictObject({ key: z.string().max(KEY_CHARACTERS) }),
  secret: z.strictObject({ secret: z.string().max(CODE_CHARACTERS) }),
  hand: z.strictObject({ raised: z.boolean() }),
  typing: z.strictObject({ allowed: z.boolean() }),
  message: z.strictObject({
    text: z.string().max(MESSAGE_CHARACTERS).regex(/\S/),
    to: learner.exactOptional().describe('One learner; everybody, if not given'),
  }),
} as const;
