import type { VisitView } from '#protocol';

/** What the pane says when no page came: as a browser would, and one line on what that tells about the network. */
export interface Failure {
  readonly title: string;
  readonly detail: string;
  /** What it tells about the network. */
  readonly meaning: string;
}

/** @param visit one that brought no page */
export function failureOf(visit: VisitView): Failure {
  const { host, hostname, protocol } = new URL(visit.movedTo ?? visit.url);
  const seconds = Math.max(1, Math.round(visit.milliseconds / 1000));
  switch (visit.outcome) {
    case 'refused':
      return {
        title: `${host} refused to connect`,
        detail: 'This site can’t be reached.',
        meaning: `The packet got there and ${hostname} said no: nothing listens on that port.`,
      };
    case 'timed-out':
      return {
        title: `${host} took too long to respond`,
        detail: `This site can’t be reached. No answer within ${seconds} s.`,
        meaning:
          'No answer at all, not even a refusal: something on the way, or at the far end, drops the packets in silence.',
      };
    case 'unreachable':
      return {
        title: `${hostname} is unreachable: no route`,
        detail: 'This site can’t be reached.',
        meaning: `${visit.from}, or a router on the way, knows no way to that network; or nobody there has the address.`,
      };
    case 'unknown-host':
      return {
        title: `${hostname}: name not found`,
        detail: 'This site can’t be reached.',
        meaning: `${visit.from} could not turn the name into an address, so not a single packet was sent.`,
      };
    case 'broken':
    case 'page':
      return {
        title: `${host} sent no page`,
        detail: 'The answer was not one that a browser can read.',
        meaning: `Something listens there and took the connection, but it does not speak ${
          protocol === 'https:' ? 'https. Try http:// in its place.' : 'HTTP as a web server does.'
        }`,
      };
  }
}
