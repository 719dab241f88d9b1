import { QuaysideError } from '../../server/base/errors.ts';
import { LABEL } from '../../server/sandbox/labels.ts';
import { Database, type Obstacle, type Sql, type Value } from '../../server/store/database.ts';
import { FaultyDatabase } from '../fixtures/faulty-database.ts';
import { MemoryMachine } from '../fixtures/memory-machine.ts';
import { seedEntropy } from '../fixtures/seeded-entropy.ts';
import { VirtualClock } from '../fixtures/virtual-clock.ts';
import { Chance } from './chance.ts';
import { LAB_NAMES, STEPS, simulatedLab } from './lab.ts';
import { RULES, type Rule } from './rules.ts';
import { ServerLife } from './server-life.ts';

/** Of an hour's life these are far more steps than any server needs; more of them are a loop that waits for nothing. */
const MOST_STEPS = 400_000;

/** What is decided once for a seed. Seeds with few kinds of trouble find what many kinds of it hide. */
export interface Plan {
  readonly sandboxesMost: number;
  readonly pool: number;
  readonly learners: number;
  readonly labCount: number;
  readonly inClass: boolean;
  readonly startsAtOnce: number;
  readonly idleMs: number;
  readonly totalMs: number;
  /** How long stopped sandboxes are kept; 0: limits remove them. */
  readonly keepMs: number;
  /** How long it is stormy (ms). */
  readonly stormMs: number;
  /** Between two deeds of one learner (ms, the shortest and the longest). */
  readonly paceMs: readonly [number, number];
}

const MINUTE = 60_000;
/** How soon somebody starts a server again. */
const RESTARTED_MS = [200, 30_000] as const;

function planOf(chance: Chance): Plan {
  const stormMs = chance.time(2_000, 10 * MINUTE);
  const paceMs = stormMs / chance.between(5, 40);
  return {
    sandboxesMost: chance.between(1, 4),
    pool: chance.odds(0.5) ? chance.between(1, 2) : 0,
    learners: chance.between(1, 4),
    labCount: chance.odds(0.3) ? 2 : 1,
    inClass: chance.odds(0.4),
    startsAtOnce: chance.between(1, 3),
    idleMs: idleOf(chance, stormMs),
    totalMs: chance.odds(0.3) ? chance.between(6, 60) * MINUTE : 0,
    keepMs: chance.odds(0.7) ? chance.between(2, 90) * MINUTE : 0,
    stormMs,
    paceMs: [Math.round(paceMs / 4), Math.round(paceMs * 4)],
  };
}

/** Now and then so short that hosts are stopped, and gone on with, in the middle of a storm. */
function idleOf(chance: Chance, stormMs: number): number {
  if (chance.odds(0.25)) return chance.time(500, stormMs);
  return chance.odds(0.3) ? chance.between(6, 30) * MINUTE : 0;
}

/** A server's connection to its file, on the disk of the world. */
class WorldDatabase extends FaultyDatabase {
  readonly #world: World;
  #isClosed = false;

  constructor(path: string, world: World) {
    super(path);
    this.#world = world;
  }

  override run(sql: Sql, ...values: Value[]): number {
    // It is not there yet while the layout is brought up to date.
    if (#world in this) {
      this.#world.onWrite();
      this.obstacle = this.#world.obstacle;
    }
    return super.run(sql, ...values);
  }

  /** A server that stops closes it; one that is killed has it closed. */
  override [Symbol.dispose](): void {
    if (!this.#isClosed) super[Symbol.dispose]();
    this.#isClosed = true;
  }
}

/** A rule that was broken. */
export class Violation extends Error {
  readonly rule: Rule;
  constructor(rule: Rule, what: string) {
    super(`${rule}: ${what}`);
    this.name = 'Violation';
    this.rule = rule;
  }
}

/**
 * All that a server lives in, made of one seed: the time, the machine, the disk, chance, and the server's life that is
 * under way. What happens in it is decided by `Participant`s and `Weather`; what must hold by `looks.ts`.
 */
export class World implements AsyncDisposable {
  readonly seed: number;
  readonly plan: Plan;
  readonly clock: VirtualClock;
  readonly chance: Chance;
  readonly machine: MemoryMachine;
  /** Why the disk takes no writes at the moment. */
  obstacle: Obstacle | undefined;
  readonly labs = new Map<string, ReturnType<typeof simulatedLab>>();
  readonly trace: string[] = [];
  /** The server that is up, or on its way; absent while there is none. */
  life: ServerLife | undefined;
  /** Names of containers that may be made though no server waits for it any more: no server can know of them at once. */
  readonly strays = new Set<string>();
  /** Whether the machine has memory for one more sandbox. */
  hasMemory = true;
  /** How full the engine's disk is (percent). */
  diskFill = 50;
  /** Nothing goes wrong any more. */
  isCalm = false;
  /** The sandboxes that were there when the server came: it has to find out whose they are. */
  inherited: ReadonlySet<string> = new Set();
  /** Told before the server writes something to its disk. */
  onWrite: () => void = () => undefined;
  /** Told of every container that the server had removed. */
  onRemoved: MemoryMachine['onRemoved'] = () => undefined;
  /** Told when a server has taken up what there was. */
  onOpen: (life: ServerLife) => void = () => undefined;
  /** Told when a server is gone. */
  onDown: () => void = () => undefined;
  #violation: Violation | undefined;
  #steps = 0;
  /** At which step a server was killed last. What it still does is done within the next. */
  #killedAt = 0;
  #calls = 0;
  readonly #undo = new DisposableStack();
  readonly #store: string;
  #database: WorldDatabase | undefined;

  constructor(seed: number, { verbose = false } = {}) {
    this.seed = seed;
    this.chance = new Chance(seed);
    this.plan = planOf(this.chance);
    // Kept in memory, and for as long as somebody has it open: a server's death takes only that server's connection.
    this.#store = `file:quayside-${seed}?mode=memory&cache=shared`;
    // SQLite draws the server's own name by itself; a seed has to give the same one each time.
    const made = this.#undo.use(new Database(this.#store));
    made.run("UPDATE meta SET value = '5eed5eed' WHERE key = 'instance'");
    this.clock = this.#undo.use(VirtualClock.install());
    this.clock.notesPlaces = verbose;
    if (!verbose) this.#undo.use(shortStacks());
    this.clock.onUncaught = (error) => this.#uncaught('an exception that nobody catches', error);
    this.#undo.use(seedEntropy(() => entropy.number()));
    const entropy = new Chance(seed + 1);
    this.#undo.use(catchUncaught((what, error) => this.#uncaught(what, error)));
    this.machine = new MemoryMachine((ms, callback) => void this.clock.after(ms, callback));
    this.machine.onRemoved = (...removed) => this.onRemoved(...removed);
    this.machine.onLastWords = ({ op, target }) => {
      if (this.#steps > this.#killedAt + 1) this.violate(RULES.theDeadAreSilent, `${op} ${target}`);
    };
    this.machine.onLost = ({ op, target }) => {
      if (op === 'container.create') this.strays.add(target);
    };
    this.machine.onCall = ({ op, target }) => {
      this.#calls += 1;
      if (verbose) this.say(`    ${op} ${target}`);
    };
    for (const name of LAB_NAMES.slice(0, this.plan.labCount))
      this.labs.set(name, simulatedLab(name));
  }

  get violation(): Violation | undefined {
    return this.#violation;
  }

  get steps(): number {
    return this.#steps;
  }

  get calls(): number {
    return this.#calls;
  }

  /** The server that serves. */
  get open(): ServerLife | undefined {
    return this.life?.isOpen ? this.life : undefined;
  }

  /** The sandboxes that have a container on the engine, but for those of {@link strays} alone. */
  get sandboxes(): ReadonlySet<string> {
    return new Set(
      [...this.machine.containers.values()]
        .filter(({ name }) => !this.strays.has(name))
        .flatMap(({ labels }) => labels[LABEL.sandbox] ?? []),
    );
  }

  /** Those of {@link sandboxes} that take room: all but the stopped ones. */
  get takingRoom(): ReadonlySet<string> {
    const running = [...this.machine.containers.values()].filter(({ state }) => state !== 'exited');
    const ids = new Set(running.map(({ labels }) => labels[LABEL.sandbox]));
    return new Set([...this.sandboxes].filter((id) => ids.has(id)));
  }

  /** A line of the story. */
  say(line: string): void {
    this.trace.push(`${(this.clock.now / 1000).toFixed(3).padStart(10)} ${line}`);
  }

  /** A rule is broken: the first one counts, what follows may follow from it. */
  violate(rule: Rule, what: string): void {
    this.say(`!! ${rule}: ${what}`);
    this.#violation ??= new Violation(rule, what);
  }

  /** Does something at once or later, and never throws: refusals are answers, all else is a defect of the server's. */
  attempt(
    what: string,
    deed: () => unknown,
    onDone: (error: unknown) => void = () => undefined,
  ): void {
    const { life } = this;
    this.say(what);
    const ended = (error: unknown): void => {
      if (life?.isDead) return;
      if (error !== undefined) {
        this.say(`  ${what}: ${error instanceof Error ? error.message : error}`);
        if (!(error instanceof QuaysideError))
          this.violate(RULES.throwsRefusals, `${what}: ${stackOf(error)}`);
      }
      onDone(error);
    };
    try {
      const result = deed();
      if (result instanceof Promise) result.then(() => ended(undefined), ended);
      else ended(undefined);
    } catch (error) {
      ended(error);
    }
  }

  /** Starts a server on what there is. One that cannot begin ends, and is started again. */
  boot(): void {
    this.say('server starts');
    this.inherited = this.sandboxes;
    this.clock.beginProgram();
    const database = new WorldDatabase(this.#store, this);
    this.#database = database;
    try {
      const life = new ServerLife({
        machine: this.machine,
        database,
        labs: this.labs,
        ...this.plan,
        hasMemory: () => this.hasMemory,
        diskFill: () => this.diskFill,
        log: (message, error) => {
          if (!life.isDead)
            this.say(`  log: ${message}: ${error instanceof Error ? error.message : error}`);
        },
      });
      this.life = life;
      life.open().then(
        () => {
          if (life.isDead) return;
          this.say('server is open');
          this.onOpen(life);
        },
        (error: unknown) => {
          if (!life.isDead)
            this.crash(`it could not begin: ${error instanceof Error ? error.message : error}`);
        },
      );
    } catch (error) {
      this.crash(`it could not begin: ${error instanceof Error ? error.message : error}`);
    }
  }

  /** The server is gone, and somebody starts it again, as often as it takes. */
  crash(why: string): void {
    this.kill(why);
    this.clock.after(this.chance.time(...RESTARTED_MS), () => {
      if (!this.life) this.boot();
    });
  }

  /** The author writes a lab again. */
  reload(name: string, version: number): void {
    const lab = simulatedLab(name, version);
    this.labs.set(name, lab);
    this.open?.sessions.reload(name, lab, STEPS);
  }

  /** The server's process is gone, in the middle of whatever it did. */
  kill(why: string): void {
    this.say(`server is gone: ${why}`);
    this.#killedAt = this.#steps;
    this.life?.kill();
    this.life = undefined;
    this.clock.killProgram();
    // What was not committed is taken back.
    this.#database?.[Symbol.dispose]();
    this.onDown();
  }

  /** Lives on for a time, and looks after each step whether all rules hold. @returns false once one is broken */
  async run(milliseconds: number, look: () => void = () => undefined): Promise<boolean> {
    await this.clock.run(milliseconds, () => {
      this.#steps += 1;
      if (this.#steps > MOST_STEPS) this.violate(RULES.runsNothingForEver, `${this.#steps} steps`);
      look();
      return this.#violation === undefined;
    });
    return this.#violation === undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill('the world ends');
    // Its last words belong to this world.
    await this.clock.drain();
    this.#undo[Symbol.dispose]();
  }

  #uncaught(what: string, error: unknown): void {
    // The last words of a server that was killed a moment ago.
    if (this.life && !this.life.isDead) this.violate(RULES.goesOn, `${what}: ${stackOf(error)}`);
  }
}

/** Half of a life's time would go into stacks of errors that are answers. */
function shortStacks(): Disposable {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  return {
    [Symbol.dispose]: () => {
      Error.stackTraceLimit = stackTraceLimit;
    },
  };
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** Hears of what would end a process of its own, in place of whoever else listens. */
function catchUncaught(heard: (what: string, error: unknown) => void): Disposable {
  const listeners = {
    unhandledRejection: (error: unknown) => heard('a rejection that nobody handles', error),
    uncaughtException: (error: unknown) => heard('an exception that nobody catches', error),
  };
  const before = new Map<string, ((...args: never[]) => void)[]>();
  for (const [event, listener] of Object.entries(listeners)) {
    before.set(event, process.listeners(event as never) as never);
    process.removeAllListeners(event);
    process.on(event, listener);
  }
  return {
    [Symbol.dispose]: () => {
      for (const event of Object.keys(listeners)) {
        process.removeAllListeners(event);
        for (const listener of before.get(event) ?? []) process.on(event, listener as () => void);
      }
    },
  };
}
