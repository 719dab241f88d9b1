/** What has to hold, whatever goes wrong around a server. */
export const RULES = {
  limit: 'never more sandboxes than the limit',
  hasAnOwner: 'every sandbox has an owner',
  oneOwner: 'one owner',
  keepsItsSandbox: 'no learner’s sandbox is taken away',
  serverStarts: 'a server starts',
  asksNothingForEver: 'nothing is asked for ever',
  startEnds: 'every start comes to an end',
  queueMoves: 'nobody waits while there is room',
  givesUpItsPlace: 'a place in the queue is given up',
  readyHasHosts: 'a ready session has hosts',
  letsGo: 'a sandbox is let go of',
  staysStopped: 'stopped hosts do not run',
  containersRunAgain: 'containers that ran run again',
  hostsAreRepaired: 'hosts are repaired',
  hostsAreShown: 'hosts are shown as they are',
  keepsItsTerminals: 'no terminal is forgotten',
  startLeadsToHosts: 'a start leads to hosts',
  serverStops: 'a server stops',
  leavesNothing: 'nothing is left after a stop',
  removesWhatItShould: 'a stop removes what it should',
  keepsItsPasses: 'no pass is lost',
  throwsRefusals: 'only refusals are thrown',
  runsNothingForEver: 'nothing runs for ever',
  goesOn: 'no failure ends the process',
  theDeadAreSilent: 'the dead are silent',
} as const;

/** One of them. */
export type Rule = (typeof RULES)[keyof typeof RULES];
