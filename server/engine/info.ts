import { z } from 'zod';
import type { Engine } from './engine.ts';
import { engineCall } from './engine-call.ts';

/** An engine describes itself in milliseconds. */
const INFO_MS = 20_000;
/** Of what an engine says of itself, so much is taken of a word, and of a list. */
const WORD_CHARACTERS = 300;
const LIST_MOST = 100;

const word = z
  .string()
  .transform((text) => text.slice(0, WORD_CHARACTERS))
  .catch('');
const words = z
  .array(word)
  .transform((list) => list.slice(0, LIST_MOST))
  .catch([]);
/** An engine that does not say whether it can limit something can: old ones leave out what is new. */
const isAble = z.boolean().catch(true);

/** What is read of `docker info`. What an engine leaves out or says otherwise reads as empty. */
const INFO = z.object({
  Name: word,
  ServerVersion: word,
  KernelVersion: word,
  OperatingSystem: word,
  OSType: word,
  Architecture: word,
  NCPU: z.number().int().positive().catch(1),
  MemTotal: z.number().nonnegative().catch(0),
  DockerRootDir: word,
  Driver: word,
  DriverStatus: z.array(z.array(word)).catch([]),
  CgroupDriver: word,
  CgroupVersion: word,
  SecurityOptions: words,
  DefaultRuntime: word,
  LiveRestoreEnabled: z.boolean().catch(false),
  MemoryLimit: isAble,
  PidsLimit: isAble,
  CpuCfsQuota: isAble,
  Plugins: z.object({ Authorization: words }).catch({ Authorization: [] }),
});

/** What an engine says of itself. */
export type EngineInfo = z.output<typeof INFO>;

/** Asks an engine what it is. @throws the signal's reason; whatever the engine said */
export async function infoOf(engine: Engine, signal?: AbortSignal): Promise<EngineInfo> {
  return parseInfo(await engineCall(signal, () => engine.docker.info(), INFO_MS));
}

/** Whether images and containers are in containerd's store, as new engines have it. */
export function hasContainerdStore({ DriverStatus }: Pick<EngineInfo, 'DriverStatus'>): boolean {
  return DriverStatus.flat().includes('io.containerd.snapshotter.v1');
}

/** What `docker info` answers, from any engine. */
export function parseInfo(answer: unknown): EngineInfo {
  return INFO.parse(typeof answer === 'object' && answer !== null ? answer : {});
}
