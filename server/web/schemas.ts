import type { FastifySchema } from 'fastify';
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
 * What comes in and goes out over HTTP, said once: the same schemas validate requests and make `/api/openapi.json`.
 * `satisfies` ties the answers to the types that the page is written against.
 */

/** A lab's folder, a host, an alias or a check: the names that `lab.ts` may use. */
const NAME = /^[a-z0-9][a-z0-9-]{0,63}$/;
const TERMINAL_ID = /^[A-Za-z0-9_-]{1,64}$/;
/** An answer is a port, an address or an id; the longest is a network's 64 digits, with room for a clumsy paste. */
const ANSWER_CHARACTERS = 500;
/** Browsers and servers agree on about this much for an address. */
const URL_CHARACTERS = 2_048;

const milliseconds = z.number().describe('Milliseconds since the epoch');

const hostStatus = z.object({
  name: z.string(),
  aliases: z.array(z.string()).describe('Other names of the same machine'),
  address: z.string().describe("IPv4 address on the lab's network"),
  hasEngine: z.boolean().describe('Runs a Docker Engine of its own'),
  phase: z.enum(['waiting', 'starting', 'ready', 'down']),
  detail: z.string().describe('What it is doing, e.g. "engine starting"'),
}) satisfies z.ZodType<HostStatus>;

const sessionStatus = z.discriminatedUnion('state', [
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
]) satisfies z.ZodType<SessionStatus>;

const fix = z.object({ host: z.string(), command: z.string() }) satisfies z.ZodType<Fix>;

const checkView = z.discriminatedUnion('state', [
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
]) satisfies z.ZodType<CheckView>;

const valueView = z.object({
  id: z.string(),
  text: z.string().exactOptional().describe('Absent while the hosts have no such value'),
}) satisfies z.ZodType<ValueView>;

const terminalView = z.object({
  id: z.string(),
  host: z.string(),
  title: z.string().describe("The tab's name"),
}) satisfies z.ZodType<TerminalView>;

const visitView = z.object({
  id: z.string(),
  url: z.string().describe('The address asked for, made whole'),
  from: z.string().describe('The host it was asked from'),
  outcome: z.enum(['page', 'refused', 'timed-out', 'unreachable', 'unknown-host', 'broken']),
  status: z.number().exactOptional().describe('HTTP status, where a page came'),
  title: z.string().exactOptional().describe("The page's title"),
  frame: z.string().exactOptional().describe('Path on this server that shows the page, sandboxed'),
  milliseconds: z.number(),
}) satisfies z.ZodType<VisitView>;

const guideDeed = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('run'), host: z.string(), terminal: z.string() }),
  z.object({ kind: z.literal('open'), url: z.string(), visit: visitView.exactOptional() }),
  z.object({ kind: z.literal('answer'), check: z.string() }),
]);
const guidePurpose = z
  .enum(['step', 'start'])
  .describe('One step that was asked for, or all before a place to start from');
const job = z.string().describe('Tells two jobs apart');

const guideView = z.discriminatedUnion('state', [
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
]) satisfies z.ZodType<GuideView>;

const ending = z.object({
  inMs: z.number().describe('Milliseconds from now'),
  because: z.enum(['idle', 'total']),
}) satisfies z.ZodType<EndingView>;

const sessionSnapshot = z.object({
  lab: z.string(),
  status: sessionStatus,
  checks: z.array(checkView),
  values: z.array(valueView),
  terminals: z.array(terminalView),
  answers: z.record(z.string(), z.string()).describe('Check id to what was last answered'),
  guide: guideView.describe('What is being done for the learner, or how the last of it ended'),
  ending: ending.exactOptional().describe('Present while the session is about to end'),
}) satisfies z.ZodType<SessionSnapshot>;

const labView = z.object({
  name: z.string().describe('Its folder, and :lab in the paths'),
  title: z.string(),
  passed: z.number().describe('Checks that this learner has passed'),
  checks: z.number().describe('Checks there are'),
  state: z.enum(['none', 'queued', 'starting', 'ready', 'failed', 'ended']),
});

/** A lab in the list, with the learner's own n of m. */
export type LabView = z.infer<typeof labView>;

const health = z.object({
  ok: z.boolean(),
  reason: z.string().exactOptional().describe('What is wrong, where something is'),
  upSeconds: z.number().exactOptional().describe('Seconds since the server was started'),
});

/** Whether the server can serve, and what keeps it from it. */
export type Health = z.infer<typeof health>;

const errorBody = z.object({
  code: z.string().describe('One of docs/errors.md'),
  message: z.string().describe('What happened to what'),
  remedy: z.string().describe('What to do about it'),
}) satisfies z.ZodType<ErrorBody>;

/**
 * A JSON schema for fastify, which validates by draft 7. An answer may gain a member without breaking a reader, so only
 * what comes in is strict, by `strictObject`.
 */
export function json(schema: z.ZodType): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { target: 'draft-07', io: 'input' });
  return rest;
}

/** What a route answers: `answer` names one of the bodies below, or none for an empty one. */
export function answers(summary: string, answer: string | undefined): FastifySchema {
  return {
    summary,
    response: {
      ...(answer === undefined
        ? { 204: { description: 'Done.', type: 'null' } }
        : { 200: { description: 'Done.', $ref: `${answer}#` } }),
      '4xx': { description: 'Refused; nothing was changed.', $ref: 'ErrorBody#' },
      '5xx': { description: 'Failed.', $ref: 'ErrorBody#' },
    },
  };
}

/** The bodies that answers carry: named in OpenAPI, and referred to by `$ref`. */
export const ANSWERS = {
  SessionSnapshot: json(sessionSnapshot),
  TerminalView: json(terminalView),
  CheckView: json(checkView),
  VisitView: json(visitView),
  GuideView: json(guideView),
  Labs: json(z.array(labView)),
  Health: json(health),
  ErrorBody: json(errorBody),
} as const;

export const lab = z.string().regex(NAME);
export const terminal = z.string().regex(TERMINAL_ID);

/** Parameters and bodies of requests. Whatever is not listed is refused. */
export const REQUESTS = {
  lab: json(z.strictObject({ lab })),
  labAndTerminal: json(z.strictObject({ lab, terminal })),
  labAndCheck: json(z.strictObject({ lab, check: z.string().regex(NAME) })),
  labAndStep: json(z.strictObject({ lab, step: z.string().regex(NAME) })),
  start: json(
    z.union([
      z.strictObject({ page: z.string().regex(NAME).describe("A section's page") }),
      z.strictObject({ step: z.string().regex(NAME).describe("A step: its first check's id") }),
    ]),
  ),
  host: json(z.strictObject({ host: z.string().regex(NAME).describe('A name or an alias') })),
  answer: json(z.strictObject({ text: z.string().max(ANSWER_CHARACTERS) })),
  url: json(z.strictObject({ url: z.string().min(1).max(URL_CHARACTERS) })),
} as const;
