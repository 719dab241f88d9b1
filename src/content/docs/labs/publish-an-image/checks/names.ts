import { container, image, registry } from '#lab';

/** The image that the lab publishes, by the name that it has on server01 from the start. */
export const IMAGE = 'mycontainer:5.6';
export const SERVER = 'server01';
export const OTHER_SERVER = 'server02';
/** The registry, as names of images begin. It runs on server01, in a container of this image. */
export const REGISTRY = 'registry:5000';
export const REGISTRY_IMAGE = 'registry:2';
/** The name by which the image is published. */
export const PUBLISHED = `${REGISTRY}/${IMAGE}`;

export const store = registry(REGISTRY).on(SERVER);
export const stored = store.has(IMAGE);
export const published = image(PUBLISHED).on(SERVER);
/** The container of the registry itself. */
export const registryContainer = container('registry').on(SERVER);
