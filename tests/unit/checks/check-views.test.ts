import { expect, test } from 'vitest';
import { check, defineLab, passed } from '#lab';
import type { CheckView } from '#protocol';
import { checkViews, viewsOfTheseHosts } from '../../../server/checks/check-views.ts';

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

test('a check whose first answer has not come says that, and that hosts do not run only where they do not', () => {
  const lab = defineLab({
    title: 'T',
    hosts: { one: { address: '10.0.0.1/24' } },
    browser: 'one',
    sections: [
      {
        page: 'first',
        title: 'First',
        checks: [check('done', { title: 'Done', test: () => passed() })],
      },
    ],
  });
  const viewsOf = (answered: readonly CheckView[] | undefined) =>
    checkViews(lab, answered, new Map(), 'No hosts.');
  expect(viewsOf(undefined)).toMatchObject([{ state: 'not-yet', reason: 'No hosts.' }]);
  expect(viewsOf([])).toMatchObject([{ state: 'not-yet', reason: 'Not looked at yet.' }]);
  const answered: CheckView = { id: 'done', state: 'not-yet', reason: 'Do it.' };
  expect(viewsOf([answered])).toEqual([answered]);
});
