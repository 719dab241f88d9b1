import { describe, expect, it } from 'vitest';
import { nearest } from '../../../lab/did-you-mean.ts';

describe('the nearest right name', () => {
  const known = ['server01', 'agent01', 'server02', 'client'];

  it.each([
    ['sever01', 'server01'],
    ['agent1', 'agent01'],
    ['clients', 'client'],
    ['server02', 'server02'],
  ])('to %s is %s', (given, expected) => {
    expect(nearest(given, known)).toBe(expected);
  });

  it('is nothing where there are none', () => {
    expect(nearest('server01', [])).toBe('');
  });
});
