import { describe, expect, it } from 'vitest';
import {
  AUTHORS_GROUP,
  arranged,
  EXAMPLES_LAB,
  LABS_GROUP,
  type SidebarEntry,
} from '../../../src/site/sidebar.ts';

const TITLES = new Map([
  ['one', 'Lab one'],
  ['two', 'Lab two'],
  [EXAMPLES_LAB, 'Every part, live'],
]);
const WRITTEN = [
  group(LABS_GROUP, [group('one'), group('two'), group(EXAMPLES_LAB)]),
  group(AUTHORS_GROUP),
];

describe('the sidebar', () => {
  it('of a lab lists that lab alone: the server may have no other', () => {
    expect(labelsOf(arranged(WRITTEN, 'one', TITLES))).toEqual([['Lab one']]);
  });

  it('lists labs in the order of their course', () => {
    const titles = new Map([...TITLES].toReversed());
    expect(labelsOf(arranged(WRITTEN, undefined, titles)).slice(0, 2)).toEqual([
      ...[['Lab two'], ['Lab one']],
    ]);
  });

  it('of the guide leads to the first page of a lab', () => {
    const written = [group(LABS_GROUP, [group('one', [link('/labs/one/'), link('/labs/one/a/')])])];
    expect(arranged(written, undefined, TITLES)).toEqual([
      { ...link('/labs/one/'), label: 'Lab one' },
    ]);
    expect(arranged(written, 'one', TITLES)).toMatchObject([{ entries: [{}, {}] }]);
  });

  it('of the guide lists every lab, and the examples in the guide', () => {
    const all = [['Lab one'], ['Lab two'], [AUTHORS_GROUP, ['Every part, live']]];
    expect(labelsOf(arranged(WRITTEN, undefined, TITLES))).toEqual(all);
    expect(labelsOf(arranged(WRITTEN, EXAMPLES_LAB, TITLES))).toEqual(all);
  });
});

type Labels = readonly [string, ...Labels[]];

function labelsOf(entries: readonly SidebarEntry[]): readonly Labels[] {
  return entries.map((entry) => [
    entry.label,
    ...(entry.type === 'group' ? labelsOf(entry.entries) : []),
  ]);
}

function link(href: string): SidebarEntry {
  return { type: 'link', label: href, href, isCurrent: false, badge: undefined, attrs: {} };
}

function group(label: string, entries: SidebarEntry[] = []): SidebarEntry {
  return { type: 'group', label, entries, collapsed: false, badge: undefined };
}
