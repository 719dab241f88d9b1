/** Questions that read like the step they check: each can stand as a check's `test`, or as a part of one. */
export * from './answers.ts';
export * from './combine.ts';
export * from './command.ts';
export * from './container.ts';
export type { ContainerSentence } from './container-sentences.ts';
export * from './file.ts';
export { type InsideQuestion, type InsideSentence, ranInside } from './inside.ts';
export { addressIn, isWithin, relation, sizeOf } from './ipv4.ts';
export {
  aNetwork,
  isDockersOwn,
  type NetworkQuestion,
  type NetworkSentence,
  network,
} from './network.ts';
export { atItsAddress, type Place, throughFormerPort, throughPort } from './place.ts';
export type { Facts, Question, Reading, Sentence, Sentences, Test } from './question.ts';
export * from './readings.ts';
export { type Moment, type RestartQuestion, type RestartSentence, restartOf } from './restart.ts';
export { gatewayFor, type RouteQuestion, type RouteSentence, route } from './route.ts';
export {
  ending,
  isPage,
  refused,
  type VisitQuestion,
  type VisitSentence,
  visited,
} from './visit.ts';
