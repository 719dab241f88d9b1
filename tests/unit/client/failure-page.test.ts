import { describe, expect, it } from 'vitest';
import type { VisitOutcome, VisitView } from '#protocol';
import { failureOf } from '../../../src/client/workspace/failure-page.ts';

function visit(outcome: VisitOutcome, url = 'http://10.1.10.11:32768/'): VisitView {
  return { id: 'v', url, from: 'client', outcome, milliseconds: 4_000 };
}

describe('what the browser pane says when no page came', () => {
  it.each([
    ['refused', '10.1.10.11:32768 refused to connect'],
    ['timed-out', '10.1.10.11:32768 took too long to respond'],
    ['unreachable', '10.1.10.11 is unreachable: no route'],
  ] as const)('%s reads like a browser', (outcome, title) => {
    expect(failureOf(visit(outcome)).title).toBe(title);
  });

  it('names a host that is not known', () => {
    expect(failureOf(visit('unknown-host', 'http://server01x/')).title).toBe(
      'server01x: name not found',
    );
  });

  it('says something else about the network for each', () => {
    const outcomes = ['refused', 'timed-out', 'unreachable', 'unknown-host', 'broken'] as const;
    const meanings = outcomes.map((outcome) => failureOf(visit(outcome)).meaning);
    expect(new Set(meanings).size).toBe(outcomes.length);
  });
});
