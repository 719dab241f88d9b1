/** Ends and starts looked back on: enough for a fair mean, few enough to follow the hour. */
const REMEMBERED = 20;
/** Room may come without any sandbox ending (another program gives memory back), so it is looked for now and then. */
const LOOK_MS = 3_000;

/** Somebody who wants a sandbox. */
export interface QueueEntry {
  /** Whether a sandbox stands ready for it: then it needs neither room nor a start of its own. */
  ready(): boolean;
  /** There is room: start. Called once, and may be called before `join` returns. */
  admitted(admission: Slot): void;
  /** Where it stands in the queue; told whenever that changes. */
  placed(place: QueuePosition): void;
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

/** Room for one sandbox, held until `leave`. */
export interface Slot {
  /** The start is over, well or not: the next may begin. */
  started(): void;
  /** The sandbox is gone. */
  leave(): void;
}

/** What the gate goes by. */
export interface AdmissionQueueOptions {
  /** How many sandboxes may run at once. */
  readonly most: number;
  /** Starts that run side by side; more of them only make each other slow. */
  readonly startsAtOnce: number;
  /** Whether the machine has memory for one more sandbox while `starting` are on their way. */
  readonly hasMemory: (starting: number) => boolean;
  /** Sandboxes that run and belong to nobody yet. They take room, and give way to whoever needs it. */
  readonly spare: () => number;
  /** Gives one of them up; true where there was one. */
  readonly giveUpSpare: () => boolean;
  /** Nobody waits and nobody is starting: the moment to prepare for the next. */
  readonly onQuiet: () => void;
  readonly now?: () => number;
}

/** Lets learners in, in the order they came, as far as the machine has room. */
export class AdmissionQueue implements Disposable {
  readonly #options: AdmissionQueueOptions;
  readonly #queue: QueueEntry[] = [];
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  readonly #told = new Map<QueueEntry, string>();
  readonly #now: () => number;
  #inside = 0;
  #starting = 0;
  #look: NodeJS.Timeout | undefined;

  constructor(options: AdmissionQueueOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** How many sandboxes of learners there are. */
  get inside(): number {
    return this.#inside;
  }

  /** How many of them are being started. */
  get starting(): number {
    return this.#starting;
  }

  /** Asks for room: given at once where there is some, else in turn. */
  join(visitor: QueueEntry): void {
    this.#queue.push(visitor);
    this.#move();
  }

  /** Gives up waiting. */
  leaveQueue(visitor: QueueEntry): void {
    const index = this.#queue.indexOf(visitor);
    if (index < 0) return;
    this.#queue.splice(index, 1);
    this.#told.delete(visitor);
    this.#move();
  }

  /** Room for a sandbox that nobody has to wait for: it runs already, or takes the place of one that is cleared away. */
  occupy(how: 'running' | 'starting'): Slot {
    return this.#admission(how === 'starting');
  }

  /** Something has changed that may have made room. */
  stir(): void {
    this.#move();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#look);
    this.#queue.length = 0;
    this.#told.clear();
  }

  #move(): void {
    clearTimeout(this.#look);
    for (let next = this.#queue[0]; next && this.#mayEnter(next); next = this.#queue[0]) {
      this.#queue.shift();
      this.#told.delete(next);
      next.admitted(this.#admission(!next.ready()));
    }
    for (const [index, visitor] of this.#queue.entries()) this.#tell(visitor, index + 1);
    if (this.#queue.length === 0) {
      if (this.#starting === 0) this.#options.onQuiet();
      return;
    }
    this.#look = setTimeout(() => this.#move(), LOOK_MS);
    this.#look.unref();
  }

  #mayEnter(visitor: QueueEntry): boolean {
    if (visitor.ready()) return true;
    if (this.#starting >= this.#options.startsAtOnce) return false;
    if (this.#hasRoom()) return true;
    return this.#options.giveUpSpare() && this.#hasRoom();
  }

  #hasRoom(): boolean {
    const { most, spare, hasMemory } = this.#options;
    return this.#inside + spare() < most && hasMemory(this.#starting);
  }

  #admission(starts: boolean): Slot {
    const since = this.#now();
    let starting = starts;
    let here = true;
    this.#inside++;
    if (starts) this.#starting++;
    const started = (): void => {
      if (!starting) return;
      starting = false;
      this.#starting--;
      remember(this.#starts, this.#now() - since);
      this.#move();
    };
    return {
      started,
      leave: () => {
        if (!here) return;
        here = false;
        this.#inside--;
        if (starting) {
          starting = false;
          this.#starting--;
        }
        remember(this.#ends, this.#now());
        this.#move();
      },
    };
  }

  #tell(visitor: QueueEntry, place: number): void {
    const because = this.#hasRoom() ? 'busy' : 'full';
    const waitSeconds = because === 'busy' ? this.#untilStarted(place) : this.#untilEnded(place);
    const next: QueuePosition = {
      place,
      because,
      ...(waitSeconds === undefined ? {} : { waitSeconds }),
    };
    const key = JSON.stringify(next);
    if (this.#told.get(visitor) === key) return;
    this.#told.set(visitor, key);
    visitor.placed(next);
  }

  #untilStarted(place: number): number | undefined {
    if (this.#starts.length === 0) return undefined;
    const mean = this.#starts.reduce((sum, each) => sum + each, 0) / this.#starts.length;
    return seconds(mean * Math.ceil(place / this.#options.startsAtOnce));
  }

  /** Two ends or more make a rhythm; one end alone says nothing about the next. */
  #untilEnded(place: number): number | undefined {
    const [first] = this.#ends;
    if (first === undefined || this.#ends.length < 2) return undefined;
    return seconds(((this.#now() - first) / this.#ends.length) * place);
  }
}

function remember(list: number[], value: number): void {
  list.push(value);
  if (list.length > REMEMBERED) list.shift();
}

/** Rounded to what an estimate is worth: to the second, then to 10 s, then to the minute. */
function seconds(milliseconds: number): number {
  const exact = milliseconds / 1000;
  const grain = exact < 10 ? 1 : exact < 120 ? 10 : 60;
  return Math.max(grain, Math.ceil(exact / grain) * grain);
}
