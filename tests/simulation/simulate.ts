import { lookAtRest, lookAtStep, sandboxesOnEngine } from './looks.ts';
import type { Mutant } from './mutants.ts';
import { isByRule, Participant } from './participant.ts';
import { RULES } from './rules.ts';
import { Weather } from './weather.ts';
import { type Violation, World } from './world.ts';

const MINUTE = 60_000;
/** Longer than every wait for a next try; between two sweeps there are five minutes. */
const REST_MS = 7 * MINUTE;
/** A start with its tries is over by then. */
const QUIET_MS = 2 * MINUTE;
/** So often the rest goes on for another session's end. */
const MOST_ENDS = 20;
/** Longer than a start with all its tries takes. */
const START_MS = 2 * MINUTE;

/** What has come of one seed. */
export interface Outcome {
  readonly seed: number;
  readonly violation: Violation | undefined;
  readonly trace: readonly string[];
  readonly steps: number;
  readonly calls: number;
}

/**
 * Lives through what one seed makes of a server, its learners and everything that can go wrong around them: a storm,
 * then a long rest, then a new start for everybody, and the end.
 */
export async function simulate(
  seed: number,
  options: { readonly verbose?: boolean; readonly mutant?: Mutant['install'] } = {},
): Promise<Outcome> {
  await using world = new World(seed, options);
  using _mutant = options.mutant?.(world);
  const { plan, chance, clock } = world;
  world.say(`seed ${seed}: ${JSON.stringify(plan)}`);
  const participants = Array.from({ length: plan.learners }, (_, index) =>
    [...world.labs.keys()].map((lab) => new Participant(world, `learner${index + 1}`, lab)),
  ).flat();
  const weather = new Weather(world);
  follow(world, participants);
  world.boot();
  let isStormy = true;
  const act = (participant: Participant): void => {
    clock.after(chance.time(...plan.paceMs), () => {
      if (!isStormy) return;
      participant.act();
      act(participant);
    });
  };
  for (const participant of participants) act(participant);
  instruct(world, participants, () => isStormy);
  const look = (): void => lookAtStep(world, participants);
  if (await world.run(plan.stormMs, look)) {
    isStormy = false;
    weather.calm();
    world.say('calm');
    if (await rest(world, participants, REST_MS, look)) lookAtRest(world, participants);
    if (!world.violation) await startAgain(world, participants, look);
    if (!world.violation) await closeDown(world, participants);
  }
  const { violation, trace, steps, calls } = world;
  return { seed, violation, trace: [...trace], steps, calls };
}

/** Waits for so long, and until no session has done anything for a while: limits end sessions, and others begin then. */
async function rest(
  world: World,
  participants: readonly Participant[],
  milliseconds: number,
  look: () => void,
): Promise<boolean> {
  let goesOn = await world.run(milliseconds, look);
  for (let more = 0; goesOn && more < MOST_ENDS; more++) {
    const changedAt = Math.max(...participants.map((participant) => participant.changedAt));
    if (world.clock.now - changedAt >= QUIET_MS) return true;
    goesOn = await world.run(QUIET_MS, look);
  }
  return goesOn;
}

/** Participants hear of every server that begins and ends; whoever is new joins the first. */
function follow(world: World, participants: readonly Participant[]): void {
  world.onOpen = (life) => {
    for (const name of new Set(participants.map((participant) => participant.name))) {
      const own = participants.filter((participant) => participant.name === name);
      if (own.some(({ learner }) => learner === undefined)) {
        world.attempt(`${name} joins`, () => {
          const learner = life.join(name);
          for (const participant of own) participant.learner = learner;
        });
      }
    }
    for (const participant of participants) participant.follow(life);
  };
  world.onDown = () => {
    for (const participant of participants) participant.serverGone();
  };
  world.onRemoved = ({ labels, name }, wasRunning) => {
    const sandbox = labels['quayside.sandbox'];
    // It holds nothing of the learner's: one that does not run and cannot be started is made anew.
    if (labels['quayside.role'] === 'switch' && !wasRunning) return;
    const participant = participants.find(({ given }) => given !== undefined && given === sandbox);
    if (!participant || sandbox === undefined || participant.mayGo(sandbox)) return;
    world.violate(
      RULES.keepsItsSandbox,
      `${name} of ${participant.name}/${participant.lab} was removed`,
    );
  };
}

/** What the instructor and the author of the labs do meanwhile. */
function instruct(
  world: World,
  participants: readonly Participant[],
  isStormy: () => boolean,
): void {
  const { clock, chance, plan } = world;
  let version = 1;
  const deeds: (() => void)[] = [
    () => chance.pick(participants).reset('instructor'),
    () => chance.pick(participants).end('instructor', 'Enough.'),
    () => {
      const { open } = world;
      const roster = open?.roster;
      const { name, learner } = chance.pick(participants);
      if (!roster || learner === undefined) return;
      for (const participant of participants)
        if (participant.name === name) participant.isRemoved = true;
      world.attempt(`instructor removes ${name}`, () => roster.remove(learner));
    },
    () => {
      const { open } = world;
      if (open)
        world.attempt(
          'the author saves a lab',
          () => void world.reload(chance.pick([...world.labs.keys()]), ++version),
        );
    },
  ];
  const again = (): void => {
    clock.after(chance.time(plan.stormMs / 10, plan.stormMs * 2), () => {
      if (!isStormy()) return;
      chance.pick(deeds)();
      again();
    });
  };
  again();
}

/** Whoever has nothing can start, and gets hosts as soon as there is room. */
async function startAgain(
  world: World,
  participants: readonly Participant[],
  look: () => void,
): Promise<void> {
  for (const participant of participants) {
    participant.openPage();
    const state = participant.session?.status.state;
    if (state === undefined || !['none', 'ended', 'failed', 'stopped'].includes(state)) continue;
    world.attempt(`${participant.name} starts again`, () => participant.session?.start());
  }
  if (!(await rest(world, participants, START_MS, look))) return;
  for (const { session, name, lab } of participants) {
    const status = session?.status;
    if (!status || status.state === 'ready' || status.state === 'queued') continue;
    if (isByRule(status) || status.state === 'stopped') continue;
    world.violate(RULES.startLeadsToHosts, `${name}/${lab} is ${status.state}`);
    return;
  }
  lookAtRest(world, participants);
  for (const participant of participants) {
    participant.end(participant.name);
  }
  if (!(await rest(world, participants, START_MS, look))) return;
  lookAtRest(world, participants);
}

/** The server stops, and leaves nothing behind but what it was to leave. */
async function closeDown(world: World, participants: readonly Participant[]): Promise<void> {
  const { life, clock, machine, chance } = world;
  if (!life) return;
  for (const participant of participants) participant.closePage();
  const before = sandboxesOnEngine(world).length;
  const clean = chance.odds(0.5);
  let isClosed = false;
  world.attempt(
    `server is stopped${clean ? ', and all is removed' : ''}`,
    () => life.close(clean),
    () => {
      isClosed = true;
    },
  );
  await world.run(2 * MINUTE);
  if (!isClosed) {
    world.violate(RULES.serverStops, 'it does not');
    return;
  }
  if (clock.pending.length > 0) {
    world.violate(
      RULES.leavesNothing,
      `timers: ${clock.pending.join('; ') || clock.pending.length}`,
    );
  }
  const { running } = life.background;
  if (running.length > 0) world.violate(RULES.leavesNothing, `works: ${running.join('; ')}`);
  const asked = machine.underWay();
  if (asked.length > 0) world.violate(RULES.leavesNothing, asked.join('; '));
  const after = sandboxesOnEngine(world).length;
  if (after !== (clean ? 0 : before)) {
    world.violate(RULES.removesWhatItShould, `${after} sandboxes are left of ${before}`);
  }
}
