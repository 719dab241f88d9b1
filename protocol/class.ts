import type {
  CheckView,
  GuidePurpose,
  HostStatus,
  SessionStatus,
  TerminalView,
} from './schemas.ts';

/** What passes between the server and the pages of a class. Single-user servers know only `ClassView` (schemas.ts). */

/** Something that the instructor says to everybody or to one. */
export interface MessageView {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly text: string;
}

/**
 * A learner's place in the class, as they see it: every frame of `WS /api/class/me/events` is one, whole. Where nothing
 * changes, the last is said again, once in `EVENT_BEAT_MS`.
 */
export interface ClassStatus {
  readonly name: string;
  readonly className: string;
  /** Since when their hand is up. */
  readonly handAt?: number;
  /** The instructor may type into the terminals that they watch. */
  readonly mayType: boolean;
  /** Ids of the terminals that the instructor looks at now. */
  readonly watched: readonly string[];
  readonly messages: readonly MessageView[];
}

/** A lab's steps in their order. */
export interface RosterLab {
  readonly name: string;
  readonly title: string;
  readonly steps: readonly {
    /** The check's id. */
    readonly id: string;
    readonly title: string;
    /** The section's title. */
    readonly section: string;
    /** The lab is done without it. */
    readonly optional?: true;
  }[];
}

/** How far a learner is in one lab. */
export interface LabProgress {
  readonly state: SessionStatus['state'];
  readonly hosts: readonly Pick<HostStatus, 'name' | 'phase' | 'detail'>[];
  /** Since when the hosts are stopped, where they are, and when they are removed. */
  readonly stopped?: { readonly since: number; readonly until: number };
  /** Check id to when it passed. */
  readonly passed: Readonly<Record<string, number>>;
  /** Of what was not passed by hand, check id to how: done as one step, or on the way to a place to start from. */
  readonly helped: Readonly<Record<string, GuidePurpose>>;
  /** The first step that counts and is not passed, while the hosts run. */
  readonly at?: {
    readonly check: string;
    readonly state: Exclude<CheckView['state'], 'passed'>;
    readonly reason: string;
    /** Since when they are at it: the last pass, or when the hosts were ready. */
    readonly since: number;
  };
  readonly terminals: readonly TerminalView[];
}

export interface RosterLearner {
  readonly id: string;
  readonly name: string;
  readonly joinedAt: number;
  readonly handAt?: number;
  /** One of their pages is open. */
  readonly present: boolean;
  readonly mayType: boolean;
  /** Lab to progress. */
  readonly labs: Readonly<Record<string, LabProgress>>;
}

/** A node of a Docker Swarm that sandboxes may be on. */
export interface NodeView {
  readonly id: string;
  readonly name: string;
  /** It has its images and may have sandboxes; it gets its images; it was taken out of service; it does not answer. */
  readonly state: 'ready' | 'preparing' | 'drained' | 'lost';
  /** How many learners have a sandbox there. */
  readonly learners: number;
  /** How many more sandboxes have room there. */
  readonly room: number;
}

/**
 * Events of `WS /api/class/roster/events`: everything on connecting, then each learner who changed, and all nodes where
 * one has, if the server uses a Swarm. A `Beat` comes between them.
 */
export type RosterEvent =
  | {
      readonly type: 'roster';
      readonly className: string;
      readonly code: string;
      /** Where learners' browsers find this server. */
      readonly origin?: string;
      readonly labs: readonly RosterLab[];
      readonly learners: readonly RosterLearner[];
    }
  | { readonly type: 'learner'; readonly learner: RosterLearner }
  | { readonly type: 'left'; readonly id: string }
  | { readonly type: 'nodes'; readonly nodes: readonly NodeView[] };
