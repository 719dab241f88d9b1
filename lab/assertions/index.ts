/** Assertions that read like the step they check: each can be a check's `test`, or a part of one. */
export * from './answers.ts';
export type { Assertion, Message, MessageFacts, Messages, Reading, Test } from './assertion.ts';
export { choice } from './choices.ts';
export * from './combine.ts';
export * from './command.ts';
export * from './container.ts';
export type { ContainerMessage } from './container-messages.ts';
export { isFromImage, runsImagesProgram } from './container-origin.ts';
export { hostPortOf, isConnectable, loopbackOnly, writtenHostSide } from './container-spec.ts';
export * from './file.ts';
export { type ImageAssertion, image } from './image.ts';
export type { ImageMessage } from './image-messages.ts';
export {
  commandsInside,
  type InsideAssertion,
  type InsideCommand,
  type InsideMessage,
  ranInside,
} from './inside.ts';
export { addressIn, isWithin, relation, sizeOf } from './ipv4.ts';
export { type LeadsToAssertion, type LeadsToMessage, leadsTo } from './leads-to.ts';
export { type ListensAssertion, type ListensMessage, listens } from './listens.ts';
export { type Moment, passOf } from './moment.ts';
export {
  aNetwork,
  isDockersOwn,
  type NetworkAssertion,
  type NetworkMessage,
  network,
} from './network.ts';
export { bridgeGone, isDropped, obstacleTo, type Way } from './obstacle.ts';
export { type ProcessAssertion, type ProcessMessage, process } from './process.ts';
export { type ReachesAssertion, type ReachesMessage, reaches } from './reaches.ts';
export * from './readings.ts';
export { type RegistryAssertion, registry, type StoredImageAssertion } from './registry.ts';
export type { RegistryMessage } from './registry-messages.ts';
export { type RestartAssertion, type RestartMessage, restartOf } from './restart.ts';
export { gatewayFor, type RouteAssertion, type RouteMessage, route } from './route.ts';
export { script } from './script.ts';
export { formerPorts, type Start, startBefore, startsOf } from './starts.ts';
export { type SysctlAssertion, type SysctlMessage, sysctl } from './sysctl.ts';
export { type UserAssertion, type UserMessage, user } from './user.ts';
export {
  ending,
  isPage,
  refused,
  type VisitAssertion,
  type VisitMessage,
  visited,
} from './visit.ts';
export { atItsAddress, throughFormerPort, throughPort, type VisitTarget } from './visit-target.ts';
