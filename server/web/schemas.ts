import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type {
  CheckView,
  EndingView,
  ErrorBody,
  Fix,
  GuideView,
  HostStatus,
  SessionSnapshot,
  SessionStatus,
  TerminalView,
  ValueView,
  VisitView,
} from '#protocol';

/*
 * What comes in and goes out over HTTP, said once: the same schemas validate requests, give the handlers their types
 * and make `/api/openapi.json`, which lists those with an id and refers to them. Answers have the types that the page
 * is written against.
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
/** Browsers and servers agree on about this much for an address. */
const URL_CHARACTERS = 2_048;

const milliseconds = z.number().describe('Milliseconds since the epoch');

const hostStatus: z.ZodType<HostStatus> = z.object({
  name: z.string(),
  aliases: z.array(z.string()).describe('Other names of the same machine'),
  address: z.string().describe("IPv4 address on the lab's network"),
  hasEngine: z.boolean().describe('Runs a Docker Engine of its own'),
  phase: z.enum(['waiting', 'starting', 'ready', 'down']),
  detail: z.string().describe('What it is doing, e.g. "engine starting"'),
});

const sessionStatus: z.ZodType<SessionStatus> = z.discriminatedUnion('state', [
  z.object({ state: z.literal('none') }),
  z.object({
    state: z.literal('queued'),
    place: z.number().describe('1 is next'),
    because: z.enum(['full', 'busy']).describe('What is waited for: an end, or only starts'),
    waitSeconds: z.number().exactOptional().describe('An estimate; absent without grounds for one'),
  }),
  z.object({
    state: z.literal('starting'),
    hosts: z.array(hostStatus),
    trouble: z.string().exactOptional().describe('Why an earlier attempt failed'),
  }),
  z.object({ state: z.literal('ready'), hosts: z.array(hostStatus) }),
  z.object({ state: z.literal('failed'), reason: z.string(), remedy: z.string() }),
  z.object({ state: z.literal('ended'), reason: z.string() }),
]);

const fix: z.ZodType<Fix> = z.object({ host: z.string(), command: z.string() });

const checkView: z.ZodType<CheckView> = z
  .discriminatedUnion('state', [
    z.object({
      id: z.string(),
      state: z.literal('passed'),
      passedAt: milliseconds,
      moved: z
        .string()
        .exactOptional()
        .describe('Why it would not pass now, where the hosts have moved away from it since'),
      assisted: z.literal(true).exactOptional().describe('The step was done for the learner'),
    }),
    z.object({
      id: z.string(),
      state: z.literal('not-yet'),
      reason: z.string(),
      wayOut: fix.exactOptional().describe('A command that leads out of a known mistake'),
    }),
    z.object({ id: z.string(), state: z.literal('unknown'), reason: z.string() }),
  ])
  .meta({ id: 'CheckView' });

const valueView: z.ZodType<ValueView> = z.object({
  id: z.string(),
  text: z.string().exactOptional().describe('Absent while the hosts have no such value'),
});

const terminalView: z.ZodType<TerminalView> = z
  .object({
    id: z.string(),
    host: z.string(),
    title: z.string().describe("The tab's name"),
  })
  .meta({ id: 'TerminalView' });

const visitView: z.ZodType<VisitView> = z
  .object({
    id: z.string(),
    url: z.string().describe('The address asked for, made whole'),
    from: z.string().describe('The host it was asked from'),
    outcome: z.enum(['page', 'refused', 'timed-out', 'unreachable', 'unknown-host', 'broken']),
    status: z.number().exactOptional().describe('HTTP status, where a page came'),
    title: z.string().exactOptional().describe("The page's title"),
    frame: z
      .string()
      .exactOptional()
      .describe('Path on this server that shows the page, sandboxed'),
    milliseconds: z.number(),
  })
  .meta({ id: 'VisitView' });

const guideDeed = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('run'), host: z.string(), terminal: z.string() }),
  z.object({ kind: z.literal('open'), url: z.string(), visit: visitView.exactOptional() }),
  z.object({ kind: z.literal('answer'), check: z.string() }),
]);
const guidePurpose = z
  .enum(['step', 'start'])
  .describe('One step that was asked for, or all before a place to start from');
const job = z.string().describe('Tells two jobs apart');

const guideView: z.ZodType<GuideView> = z
  .discriminatedUnion('state', [
    z.object({ state: z.literal('idle') }),
    z.object({
      state: z.literal('working'),
      job,
      purpose: guidePurpose,
      step: z.string().exactOptional().describe('The step at hand'),
      place: z.number().describe('Which of how many steps; 0 before the first'),
      of: z.number(),
      says: z.string().describe('What is being done; what stands between back-ticks is code'),
      deed: guideDeed.exactOptional().describe('Where it is being done'),
    }),
    z.object({ state: z.literal('done'), job, purpose: guidePurpose, of: z.number() }),
    z.object({
      state: z.literal('stopped'),
      job,
      purpose: guidePurpose,
      step: z.string().exactOptional().describe('The step that did not come to its end'),
      reason: z.string(),
      remedy: z.string(),
    }),
  ])
  .meta({ id: 'GuideView' });

const ending: z.ZodType<EndingView> = z.object({
  inMs: z.number().describe('Milliseconds from now'),
  because: z.enum(['idle', 'total']),
});

const sessionSnapshot: z.ZodType<SessionSnapshot> = z
  .object({
    lab: z.string(),
    status: sessionStatus,
    checks: z.array(checkView),
    values: z.array(valueView),
    terminals: z.array(terminalView),
    answers: z.record(z.string(), z.string()).describe('Check id to what was last answered'),
    guide: guideView.describe('What is being done for the learner, or how the last of it ended'),
    ending: ending.exactOptional().describe('Present while the session is about to end'),
  })
  .meta({ id: 'SessionSnapshot' });

const labView = z.object({
  name: z.string().describe('Its folder, and :lab in the paths'),
  title: z.string(),
  passed: z.number().describe('Checks that this learner has passed'),
  checks: z.number().describe('Checks there are'),
  state: z.enum(['none', 'queued', 'starting', 'ready', 'failed', 'ended']),
});

/** A lab in the list, with the learner's own n of m. */
export type LabView = z.infer<typeof labView>;

const health = z
  .object({
    ok: z.boolean(),
    reason: z.string().exactOptional().describe('What is wrong, where something is'),
    upSeconds: z.number().exactOptional().describe('Seconds since the server was started'),
  })
  .meta({ id: 'Health' });

/** Whether the server can serve, and what keeps it from it. */
export type Health = z.infer<typeof health>;

const errorBody: z.ZodType<ErrorBody> = z
  .object({
    code: z.string().describe('One of docs/errors.md'),
    message: z.string().describe('What happened to what'),
    remedy: z.string().describe('What to do about it'),
  })
  .meta({ id: 'ErrorBody' });

/** The bodies that answers carry. */
export const ANSWERS = {
  SessionSnapshot: sessionSnapshot,
  TerminalView: terminalView,
  CheckView: checkView,
  VisitView: visitView,
  GuideView: guideView,
  Labs: z.array(labView).meta({ id: 'Labs' }),
  Health: health,
  ErrorBody: errorBody,
} as const;

const REFUSALS = {
  '4xx': body('Refused; nothing was changed.', ANSWERS.ErrorBody),
  '5xx': body('Failed.', ANSWERS.ErrorBody),
} as const;

/** What a route does, for OpenAPI, and what it answers where it is not refused. */
export function answers<Answer extends z.ZodType>(summary: string, answer: Answer) {
  return { summary, response: { 200: body('Done.', answer), ...REFUSALS } } as const;
}

/** What a route does that answers 204, with no body. */
export function answersNothing(summary: string) {
  return { summary, response: { 204: z.undefined().describe('Done.'), ...REFUSALS } } as const;
}

/** An answer with what it means. */
export function body<Schema extends z.ZodType>(description: string, schema: Schema) {
  return { description, content: { 'application/json': { schema } } } as const;
}

export const lab = z.string().regex(NAME);
export const terminal = z.string().regex(TERMINAL_ID);

/** Of a path without names. */
export const NO_NAMES = z.strictObject({});

/** Names in paths, and bodies of requests. Whatever is not listed is refused. */
export const REQUESTS = {
  lab: z.strictObject({ lab }),
  labAndTerminal: z.strictObject({ lab, terminal }),
  labAndCheck: z.strictObject({ lab, check: z.string().regex(NAME) }),
  labAndStep: z.strictObject({ lab, step: z.string().regex(NAME) }),
  start: z.union([
    z.strictObject({ page: z.string().regex(NAME).describe("A section's page") }),
    z.strictObject({ step: z.string().regex(NAME).describe("A step: its first check's id") }),
  ]),
  host: z.strictObject({ host: z.string().regex(NAME).describe('A name or an alias') }),
  answer: z.strictObject({ text: z.string().max(ANSWER_CHARACTERS) }),
  url: z.strictObject({ url: z.string().min(1).max(URL_CHARACTERS) }),
} as const;
