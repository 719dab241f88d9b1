import type { Beat, SessionEvent } from '#protocol';
import type { Background } from '../../base/background.ts';
import type { Sessions } from '../../session/sessions.ts';
import { type Api, REQUESTS } from '../schemas.ts';
import { BEAT, linkEvents } from './event-socket.ts';
import type { Sockets } from './sockets.ts';
import { linkTerminal } from './terminal-socket.ts';

/** The sockets of a lab's page: the events of its session, and its terminals. */
export function addLabSockets(
  app: Api,
  sockets: Sockets,
  options: { readonly sessions: Sessions; readonly background: Background },
): void {
  const { sessions, background } = options;
  sockets.add(app, '/api/labs/:lab/events', {
    names: REQUESTS.lab,
    admit: ({ lab }, learner) => {
      const session = sessions.of(learner, lab);
      return (socket) =>
        linkEvents<SessionEvent | Beat>(
          socket,
          (tell) => session.subscribe(tell),
          background,
          BEAT,
        );
    },
  });
  sockets.add(app, '/api/labs/:lab/terminals/:terminal', {
    names: REQUESTS.labAndTerminal,
    admit: ({ lab, terminal: id }, learner) => {
      const terminal = sessions.of(learner, lab).terminal(id);
      return (socket) => linkTerminal(socket, terminal, background);
    },
  });
}
