import type { Beat, ClassStatus, RosterEvent } from '#protocol';
import type { Background } from '../../base/background.ts';
import type { Roster } from '../../class/roster.ts';
import type { Sessions } from '../../session/sessions.ts';
import { type Api, NO_NAMES } from '../schemas.ts';
import { BEAT, linkEvents } from '../sockets/event-socket.ts';
import type { Sockets } from '../sockets/sockets.ts';
import { linkTerminal } from '../sockets/terminal-socket.ts';
import { CLASS_REQUESTS } from './class-schemas.ts';

/** The sockets of a class: what a learner sees of it, the instructor's roster, and the terminals that are watched. */
export function addClassSockets(
  app: Api,
  sockets: Sockets,
  options: {
    readonly roster: Roster;
    readonly sessions: Sessions;
    readonly background: Background;
  },
): void {
  const { roster, sessions, background } = options;
  sockets.add(app, '/api/class/me/events', {
    names: NO_NAMES,
    admit: (_names, learner) => (socket) =>
      linkEvents<ClassStatus>(socket, (tell) => roster.subscribeStatus(learner, tell), background),
  });
  sockets.add(app, '/api/class/roster/events', {
    names: NO_NAMES,
    instructor: true,
    admit: () => (socket) =>
      linkEvents<RosterEvent | Beat>(socket, (tell) => roster.subscribe(tell), background, BEAT),
  });
  sockets.add(app, '/api/class/learners/:learner/labs/:lab/terminals/:terminal', {
    instructor: true,
    names: CLASS_REQUESTS.learnerLabAndTerminal,
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
