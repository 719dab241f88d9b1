import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Dial } from '../../../server/browser/page-request.ts';

/** The exact form of the one command that the pane starts: nothing else may come through. */
const COMMAND =
  /^env LC_ALL=C socat -d -d -t 0 - (TCP4|OPENSSL):([a-z0-9_.-]+):(\d+),(?:pf=ip4,verify=0,cipher=ALL:@SECLEVEL=0,)?connect-timeout=4$/;

/** What `socat -d -d` says at each stage (recorded from 1.7.4). */
export const SAID = {
  opening: '2026/11/23 21:29:57 socat[7] N opening connection to AF=2 127.0.0.1:1\n',
  connected:
    '2026/11/23 21:29:57 socat[7] N starting data transfer loop with FDs [0,1] and [5,5]\n',
  failed: (why: string) =>
    `2026/11/23 21:29:57 socat[7] E connect(5, AF=2 127.0.0.1:1, 16): ${why}\n`,
  unknown:
    '2026/11/23 21:30:02 socat[7] E getaddrinfo("nosuch", "NULL", {1,2,1,6}, {}): Name or service not known\n',
} as const;

/** The same of 1.8.0, which the hosts have. */
export const SAID_1_8 = {
  naming: '2026/11/23 21:57:35 socat[7] N opening connection to 127.0.0.1:82\n',
  opening: SAID.opening,
  connected: SAID.connected,
  failed: (why: string, end = why) =>
    `2026/11/23 21:57:36 socat[7] W connect(5, AF=2 127.0.0.1:1, 16): ${why}\n2026/11/23 21:57:36 socat[7] E TCP4:127.0.0.1:1: ${end}\n`,
  timedOut:
    '2026/11/23 21:57:36 socat[7] W connecting to AF=2 127.0.0.1:82: Connection timed out\n2026/11/23 21:57:36 socat[7] E TCP4:127.0.0.1:82: Operation now in progress\n',
  noTls:
    '2026/11/26 23:54:23 socat[41] W SSL_connect(): error:0A00010B:SSL routines::wrong version number\n2026/11/26 23:54:23 socat[41] N no peer certificate and no check\n',
  unknown:
    '2026/11/23 21:57:36 socat[7] W getaddrinfo("nosuch", "81", {0x00,2,1,6}, {}): Temporary failure in name resolution\n2026/11/23 21:57:36 socat[7] N exiting with status -1\n',
} as const;

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Connection refused',
  EHOSTUNREACH: 'No route to host',
  ENETUNREACH: 'Network is unreachable',
  ETIMEDOUT: 'Connection timed out',
};

/** Commands that were started, and the streams that are still open. */
export interface Dialed {
  readonly commands: string[];
  readonly open: Set<Socket>;
}

/**
 * A host that is this machine: in place of `socat` a TCP connection of this process that says the same things. Names
 * in `hosts` stand for 127.0.0.1 and a port of their own, so that a page can be had at `http://10.1.10.11/`.
 */
export function localDial(hosts: Readonly<Record<string, number>> = {}): Dial & Dialed {
  const commands: string[] = [];
  const open = new Set<Socket>();
  const dial: Dial = async (argv, { signal }) => {
    commands.push(argv.join(' '));
    const [, kind, name = '', port = ''] = COMMAND.exec(argv.join(' ')) ?? [];
    if (name === '') throw new Error(`not a command of the pane: ${argv.join(' ')}`);
    const stands = hosts[`${name}:${port}`];
    const tcp = connect({
      host: stands === undefined ? name : '127.0.0.1',
      port: stands ?? Number(port),
      signal,
      lookup: (_name, _options, done) =>
        done(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), '', 4),
    });
    const tls = kind === 'OPENSSL';
    const socket = tls ? connectTls({ socket: tcp, rejectUnauthorized: false }) : tcp;
    open.add(socket);
    let said = /^[\d.]+$/.test(name) || stands !== undefined ? SAID.opening : '';
    socket.on(tls ? 'secureConnect' : 'connect', () => {
      said += SAID.connected;
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (said.includes('data transfer') || signal.aborted) return;
      if (said === '') said = SAID.unknown;
      else if (/^(ERR_SSL|EPROTO)/.test(error.code ?? '')) said += SAID_1_8.noTls;
      else said += SAID.failed(REASONS[error.code ?? ''] ?? 'Oh');
    });
    const exited = new Promise<number>((resolve) =>
      socket.on('close', () => {
        open.delete(socket);
        resolve(said.includes(' E ') ? 1 : 0);
      }),
    );
    return {
      stream: socket,
      stderr: () => said,
      exited,
      [Symbol.asyncDispose]: async () => {
        socket.destroy();
        await exited;
      },
    };
  };
  return Object.assign(dial, { commands, open });
}

/** A server on a port of its own, closed with every connection. */
export interface Served extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
}

export function serve(listener: RequestListener): Promise<Served> {
  return listening(createServer(listener));
}

/** A certificate as no browser likes it: for another name, out of its time, and signed by nobody. */
export const TLS = {
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgNbaZ0R+UUCtORzdO
4AfCbT6uh2vDoGa303ClO8aN/HGhRANCAARLFodQw9B1UJyvAWSX5QZaZRFOuFYh
sCfMEvMwYbLWOSYXeRmawToVoaWTJOyLn8fSNJgUsftkq3gyLsqW3ckw
-----END PRIVATE KEY-----`,
  cert: `-----BEGIN CERTIFICATE-----
MIIBjTCCATOgAwIBAgIUQ8uE6dSFOUhOSYh5ISD3IlTHNcowCgYIKoZIzj0EAwIw
HDEaMBgGA1UEAwwRZWxzZXdoZXJlLmV4YW1wbGUwHhcNMjYxMTI3MDAwODI4WhcN
MjYxMTI4MDAwODI4WjAcMRowGAYDVQQDDBFlbHNld2hlcmUuZXhhbXBsZTBZMBMG
ByqGSM49AgEGCCqGSM49AwEHA0IABEsWh1DD0HVQnK8BZJflBlplEU64ViGwJ8wS
8zBhstY5Jhd5GZrBOhWhpZMk7Iufx9I0mBSx+2SreDIuypbdyTCjUzBRMB0GA1Ud
DgQWBBSUAXQzUBUH2UDNvUt694uTs8DPVDAfBgNVHSMEGDAWgBSUAXQzUBUH2UDN
vUt694uTs8DPVDAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCICRD
dXR3gsHqKee7A7PJBxFilDoT+PjDVnfi3eoyEDqmAiEA7nSkmI37Dics2mCr9ht9
r5xc/AeD2ch7ioh5hYSTtYk=
-----END CERTIFICATE-----`,
};

export function serveTls(listener: RequestListener): Promise<Served> {
  return listening(createTlsServer(TLS, listener));
}

/** A server that speaks something of its own. */
export function serveTcp(speak: (socket: Socket) => void): Promise<Served> {
  return listening(createTcpServer(speak));
}

export async function listening(server: ReturnType<typeof createTcpServer>): Promise<Served> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket.on('error', () => {}));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}/`,
    [Symbol.asyncDispose]: async () => {
      for (const each of sockets) each.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
