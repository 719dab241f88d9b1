import type { WebSocket } from 'ws';
import type { ClassStatus, RosterEvent } from '#protocol';
import type { Roster } from '../../class/roster.ts';
import type { Sessions } from '../../session/sessions.ts';
import { notInstructor, notSignedIn } from '../http-errors.ts';
import { linkEvents } from '../sockets/event-socket.ts';
import { linkTerminal } from '../sockets/terminal-socket.ts';
import { CLASS_SOCKETS } from './class-schemas.ts';

/** The instructor's sockets are counted together, as one learner's are. */
const INSTRUCTOR = 'instructor';

/** A socket that was let in: whose it counts as, and what to do with it once it is open. */
export interface Admitted {
  readonly owner: string;
  readonly link: (socket: WebSocket) => void;
}

export interface ClassSocketOptions {
  readonly roster: Roster;
  readonly sessions: Sessions;
  readonly learnerOf: (cookies: string | undefined) => string | undefined;
  readonly isInstructor: (cookies: string | undefined) => boolean;
}

/**
 * The sockets of a class. Name and origin have been looked at; who asks is looked at here, before anything else is.
 *
 * @returns `undefined` where the path is none of a class's
 * @throws QuaysideError NOT_INSTRUCTOR, NOT_JOINED, LEARNER_UNKNOWN, and those of the terminal
 */
export function admitToClass(
  path: string,
  cookies: string | undefined,
  { roster, sessions, learnerOf, isInstructor }: ClassSocketOptions,
): Admitted | undefined {
  if (CLASS_SOCKETS.me.test(path)) {
    const learner = learnerOf(cookies);
    if (learner === undefined) throw notSignedIn(true);
    return {
      owner: learner,
      link: (socket) =>
        linkEvents<ClassStatus>(socket, (listener) => roster.subscribeStatus(learner, listener)),
    };
  }
  const isRoster = CLASS_SOCKETS.roster.test(path);
  const watched = CLASS_SOCKETS.terminal.exec(path)?.groups;
  if (!isRoster && !watched) return undefined;
  if (!isInstructor(cookies)) throw notInstructor();
  if (!watched) {
    return {
      owner: INSTRUCTOR,
      link: (socket) => linkEvents<RosterEvent>(socket, (listener) => roster.subscribe(listener)),
    };
  }
  const { learner = '', lab = '', terminal: id = '' } = watched;
  const seat = roster.entry(learner);
  const terminal = sessions.of(learner, lab).terminal(id);
  return {
    owner: INSTRUCTOR,
    link: (socket) => {
      // First the learner is told, then something is shown.
      const watching = roster.watch(learner, id);
      socket.once('close', () => watching[Symbol.dispose]());
      linkTerminal(socket, terminal, { mayType: () => seat.mayType });
    },
  };
}
