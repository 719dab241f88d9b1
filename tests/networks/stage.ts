import { onTestFinished } from 'vitest';
import { Terminal } from '../../server/terminal/terminal.ts';
import type { WebOptions } from '../../server/web/web.ts';
import { LabApi } from '../../src/client/api.ts';
import { detour } from '../../src/client/detour.ts';
import { keepLinked, type LinkState } from '../../src/client/session-link.ts';
import { type ConnectionState, TerminalConnection } from '../../src/client/terminal/connection.ts';
import { browserAt } from '../fixtures/browser-at.ts';
import { freePort, nginx } from '../fixtures/nginx.ts';
import { background, FakeShell } from '../unit/terminal/fake-shell.ts';
import { LAB, stage, TERMINAL } from '../unit/web/stage.ts';

/** A browser behind an nginx whose locations are `locations`; `SERVER` stands for the server behind it. */
export async function behind(
  locations: string,
  options: Pick<WebOptions, 'basePath'> & Partial<Pick<WebOptions, 'dist'>> = {},
) {
  const port = await freePort();
  const web = await stage({ origins: [`http://127.0.0.1:${port}`], ...options });
  const proxy = await nginx(port, locations.replaceAll('SERVER', web.origin));
  const shell = new FakeShell();
  const identity = { id: TERMINAL, host: 'server01', title: 'server01' };
  const terminal = await Terminal.on(identity, shell, { cols: 80, rows: 24 }, { background });
  web.sessions.carried = terminal;
  web.sessions.terminals.set(TERMINAL, 'learner1');
  const browser = browserAt(proxy.origin, await web.signIn());
  onTestFinished(async () => {
    detour[Symbol.dispose]();
    browser[Symbol.dispose]();
    terminal.detach();
    await proxy[Symbol.asyncDispose]();
    await web[Symbol.asyncDispose]();
  });
  return { web, shell, terminal, network: browser.network };
}

/** A page's links to its lab, and what they have told. */
export function page() {
  const leaving = new AbortController();
  const api = new LabApi(LAB);
  const links: LinkState[] = [];
  const states: ConnectionState[] = [];
  const events: unknown[] = [];
  let screen = '';
  keepLinked(
    api,
    { onEvent: (event) => events.push(event), onLink: (link) => links.push(link) },
    leaving.signal,
  );
  const connection = new TerminalConnection(api.terminalUrl(TERMINAL), 'active', {
    state: (state) => states.push(state),
    attached: () => undefined,
    output: (bytes, _offset, done) => {
      screen += new TextDecoder().decode(bytes);
      done();
    },
    reset: () => {
      screen = '';
    },
    size: () => undefined,
    givenUp: () => undefined,
  });
  onTestFinished(() => {
    leaving.abort();
    connection[Symbol.dispose]();
  });
  return { links, states, events, connection, screen: () => screen };
}
