import type { Background } from '../base/background.ts';
import type { Sessions } from '../session/sessions.ts';
import type { AllowList } from './allow-list.ts';
import type { Cookies } from './cookies.ts';
import type { Sockets } from './sockets/sockets.ts';

/** What the parts of the web edge share. */
export interface Edge {
  readonly sessions: Sessions;
  readonly background: Background;
  readonly cookies: Cookies;
  readonly sockets: Sockets;
  /** The path of another site that this server is below, such as `/quayside`; empty for none. */
  readonly basePath: string;
  /** As it is now: the port is known only once the server listens. */
  readonly allowList: () => AllowList;
}
