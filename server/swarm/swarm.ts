import { join } from 'node:path';
import type { Background } from '../base/background.ts';
import { QuaysideError } from '../base/errors.ts';
import type { Progress } from '../base/progress.ts';
import { ensureImage } from '../engine/build-image.ts';
import type { Engine } from '../engine/engine.ts';
import { infoOf } from '../engine/info.ts';
import { isOnThisMachine } from '../engine/local-engine.ts';
import type { SandboxRuntime } from '../sandbox/runtime.ts';
import { ensureKeys } from './keys.ts';
import type { Reservation } from './node-room.ts';
import { NodeRuntimes } from './node-runtimes.ts';
import { Relay } from './relay.ts';
import { managerNode } from './swarm-api.ts';
import { RESERVATION, SwarmPlacement } from './swarm-placement.ts';

export interface SwarmOptions {
  /** The project's folder. */
  readonly project: string;
  readonly instance: string;
  readonly background: Background;
  readonly progress: Progress;
  /** What is kept free for each sandbox; {@link RESERVATION}, if not given. */
  readonly reservation?: Reservation;
}

/** What sandboxes are made with, on any machine of a Swarm. */
export interface SwarmRuntime extends SandboxRuntime {
  /** Settles when every machine that sandboxes may be on can be reached, or is lost. @throws the signal's reason */
  untilReached(signal: AbortSignal): Promise<void>;
}

/**
 * What sandboxes are made with on all machines of the Swarm that this machine manages.
 *
 * @param own what they are made with on this machine, which the result owns
 * @throws QuaysideError SWARM_UNFIT, IMAGE_BUILD_FAILED; whatever the engine said
 */
export async function openSwarm(own: SandboxRuntime, options: SwarmOptions): Promise<SwarmRuntime> {
  const { project, instance, background, progress, reservation = RESERVATION } = options;
  const { engine } = own;
  const ownNode = await managerNode(engine);
  await assertHere(engine);
  const images = join(project, 'images');
  const relay = new Relay(engine, project, ownNode);
  const relayImage = await ensureImage(engine, images, 'relay', progress);
  await ensureKeys(engine, own.hostImage);
  await relay.deploy(await idOf(engine, relayImage));
  const nodes = new NodeRuntimes({ own, ownNode, instance, relay, background, progress });
  const image = await idOf(engine, own.hostImage);
  const placement = new SwarmPlacement({ own, image, nodes, instance, reservation });
  nodes.open();
  return {
    ...own,
    placement,
    untilReached: (signal) => nodes.untilReached(signal),
    [Symbol.asyncDispose]: async () => {
      await nodes[Symbol.asyncDispose]();
      await own[Symbol.asyncDispose]();
    },
  };
}

/** Removes what {@link openSwarm} has deployed. Sandboxes are removed before: afterwards no other machine can be reached. */
export async function removeSwarm(engine: Engine, project: string): Promise<void> {
  await new Relay(engine, project, await managerNode(engine)).remove();
}

/** The entrance makes its sockets in a directory of this machine. */
async function assertHere(engine: Engine): Promise<void> {
  if (process.getuid?.() === 0 && isOnThisMachine(engine, await infoOf(engine))) return;
  throw new QuaysideError(
    'SWARM_UNFIT',
    'With --swarm the server needs root, and the Docker Engine of its own machine.',
    'Start it as root on a manager node: sudo npm start -- --swarm',
  );
}

async function idOf(engine: Engine, image: string): Promise<string> {
  return (await engine.docker.getImage(image).inspect()).Id;
}
