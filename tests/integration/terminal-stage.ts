import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocketServer } from 'ws';
import { Background } from '../../server/base/background.ts';
import type { ShellHost } from '../../server/terminal/shell-host.ts';
import type { Terminal } from '../../server/terminal/terminal.ts';
import { HostTerminalBackend } from '../../server/terminal/terminal-backend.ts';
import { linkTerminal, MAX_TERMINAL_MESSAGE } from '../../server/web/sockets/terminal-socket.ts';
import { type ConnectionState, TerminalConnection } from '../../src/client/terminal/connection.ts';

/** The ways into a host; whatever is promised of a shell holds over each. */
export const WAYS = ['shared', 'engine'] as const;
export type Way = (typeof WAYS)[number];

const backend = new HostTerminalBackend({ background: new Background(console.error) });
const NEVER = new AbortController().signal;
/** Ends before its test does, so that the failure shows the screen. */
const SCREEN_MS = 100_000;

/** A new shell on a host, and its terminal. */
export function openTerminal(
  host: ShellHost,
  identity: { readonly id: string; readonly title: string },
): Promise<Terminal> {
  return backend.open(host, identity, NEVER);
}

/** The terminal of a shell that runs already. */
export function adoptTerminal(
  host: ShellHost,
  identity: { readonly id: string; readonly title: string },
): Promise<Terminal | undefined> {
  return backend.adopt(host, identity, NEVER);
}

/**
 * This machine in the place of a host: real shells, no engine. The users are all the one who runs the tests, but with
 * an empty home: what stands in a developer's profile may take a login shell seconds, and is no part of what is tried.
 */
export async function localHost(way: Way): Promise<ShellHost & AsyncDisposable> {
  const directory = await mkdtemp(join(tmpdir(), 'quayside-terminal-'));
  const home = await mkdtemp(join(tmpdir(), 'quayside-home-'));
  const getent = `#!/bin/sh\necho "tester:x:0:0::${home}:/bin/bash"\n`;
  await writeFile(join(home, 'getent'), getent, { mode: 0o755 });
  const PATH = `${home}:${process.env.PATH}`;
  const run: ShellHost['run'] = async ([file = '', ...args]) => {
    const env = { ...process.env, PATH };
    const child = spawn(file, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (text: Buffer) => {
      stdout += text;
    });
    child.stderr.on('data', (text: Buffer) => {
      stderr += text;
    });
    const [status] = (await once(child, 'close')) as [number];
    return { status, stdout, stderr };
  };
  return {
    name: 'local',
    shared: way === 'shared' ? { outside: directory, inside: directory } : undefined,
    ttyCommand: ([file = '', ...args]) => ({ file, args, env: { PATH } }),
    run,
    runSmall: run,
    [Symbol.asyncDispose]: async () => {
      await rm(directory, { recursive: true, force: true });
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** Stands before the sockets of `host`'s shared directory, and can break what goes through it. */
export async function breakable(
  host: ShellHost,
  id: string,
): Promise<
  { readonly host: ShellHost; readonly connections: number; breakAll(): void } & AsyncDisposable
> {
  const outside = await mkdtemp(join(tmpdir(), 'quayside-relay-'));
  const inside = host.shared?.inside ?? '';
  const sockets = new Set<Socket>();
  let connections = 0;
  const relay = createServer((near) => {
    connections += 1;
    const far = connect(join(inside, id));
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.pipe(other);
      one.on('error', () => undefined);
      one.once('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
  });
  relay.listen(join(outside, id));
  await once(relay, 'listening');
  return {
    host: { ...host, shared: { outside, inside } },
    get connections() {
      return connections;
    },
    breakAll: () => {
      for (const socket of sockets) socket.destroy();
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      relay.close();
      await rm(outside, { recursive: true, force: true });
    },
  };
}

/** A server on a port of its own that links every socket to the terminal named by its path. */
export async function serveTerminals(...terminals: readonly Terminal[]): Promise<
  {
    url(terminal: Terminal): string;
    /** Breaks every socket there is. */
    cut(): void;
    readonly sockets: ReadonlySet<import('ws').WebSocket>;
  } & AsyncDisposable
> {
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    maxPayload: MAX_TERMINAL_MESSAGE,
    perMessageDeflate: false,
  });
  await once(server, 'listening');
  server.on('connection', (socket, request) => {
    const terminal = terminals.find(({ id }) => request.url === `/${id}`);
    if (terminal) linkTerminal(socket, terminal, new Background(console.error));
    else socket.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: (terminal) => `ws://127.0.0.1:${port}/${terminal.id}`,
    sockets: server.clients,
    cut: () => {
      for (const socket of server.clients) socket.terminate();
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of server.clients) socket.terminate();
      server.close();
      await once(server, 'close');
    },
  };
}

/** The page's own end of a terminal, with a string in the place of a screen. */
export class Page implements Disposable {
  readonly connection: TerminalConnection;
  screen = '';
  /** Kept short where only what is new matters. */
  keep = Number.POSITIVE_INFINITY;
  resets = 0;
  state: ConnectionState = { state: 'connecting' };
  /** Sees every piece of output as it comes. */
  onOutput: (text: string) => void = () => undefined;
  readonly #changes = new Set<() => void>();

  constructor(url: string) {
    const decoder = new TextDecoder();
    this.connection = new TerminalConnection(url, 'active', {
      state: (state) => {
        this.state = state;
        this.#changed();
      },
      attached: () => undefined,
      output: (bytes, _, done) => {
        const text = decoder.decode(bytes, { stream: true });
        this.onOutput(text);
        this.screen = (this.screen + text).slice(-this.keep);
        done();
        this.#changed();
      },
      reset: (preamble) => {
        this.resets += 1;
        this.screen = decoder.decode(preamble);
      },
      size: () => undefined,
      givenUp: () => undefined,
    });
  }

  type(text: string): void {
    if (!this.connection.type(text)) throw new Error('typing was refused');
  }

  /** Settles when `isSo` holds; it is asked after everything that comes. */
  async until(isSo: (page: this) => boolean): Promise<void> {
    const late = AbortSignal.timeout(SCREEN_MS);
    while (!isSo(this)) {
      const changed = Promise.withResolvers<void>();
      const fail = () =>
        changed.reject(
          new Error(`The screen ends with ${JSON.stringify(this.screen.slice(-500))}.`),
        );
      this.#changes.add(changed.resolve);
      late.addEventListener('abort', fail);
      try {
        await changed.promise;
      } finally {
        this.#changes.delete(changed.resolve);
        late.removeEventListener('abort', fail);
      }
    }
  }

  /** Runs a command and gives what it printed. */
  async run(command: string): Promise<string> {
    const mark = crypto.randomUUID();
    const from = Number.isFinite(this.keep) ? 0 : this.screen.length;
    // The quotes keep the echo of the line from being taken for its effect.
    this.type(`${command}; echo '${mark.slice(0, 9)}''${mark.slice(9)}'\r`);
    await this.until((page) => page.screen.includes(mark, from));
    return this.screen.slice(from, this.screen.indexOf(mark, from));
  }

  [Symbol.dispose](): void {
    this.connection[Symbol.dispose]();
  }

  #changed(): void {
    for (const change of [...this.#changes]) change();
  }
}
