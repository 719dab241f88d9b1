import { addAbortListener } from 'node:events';
import { Timers } from '../base/timers.ts';
import { Slot, type SlotOptions, type Turn } from './slot.ts';
import type { TakenSandbox, WarmPool } from './warm-pool.ts';

/** Ends and starts looked back on: enough for a fair mean, few enough to follow the hour. */
const REMEMBERED = 20;
/** Memory may be given back by another program, which no event tells, so it is looked for now and then. */
const LOOK_MS = 3_000;

/** A session that wants a sandbox. */
export interface QueueEntry {
  /** Of which the pool may have a sandbox; `undefined` where it comes back to one of its own. */
  readonly lab: string | undefined;
  /** A slot is free: start. Called once, and may be called before `join` returns. */
  onSlot(slot: Slot, turn: Turn): void;
  /** A sandbox of the pool is free: take it, and its slot with it. Called in place of `onSlot`. */
  onWarm(warm: TakenSandbox): void;
  /** Where it stands in the queue; told whenever that changes. */
  onPosition(position: QueuePosition): void;
}

/** A place in the queue. */
export interface QueuePosition {
  /** 1 is next. */
  readonly place: number;
  /** What is waited for: a sandbox to end, or only starts under way. */
  readonly because: 'full' | 'busy';
  /** An estimate from what was observed; absent where nothing has been. */
  readonly waitSeconds?: number;
}

export interface AdmissionQueueOptions extends SlotOptions {
  readonly most: number;
  /** How many starts may run side by side now; more of them only make each other slow. */
  readonly startsAtOnce: () => number;
  /** Whether the machine has memory for one more sandbox while `starting` are on their way. */
  readonly hasMemory: (starting: number) => boolean;
}

interface WaitingStart {
  /** A sandbox is made in it: that waits until no more slots are given out than there may be. */
  readonly makes: boolean;
  readonly begin: (turn: Turn) => void;
}

/**
 * Gives out slots in the order in which sessions ask, as far as the machine has room. This is the only place where the
 * number of sandboxes is decided.
 */
export class AdmissionQueue implements Disposable {
  readonly #options: AdmissionQueueOptions;
  readonly #queue: QueueEntry[] = [];
  readonly #slots = new Set<Slot>();
  /** Slots that are there already and wait for their turn to start: they go before the queue. */
  readonly #waitingStarts = new Set<WaitingStart>();
  readonly #starting = new Set<Turn>();
  readonly #startTimes: number[] = [];
  readonly #endedAt: number[] = [];
  readonly #told = new Map<QueueEntry, string>();
  /** The pool, whose sandboxes are given out first. */
  spares: Pick<WarmPool, 'take' | 'evictOne' | 'fill'> | undefined;
  readonly #timers = new Timers();
  /** Before it opens, only slots of what is there already are given out. */
  #state: 'shut' | 'open' | 'closed' = 'shut';

  constructor(options: AdmissionQueueOptions) {
    this.#options = options;
  }

  /** All that takes room already has its slot: the rest is given out. */
  open(): void {
    if (this.#state === 'shut') this.#state = 'open';
    this.reevaluate();
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /** Every slot that is given out or is being cleared. */
  get slots(): ReadonlySet<Slot> {
    return this.#slots;
  }

  /** Asks for a slot: given at once where there is room, else in turn. */
  join(entry: QueueEntry): void {
    this.#queue.push(entry);
    this.reevaluate();
  }

  /** Gives up waiting. */
  leave(entry: QueueEntry): void {
    const index = this.#queue.indexOf(entry);
    if (index < 0) return;
    this.#queue.splice(index, 1);
    this.#told.delete(entry);
    this.reevaluate();
  }

  /** A slot for a sandbox that an earlier server has left running. It is given whatever the limit is now. */
  takeUp(): Slot {
    return this.#newSlot();
  }

  /** A slot for the pool, where nobody waits, nothing starts and there is room. */
  takeSpare(): Slot | undefined {
    const isQuiet = this.#queue.length === 0 && this.#starting.size === 0;
    return isQuiet && this.#state === 'open' && this.#hasRoom() ? this.#newSlot() : undefined;
  }

  /** Gives out what can be given out now, and tells everybody else their position. */
  reevaluate(): void {
    if (this.#state === 'closed') return;
    this.#timers.clear('look');
    this.#beginWaitingStarts();
    for (let next = this.#queue[0]; next; next = this.#queue[0]) {
      if (!this.#admit(next)) break;
    }
    for (const [index, entry] of this.#queue.entries()) this.#tell(entry, index + 1);
    if (this.#queue.length === 0) {
      if (this.#starting.size === 0 && this.#state === 'open') this.spares?.fill();
      return;
    }
    const look = this.#options.background.guard('admission queue', () => this.reevaluate());
    this.#timers.set('look', LOOK_MS, look);
  }

  [Symbol.dispose](): void {
    this.#state = 'closed';
    this.#timers[Symbol.dispose]();
    this.#queue.length = 0;
    this.#waitingStarts.clear();
    this.#told.clear();
  }

  #admit(next: QueueEntry): boolean {
    if (this.#state !== 'open') return false;
    const warm = next.lab === undefined ? undefined : this.spares?.take(next.lab);
    if (!warm && !this.#mayStart()) return false;
    this.#queue.shift();
    this.#told.delete(next);
    if (warm) next.onWarm(warm);
    else next.onSlot(this.#newSlot(), this.#beginTurn());
    return true;
  }

  #mayStart(): boolean {
    if (this.#starting.size >= this.#options.startsAtOnce()) return false;
    if (this.#hasRoom()) return true;
    this.spares?.evictOne();
    return false;
  }

  #hasRoom(): boolean {
    return this.#slots.size < this.#options.most && this.#options.hasMemory(this.#starting.size);
  }

  #newSlot(): Slot {
    const slot = new Slot(this.#options, {
      takeTurn: (makes, signal) => this.#takeTurn(makes, signal),
      takeBack: (own) => {
        this.#slots.delete(own);
        remember(this.#endedAt, Date.now());
        this.reevaluate();
      },
    });
    this.#slots.add(slot);
    return slot;
  }

  async #takeTurn(makes: boolean, signal: AbortSignal): Promise<Turn> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<Turn>();
    const waiting: WaitingStart = { makes, begin: resolve };
    using _ = addAbortListener(signal, () => {
      this.#waitingStarts.delete(waiting);
      reject(signal.reason);
    });
    this.#waitingStarts.add(waiting);
    this.#beginWaitingStarts();
    return await promise;
  }

  #beginWaitingStarts(): void {
    const mayMake = this.#state === 'open' && this.#slots.size <= this.#options.most;
    while (this.#starting.size < this.#options.startsAtOnce()) {
      const next = this.#waitingStarts.values().find(({ makes }) => mayMake || !makes);
      if (!next) return;
      this.#waitingStarts.delete(next);
      next.begin(this.#beginTurn());
    }
  }

  #beginTurn(): Turn {
    const since = Date.now();
    const turn: Turn = {
      [Symbol.dispose]: () => {
        if (!this.#starting.delete(turn)) return;
        remember(this.#startTimes, Date.now() - since);
        this.reevaluate();
      },
    };
    this.#starting.add(turn);
    return turn;
  }

  #tell(entry: QueueEntry, place: number): void {
    const because = this.#hasRoom() ? 'busy' : 'full';
    const waitSeconds = because === 'busy' ? this.#untilStarted(place) : this.#untilEnded(place);
    const next: QueuePosition = {
      place,
      because,
      ...(waitSeconds !== undefined && { waitSeconds }),
    };
    const key = JSON.stringify(next);
    if (this.#told.get(entry) === key) return;
    this.#told.set(entry, key);
    entry.onPosition(next);
  }

  #untilStarted(place: number): number | undefined {
    if (this.#startTimes.length === 0) return undefined;
    const mean = this.#startTimes.reduce((sum, each) => sum + each, 0) / this.#startTimes.length;
    return roundedSeconds(mean * Math.ceil(place / this.#options.startsAtOnce()));
  }

  /** Two ends or more make a rhythm; one end alone says nothing about the next. */
  #untilEnded(place: number): number | undefined {
    const [first] = this.#endedAt;
    if (first === undefined || this.#endedAt.length < 2) return undefined;
    return roundedSeconds(((Date.now() - first) / this.#endedAt.length) * place);
  }
}

function remember(list: number[], value: number): void {
  list.push(value);
  if (list.length > REMEMBERED) list.shift();
}

/** Rounded to what an estimate is worth: to the second, then to 10 s, then to the minute. */
function roundedSeconds(milliseconds: number): number {
  const exact = milliseconds / 1000;
  const grain = exact < 10 ? 1 : exact < 120 ? 10 : 60;
  return Math.max(grain, Math.ceil(exact / grain) * grain);
}
