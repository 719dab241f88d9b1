import type { Lab, SignalOf, VisitOutcome } from '#lab';
import { type Address, parseAddress } from './address.ts';
import type { VisitSignal } from './browser-pane.ts';

type Command = Pick<SignalOf<'command'>, 'host' | 'line' | 'status'>;

/** A command line that a person wrote is shorter. */
const LINE_CHARACTERS = 2_000;
/** One word, quotes and all. */
const WORD = /(?:[^\s'"\\]|'[^']*'|"[^"]*"|\\.)+/g;
/** Beyond one command the exit status is another's, and beyond plain words the address is not there to be read. */
const MORE_THAN_ONE = /[|;&`$(){}\n]/;
/** Options of curl that are followed by a value (curl(1)); a group of letters may end in one. */
const WITH_VALUE =
  /^(?:-[a-zA-Z#]*[AbcCdDeEFHKmoPQrtTuUwxXyYz]|--(?:connect-timeout|cookie|cookie-jar|data(?:-\w+)?|form|header|interface|max-time|output|proxy|range|referer|request|resolve|retry(?:-[a-z-]+)?|upload-file|user|user-agent|write-out))$/;
/** How curl says what came of it, by its exit status (curl(1)). */
const OUTCOMES: Readonly<Record<number, VisitOutcome>> = {
  0: 'page',
  6: 'unknown-host',
  7: 'refused',
  28: 'timed-out',
};

/**
 * The visit that a finished `curl` was: to somebody who asks whether a page was reached it says the same as the browser
 * pane. Only where it was typed on the host that the pane looks from, as a command by itself, for one address.
 */
export function visitByCommand(
  { browser, hosts }: Pick<Lab, 'browser' | 'hosts'>,
  { host, line, status }: Command,
): VisitSignal | undefined {
  const outcome = OUTCOMES[status];
  if (host !== browser || outcome === undefined) return undefined;
  const address = addressAsked(line);
  if (!address) return undefined;
  const { url, hostname, port } = address;
  // To curl it is all one whether a host refuses or no way leads to it. Those on the same wire are always on the way.
  const wires = hosts.find(({ name }) => name === browser)?.interfaces ?? [];
  const isHost = hosts.some(({ name, aliases, interfaces }) =>
    interfaces.some(
      ({ address: at, network }) =>
        wires.some((wire) => wire.network === network) && [name, ...aliases, at].includes(hostname),
    ),
  );
  if (outcome === 'refused' && !isHost) return undefined;
  return { kind: 'visit', from: browser, url: url.href, hostname, port, outcome };
}

/** The address that a line asks for with curl, if it does that and nothing else. */
function addressAsked(line: string): Address | undefined {
  if (line.length > LINE_CHARACTERS) return undefined;
  if (MORE_THAN_ONE.test(line.replace(/'[^']*'|"[^"]*"|\\./g, ''))) return undefined;
  const words = (line.match(WORD) ?? []).map((word) => word.replace(/['"]/g, ''));
  if (words[0] === 'sudo' || words[0] === 'time') words.shift();
  if (words.shift() !== 'curl') return undefined;
  const asked = words.filter((word, at) => {
    const before = words[at - 1] ?? '';
    return !(
      word.startsWith('-') ||
      /^\d?>/.test(word) ||
      /^\d?>>?$/.test(before) ||
      WITH_VALUE.test(before)
    );
  });
  if (asked.length !== 1) return undefined;
  try {
    return parseAddress(asked[0] ?? '');
  } catch {
    return undefined;
  }
}
