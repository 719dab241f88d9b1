/** Fine; works, but a word about it helps; or stands in the way of a class. */
export type State = 'fine' | 'note' | 'trouble';

/** What one test has found, in words for whoever sits before the page. */
export interface Finding {
  readonly state: State;
  readonly says: string;
  /** What to do about it; nothing where all is fine. */
  readonly remedy?: string;
}

/** Most people notice no wait below this, from a key to its letter (ms). */
const QUICK_MS = 150;
/** A single key that takes longer makes people type it again (ms). */
const STALL_MS = 1_000;
/** Steps say when they passed to the minute: a clock that is off by less does no harm (ms). */
const CLOCK_MS = 60_000;

/** Where the browser lacks what the links themselves are made with. */
export const NOT_TRIED: Finding = {
  state: 'note',
  says: 'Not tried: this browser cannot.',
  remedy: 'What stands at “Browser” comes first; then check again.',
};

/** @param lacking what of a browser the pages need and this one has not, by its names */
export function ofBrowser(lacking: readonly string[]): Finding {
  if (lacking.length === 0) return fine('This browser has all that the labs need.');
  return {
    state: 'trouble',
    says: `This browser lacks ${lacking.join(', ')}.`,
    remedy: 'Update it, or take a current Chrome, Edge, Firefox or Safari.',
  };
}

export interface Links {
  /** A WebSocket was let in, and heard something. */
  readonly socket: boolean;
  /** A link over HTTP was. */
  readonly http: boolean;
  /** What the server answers where neither was, in a sentence or two. */
  readonly refusal: string | undefined;
  /** The server, as the page's address has it. */
  readonly host: string;
}

export function ofLinks({ socket, http, refusal, host }: Links): Finding {
  if (socket) {
    return fine('WebSockets come through: terminals and ticks take the quick way.');
  }
  if (http) {
    return {
      state: 'note',
      says: 'This network stops WebSockets. The labs work all the same without them, a little slower.',
      remedy: `Ask whoever runs the network, or the proxy in front of Quayside, to let WebSockets through to ${host}.`,
    };
  }
  return {
    state: 'trouble',
    says: `Neither WebSockets nor streams over HTTP come through, so terminals cannot work here.${refusal ? ` The server says: ${refusal}` : ''}`,
    remedy: `Try another network. If that is the same, tell your instructor; whoever runs the network, or the proxy in front of Quayside, has to let them through to ${host}.`,
  };
}

/** @param milliseconds from sending to hearing it again, each */
export function ofEchoes(milliseconds: readonly number[]): Finding {
  const sorted = milliseconds.toSorted((a, b) => a - b);
  const worst = sorted.at(-1);
  if (worst === undefined) {
    return {
      state: 'trouble',
      says: 'Nothing that was sent came back.',
      remedy: 'What stands at “Connection” comes first; then check again.',
    };
  }
  const half = middle(sorted);
  const says = `A key comes back after ${inWords(half)}, and after ${inWords(worst)} at worst (${sorted.length} tries).`;
  if (half > QUICK_MS) {
    return {
      state: 'note',
      says: `${says} It works, but typing will feel slow.`,
      remedy:
        'Take a cable, or sit nearer to the access point; end downloads and calls, and a VPN.',
    };
  }
  if (worst > STALL_MS) {
    return {
      state: 'note',
      says: `${says} The line stalls now and then.`,
      remedy: 'Take a cable, or sit nearer to the access point; then check again.',
    };
  }
  return fine(says);
}

/** @param aheadMs how far this device's clock is before the server's; behind it where negative */
export function ofClock(aheadMs: number | undefined): Finding {
  if (aheadMs === undefined) {
    return {
      state: 'note',
      says: 'The server’s time did not come, so the clock could not be compared.',
      remedy: 'What stands at “Connection” comes first; then check again.',
    };
  }
  const off = Math.abs(aheadMs);
  if (off <= CLOCK_MS) return fine('This device’s clock goes with the server’s.');
  return {
    state: 'note',
    says: `This device’s clock is ${inWords(off)} ${aheadMs > 0 ? 'ahead of' : 'behind'} the server’s. The labs work; times that you read will not be your instructor’s.`,
    remedy: 'Let the device set its clock by itself.',
  };
}

/** @param hasClipboard the browser lets this page write to it by itself */
export function ofClipboard(hasClipboard: boolean): Finding {
  if (hasClipboard) return fine('Copying works by a button and by keys, pasting by keys.');
  return {
    state: 'note',
    says: 'This page came by plain http, where browsers give a page no clipboard of its own. Buttons that copy use an older way, which most browsers still have; keys copy and paste as everywhere.',
    remedy: 'Nothing is needed for a class. Served by https, the page has the clipboard.',
  };
}

/** @param keeps the browser keeps cookies and small data for this site */
export function ofStorage(keeps: boolean, host: string): Finding {
  if (keeps) return fine('This browser keeps cookies: it will be known when you come back.');
  return {
    state: 'trouble',
    says: 'This browser keeps no cookies or data of this site, so nobody can join with it.',
    remedy: `Allow cookies for ${host}, or leave the private window.`,
  };
}

/** @param width of the window (CSS px) @param isNarrow text and terminals take turns there */
export function ofWidth(width: number, isNarrow: boolean): Finding {
  if (!isNarrow) return fine('Text and terminals stand side by side.');
  return {
    state: 'note',
    says: `In a window ${width} pixels wide, text and terminals take turns. All works.`,
    remedy: 'A wider window, or a screen held sideways, shows both.',
  };
}

/** The verdict over all. */
export function summary(findings: readonly Finding[]): string {
  if (findings.some(({ state }) => state === 'trouble')) {
    return 'Something stands in the way. What to do about it is below.';
  }
  const notes = findings.filter(({ state }) => state === 'note').length;
  if (notes === 0) return 'All is well: this browser and this network are ready for the class.';
  return `Ready for the class; ${notes === 1 ? 'one thing' : `${notes} things`} could be better.`;
}

function fine(says: string): Finding {
  return { state: 'fine', says };
}

function middle(sorted: readonly number[]): number {
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function inWords(milliseconds: number): string {
  if (milliseconds < 1_000) return `${Math.max(1, Math.round(milliseconds))} ms`;
  if (milliseconds < 60_000) return `${(milliseconds / 1_000).toFixed(1)} s`;
  const minutes = Math.round(milliseconds / 60_000);
  if (minutes < 120) return `${minutes} min`;
  return `${Math.round(minutes / 60)} h`;
}
