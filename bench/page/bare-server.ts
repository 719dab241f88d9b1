/**
 * The bare page and its shells: files, and node-pty for each socket. As JSON in the first argument: the folder of the
 * built page, and the command of a shell.
 */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { spawn } from 'node-pty';
import { WebSocketServer } from 'ws';

const { directory, command } = JSON.parse(process.argv[2] ?? '') as {
  readonly directory: string;
  readonly command: readonly [string, ...string[]];
};
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
};

const server = createServer(async (request, response) => {
  const { pathname } = new URL(request.url ?? '/', 'http://bare');
  const file = pathname === '/' ? '/index.html' : pathname;
  const body = await readFile(join(directory, file)).catch(() => undefined);
  response.writeHead(body ? 200 : 404, {
    'content-type': TYPES[extname(file)] ?? 'text/plain',
    'content-encoding': 'gzip',
    // The names of all but the page itself change with what is in them.
    'cache-control': file === '/index.html' ? 'no-cache' : 'max-age=31536000, immutable',
  });
  response.end(gzipSync(body ?? ''));
});
new WebSocketServer({ server }).on('connection', (socket, request) => {
  const size = new URL(request.url ?? '/', 'http://bare').searchParams;
  const [file, ...args] = command;
  const pty = spawn(file, args, {
    cols: Number(size.get('cols')),
    rows: Number(size.get('rows')),
    encoding: null,
    name: 'xterm-256color',
  });
  pty.onData((data) => socket.send(data));
  socket.on('message', (data) => pty.write(data.toString()));
  socket.on('close', () => process.kill(pty.pid, 'SIGKILL'));
});
server.listen(0, '127.0.0.1', () => {
  process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
