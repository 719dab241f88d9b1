import { LABEL } from '../../server/sandbox/labels.ts';
import type { Obstacle } from '../../server/store/database.ts';
import type { MemoryContainer } from '../fixtures/memory-container.ts';
import type { CallPlan, EngineCall, Outcome } from '../fixtures/memory-machine.ts';
import type { World } from './world.ts';

/** What the engine takes for a request on a machine that is half busy (ms); measured on two cores. */
const TAKES_MS: Readonly<Record<string, readonly [number, number]>> = {
  'container.list': [2, 400],
  'container.create': [20, 400],
  'container.start': [80, 1_500],
  'container.restart': [100, 3_000],
  'container.remove': [50, 800],
  'exec.start': [20, 120],
  'shell.start': [40, 400],
};
const QUICK_MS = [1, 15] as const;
/** How late a request can be done whose connection broke. */
const LATE_MS = [10, 5_000] as const;

const OUTCOMES = ['refused', 'cut', 'half', 'late', 'deaf', 'mute'] as const;

/** All that goes wrong around a server, each kind so often as the seed wants; some kinds not at all. */
export class Weather {
  readonly #world: World;
  readonly #outcomes: readonly Outcome[];
  readonly #badness: number;
  /** What every request comes to at the moment. */
  #spell: Outcome | undefined;
  #isStormy = true;
  /** The server is killed at so many requests and writes from now. */
  #fuse = Number.POSITIVE_INFINITY;
  readonly #paused = new Set<string>();

  constructor(world: World) {
    const { chance, machine } = world;
    this.#world = world;
    this.#outcomes = OUTCOMES.filter(() => chance.odds(0.5));
    this.#badness = this.#outcomes.length > 0 ? chance.pick([0, 0, 0.005, 0.03, 0.15]) : 0;
    machine.plan = (call) => this.#planOf(call);
    const onCall = machine.onCall;
    machine.onCall = (call) => {
      onCall(call);
      this.#burn();
    };
    world.onWrite = () => this.#burn();
    for (const kind of this.#kinds()) if (chance.odds(0.4)) this.#again(kind);
  }

  /** Nothing goes wrong any more, and what was broken for good is put right by its owner. */
  calm(): void {
    const { machine } = this.#world;
    this.#isStormy = false;
    this.#spell = undefined;
    this.#fuse = Number.POSITIVE_INFINITY;
    this.#world.obstacle = undefined;
    this.#world.hasMemory = true;
    this.#world.diskFill = 50;
    this.#world.isCalm = true;
    if (!machine.isUp) machine.engineReturns();
    for (const id of this.#paused) this.#unpause(id);
  }

  #kinds(): readonly (() => void)[] {
    const { chance, machine } = this.#world;
    return [
      () => this.#engineDies(chance.odds(0.5)),
      () => this.#engineIs(chance.pick(['deaf', 'refused', 'cut', 'mute'])),
      () => this.#someHost((host) => machine.die(host.id)),
      () => this.#hostEngineDies(),
      () => this.#pause(),
      () => this.#diskIs('disk'),
      () => this.#diskIs('lock'),
      () => this.#killSoon(),
      () => this.#restart(),
      () => this.#machineSleeps(),
      () => this.#memoryRunsOut(),
      () => this.#engineDiskFills(),
    ];
  }

  /** Does a kind of trouble again and again while it is stormy. */
  #again(kind: () => void): void {
    const { clock, chance, plan } = this.#world;
    clock.after(chance.time(plan.stormMs / 20, plan.stormMs), () => {
      if (!this.#isStormy) return;
      kind();
      this.#again(kind);
    });
  }

  #planOf(call: EngineCall): CallPlan {
    const { chance } = this.#world;
    const [low, high] = TAKES_MS[call.op] ?? QUICK_MS;
    const before = chance.time(low, high);
    const isBad = this.#isStormy && (this.#spell !== undefined || chance.odds(this.#badness));
    const outcome = isBad ? (this.#spell ?? chance.pick(this.#outcomes)) : 'done';
    if (outcome !== 'done') this.#world.say(`    ${call.op} ${call.target}: ${outcome}`);
    const after = outcome === 'late' ? chance.time(...LATE_MS) : chance.between(0, 3);
    return { outcome, before, after };
  }

  /** Each request and each write of the server may be its last. */
  #burn(): void {
    this.#fuse -= 1;
    if (this.#fuse > 0 || !this.#world.life) return;
    this.#fuse = Number.POSITIVE_INFINITY;
    this.#world.crash('killed');
  }

  #killSoon(): void {
    this.#fuse = this.#world.chance.time(1, 60);
  }

  #restart(): void {
    const { life } = this.#world;
    if (!life?.isOpen || life.isClosing) return;
    this.#world.attempt(
      'server is stopped',
      () => life.close(false),
      () => {
        this.#world.crash('stopped');
      },
    );
  }

  #engineDies(containersToo: boolean): void {
    const { machine, clock, chance } = this.#world;
    if (!machine.isUp) return;
    this.#world.say(`engine dies${containersToo ? ', and its containers' : ''}`);
    machine.engineDies(containersToo);
    clock.after(chance.time(300, 120_000), () => {
      if (machine.isUp) return;
      this.#world.say('engine is back');
      machine.engineReturns();
    });
  }

  #engineIs(outcome: Outcome): void {
    const { clock, chance } = this.#world;
    if (this.#spell) return;
    this.#world.say(`every request is ${outcome}`);
    this.#spell = outcome;
    clock.after(chance.time(200, 90_000), () => {
      this.#world.say('requests are answered again');
      this.#spell = undefined;
    });
  }

  #someHost(deed: (host: MemoryContainer) => void, onlyHosts = false): void {
    const { machine, chance } = this.#world;
    const hosts = [...machine.containers.values()].filter(
      ({ pid, labels }) => pid > 0 && labels[onlyHosts ? LABEL.host : LABEL.sandbox] !== undefined,
    );
    if (hosts.length === 0) return;
    const host = chance.pick(hosts);
    this.#world.say(`${host.name} is hit`);
    deed(host);
  }

  #hostEngineDies(): void {
    const { clock, chance } = this.#world;
    this.#someHost(({ engine, pid, ...host }) => {
      engine?.end();
      clock.after(chance.time(300, 20_000), () => {
        const { containers } = this.#world.machine;
        if (containers.get(host.id)?.pid === pid) engine?.begin();
      });
    }, true);
  }

  #pause(): void {
    const { machine, clock, chance } = this.#world;
    this.#someHost(({ id, state }) => {
      if (state !== 'running') return;
      machine.pause(id);
      this.#paused.add(id);
      clock.after(chance.time(500, 60_000), () => this.#unpause(id));
    }, true);
  }

  #unpause(id: string): void {
    const { machine } = this.#world;
    this.#paused.delete(id);
    if (machine.containers.get(id)?.state === 'paused') machine.unpause(id);
  }

  #diskIs(obstacle: Obstacle): void {
    const world = this.#world;
    if (world.obstacle) return;
    world.say(obstacle === 'disk' ? 'the disk is full' : 'another process holds the store’s lock');
    world.obstacle = obstacle;
    world.clock.after(world.chance.time(50, 30_000), () => {
      if (world.obstacle) world.say('the disk takes writes again');
      world.obstacle = undefined;
    });
  }

  #memoryRunsOut(): void {
    const world = this.#world;
    if (!world.hasMemory) return;
    world.say('the machine has no memory for another sandbox');
    world.hasMemory = false;
    world.clock.after(world.chance.time(500, 60_000), () => {
      world.hasMemory = true;
    });
  }

  #engineDiskFills(): void {
    const world = this.#world;
    if (world.diskFill > 50) return;
    world.say('the engine’s disk is nearly full');
    world.diskFill = 99;
    world.clock.after(world.chance.time(30_000, 300_000), () => {
      world.diskFill = 50;
    });
  }

  #machineSleeps(): void {
    const { clock, chance } = this.#world;
    this.#world.say('the machine sleeps');
    clock.sleepMachine(chance.time(60_000, 12 * 3_600_000));
  }
}
