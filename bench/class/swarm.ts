import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { type Classroom, openClassroom } from '../../client-driver/classroom.ts';
import { sendToStage } from '../../machines/swarm-images.ts';
import { changeNode, openSwarmStage, type StageNode } from '../../machines/swarm-stage.ts';
import { runningEngine } from '../../server/engine/find.ts';
import { LABEL } from '../../server/sandbox/labels.ts';
import { SHARED_ROOT } from '../../server/sandbox/shared-directory.ts';
import { removeSwarm } from '../../server/swarm/swarm.ts';
import { measureClassroom, type Row } from './measure.ts';
import { PROJECT, type Subject } from './subject.ts';

/** Images of half a GiB go to each machine (ms). */
const REACHED_WITHIN_MS = 600_000;
const ASKED_EVERY_MS = 1_000;

/** What a class on several machines came to. */
export interface SwarmRow extends Row {
  readonly machines: number;
  /** How many sandboxes each machine had, in the order of the machines. */
  readonly spread: readonly number[];
}

/** How machines are used. */
export interface SwarmOptions {
  readonly machines: number;
  /** So many learners for each machine that takes sandboxes. */
  readonly learnersEach: number;
  /** The server's own machine takes none. */
  readonly isElsewhere: boolean;
}

/** A class on machines of one processor each, joined to a Swarm. The server is outside of them, on all processors. */
export async function measureSwarm(
  { machines, learnersEach, isElsewhere }: SwarmOptions,
  subject: Subject,
): Promise<SwarmRow> {
  const here = await runningEngine(process.env);
  if (!here) throw new Error('no engine runs: npm start begins one');
  using _ = shownToMachines();
  await using stage = await openSwarmStage(machines, true);
  const [first] = stage.nodes;
  if (!first) throw new Error('a stage has one machine at least');
  await sendToStage(here, stage.nodes, new Map([[subject.name, subject.lab]]));
  const used = stage.nodes.slice(isElsewhere ? 1 : 0);
  for (const { id } of used) await changeNode(first, id, { Labels: { quayside: 'true' } });
  try {
    await using classroom = await openClassroom({
      learners: learnersEach * used.length,
      lab: subject.name,
      env: {
        DOCKER_HOST: first.engine.address,
        QUAYSIDE_SWARM: '1',
        QUAYSIDE_LABS: subject.name,
      },
    });
    // The server's own machine is always one of them.
    await untilReached(classroom, machines);
    const row = await measureClassroom(classroom, classroom.learners.length, subject);
    const spread = await Promise.all(stage.nodes.map(sandboxesOn));
    return { ...row, machines: used.length, spread };
  } finally {
    await removeSwarm(first.engine, PROJECT);
  }
}

/** What the server mounts for hosts on its machine is seen by that machine's engine, which has mounts of its own. */
function shownToMachines(): Disposable {
  mkdirSync(SHARED_ROOT, { recursive: true });
  execFileSync('mount', ['--rbind', SHARED_ROOT, SHARED_ROOT]);
  execFileSync('mount', ['--make-rshared', SHARED_ROOT]);
  return { [Symbol.dispose]: () => execFileSync('umount', ['-l', SHARED_ROOT]) };
}

/** @throws Error where fewer machines than that are reached in time */
async function untilReached({ learners: [learner] }: Classroom, count: number): Promise<void> {
  const until = performance.now() + REACHED_WITHIN_MS;
  for (;;) {
    const { text = '' } = (await learner?.http.send('GET', '/metrics')) ?? {};
    const reached = text.match(/^quayside_node_sandboxes\{/gm)?.length ?? 0;
    if (reached >= count) return;
    if (performance.now() > until) throw new Error(`${reached} of ${count} machines are reached`);
    await delay(ASKED_EVERY_MS);
  }
}

/** @throws Error where its hosts have more than the one processor that their machine has */
async function sandboxesOn({ engine }: StageNode): Promise<number> {
  const hosts = await engine.docker.listContainers({ filters: { label: [LABEL.host] } });
  const [some] = hosts;
  const { stdout } = some ? await engine.run(some.Id, ['nproc']) : { stdout: '1' };
  if (stdout.trim() !== '1')
    throw new Error(`a host has ${stdout.trim()} processors in place of 1`);
  return new Set(hosts.map(({ Labels }) => Labels[LABEL.sandbox])).size;
}
