/** A server that opens a terminal, types into it, says so and waits to be killed: `WAY DIRECTORY ID`. */
import { localHost, openTerminal, Page, serveTerminals } from './terminal-stage.ts';

const [way, directory, id = ''] = process.argv.slice(2);
const host = await localHost(way === 'shared' ? 'shared' : 'engine');
const shared =
  way === 'shared' && directory ? { outside: directory, inside: directory } : undefined;
const terminal = await openTerminal({ ...host, shared }, { id, title: 'victim' });
const server = await serveTerminals(terminal);
const page = new Page(server.url(terminal));
await page.run('KEPT=42');
process.send?.('ready');
