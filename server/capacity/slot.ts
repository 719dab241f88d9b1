import { randomBytes } from 'node:crypto';
import type { Lab } from '#lab';
import type { Background } from '../base/background.ts';
import { sleep } from '../base/deadline.ts';
import type { SandboxLabels } from '../sandbox/labels.ts';
import { destroySandbox } from '../sandbox/removal.ts';
import type { SandboxRuntime } from '../sandbox/runtime.ts';
import { Sandbox } from '../sandbox/sandbox.ts';
import { stopSandbox } from '../sandbox/stop.ts';

/** A removal or a stop that failed is tried again after these times; the last one holds for all that follow. */
const RETRY_MS = [1_000, 5_000, 30_000] as const;

export interface SlotOptions {
  readonly runtime: SandboxRuntime;
  /** The server's own name, which is on every label. */
  readonly instance: string;
  readonly background: Background;
  /** Aborted when the server stops: what is not removed by then is left to the next server's sweep. */
  readonly closing: AbortSignal;
}

/** A start's turn: so many run side by side. Disposing it lets the next start begin. */
export type Turn = Disposable;

/** What the queue does for a slot. */
export interface SlotOwner {
  takeTurn(makes: boolean, signal: AbortSignal): Promise<Turn>;
  takeBack(slot: Slot): void;
}

type Content =
  | { readonly state: 'empty' }
  | { readonly state: 'holding'; readonly id: string; readonly sandbox: Sandbox }
  | { readonly state: 'stopping'; readonly id: string; readonly stopped: Promise<void> }
  | { readonly state: 'clearing'; readonly id: string; readonly gone: Promise<void> };

/**
 * The right to have one sandbox. Sandboxes are made here and nowhere else: a second one in the same slot has to wait
 * until the first is gone. A slot counts against the limit from its making until its sandbox is gone after `release`.
 */
export class Slot {
  readonly #options: SlotOptions;
  readonly #owner: SlotOwner;
  #content: Content = { state: 'empty' };
  #released: Promise<void> | undefined;

  constructor(options: SlotOptions, owner: SlotOwner) {
    this.#options = options;
    this.#owner = owner;
  }

  /** The id of the sandbox that is in it, or is being stopped in it or removed from it. */
  get sandbox(): string | undefined {
    return this.#content.state === 'empty' ? undefined : this.#content.id;
  }

  get isClearing(): boolean {
    return this.#content.state === 'clearing';
  }

  /** Settles when its sandbox is stopped and the slot is given back; `undefined` where it is not being stopped. */
  get stopping(): Promise<void> | undefined {
    return this.#content.state === 'stopping' ? this.#content.stopped : undefined;
  }

  /** The slot's sandbox, before anything of it is on the engine. @throws Error where the slot is not free */
  make(lab: Lab, ids: Omit<SandboxLabels, 'instance'>): Sandbox {
    if (this.#content.state !== 'empty' || this.#released) {
      throw new Error(`the slot of sandbox ${this.sandbox ?? 'none'} is not free`);
    }
    const { runtime, instance } = this.#options;
    const sandbox = new Sandbox(runtime, lab, { instance, ...ids });
    this.#content = { state: 'holding', id: ids.sandbox, sandbox };
    return sandbox;
  }

  /**
   * Removes a sandbox that has no slot, and gives this one back; settles then.
   *
   * @throws as {@link clear}; nobody needs to wait for it
   */
  sweep(id: string): Promise<void> {
    const { runtime, background, closing } = this.#options;
    const gone = this.#remove(id, (signal) => destroySandbox(runtime, id, signal));
    const swept = gone.then(() => this.release());
    background.run('sweep of a sandbox', () => swept, closing);
    return swept;
  }

  /**
   * Stops the slot's sandbox, or one that has no slot, and tries again until that is done. The sandbox is kept, and the slot
   * is given back: what is stopped takes no room.
   */
  stop(id = this.sandbox): void {
    const { runtime, background, closing } = this.#options;
    const content = this.#content;
    if (id === undefined || (content.state !== 'holding' && content.state !== 'empty')) {
      throw new Error(`there is nothing to stop in the slot of sandbox ${this.sandbox ?? 'none'}`);
    }
    const stop =
      content.state === 'holding'
        ? (signal: AbortSignal) => content.sandbox.stop(signal)
        : (signal: AbortSignal) => stopSandbox(runtime, id, signal);
    const stopped = this.#untilDone('stop of a sandbox', stop).then(() => {
      this.#content = { state: 'empty' };
      this.#owner.takeBack(this);
    });
    this.#released = stopped;
    this.#content = { state: 'stopping', id, stopped };
    background.run('stop of a sandbox', () => stopped, closing);
  }

  /**
   * Settles when it is this slot's turn to start.
   *
   * @param makes whether a sandbox is made then; one that is there already needs no room
   * @throws the signal's reason
   */
  turn(makes: boolean, signal: AbortSignal): Promise<Turn> {
    return this.#owner.takeTurn(makes, signal);
  }

  /**
   * Removes what is in the slot, and tries again until it is gone; the slot can then be used again.
   *
   * @throws the reason of the server's stop
   */
  clear(): Promise<void> {
    switch (this.#content.state) {
      case 'empty':
        return Promise.resolve();
      case 'stopping':
        return this.#content.stopped;
      case 'clearing':
        return this.#content.gone;
      case 'holding': {
        const { id, sandbox } = this.#content;
        return this.#remove(id, (signal) => sandbox.destroy(signal));
      }
    }
  }

  /** Settles when nothing that was asked of its sandbox is under way any more. */
  async settled(): Promise<void> {
    if (this.#content.state === 'holding') await this.#content.sandbox.settled();
  }

  /** Gives the slot up. Settles when its sandbox is gone and the slot is free for others. @throws as {@link clear} */
  release(): Promise<void> {
    this.#released ??= this.clear().then(() => this.#owner.takeBack(this));
    this.#released.catch(() => undefined);
    return this.#released;
  }

  #remove(id: string, destroy: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { background, closing } = this.#options;
    const gone = this.#untilDone('removal of a sandbox', destroy).then(() => {
      this.#content = { state: 'empty' };
    });
    this.#content = { state: 'clearing', id, gone };
    background.run('removal of a sandbox', () => gone, closing);
    return gone;
  }

  async #untilDone(name: string, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { background, closing } = this.#options;
    for (let failures = 0; ; failures++) {
      try {
        return await work(closing);
      } catch (error) {
        closing.throwIfAborted();
        background.fail(name, error);
        const wait = RETRY_MS[Math.min(failures, RETRY_MS.length - 1)];
        await sleep(wait ?? 0, closing);
      }
    }
  }
}

/** The id of a new sandbox: short enough for a container's name. */
export function newSandboxId(): string {
  return randomBytes(4).toString('hex');
}
