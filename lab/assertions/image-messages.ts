import type { DefaultMessages } from './assertion.ts';

/** Every common way for an image not to be what the lab asks for. */
export type ImageMessage =
  | 'missing'
  | 'onOtherHost'
  | 'noTag'
  | 'otherName'
  | 'noName'
  | 'otherMissing'
  | 'notSame'
  | 'baseItself'
  | 'notBuiltOn'
  | 'noLabel'
  | 'otherLabel'
  | 'noLayer'
  | 'notSince';

/** The messages of an image assertion. */
export const IMAGE_MESSAGES: DefaultMessages<ImageMessage> = {
  missing: ({ name, host }) => `No image named ${name} on ${host} yet.`,
  onOtherHost: ({ name, host, found }) =>
    `The image ${name} is on ${found}, but the lab needs it on ${host}.`,
  noTag: ({ name, found }) =>
    `There is an image ${found}: a name without a tag is completed by Docker. The name asked for is ${name}.`,
  otherName: ({ name, found }) => `There is an image ${found}, but the name asked for is ${name}.`,
  noName: ({ name, found }) =>
    `The newest image, ${found}, has no name. Give it one when you build it (-t ${name}), or now.`,
  otherMissing: ({ name, host, wanted }) =>
    `There is no image ${wanted} on ${host}, which ${name} is compared with.`,
  notSame: ({ name, wanted }) => `${name} and ${wanted} stand for two different images.`,
  baseItself: ({ name, wanted }) =>
    `${name} is ${wanted} itself under a second name. Build an image on top of it.`,
  notBuiltOn: ({ name, wanted }) =>
    `${name} is not built on ${wanted}. Its Dockerfile has to begin with FROM ${wanted}.`,
  noLabel: ({ name, found, wanted }) =>
    `${name} has no label ${found}. Its Dockerfile needs LABEL ${wanted}, and then it has to be built again.`,
  otherLabel: ({ name, found, wanted }) =>
    `${name} has the label ${found}, not ${wanted}. Build it again with the right one.`,
  noLayer: ({ name }) =>
    `${name} was built without the step that was asked for. docker history shows its steps.`,
  notSince: ({ name }) => `${name} is still the image of before. Build it again.`,
};
