import type { SignalOf } from '../signal.ts';
import { passed, type Verdict } from '../verdict.ts';
import type { SandboxView } from '../view.ts';
import { assertion, type DefaultMessages, type Messages, verdictWith } from './assertion.ts';
import { matches } from './inside.ts';
import { type Moment, sinceWhen } from './moment.ts';
import { fixedPlace, typed, type VisitTarget } from './visit-target.ts';

type Visit = SignalOf<'visit'>;

/** From here on an HTTP status speaks of an error. */
const FIRST_ERROR_STATUS = 400;

/** `found` is the sentence about where the learner went instead, or how it ended; `wanted` is the address to open. */
export type VisitMessage =
  | 'nowhere'
  | 'notYet'
  | 'notSince'
  | 'instead'
  | 'otherEnd'
  | 'otherPage'
  | 'textUnknown';

/** So much of a page is repeated in a reason. */
const QUOTED_CHARACTERS = 80;

const OPENED: DefaultMessages<VisitMessage> = {
  nowhere: () => 'There is no address to open yet.',
  notYet: ({ wanted }) => `Not opened yet. In the Browser tab, go to ${wanted}.`,
  notSince: ({ wanted }) => `Not opened since then. Reload ${wanted}.`,
  instead: ({ found, wanted }) => `${found} Go to ${wanted}.`,
  otherEnd: ({ name, found, wanted }) => `${name} ${found}. Go to ${wanted} again.`,
  otherPage: ({ name, found }) =>
    `The page ${name} came, but does not show what was asked for. It says: “${found}”.`,
  textUnknown: ({ wanted }) =>
    `What that page showed cannot be seen from here. In the Browser tab, go to ${wanted}.`,
};

const REFUSED: DefaultMessages<VisitMessage> = {
  ...OPENED,
  nowhere: () => 'There is no address to try yet.',
  notYet: ({ wanted }) => `Not tried yet. In the Browser tab, go to ${wanted}.`,
  notSince: ({ wanted }) => `Not tried since then. Reload ${wanted}.`,
  instead: ({ found, wanted }) => `${found} Try ${wanted}.`,
  otherEnd: ({ name, found }) =>
    `${name} ${found}. Something else listens there now, or stands in the way.`,
};

/** An assertion about the browser pane. */
export interface VisitAssertion<Host extends string = string> extends Moment<Host> {
  /**
   * The page has said this, in the first 2,048 characters of its text as the server sent it. What scripts add later is not
   * seen, nor what `curl` has fetched. @example .showing(/Version 2/)
   */
  showing(text: RegExp): VisitAssertion<Host>;
  /** The host whose network the page was asked from. */
  from<const From extends string>(host: From): VisitAssertion<Host | From>;
  /** Only a visit after something else counts. @example visited('http://10.1.10.11').after(restartOf(web)) */
  after<Other extends string>(moment: Moment<Other>): VisitAssertion<Host | Other>;
  /** Any of its messages in your own words. */
  withMessages(messages: Messages<VisitMessage>): VisitAssertion<Host>;
}

/**
 * A page was opened in the browser pane, and came. The place is an address, or one that moves with a container:
 * `throughPort(web)`, `atItsAddress(web)`.
 *
 * @example test: visited('http://10.1.10.11:8080').from('client').after(restartOf(web))
 */
export function visited<const Host extends string = never>(
  place: string | VisitTarget<Host>,
): VisitAssertion<Host> {
  return build({ place: placeOf(place), ended: isPage, own: OPENED, messages: {} });
}

/**
 * A page was asked for in the browser pane, and refused: the host is there, and nothing listens.
 *
 * @example test: refused(throughFormerPort(web)).from('client').after(restartOf(web))
 */
export function refused<const Host extends string = never>(
  place: string | VisitTarget<Host>,
): VisitAssertion<Host> {
  const ended = ({ outcome }: Visit) => outcome === 'refused';
  return build({ place: placeOf(place), ended, own: REFUSED, messages: {} });
}

/** Whether a visit brought a page, and no error page of the server. */
export function isPage({ outcome, status = 0 }: Visit): boolean {
  return outcome === 'page' && status < FIRST_ERROR_STATUS;
}

/** How a visit ended, as a half-sentence. */
export function ending({ outcome, status }: Visit): string {
  switch (outcome) {
    case 'page':
      return `answered with status ${status ?? 'unknown'}`;
    case 'refused':
      return 'was refused: nothing listens there';
    case 'timed-out':
      return 'never answered';
    case 'unreachable':
      return 'cannot be reached: the client knows no way there';
    case 'unknown-host':
      return 'has a name that nobody knows';
    case 'broken':
      return 'answered, but not with a web page';
  }
}

interface Wanted<Host extends string> {
  readonly place: VisitTarget<Host>;
  readonly ended: (visit: Visit) => boolean;
  readonly own: DefaultMessages<VisitMessage>;
  readonly from?: string;
  readonly showing?: RegExp;
  readonly earlier?: Moment<Host>;
  readonly messages: Messages<VisitMessage>;
}

function placeOf<Host extends string>(place: string | VisitTarget<Host>): VisitTarget<Host> {
  return typeof place === 'string' ? fixedPlace(place) : place;
}

function build<Host extends string>(wanted: Wanted<Host>): VisitAssertion<Host> {
  const { place, earlier } = wanted;
  const hosts = [...place.hosts, ...(earlier?.hosts ?? [])];
  return assertion(hosts, (sandbox: SandboxView<Host>) => judge(wanted, sandbox), {
    checks: earlier?.checks ?? [],
    first: async (sandbox: SandboxView) => {
      const since = earlier ? await earlier.first(sandbox) : 0;
      return since === undefined ? undefined : (await look(wanted, sandbox, since)).hit?.seq;
    },
    from: <const From extends string>(host: From): VisitAssertion<Host | From> =>
      Object.assign(build<Host | From>({ ...wanted, from: host }), {
        hosts: [...new Set<Host | From>([...hosts, host])],
      }),
    after: <Other extends string>(moment: Moment<Other>): VisitAssertion<Host | Other> =>
      build<Host | Other>({ ...wanted, earlier: moment }),
    showing: (text: RegExp) => build({ ...wanted, showing: text }),
    withMessages: (more: Messages<VisitMessage>) =>
      build({ ...wanted, messages: { ...wanted.messages, ...more } }),
  });
}

/** What the visits since a moment of the journal show. Each is looked at once. */
async function look<Host extends string>(
  { place, from, ended, showing }: Wanted<Host>,
  sandbox: SandboxView<Host>,
  since: number,
) {
  const target = await place.resolve(sandbox);
  let hit: Visit | undefined;
  let last: Visit | undefined;
  let before = false;
  for (const visit of sandbox.journal.all('visit')) {
    if (from !== undefined && visit.from !== from) continue;
    if (visit.seq <= since) {
      before = true;
      continue;
    }
    last = visit;
    if (!ended(visit) || !target.fits(visit)) continue;
    if (showing && !matches(showing, visit.text ?? '')) continue;
    hit = visit;
    break;
  }
  return {
    target,
    /** The first that went to the place, and ended as asked. */
    hit,
    /** The newest, where none has hit. */
    last,
    /** There were visits before the moment. */
    before,
  };
}

async function judge<Host extends string>(
  wanted: Wanted<Host>,
  sandbox: SandboxView<Host>,
): Promise<Verdict> {
  const { place, earlier } = wanted;
  const since = await sinceWhen(earlier, sandbox);
  if (typeof since !== 'number') return since;
  const { target, hit, last, before } = await look(wanted, sandbox, since);
  if (hit) return passed();
  const ready = await place.ready(sandbox);
  if (ready.kind !== 'passed') return ready;
  const url = await place.url(sandbox);
  const tell = (key: VisitMessage, name = '', found = '') =>
    verdictWith(wanted.own, wanted.messages, key, {
      name,
      host: wanted.from ?? '',
      found,
      wanted: url ?? '',
    });
  if (url === undefined) return tell('nowhere');
  if (!last) return tell(before ? 'notSince' : 'notYet');
  const instead = target.fits(last) ? undefined : target.instead(last);
  if (instead !== undefined) return tell('instead', typed(last), instead);
  if (wanted.showing && wanted.ended(last)) {
    const { text } = last;
    return text === undefined
      ? tell('textUnknown')
      : tell('otherPage', typed(last), text.slice(0, QUOTED_CHARACTERS));
  }
  const obstacle = wanted.own === OPENED ? await place.obstacle?.(sandbox) : undefined;
  return obstacle ?? tell('otherEnd', typed(last), ending(last));
}
