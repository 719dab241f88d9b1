/**
 * What the server tells the page about a session, and what the page may ask: one discriminated union for both sides.
 * JSON over one WebSocket per page (`/api/labs/:lab/events`), server to page only; requests go over HTTP.
 */

/** Where a host is on its way to a prompt. `detail` is a short present-tense phrase, such as "engine starting". */
export interface HostStatus {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly address: string;
  readonly hasEngine: boolean;
  readonly phase: 'waiting' | 'starting' | 'ready' | 'down';
  readonly detail: string;
}

/** A session is exactly one of these. `none`: the learner has not started (or has ended and cleared) this lab. */
export type SessionStatus =
  | { readonly state: 'none' }
  /** Waits for room on the machine. `place` 1 is next; without `waitSeconds` there is nothing to estimate by. */
  | {
      readonly state: 'queued';
      readonly place: number;
      readonly because: 'full' | 'busy';
      readonly waitSeconds?: number;
    }
  /** `trouble`: why an earlier attempt failed, while another is under way. */
  | {
      readonly state: 'starting';
      readonly hosts: readonly HostStatus[];
      readonly trouble?: string;
    }
  | { readonly state: 'ready'; readonly hosts: readonly HostStatus[] }
  | { readonly state: 'failed'; readonly reason: string; readonly remedy: string }
  | { readonly state: 'ended'; readonly reason: string };

/** A command that leads out of a mistake, offered to the learner with a Run button. */
export interface Fix {
  /** The host it is typed on, one of the lab's own. */
  readonly host: string;
  readonly command: string;
}

/** `unknown` means "could not check", and why. */
export type CheckView =
  | {
      readonly id: string;
      readonly state: 'passed';
      readonly passedAt: number;
      /** Why the check would not pass now, where the hosts have moved away from it since. The pass stays. */
      readonly moved?: string;
      /** The step was done for the learner. */
      readonly assisted?: true;
    }
  | {
      readonly id: string;
      readonly state: 'not-yet';
      readonly reason: string;
      readonly wayOut?: Fix;
    }
  | { readonly id: string; readonly state: 'unknown'; readonly reason: string };

/** `text` is absent while the hosts have no such value yet. */
export interface ValueView {
  readonly id: string;
  readonly text?: string;
}

export interface TerminalView {
  readonly id: string;
  readonly host: string;
  /** `server01`, `server01 (2)` …: the tab's name. */
  readonly title: string;
}

/** How a visit in the browser pane ended; the words are those a browser would use. */
export type VisitOutcome =
  | 'page'
  | 'refused'
  | 'timed-out'
  | 'unreachable'
  | 'unknown-host'
  | 'broken';

/** One page asked for in the browser pane. */
export interface VisitView {
  readonly id: string;
  /** The address asked for, made whole: `http://10.1.10.11:32768/`. */
  readonly url: string;
  /** The host it was asked from. */
  readonly from: string;
  readonly outcome: VisitOutcome;
  readonly status?: number;
  /** The page's `<title>`, where it has one. */
  readonly title?: string;
  /** Path on this server that shows the page inside a sandboxed frame; present when `outcome` is `page`. */
  readonly frame?: string;
  readonly milliseconds: number;
}

/** Where something is being done for the learner, so that the page can show that place. */
export type GuideAction =
  | { readonly kind: 'run'; readonly host: string; readonly terminal: string }
  /** `visit` is there once the page has come, or has not. */
  | { readonly kind: 'open'; readonly url: string; readonly visit?: VisitView }
  | { readonly kind: 'answer'; readonly check: string };

/** `step`: one step that was asked for. `start`: all steps before a place to start from. */
export type GuidePurpose = 'step' | 'start';

/** What is being done for the learner, or how the last of it ended. `job` tells two of them apart. */
export type GuideView =
  | { readonly state: 'idle' }
  | {
      readonly state: 'working';
      readonly job: string;
      readonly purpose: GuidePurpose;
      /** The step at hand; absent while the hosts are still starting. */
      readonly step?: string;
      /** Which of how many steps; 0 while the hosts are still starting. */
      readonly place: number;
      readonly of: number;
      /** In the present tense; what stands between back-ticks is code. */
      readonly says: string;
      readonly deed?: GuideAction;
    }
  | {
      readonly state: 'done';
      readonly job: string;
      readonly purpose: GuidePurpose;
      readonly of: number;
    }
  | {
      readonly state: 'stopped';
      readonly job: string;
      readonly purpose: GuidePurpose;
      readonly step?: string;
      readonly reason: string;
      readonly remedy: string;
    };

/** Events on the event socket. On connecting, one `snapshot`; then only what changed. */
export type SessionEvent =
  | { readonly type: 'snapshot'; readonly snapshot: SessionSnapshot }
  | { readonly type: 'status'; readonly status: SessionStatus }
  | { readonly type: 'checks'; readonly checks: readonly CheckView[] }
  | { readonly type: 'values'; readonly values: readonly ValueView[] }
  | { readonly type: 'terminals'; readonly terminals: readonly TerminalView[] }
  /** A page was opened in the pane (from any tab of this learner, or by a link inside the page). */
  | { readonly type: 'visit'; readonly visit: VisitView }
  | { readonly type: 'guide'; readonly guide: GuideView }
  /** The session will end soon unless somebody extends it; absent: it will not. */
  | { readonly type: 'ending'; readonly ending?: EndingView };

/** An event socket says something at least once in so many ms; a page that hears nothing for longer comes back. */
export const EVENT_BEAT_MS = 10_000;

/** What an event socket says when there is nothing else to say. */
export interface Beat {
  readonly type: 'beat';
}

/** A coming end. It is told five minutes ahead. */
export interface EndingView {
  /** Milliseconds from now, as of this message: the page's clock need not agree with the server's. */
  readonly inMs: number;
  /** Nothing was done for long, or the whole time is over. */
  readonly because: 'idle' | 'total';
}

/** Everything about a learner's session of one lab. Also the body of `GET /api/labs/:lab/session`. */
export interface SessionSnapshot {
  readonly lab: string;
  readonly status: SessionStatus;
  readonly checks: readonly CheckView[];
  readonly values: readonly ValueView[];
  readonly terminals: readonly TerminalView[];
  /** What the learner last answered: check id to text. */
  readonly answers: Readonly<Record<string, string>>;
  readonly guide: GuideView;
  /** Present while the session is about to end. */
  readonly ending?: EndingView;
}

/** Body of every error answer. */
export interface ErrorBody {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
}

/*
 * The HTTP requests of a page (all under the learner's cookie; `:lab` is a lab's folder name):
 *
 *   GET    /api/labs/:lab/session                       → SessionSnapshot
 *   POST   /api/labs/:lab/session                       start, or start again after `failed`/`ended`; idempotent → SessionSnapshot
 *   POST   /api/labs/:lab/session/reset                 a fresh sandbox and no passes → SessionSnapshot
 *   DELETE /api/labs/:lab/session                       end it; progress is kept → SessionSnapshot
 *   POST   /api/labs/:lab/session/extend                more time before it ends → SessionSnapshot
 *   POST   /api/labs/:lab/session/activity              somebody reads a page of this lab → 204
 *   POST   /api/labs/:lab/terminals        {host}       → TerminalView      (host: a name or an alias)
 *   DELETE /api/labs/:lab/terminals/:id                 → 204; ends the shell in the host
 *   POST   /api/labs/:lab/answers/:check   {text}       → CheckView
 *   POST   /api/labs/:lab/visits           {url}        → VisitView
 *   POST   /api/labs/:lab/steps/:step/do                → GuideView; does the step for the learner, events tell the rest
 *   POST   /api/labs/:lab/start-from       {page} or {step} → SessionSnapshot; fresh hosts, all before it done
 *   DELETE /api/labs/:lab/guide                         → GuideView; stops what is being done, or puts its end away
 *
 *   WS     /api/labs/:lab/events                        SessionEvent and Beat frames, JSON text
 *   WS     /api/labs/:lab/terminals/:id                 the terminal's wire protocol (protocol/terminal.ts)
 */
