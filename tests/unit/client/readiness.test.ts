import { describe, expect, test } from 'vitest';
import {
  type Finding,
  ofBrowser,
  ofClipboard,
  ofClock,
  ofEchoes,
  ofLinks,
  ofStorage,
  ofWidth,
  summary,
} from '../../../src/client/readiness/findings.ts';

const host = 'labs.example.org';
const links = { socket: false, http: false, refusal: undefined, host };
const HOUR_MS = 3_600_000;

/** Every way in which something can be found wanting, and what a reader is to find in the words. */
const WANTING: readonly (readonly [string, Finding, Finding['state'], string])[] = [
  ['an old browser', ofBrowser(['popovers', 'CSS nesting']), 'trouble', 'popovers, CSS nesting'],
  ['no WebSockets', ofLinks({ ...links, http: true }), 'note', 'stops WebSockets'],
  ['nothing comes through', ofLinks(links), 'trouble', 'terminals cannot work here'],
  [
    'the server refuses',
    ofLinks({ ...links, refusal: 'This server does not know the address of this page.' }),
    'trouble',
    'The server says: This server does not know',
  ],
  [
    'a slow line',
    ofEchoes([190, 210, 400]),
    'note',
    'after 210 ms, and after 400 ms at worst (3 tries)',
  ],
  ['a line that stalls', ofEchoes([20, 20, 1_800]), 'note', 'stalls now and then'],
  ['no echo', ofEchoes([]), 'trouble', 'Nothing that was sent came back'],
  ['a clock ahead', ofClock(5 * 60_000), 'note', '5 min ahead of'],
  ['a clock behind', ofClock(-3 * HOUR_MS), 'note', '3 h behind'],
  ['no time', ofClock(undefined), 'note', 'could not be compared'],
  ['plain http', ofClipboard(false), 'note', 'plain http'],
  ['no cookies', ofStorage(false, host), 'trouble', 'nobody can join'],
  ['a narrow window', ofWidth(390, true), 'note', '390 pixels'],
];

describe('what a browser or a network lacks', () => {
  test.each(WANTING)('%s is told, with what to do about it', (_, found, state, says) => {
    expect(found.state).toBe(state);
    expect(found.says).toContain(says);
    expect(found.remedy).toMatch(/\.$/);
  });

  test('whoever has to let links through is told which host', () => {
    expect(ofLinks(links).remedy).toContain(host);
    expect(ofLinks({ ...links, http: true }).remedy).toContain(host);
  });
});

const FINE = [
  ofBrowser([]),
  ofLinks({ ...links, socket: true }),
  ofEchoes([12, 9, 40]),
  ofClock(-30_000),
  ofClipboard(true),
  ofStorage(true, host),
  ofWidth(1440, false),
];

test('what is fine needs no remedy', () => {
  expect(FINE.map(({ state, remedy }) => [state, remedy])).toEqual(
    FINE.map(() => ['fine', undefined]),
  );
  expect(ofEchoes([12, 9, 40]).says).toContain('12 ms, and after 40 ms at worst');
});

test('the verdict is that of the worst', () => {
  const note = ofClipboard(false);
  expect(summary(FINE)).toMatch(/^All is well/);
  expect(summary([...FINE, note])).toBe('Ready for the class; one thing could be better.');
  expect(summary([...FINE, note, note])).toContain('2 things');
  expect(summary([note, ofLinks(links)])).toContain('stands in the way');
});
