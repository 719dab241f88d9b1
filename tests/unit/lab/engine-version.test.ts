import { describe, expect, it } from 'vitest';
import { defineLab } from '#lab';
import { isEngineVersion, isUsualEngine, withEngine } from '../../../lab/engine-version.ts';

describe('a version of an engine', () => {
  it.each(['28', '28.5', '28.5.2'])('is %s', (text) => expect(isEngineVersion(text)).toBe(true));

  it.each(['', 'newest', '28.', 'v28', '28.5.2.1', '28\n', '28 || true', 28, undefined])(
    'is not %j',
    (text) => expect(isEngineVersion(text)).toBe(false),
  );

  it('is the usual one where none is said, or how that one begins', () => {
    expect([undefined, '26', '26.1', '26.1.5'].every(isUsualEngine)).toBe(true);
    expect(['2', '26.1.6', '26.2', '28'].some(isUsualEngine)).toBe(false);
  });
});

it('is given to the engines of a lab that says none of its own', () => {
  const lab = defineLab({
    title: 'T',
    hosts: {
      any: { address: '10.0.0.1/24', engine: true },
      own: { address: '10.0.0.2/24', engine: { version: '26' } },
      plain: { address: '10.0.0.3/24' },
    },
    browser: 'plain',
    sections: [],
  });
  const versions = withEngine(lab, '28').hosts.map(({ engineVersion }) => engineVersion);
  expect(versions).toEqual(['28', '26', undefined]);
});
