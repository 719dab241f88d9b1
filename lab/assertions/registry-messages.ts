import type { DefaultMessages } from './assertion.ts';

/**
 * `name` is the whole name that is asked for, `registry:5000/web:1`, or the registry alone; `host` where the registry runs.
 * `found` is the name, the registry or the container that was found instead, `wanted` the registry or the other image.
 */
export type RegistryMessage =
  | 'unanswered'
  | 'stopped'
  | 'noRegistry'
  | 'missing'
  | 'otherTag'
  | 'otherName'
  | 'dockerHub'
  | 'noPort'
  | 'otherRegistry'
  | 'imageMissing'
  | 'otherImage';

/** The messages of a registry assertion. */
export const REGISTRY_MESSAGES: DefaultMessages<RegistryMessage> = {
  unanswered: ({ host, wanted }) =>
    `Nothing answers at ${wanted}. The registry has to run on ${host}.`,
  stopped: ({ found, wanted }) =>
    `Nothing answers at ${wanted}: the container ${found} does not run. Start it.`,
  noRegistry: ({ wanted }) => `What answers at ${wanted} is no registry.`,
  missing: ({ name, wanted }) => `The registry ${wanted} has no ${name} yet.`,
  otherTag: ({ name, found }) =>
    `The registry has ${found}: the same name with another tag. The one asked for is ${name}.`,
  otherName: ({ name, found }) =>
    `${found} was pushed, and is there under that name. The one asked for is ${name}.`,
  dockerHub: ({ name, found, wanted }) =>
    `${found} names no registry, so Docker takes it to Docker Hub. A name that begins with ${wanted}/ leads to yours: push ${name}.`,
  noPort: ({ name, found, wanted }) =>
    `${found} has no port in it, so Docker takes its first part for somebody’s name on Docker Hub. With ${wanted} it is a registry: push ${name}.`,
  otherRegistry: ({ name, found, wanted }) =>
    `${found} names another registry, or the same by a name that the engine does not expect. The one asked for is ${wanted}: push ${name}.`,
  imageMissing: ({ host, found }) =>
    `There is no image ${found} on ${host}, which the registry’s is compared with.`,
  otherImage: ({ name, host, found }) =>
    `What the registry has as ${name} is another image than ${found} of ${host}. Push it again.`,
};
