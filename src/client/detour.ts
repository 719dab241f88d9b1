import { ECHO_PATH } from '#protocol';
import { overHttp } from './http-transport.ts';
import { type Dial, overWebSocket } from './transport.ts';

/** For a WebSocket to be let in and to hear something. */
const COMES_THROUGH_MS = 4_000;
/** WebSockets are tried again at once, as the server may only have been restarted; then less and less often. */
const TRY_MS = [0, 15_000, 30_000, 60_000, 120_000] as const;

type State =
  | { readonly kind: 'none' }
  /** A link over HTTP works. `isSure`: no WebSocket has come through since. */
  | { readonly kind: 'taken'; readonly isSure: boolean };

/**
 * Whether this page's links go over HTTP because the network stops WebSockets: one link finds out for all. Meanwhile it
 * looks by itself whether WebSockets come through again.
 */
export class Detour {
  #state: State = { kind: 'none' };
  /** Never begun anew: where a network stops some WebSockets and not those that try it, they are tried as rarely. */
  #tries = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #listeners = new Set<() => void>();

  /** How a link is begun now. */
  get dial(): Dial {
    return this.#state.kind === 'taken' ? overHttp : overWebSocket;
  }

  /** It is sure that the network stops WebSockets. */
  get isSure(): boolean {
    return this.#state.kind === 'taken' && this.#state.isSure;
  }

  /** A link over HTTP works, and no WebSocket was let in before. */
  take(): void {
    if (this.#state.kind === 'taken') return;
    this.#become({ kind: 'taken', isSure: this.#tries > 0 });
    this.#tryAgain();
  }

  /** Calls `listener` when any of it changes, until `signal` is aborted. */
  subscribe(listener: () => void, signal: AbortSignal): void {
    this.#listeners.add(listener);
    signal.addEventListener('abort', () => this.#listeners.delete(listener));
  }

  /** The network may be another one. */
  hurry(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    void this.#try();
  }

  /** Begins anew, with nothing known. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#state = { kind: 'none' };
    this.#tries = 0;
  }

  #tryAgain(): void {
    const wait = TRY_MS[Math.min(this.#tries, TRY_MS.length - 1)];
    this.#tries += 1;
    this.#timer = setTimeout(() => void this.#try(), wait);
  }

  async #try(): Promise<void> {
    this.#timer = undefined;
    const comesThrough = await webSocketComesThrough();
    if (this.#state.kind === 'none') return;
    if (comesThrough) {
      this.#become({ kind: 'none' });
      return;
    }
    this.#become({ kind: 'taken', isSure: true });
    this.#tryAgain();
  }

  #become(state: State): void {
    this.#state = state;
    for (const listener of [...this.#listeners]) listener();
  }
}

/** The page's own. */
export const detour = new Detour();

/** Whether a WebSocket is let in and hears something. */
export async function webSocketComesThrough(): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), COMES_THROUGH_MS);
  const socket = overWebSocket(ECHO_PATH, {
    opened: () => undefined,
    message: () => resolve(true),
    closed: () => resolve(false),
  });
  const comesThrough = await promise;
  clearTimeout(timer);
  socket.close();
  return comesThrough;
}
