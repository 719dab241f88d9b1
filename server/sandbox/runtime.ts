import { join } from 'node:path';
import type { Lab } from '#lab';
import type { Progress } from '../base/progress.ts';
import { ensureImage, imageArchives } from '../engine/build-image.ts';
import type { Engine } from '../engine/engine.ts';
import { infoOf } from '../engine/info.ts';
import { type Internet, removeGateways } from './gateway.ts';
import { buildHostImages } from './host-images.ts';
import { imageName, imageSource } from './image-name.ts';
import type { SandboxLabels } from './labels.ts';
import { LinkManager } from './links.ts';
import { SharedDirectories } from './shared-directory.ts';
import { WakeTurns } from './wake-turns.ts';

/** What every sandbox of one server is made with. Disposing it lets go of what it keeps on the engine. */
export interface SandboxRuntime extends AsyncDisposable {
  readonly engine: Engine;
  /** How many processors the engine's machine has, which need not be this one. */
  readonly processors: number;
  /** The built image of hosts. */
  readonly hostImage: string;
  /** What a lab's hosts are made from in its place (`hostSource`), to the name that it was built as. */
  readonly hostImages: Readonly<Record<string, string>>;
  /** What each image of the labs is built from (`imageSource`) to the name that it was built as. */
  readonly labImages: Readonly<Record<string, string>>;
  /** The archive of a built image. */
  readonly imageArchive: (builtAs: string) => Promise<Buffer>;
  readonly sharedDirectories: Pick<SharedDirectories, keyof SharedDirectories>;
  readonly links: Pick<LinkManager, 'link'>;
  readonly wakes: WakeTurns;
  /** What the hosts that ask for it reach the internet by; none, where the operator does not allow it. */
  readonly internet?: Internet | undefined;
  /** What decides on which machine each sandbox runs, where there are several. */
  readonly placement?: Placement | undefined;
}

/** One of several machines that sandboxes are on. */
export interface Machine {
  /** What it is called, for the operator. */
  readonly name: string;
  /** What hosts are made with there. */
  readonly runtime: SandboxRuntime;
  /** Aborted when it can no longer be reached. */
  readonly lost: AbortSignal;
}

/** Where one sandbox runs. */
export interface Place extends Machine {
  /** The container of its switch, which runs already. */
  readonly switch: string;
}

/**
 * How one of several machines is: it may have sandboxes; it gets what they are made from first; it was taken out of
 * service; or it does not answer.
 */
export type NodeState = 'ready' | 'preparing' | 'drained' | 'lost';

/** One of several machines as its operator sees it, whether it can be reached or not. */
export interface PlacementNode {
  readonly id: string;
  /** As {@link Machine.name}. */
  readonly name: string;
  readonly state: NodeState;
  /** How many more sandboxes have room there. */
  readonly room: number;
}

/** Decides on which of several machines each sandbox runs (server/swarm). */
export interface Placement {
  /**
   * Settles when the sandbox has a machine and its switch runs there. The same sandbox may be given another one later.
   *
   * @param onWaiting told why it has none yet
   * @throws the signal's reason; whatever the engine said
   */
  place(
    labels: SandboxLabels,
    onWaiting: (why: string) => void,
    signal: AbortSignal,
  ): Promise<Place>;
  /**
   * Gives up the room of a sandbox that is being stopped, and keeps its machine, where its disks are; its switch goes. The
   * next {@link place} is on the same machine, unless that is out of service.
   *
   * @throws the signal's reason; whatever the engine said
   */
  suspend(sandbox: string, signal: AbortSignal): Promise<void>;
  /** Gives a sandbox's place up; its switch goes with it. Gone already is success. */
  release(sandbox: string, signal?: AbortSignal): Promise<void>;
  /** Every machine that can be reached. */
  machines(): readonly Machine[];
  /** The ids of the sandboxes that have a place or wait for one. */
  sandboxes(signal?: AbortSignal): Promise<readonly string[]>;
  /** Tells of every machine that can be reached, now and as it comes. */
  watch(onMachine: (machine: Machine) => void): Disposable;
  /** Whether one more sandbox is likely to find room. */
  hasRoom(): boolean;
  /** Every machine that sandboxes may be on, those that are out of service included. @throws the signal's reason; whatever the engine said */
  nodes(signal: AbortSignal): Promise<readonly PlacementNode[]>;
  /**
   * Takes a machine out of service, so that its sandboxes get places elsewhere, or back into it. So already is success.
   *
   * @throws QuaysideError NODE_UNKNOWN; whatever the engine said
   */
  setInService(node: string, isInService: boolean): Promise<void>;
}

/** The images that sandboxes are made from, and those that these are built on. */
export function imagesOf({
  hostImage,
  hostImages,
  labImages,
  internet,
}: Pick<SandboxRuntime, 'hostImage' | 'hostImages' | 'labImages' | 'internet'>): readonly string[] {
  const gateways = internet ? [internet.image] : [];
  const all = [hostImage, ...Object.values(hostImages), ...Object.values(labImages), ...gateways];
  return [...new Set(all)];
}

/** How a server's sandboxes are to be made. */
export interface RuntimeOptions {
  /** Told of a lab that has an image which cannot be built; without it, that is thrown. */
  readonly onUnbuilt?: ((lab: string, error: unknown) => void) | undefined;
  /** Whether hosts may reach the internet, and who is asked for names then. */
  readonly internet?: Omit<Internet, 'image'> | undefined;
}

/**
 * Prepares all that sandboxes are made with: the images, and the ways into the hosts. Where no internet is allowed any more,
 * what an earlier server has left of it is closed.
 */
export async function createSandboxRuntime(
  project: string,
  engine: Engine,
  labs: ReadonlyMap<string, Lab>,
  instance: string,
  progress: Progress,
  { onUnbuilt, internet }: RuntimeOptions = {},
): Promise<SandboxRuntime> {
  const images = join(project, 'images');
  // The one that takes longest. What is not built on it is built meanwhile.
  const host = ensureImage(engine, images, 'lab-host', progress);
  const labImages: Record<string, string> = {};
  const hostImages: Record<string, string> = {};
  const unbuilt = new Set<string>();
  const forEachLab = async (build: (lab: Lab) => Promise<void>): Promise<void> => {
    for (const [name, lab] of labs) {
      if (unbuilt.has(name)) continue;
      try {
        await build(lab);
      } catch (error) {
        if (!onUnbuilt) throw error;
        unbuilt.add(name);
        onUnbuilt(name, error);
      }
    }
  };
  const buildLabImages = async (lab: Lab): Promise<void> => {
    for (const [image, folder] of Object.entries(lab.images)) {
      const how = { tag: imageName(image).tag };
      const source = imageSource(image, folder);
      labImages[source] ??= await ensureImage(engine, images, folder, progress, how);
    }
  };
  const [hostImage] = await Promise.all([host, forEachLab(buildLabImages)]);
  const place = { engine, images, hostImage, labImages, instance, progress };
  await forEachLab((lab) => buildHostImages(place, lab, hostImages));
  const gatewayImage = internet && (await ensureImage(engine, images, 'gateway', progress));
  if (!internet) await removeGateways(engine, instance);
  const links = new LinkManager(engine, hostImage, instance);
  const { NCPU: processors } = await infoOf(engine);
  return {
    engine,
    processors,
    hostImage,
    hostImages,
    labImages,
    imageArchive: imageArchives(engine),
    sharedDirectories: await SharedDirectories.for(engine, instance),
    links,
    wakes: new WakeTurns(processors),
    internet: internet && gatewayImage ? { ...internet, image: gatewayImage } : undefined,
    [Symbol.asyncDispose]: () => links[Symbol.asyncDispose](),
  };
}
