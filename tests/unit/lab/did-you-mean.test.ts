import { describe, expect, it } from 'vitest';
import { didYouMean } from '../../../lab/did-you-mean.ts';

describe('a name that is none of those there are', () => {
  const known = ['server01', 'agent01', 'server02', 'client'];

  it.each([
    ['sever01', 'server01'],
    ['agent1', 'agent01'],
    ['clients', 'client'],
  ])('%s was probably meant as %s', (given, expected) => {
    expect(didYouMean(given, known)).toBe(
      `Did you mean "${expected}"? There are: server01, agent01, server02, client.`,
    );
  });

  it('is guessed as none where no known name is like it', () => {
    expect(didYouMean('db', known)).toBe('There are: server01, agent01, server02, client.');
  });

  it('was meant as none where there are none', () => {
    expect(didYouMean('server01', [])).toBe('There are none.');
  });
});
