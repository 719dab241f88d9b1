import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createConnection, createServer } from 'node:net';
import { join } from 'node:path';
import { sleep } from '../server/base/deadline.ts';

/** Where a machine takes commands, from its socket unit. */
const COMMAND_PORT = 7000;
/** Its address in slirp’s network. */
const ADDRESS = '10.0.2.100';
const POLL_MS = 100;

/** A way out for a network namespace, and a way in for commands. */
export interface Slirp extends AsyncDisposable {
  /** The port of this machine that leads to the machine’s commands. */
  readonly port: number;
}

/**
 * Gives a network namespace a tap that slirp4netns answers: whoever is in it reaches what this machine reaches, and
 * nothing of this machine's own network is changed.
 *
 * @param pid a process in that namespace
 */
export async function openSlirp(
  pid: number,
  directory: string,
  tap: string,
  signal: AbortSignal,
): Promise<Slirp> {
  const api = join(directory, 'slirp.sock');
  const port = await freePort();
  const options = ['--mtu=1400', '--disable-host-loopback', `--api-socket=${api}`];
  const child = spawn('slirp4netns', [...options, String(pid), tap], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  const close = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  try {
    while (!(await forward(api, port))) await sleep(POLL_MS, signal, { ref: true });
  } catch (error) {
    await close();
    throw error;
  }
  return { port, [Symbol.asyncDispose]: close };
}

/** @returns whether slirp was there already */
async function forward(api: string, port: number): Promise<boolean> {
  const socket = createConnection(api);
  try {
    await once(socket, 'connect');
    const address = { host_addr: '127.0.0.1', guest_addr: ADDRESS };
    const ports = { proto: 'tcp', host_port: port, guest_port: COMMAND_PORT };
    socket.end(JSON.stringify({ execute: 'add_hostfwd', arguments: { ...address, ...ports } }));
    const [answer] = await once(socket, 'data');
    return !String(answer).includes('"error"');
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port is free');
  return address.port;
}
