import { Buffer } from 'node:buffer';
import { deadline, withAbort } from '../base/deadline.ts';
import { QuaysideError } from '../base/errors.ts';
import type { StreamItem } from './control-scanner.ts';
import { DtachSocket } from './dtach-socket.ts';
import { attachByExec, ExecRefused } from './exec-transport.ts';
import {
  END_SCRIPT,
  NOTHING_LEFT,
  REJOIN_SCRIPT,
  SOMETHING_LIVES,
  startCommand,
} from './host-scripts.ts';
import type { ShellHost, Size } from './shell-host.ts';
import type {
  RedirectableTransport,
  Shell,
  ShellState,
  ShellTransport,
  ShellTransportListener,
} from './shell-transport.ts';

/** Who the learner is on every host. */
const LEARNER = 'learner';
/** Where sockets are in a host that shares no directory with this machine: every host has it, and nothing clears it. */
const PRIVATE_DIRECTORY = '/dev/shm';
/** The line that the keeper waits for before it starts the shell. */
const GO = Buffer.from('\r');
/** A host under load takes a second or two to run a command; one that takes this long is not going to. */
const RUN_MS = 15_000;
/** A shell is joined within a second, under load within a few. A paused host would hold whoever waits for ever. */
const JOIN_MS = 30_000;
/** As much of a refusal as is worth showing. */
const REFUSAL_CHARACTERS = 300;
/** Ids become file names and parts of escape sequences. */
const ID = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * A shell in a host under dtach, so that it outlives this server. It is reached through dtach's socket, in a directory
 * that both sides see, where there is one (without the engine in between: half the delay, twice the throughput); else
 * through dtach's attach end inside the host, on a TTY of the engine's.
 */
export class HostShell implements Shell {
  readonly #host: ShellHost;
  readonly #id: string;
  /** The keeper waits for {@link GO}. */
  #fresh = false;

  /** @param id letters, digits, `-` and `_`, at most 64; unique on the host */
  constructor(host: ShellHost, id: string) {
    if (!ID.test(id)) throw new TypeError(`not a terminal id: ${id}`);
    this.#host = host;
    this.#id = id;
  }

  /** Starts it. @throws QuaysideError SANDBOX_FAILED when the host cannot, or not in time; the signal's reason */
  async start(signal?: AbortSignal): Promise<void> {
    const command = startCommand(this.#inside, this.#id, LEARNER);
    const started = await this.#within(RUN_MS, signal, (limited) =>
      this.#host.runSmall(command, { user: LEARNER, signal: limited }),
    );
    if (started.status !== 0) {
      throw refusal(this.#host.name, `${started.stdout}${started.stderr}`);
    }
    this.#fresh = true;
  }

  async join(
    size: Size,
    listener: ShellTransportListener,
    signal?: AbortSignal,
  ): Promise<ShellTransport> {
    return await this.#within(JOIN_MS, signal, (limited) => this.#join(size, listener, limited));
  }

  async #join(
    size: Size,
    listener: ShellTransportListener,
    signal: AbortSignal,
  ): Promise<ShellTransport> {
    if (!this.#fresh) return await this.#attach(size, listener, signal);
    const begun = Promise.withResolvers<void>();
    // It can be refused before it is waited for below.
    begun.promise.catch(() => undefined);
    let hasBegun = false;
    const first = {
      drained: () => listener.drained(),
      item: (item: StreamItem) => {
        if (hasBegun) return listener.item(item);
        // Output before the first note is the echo of what was sent.
        if (item.kind !== 'note') return;
        hasBegun = item.note === 'begin';
        if (hasBegun) begun.resolve();
        else begun.reject(refusal(this.#host.name, ''));
      },
    };
    const transport = await this.#attach(size, first, signal, GO);
    try {
      await withAbort(signal, () => begun.promise);
    } catch (error) {
      transport[Symbol.dispose]();
      throw error;
    }
    transport.redirect(listener);
    this.#fresh = false;
    return transport;
  }

  async end(signal?: AbortSignal): Promise<void> {
    const { status, stderr } = await this.#signal('all', signal);
    if (status === NOTHING_LEFT) return;
    const said = stderr || (status === SOMETHING_LIVES ? 'part of it lives' : `status ${status}`);
    throw refusal(this.#host.name, said, 'A shell could not be ended');
  }

  async tidy(signal?: AbortSignal): Promise<void> {
    await this.#signal('polite', signal);
  }

  async state(signal?: AbortSignal): Promise<ShellState> {
    try {
      const { status, stderr } = await this.#signal('none', signal);
      if (status === NOTHING_LEFT) return { kind: 'gone' };
      if (status === SOMETHING_LIVES) return { kind: 'alive' };
      // The script did not run to its end: no process to be had (126), killed, no such program.
      return { kind: 'unknown', cause: refusal(this.#host.name, stderr) };
    } catch (cause) {
      signal?.throwIfAborted();
      return { kind: 'unknown', cause };
    }
  }

  get #inside(): string {
    const { shared } = this.#host;
    return shared ? `${shared.inside}/${this.#id}` : `${PRIVATE_DIRECTORY}/quayside-${this.#id}`;
  }

  async #attach(
    size: Size,
    listener: ShellTransportListener,
    signal: AbortSignal,
    opening?: Uint8Array,
  ): Promise<RedirectableTransport> {
    const { shared } = this.#host;
    if (shared) {
      try {
        const path = `${shared.outside}/${this.#id}`;
        return await DtachSocket.attach(this.#id, path, size, listener, signal, opening);
      } catch {
        signal.throwIfAborted();
        // A host that has outlived this side of the directory (its mount was removed) is reached through the engine. If
        // dtach is gone, the refusal from there says so best.
      }
    }
    const rejoin = ['sh', '-c', REJOIN_SCRIPT, 'quayside-join', this.#inside];
    const command = this.#host.ttyCommand(rejoin, { user: LEARNER });
    try {
      const transport = await attachByExec(this.#id, command, size, listener, signal);
      if (opening) transport.write(opening);
      return transport;
    } catch (error) {
      if (error instanceof ExecRefused) throw refusal(this.#host.name, error.message);
      throw error;
    }
  }

  /** `none` tells whether it lives: {@link SOMETHING_LIVES} or {@link NOTHING_LEFT}, and any other status nothing. */
  async #signal(
    how: 'all' | 'polite' | 'none',
    signal: AbortSignal | undefined,
  ): ReturnType<ShellHost['run']> {
    const argv = ['bash', '-c', END_SCRIPT, 'quayside-end', this.#id, how, this.#inside];
    return await this.#within(RUN_MS, signal, (limited) =>
      this.#host.run(argv, { user: 'root', signal: limited }),
    );
  }

  /** @throws the outer signal's reason; QuaysideError SANDBOX_FAILED at the limit; what the work throws */
  async #within<T>(
    milliseconds: number,
    outer: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    using limit = deadline(milliseconds, outer);
    try {
      return await withAbort(limit.signal, () => work(limit.signal));
    } catch (error) {
      outer?.throwIfAborted();
      if (!limit.signal.aborted) throw error;
      const why = `it has not answered for ${milliseconds / 1000} s`;
      throw refusal(this.#host.name, why, undefined, { cause: error });
    }
  }
}

function refusal(
  host: string,
  output: string,
  what = 'No shell could be reached',
  options?: ErrorOptions,
): QuaysideError {
  const reason = output
    .replaceAll(/[^\x20-\x7e]+/g, ' ')
    .trim()
    .slice(0, REFUSAL_CHARACTERS);
  return new QuaysideError(
    'SANDBOX_FAILED',
    `${what} on ${host}${reason ? `: ${reason}` : ''}.`,
    'Open the terminal again; if that fails too, reset the lab.',
    options,
  );
}
