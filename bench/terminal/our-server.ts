/**
 * Quayside's terminals and nothing else, for the benchmark: `POST /terminals` opens one, its socket is
 * `/terminals/ID`, `DELETE` closes it. The host comes as JSON in the first argument.
 */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { Background } from '../../server/base/background.ts';
import { Engine } from '../../server/engine/engine.ts';
import { Host } from '../../server/sandbox/host.ts';
import { WakeTurns } from '../../server/sandbox/wake-turns.ts';
import { Terminal } from '../../server/terminal/terminal.ts';
import { HostTerminalBackend } from '../../server/terminal/terminal-backend.ts';
import { linkTerminal, MAX_TERMINAL_MESSAGE } from '../../server/web/sockets/terminal-socket.ts';
import type { BenchHost } from './host.ts';
import { LocalShell } from './local-shell.ts';

const where = JSON.parse(process.argv[2] ?? 'null') as BenchHost | null;
const background = new Background(console.error);
const NEVER = new AbortController().signal;
const terminals = new Map<string, Terminal>();

async function open(): Promise<Terminal> {
  const id = randomUUID();
  if (where === null) {
    const identity = { id, host: 'local', title: 'local' };
    return Terminal.on(identity, new LocalShell(id), { cols: 80, rows: 24 }, { background });
  }
  const { spec, container, shared } = where;
  const host = new Host(new Engine(where.engine), spec, container, shared, new WakeTurns(1));
  return new HostTerminalBackend({ background }).open(host, { id, title: 'host' }, NEVER);
}

const sockets = new WebSocketServer({
  noServer: true,
  maxPayload: MAX_TERMINAL_MESSAGE,
  perMessageDeflate: false,
});
const server = createServer(async (request, response) => {
  const id = request.url?.split('/')[2] ?? '';
  if (request.method === 'POST') {
    const terminal = await open();
    terminals.set(terminal.id, terminal);
    response.end(terminal.id);
    return;
  }
  await terminals.get(id)?.close();
  terminals.delete(id);
  response.end();
});
server.on('upgrade', (request, socket, head) => {
  const terminal = terminals.get(request.url?.split('/')[2] ?? '');
  if (!terminal) socket.destroy();
  else
    sockets.handleUpgrade(
      request,
      socket,
      head,
      (link) => void linkTerminal(link, terminal, background),
    );
});
process.once('SIGTERM', async () => {
  await Promise.allSettled([...terminals.values()].map((terminal) => terminal.close()));
  process.exit();
});
server.listen(0, '127.0.0.1', () => {
  process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
