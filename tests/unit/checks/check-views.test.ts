import { expect, test } from 'vitest';
import type { CheckView } from '#protocol';
import { viewsOfTheseHosts } from '../../../server/checks/check-views.ts';

test('whoever does steps on these hosts has what was passed on earlier ones alone before them', () => {
  const passed = (id: string): CheckView => ({ id, state: 'passed', passedAt: 1 });
  const open: CheckView = { id: 'open', state: 'not-yet', reason: 'Not yet.' };
  const views = [passed('kept'), passed('earned'), open];
  const passes = new Map([
    ['kept', { at: 1, assisted: false, about: undefined }],
    ['earned', { at: 1, assisted: false, about: 'past' }],
  ] as const);
  expect(viewsOfTheseHosts(views, passes)).toEqual([
    { id: 'kept', state: 'not-yet', reason: 'It was passed on earlier hosts.' },
    passed('earned'),
    open,
  ]);
});
