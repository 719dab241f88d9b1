import {
  type Beat,
  type ClassStatus,
  ECHO_PATH,
  type RosterEvent,
  type SessionEvent,
} from '#protocol';
import type { Roster } from '../../class/roster.ts';
import type { Edge } from '../edge.ts';
import { type Api, PARAMS } from '../schemas.ts';
import { BEAT, linkEvents } from './event-socket.ts';
import { CLOSE, guardOf } from './socket-guard.ts';
import { bytesOf, linkTerminal } from './terminal-socket.ts';

/** An echo is for measuring, and nothing stays open that nobody has signed in for. */
const ECHO_MS = 60_000;
/** Whoever leaves so much unread is not measuring. */
const ECHO_UNREAD_BYTES = 256 * 1024;

/** The socket that says what time it is here, and everything that it hears: for whoever tries whether sockets come through. */
export function addEcho(app: Api, { sockets, background }: Edge): void {
  sockets.add(app, ECHO_PATH, {
    names: PARAMS.none,
    public: true,
    admit: () => (socket) => {
      const guarded = guardOf(socket, background, 'echo socket');
      const end = setTimeout(() => socket.close(CLOSE.policy, 'Long enough.'), ECHO_MS);
      socket.once('close', () => clearTimeout(end));
      socket.on(
        'message',
        guarded((data) => {
          if (socket.bufferedAmount <= ECHO_UNREAD_BYTES) socket.send(bytesOf(data));
          else socket.close(CLOSE.policy, 'Too much unread.');
        }),
      );
      socket.send(JSON.stringify({ now: Date.now() }));
    },
  });
}

/** The sockets of a lab's page: the events of its session, and its terminals. */
export function addLabSockets(app: Api, { sessions, sockets, background }: Edge): void {
  sockets.add(app, '/api/labs/:lab/events', {
    names: PARAMS.lab,
    admit: ({ lab }, learner) => {
      const session = sessions.of(learner, lab);
      const subscribe = (tell: (event: SessionEvent | Beat) => void) => session.subscribe(tell);
      return (socket) => linkEvents(socket, subscribe, background, BEAT);
    },
  });
  sockets.add(app, '/api/labs/:lab/terminals/:terminal', {
    names: PARAMS.labAndTerminal,
    admit: ({ lab, terminal: id }, learner) => {
      const terminal = sessions.of(learner, lab).terminal(id);
      return (socket) => linkTerminal(socket, terminal, background);
    },
  });
}

/** The sockets of a class: what a learner sees of it, the instructor's roster, and the terminals that are watched. */
export function addClassSockets(app: Api, edge: Edge, roster: Roster): void {
  const { sessions, sockets, background } = edge;
  sockets.add(app, '/api/class/me/events', {
    names: PARAMS.none,
    admit: (_names, learner) => (socket) =>
      linkEvents<ClassStatus>(socket, (tell) => roster.subscribeStatus(learner, tell), background),
  });
  sockets.add(app, '/api/class/roster/events', {
    names: PARAMS.none,
    instructor: true,
    admit: () => (socket) =>
      linkEvents<RosterEvent | Beat>(socket, (tell) => roster.subscribe(tell), background, BEAT),
  });
  sockets.add(app, '/api/class/learners/:learner/labs/:lab/terminals/:terminal', {
    instructor: true,
    names: PARAMS.learnerLabAndTerminal,
    admit: ({ learner, lab, terminal: id }) => {
      const entry = roster.entry(learner);
      const terminal = sessions.of(learner, lab).terminal(id);
      return (socket) => {
        // First the learner is told, then something is shown.
        const watching = roster.watch(learner, id);
        socket.once('close', () => watching[Symbol.dispose]());
        linkTerminal(socket, terminal, background, { mayType: () => entry.mayType });
      };
    },
  });
}
