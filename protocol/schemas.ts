import { z } from 'zod';

/*
 * What the server answers over HTTP, said once: these schemas make `/api/openapi.json`, which lists those with an id and
 * refers to them, and give both sides their types. The page imports the types alone.
 */

const list = <Item extends z.ZodType>(item: Item) => z.array(item).readonly();

const milliseconds = z.number().describe('Milliseconds since the epoch');

const hostStatus = z.object({
  name: z.string(),
  aliases: list(z.string()).describe('Other names of the same machine'),
  address: z.string().describe("IPv4 address on the lab's network"),
  hasEngine: z.boolean().describe('Runs a Docker Engine of its own'),
  phase: z.enum(['waiting', 'starting', 'ready', 'down']),
  detail: z.string().describe('What it is doing, e.g. "engine starting"'),
});
/** Where a host is on its way to a prompt. `detail` is a short present-tense phrase. */
export type HostStatus = z.infer<typeof hostStatus>;

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
    hosts: list(hostStatus),
    trouble: z.string().exactOptional().describe('Why an earlier attempt failed'),
  }),
  z.object({ state: z.literal('ready'), hosts: list(hostStatus) }),
  z.object({ state: z.literal('failed'), reason: z.string(), remedy: z.string() }),
  z.object({ state: z.literal('ended'), reason: z.string() }),
  z.object({
    state: z.literal('stopped'),
    reason: z.string().describe('Why its hosts were stopped, and how long they are kept'),
    since: milliseconds,
    until: milliseconds.describe('When the hosts are removed, unless they are started again'),
  }),
]);
/** A session is exactly one of these. `none`: the learner has not started (or has ended and cleared) this lab. */
export type SessionStatus = z.infer<typeof sessionStatus>;

const fix = z.object({ host: z.string(), command: z.string() });
/** A command that leads out of a mistake, typed on one of the lab's hosts; offered to the learner with a Run button. */
export type Fix = z.infer<typeof fix>;

const guidePurpose = z
  .enum(['step', 'start'])
  .describe('One step that was asked for, or all before a place to start from');
export type GuidePurpose = z.infer<typeof guidePurpose>;

export const checkView = z
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
      help: guidePurpose.exactOptional().describe('How it was done for the learner'),
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
/** `unknown` means "could not check", and why. */
export type CheckView = z.infer<typeof checkView>;

const valueView = z.object({
  id: z.string(),
  text: z.string().exactOptional().describe('Absent while the hosts have no such value'),
});
export type ValueView = z.infer<typeof valueView>;

export const terminalView = z
  .object({
    id: z.string(),
    host: z.string(),
    title: z.string().describe("The tab's name"),
  })
  .meta({ id: 'TerminalView' });
export type TerminalView = z.infer<typeof terminalView>;

export const visitView = z
  .object({
    id: z.string(),
    url: z.string().describe('The address asked for, made whole'),
    from: z.string().describe('The host it was asked from'),
    outcome: z.enum(['page', 'refused', 'timed-out', 'unreachable', 'unknown-host', 'broken']),
    status: z.number().exactOptional().describe('HTTP status, where a page came'),
    title: z.string().exactOptional().describe("The page's title"),
    movedTo: z.string().exactOptional().describe('Where redirects led to in the end'),
    asksLogin: z
      .literal(true)
      .exactOptional()
      .describe('The page asks for a name and a password by basic authentication'),
    frame: z
      .string()
      .exactOptional()
      .describe('Path on this server that shows the page, sandboxed'),
    milliseconds: z.number(),
  })
  .meta({ id: 'VisitView' });
/** One page asked for in the browser pane. */
export type VisitView = z.infer<typeof visitView>;
/** How a visit ended; the words are those a browser would use. */
export type VisitOutcome = VisitView['outcome'];

const version = z
  .string()
  .describe('SHA-256 of the bytes in hexadecimal digits; `none` for a file that there is not');

export const folderView = z
  .object({
    path: z.string().describe('Absolute'),
    entries: list(
      z.object({
        name: z.string(),
        kind: z.enum(['folder', 'file', 'other']),
        bytes: z.number(),
      }),
    ).describe('Folders first, each by its name'),
    complete: z.boolean().describe('Whether everything in it is listed'),
  })
  .meta({ id: 'FolderView' });
/** A folder of a host. What a symbolic link leads to gives its kind. */
export type FolderView = z.infer<typeof folderView>;

export const fileView = z
  .object({
    path: z.string().describe('Absolute'),
    text: z.string(),
    version,
    writable: z.boolean().describe('By the learner, without sudo'),
  })
  .meta({ id: 'FileView' });
/** A text file of a host. */
export type FileView = z.infer<typeof fileView>;

export const savedView = z
  .discriminatedUnion('state', [
    z.object({ state: z.literal('saved'), version }),
    z.object({
      state: z.literal('changed'),
      version,
      text: z.string().exactOptional().describe('Absent where there is no file, or no text'),
    }),
  ])
  .meta({ id: 'SavedView' });
/** How a file was written: or not, because it is no longer the version that was named. */
export type SavedView = z.infer<typeof savedView>;

const guideAction = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('run'), host: z.string(), terminal: z.string() }),
  z.object({ kind: z.literal('open'), url: z.string(), visit: visitView.exactOptional() }),
  z.object({ kind: z.literal('answer'), check: z.string() }),
]);
/** Where something is being done for the learner. A `visit` is there once the page has come, or has not. */
export type GuideAction = z.infer<typeof guideAction>;

const job = z.string().describe('Tells two jobs apart');

export const guideView = z
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
      deed: guideAction.exactOptional().describe('Where it is being done'),
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
/** What is being done for the learner, or how the last of it ended. */
export type GuideView = z.infer<typeof guideView>;

export const runView = z
  .object({
    id: z.string(),
    host: z.string().describe("The host's own name"),
    block: z.string().describe('What was asked for, word for word'),
    terminal: z.string().describe('Where it is typed'),
    asks: z.string().exactOptional().describe('What the command asks and waits for'),
  })
  .meta({ id: 'RunView' });
/** A block that was typed by Run and whose last command has not ended. */
export type RunView = z.infer<typeof runView>;

const ending = z.object({
  inMs: z.number().describe('Milliseconds from now'),
  because: z.enum(['idle', 'total']),
  keeps: z
    .literal(true)
    .exactOptional()
    .describe('The hosts are stopped then, and kept; without it, they are removed'),
});
/** A coming end, told five minutes ahead. It counts from now: the page's clock need not agree with the server's. */
export type EndingView = z.infer<typeof ending>;

export const sessionSnapshot = z
  .object({
    lab: z.string(),
    status: sessionStatus,
    checks: list(checkView),
    values: list(valueView),
    terminals: list(terminalView),
    answers: z.record(z.string(), z.string()).describe('Check id to what was last answered'),
    runs: list(runView).describe('The blocks typed by Run that have not ended'),
    guide: guideView.describe('What is being done for the learner, or how the last of it ended'),
    ending: ending.exactOptional().describe('Present while the session is about to end'),
    changed: z
      .boolean()
      .exactOptional()
      .describe('Whether the lab has changed since its hosts were made: a reset takes the new one'),
  })
  .meta({ id: 'SessionSnapshot' });
/** Everything about a learner's session of one lab. */
export type SessionSnapshot = z.infer<typeof sessionSnapshot>;

const labView = z.object({
  name: z.string().describe('Its folder, and :lab in the paths'),
  title: z.string(),
  passed: z.number().describe('Checks that this learner has passed'),
  checks: z.number().describe('Checks there are'),
  state: z.enum(['none', 'queued', 'starting', 'ready', 'failed', 'ended', 'stopped']),
});
/** A lab in the list, with the learner's own n of m. */
export type LabView = z.infer<typeof labView>;
export const labViews = list(labView).meta({ id: 'Labs' });

export const health = z
  .object({
    ok: z.boolean(),
    reason: z.string().exactOptional().describe('What is wrong, where something is'),
    upSeconds: z.number().exactOptional().describe('Seconds since the server was started'),
  })
  .meta({ id: 'Health' });
/** Whether the server can serve, and what keeps it from it. */
export type Health = z.infer<typeof health>;

export const errorBody = z
  .object({
    code: z.string().describe('One of docs/errors.md'),
    message: z.string().describe('What happened to what'),
    remedy: z.string().describe('What to do about it'),
  })
  .meta({ id: 'ErrorBody' });
/** Body of every error answer. */
export type ErrorBody = z.infer<typeof errorBody>;

export const classView = z
  .discriminatedUnion('mode', [
    z.object({ mode: z.literal('single') }),
    z.object({
      mode: z.literal('class'),
      name: z.string(),
      me: z.object({ name: z.string() }).exactOptional().describe('Who this browser is'),
      out: errorBody.exactOptional().describe('Why this browser was somebody, and is nobody now'),
      instructor: z.boolean().describe('This browser is signed in as the instructor'),
    }),
  ])
  .meta({ id: 'Class' });
/** What anybody may know of the class. */
export type ClassView = z.infer<typeof classView>;

export const joinedView = z
  .object({
    name: z.string(),
    link: z.string().describe('The personal link, a path on this server; keep it secret'),
  })
  .meta({ id: 'Joined' });
/** The answer to joining and to coming back. Whoever has the link is this learner. */
export type JoinedView = z.infer<typeof joinedView>;
