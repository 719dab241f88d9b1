import type { DefaultMessages, MessageFacts } from './assertion.ts';

/** Every common way for a container not to be what the lab asks for. */
export type ContainerMessage =
  | 'missing'
  | 'onOtherHost'
  | 'otherName'
  | 'wrongImage'
  | 'olderImage'
  | 'paused'
  | 'ownCommand'
  | 'ended'
  | 'neverStarted'
  | 'stopped'
  | 'wrongNetwork'
  | 'noNetwork'
  | 'noPortsThere'
  | 'wrongPort'
  | 'noPort'
  | 'fixedPort'
  | 'portRange'
  | 'otherHostPort'
  | 'loopback'
  | 'ephemeralPort'
  | 'notBoundYet'
  | 'notSince';

/** The messages of a container assertion. */
export const CONTAINER_MESSAGES: DefaultMessages<ContainerMessage> = {
  missing: ({ name, host }) => `No ${name} on ${host} yet.`,
  onOtherHost: ({ found, host, wanted }) =>
    `${wanted} is on ${found}, but the lab needs it on ${host}. Remove it there, then run it in a terminal of ${host}.`,
  otherName: ({ host, found, wanted }) =>
    `A container of the right kind runs on ${host}, but its name is ${found}. Give it the name ${wanted}.`,
  wrongImage: ({ name, found, wanted }) =>
    `${name} was made from the image ${found}; the lab’s is ${wanted}.`,
  olderImage: ({ name, wanted }) =>
    `${name} is still made from the image that ${wanted} stood for before. A container keeps the image it was made from, also through a restart: remove it, and run a new one.`,
  paused: ({ name }) => `${name} is paused, so it answers nobody. Let it run on.`,
  ownCommand: ({ name, wanted }) =>
    `${name} was started with a command of its own, so it does not do what its image is for. Leave out what stands after ${wanted}.`,
  ended: ({ name, wanted }) =>
    `${name} ran its command and ended. Run one that stays: with nothing after ${wanted}.`,
  neverStarted: ({ name }) => `${name} was made but never started. Start it.`,
  stopped: ({ name }) => `${name} is stopped. Start it, or see in its logs why it is not running.`,
  wrongNetwork: ({ name, found, wanted }) =>
    `${name} is on the network ${found}, but should be on ${wanted}.`,
  noNetwork: ({ name, wanted }) =>
    `${name} is connected to no network any more, but should be on ${wanted}.`,
  noPortsThere: ({ name, found }) =>
    `${name} is on the network “${found}”, where no port can be published. Run it without --network.`,
  wrongPort: ({ name, found, wanted }) =>
    `${name} publishes its port ${found}, but what is in it listens on ${numberOf(wanted)}. With -p ${wanted} the number after the colon is the container’s.`,
  noPort: ({ name, wanted }) =>
    `${name} publishes no port, so nobody outside can reach it. Add -p ${wanted}.`,
  fixedPort: ({ name, found, wanted }) =>
    `${name} publishes the fixed port ${found}. Leave the host side empty (-p ${wanted}) so that Docker picks one.`,
  portRange: ({ name, found, wanted }) =>
    `${name} may only have a port from ${found}. Leave the host side empty (-p ${wanted}) and Docker picks from its own range.`,
  otherHostPort: ({ name, found, wanted }) =>
    `${name} publishes the port ${found} of the host. Say which one you want: -p ${wanted}.`,
  loopback: ({ name, host, found, wanted }) =>
    `${name} publishes its port on ${found}, where nobody but ${host} itself can reach it. Leave the address out: -p ${wanted}.`,
  ephemeralPort: ({ name, found, wanted }) =>
    `${name} got the port ${found}, because Docker picked one. Say which one you want: -p ${wanted}.`,
  notBoundYet: ({ name }) => `${name} is starting: Docker has not bound its port yet.`,
  notSince: ({ name }) => `${name} has been running since before that. Restart it, or run it anew.`,
};

/** What a container is called in its messages: by its name, or for what it is. */
export function containerFacts(name: string, host: string, found = '', wanted = ''): MessageFacts {
  return { name, host, found, wanted };
}

/** The container's side of `:80` or `8080:80`. */
function numberOf(published: string): string {
  return published.split(':').at(-1) ?? published;
}
