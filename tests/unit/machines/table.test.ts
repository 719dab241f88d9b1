import { describe, expect, it } from 'vitest';
import { tableOf } from '../../../machines/table.ts';

describe('the table of machines', () => {
  it('has a column for each part that any machine came to, and the words of what was wrong below', () => {
    const trials = [
      {
        name: 'one',
        what: 'the first',
        outcomes: [
          { part: 'boot', ms: 9_600, isRight: true, said: 'up' },
          { part: 'start', ms: 61_400, isRight: false, said: 'a | b' },
        ],
      },
      {
        name: 'two',
        what: 'the second',
        outcomes: [{ part: 'boot', ms: 400, isRight: true, said: 'up' }],
      },
    ];
    expect(tableOf(trials).split('\n')).toEqual([
      '| machine | what it is | boot | start |',
      '| --- | --- | --- | --- |',
      '| `one` | the first | 10 | ✗ 61 |',
      '| `two` | the second | 0 |  |',
      '',
      '- `one`, start: a \\| b',
    ]);
  });

  it('is that alone where all is right', () => {
    const outcomes = [{ part: 'boot', ms: 1_000, isRight: true, said: 'up' }];
    expect(tableOf([{ name: 'one', what: 'it', outcomes }]).split('\n')).toHaveLength(3);
  });
});
