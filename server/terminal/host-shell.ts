import { Buffer } from 'node:buffer';
import { access } from 'node:fs/promises';
import { QuaysideError } from '../errors.ts';
import { dtachIsHere, endJoins } from './dtach.ts';
import { END_SCRIPT, KEEPER_SCRIPT, REJOIN_SCRIPT } from './host-scripts.ts';
import { Pty } from './pty.ts';
import type { Carrier, CarrierListener, Shell } from './shell.ts';
import type { PtyCommand, ShellHost, Size } from './shell-host.ts';

/** Who the learner is on every host. */
const LEARNER = 'learner';
/** Where sockets live in a host that shares no directory with us: every host has it, and nobody tidies it. */
const PRIVATE_DIRECTORY = '/dev/shm';
/** What dtach prints once it is connected, before anything of the shell. */
const DTACH_GREETING = Buffer.from('\x1b[H\x1b[J');
/** The line that the keeper waits for before it starts the shell. */
const GO = Buffer.from('\r');
/** A host under load takes a second or two to run a command; one that takes this long is not going to. */
const RUN_MS = 15_000;
/** As much of a refusal as is worth showing. */
const REFUSAL_CHARACTERS = 300;
/** Ids become file names and parts of escape sequences. */
const ID = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * A shell in a host under dtach, so that it outlives this server. The way in is dtach's socket: through a directory
 * that both sides see where there is one (it goes round the engine: half the delay, twice the throughput), else dtach
 * inside the host over a TTY of the engine's.
 */
export class HostShell implements Shell {
  readonly #host: ShellHost;
  readonly #id: string;
  /** The keeper waits for {@link GO}. */
  #fresh = false;

  private constructor(host: ShellHost, id: string) {
    if (!ID.test(id)) throw new TypeError(`not a terminal id: ${id}`);
    this.#host = host;
    this.#id = id;
  }

  /** @throws QuaysideError SANDBOX_FAILED when the host can't start one */
  static async start(host: ShellHost, id: string): Promise<HostShell> {
    const shell = new HostShell(host, id);
    const keeper = ['sh', '-c', KEEPER_SCRIPT, 'quayside-shell', id];
    const started = await host.run(
      ['dtach', '-n', shell.#inside, '-E', '-z', '-r', 'winch', ...keeper],
      { user: LEARNER, signal: AbortSignal.timeout(RUN_MS) },
    );
    if (started.status !== 0) {
      throw refusal(host.name, `${started.stdout}${started.stderr}`);
    }
    shell.#fresh = true;
    return shell;
  }

  /** The shell that an earlier server started. @throws QuaysideError TERMINAL_UNKNOWN when it is gone */
  static async find(host: ShellHost, id: string): Promise<HostShell> {
    const shell = new HostShell(host, id);
    if (!(await shell.alive())) {
      throw new QuaysideError(
        'TERMINAL_UNKNOWN',
        `The shell of this terminal on ${host.name} is gone.`,
        'Open a new terminal.',
      );
    }
    if (host.shared) await endJoins(`${host.shared.outside}/${id}`);
    return shell;
  }

  async join(size: Size, listener: CarrierListener): Promise<Carrier> {
    const fresh = this.#fresh;
    const command = await this.#command();
    return new Promise((resolve, reject) => {
      let waiting: 'greeting' | 'begin' | undefined = 'greeting';
      let said = Buffer.alloc(0);
      const pty: Pty = new Pty(this.#id, command, size, {
        drained: () => listener.drained(),
        piece: (piece) => {
          if (waiting === undefined) {
            listener.piece(piece);
            return;
          }
          if (piece.kind === 'note') {
            if (piece.note === 'begin' && waiting === 'begin') {
              waiting = undefined;
              this.#fresh = false;
              resolve(pty);
            } else if (piece.note === 'left') {
              reject(refusal(this.#host.name, said.toString()));
            }
            return;
          }
          if (waiting === 'begin') return; // The pty's echo of what we sent.
          said = Buffer.concat([said, piece.bytes]);
          const greeting = said.indexOf(DTACH_GREETING);
          if (greeting < 0) return;
          if (fresh) {
            waiting = 'begin';
            pty.write(GO);
            return;
          }
          waiting = undefined;
          resolve(pty);
          const bytes = said.subarray(greeting + DTACH_GREETING.byteLength);
          if (bytes.byteLength > 0) listener.piece({ kind: 'bytes', bytes });
        },
      });
    });
  }

  async end(): Promise<void> {
    const { status, stderr } = await this.#signal('all');
    if (status !== 0) throw refusal(this.#host.name, stderr);
  }

  async tidy(): Promise<void> {
    await this.#signal('polite');
  }

  async alive(): Promise<boolean> {
    return (await this.#signal('none')).status === 1;
  }

  get #inside(): string {
    const { shared } = this.#host;
    return shared ? `${shared.inside}/${this.#id}` : `${PRIVATE_DIRECTORY}/quayside-${this.#id}`;
  }

  async #command(): Promise<PtyCommand> {
    const { shared } = this.#host;
    const socket = shared && `${shared.outside}/${this.#id}`;
    // A host that has outlived our side of the directory (its mount was taken away) is reached through the engine.
    if (socket && (await dtachIsHere()) && (await isThere(socket))) {
      return { file: 'dtach', args: ['-a', socket, '-E', '-z', '-r', 'winch'], env: {} };
    }
    return this.#host.ttyCommand(['sh', '-c', REJOIN_SCRIPT, 'quayside-join', this.#inside], {
      user: LEARNER,
    });
  }

  /** `none` tells whether it lives: status 1 while it does. */
  #signal(how: 'all' | 'polite' | 'none'): ReturnType<ShellHost['run']> {
    return this.#host.run(['bash', '-c', END_SCRIPT, 'quayside-end', this.#id, how, this.#inside], {
      user: 'root',
      signal: AbortSignal.timeout(RUN_MS),
    });
  }
}

function refusal(host: string, said: string): QuaysideError {
  const reason = said
    .replaceAll(/[^\x20-\x7e]+/g, ' ')
    .trim()
    .slice(0, REFUSAL_CHARACTERS);
  return new QuaysideError(
    'SANDBOX_FAILED',
    `No shell could be reached on ${host}${reason ? `: ${reason}` : ''}.`,
    'Open the terminal again; if that fails too, reset the lab.',
  );
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
