import { Buffer } from 'node:buffer';
import { QuaysideError } from '../base/errors.ts';
import { DtachSocket } from './dtach-socket.ts';
import { attachByExec, ExecRefused } from './exec-transport.ts';
import { END_SCRIPT, KEEPER_SCRIPT, REJOIN_SCRIPT } from './host-scripts.ts';
import type { ShellHost, Size } from './shell-host.ts';
import type { Shell, ShellTransport, ShellTransportListener } from './shell-transport.ts';

/** Who the learner is on every host. */
const LEARNER = 'learner';
/** Where sockets live in a host that shares no directory with us: every host has it, and nobody tidies it. */
const PRIVATE_DIRECTORY = '/dev/shm';
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
    return shell;
  }

  async join(size: Size, listener: ShellTransportListener): Promise<ShellTransport> {
    if (!this.#fresh) return this.#attach(size, listener);
    const begun = Promise.withResolvers<void>();
    let waiting = true;
    const carrier = await this.#attach(size, {
      drained: () => listener.drained(),
      piece: (piece) => {
        if (!waiting) {
          listener.piece(piece);
        } else if (piece.kind === 'note') {
          // What comes before it is the echo of what we sent.
          waiting = false;
          if (piece.note === 'begin') begun.resolve();
          else begun.reject(refusal(this.#host.name, ''));
        }
      },
    });
    carrier.write(GO);
    await begun.promise;
    this.#fresh = false;
    return carrier;
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

  async #attach(size: Size, listener: ShellTransportListener): Promise<ShellTransport> {
    const { shared } = this.#host;
    if (shared) {
      try {
        return await DtachSocket.attach(this.#id, `${shared.outside}/${this.#id}`, size, listener);
      } catch {
        // A host that has outlived our side of the directory (its mount was taken away) is reached through the engine;
        // if nobody is there, that way says so best.
      }
    }
    const rejoin = ['sh', '-c', REJOIN_SCRIPT, 'quayside-join', this.#inside];
    const command = this.#host.ttyCommand(rejoin, { user: LEARNER });
    try {
      return await attachByExec(this.#id, command, size, listener);
    } catch (error) {
      if (error instanceof ExecRefused) throw refusal(this.#host.name, error.message);
      throw error;
    }
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
