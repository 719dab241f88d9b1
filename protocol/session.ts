import type {
  CheckView,
  EndingView,
  GuideView,
  RunView,
  SessionSnapshot,
  SessionStatus,
  TerminalView,
  ValueView,
  VisitView,
} from './schemas.ts';

/**
 * What the server tells the page about a session, and what the page may ask: one discriminated union for both sides.
 * JSON over one WebSocket per page (`/api/labs/:lab/events`), server to page only; requests go over HTTP.
 */

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
  /** In how many windows pages of this session are open; told while there is more than one, and once after. */
  | { readonly type: 'windows'; readonly windows: number }
  /** The blocks that run, after one was typed or has ended; `stopped`: why not all of its commands were typed. */
  | { readonly type: 'runs'; readonly runs: readonly RunView[]; readonly stopped?: WhyStopped }
  /** The session will end soon unless somebody extends it; absent: it will not. */
  | { readonly type: 'ending'; readonly ending?: EndingView };

/** Why something that was asked for did not come to its end, and what to do. */
export interface WhyStopped {
  readonly reason: string;
  readonly remedy: string;
}

/** An event socket says something at least once in so many ms; a page that hears nothing for longer comes back. */
export const EVENT_BEAT_MS = 10_000;

/** What an event socket says when there is nothing else to say. */
export interface Beat {
  readonly type: 'beat';
}

/*
 * The HTTP requests of a page, whose bodies are in schemas.ts (all under the learner's cookie; `:lab` is a lab's folder name):
 *
 *   GET    /api/labs/:lab/session                       → SessionSnapshot
 *   POST   /api/labs/:lab/session                       start, or start again after `failed`/`ended`; idempotent → SessionSnapshot
 *   POST   /api/labs/:lab/session/reset                 a fresh sandbox and no passes → SessionSnapshot
 *   DELETE /api/labs/:lab/session                       end it; progress is kept → SessionSnapshot
 *   POST   /api/labs/:lab/session/extend                more time before it ends → SessionSnapshot
 *   POST   /api/labs/:lab/session/activity              somebody reads a page of this lab → 204
 *   POST   /api/labs/:lab/hosts/:host/restart           → 204 once it is ready again; its disk stays (host: a name or an alias)
 *   POST   /api/labs/:lab/terminals        {host}       → TerminalView      (host: a name or an alias)
 *   DELETE /api/labs/:lab/terminals/:id                 → 204; ends the shell in the host
 *   POST   /api/labs/:lab/runs             {host, block, second?} → RunView         types the block on the host
 *   POST   /api/labs/:lab/answers/:check   {text}       → CheckView
 *   POST   /api/labs/:lab/visits           {url}        → VisitView
 *   POST   /api/labs/:lab/steps/:step/do                → GuideView; does the step for the learner, events tell the rest
 *   POST   /api/labs/:lab/start-from       {page} or {step} → SessionSnapshot; fresh hosts, all before it done
 *   GET    /api/labs/:lab/hosts/:host/folder?path=      → FolderView        (a path that begins without / begins at home)
 *   GET    /api/labs/:lab/hosts/:host/file?path=        → FileView
 *   PUT    /api/labs/:lab/hosts/:host/file?path=&version= the bytes, as application/octet-stream → SavedView
 *   DELETE /api/labs/:lab/hosts/:host/file?path=        → 204; a folder goes with all that is in it
 *   POST   /api/labs/:lab/hosts/:host/move?path=&to=    → 204; where `to` is there already, nothing is changed
 *   GET    /api/labs/:lab/hosts/:host/download?path=    → the bytes
 *   DELETE /api/labs/:lab/guide                         → GuideView; stops what is being done, or puts its end away
 *
 *   WS     /api/labs/:lab/events                        SessionEvent and Beat frames, JSON text
 *   WS     /api/labs/:lab/terminals/:id                 the terminal's wire protocol (protocol/terminal.ts)
 */
