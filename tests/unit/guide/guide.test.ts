import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { answer, defineLab, passed } from '#lab';
import type { CheckView, GuideView } from '#protocol';
import type { Step } from '#steps';
import { Background } from '../../../server/base/background.ts';
import { Guide } from '../../../server/guide/guide.ts';
import type { LearnerActions } from '../../../server/guide/run-step.ts';

const LAB = defineLab({
  title: 'T',
  hosts: { server01: { address: '10.0.0.1/24' } },
  browser: 'server01',
  sections: [
    {
      page: 'p',
      title: 'P',
      checks: [
        answer('read', {
          title: 'You read it',
          question: 'Which?',
          reads: /Server IP: (\S+)/,
          judge: () => passed(),
        }),
      ],
    },
  ],
});

/** A page to open, and a question about it. */
const STEP: Step = {
  id: 'read',
  page: 'p',
  heading: 'P',
  file: 'p.mdx',
  line: 1,
  actions: [
    { kind: 'open', url: 'http://10.0.0.1', line: 1 },
    { kind: 'answer', check: 'read', text: /Server IP: (\S+)/, line: 2 },
  ],
  checks: ['read'],
};

/** A guide, and a learner whose hosts are made of plain data. */
class Stage {
  readonly failures: string[] = [];
  readonly views: GuideView[] = [];
  readonly background = new Background((name, error) =>
    this.failures.push(`${name}: ${(error as Error).message}`),
  );
  readonly guide: Guide;
  /** What a test puts in the way of whoever is told how the guide stands. */
  onView: (view: GuideView) => void = () => undefined;
  html = '<p>Server IP: 172.17.0.2</p>';
  readonly answers: string[] = [];
  #check: CheckView = { id: 'read', state: 'not-yet', reason: 'Not answered yet.' };
  readonly #listeners = new Set<() => void>();

  constructor() {
    this.guide = new Guide({
      lab: LAB,
      steps: [STEP],
      background: this.background,
      onChange: (view) => {
        this.views.push(view);
        this.onView(view);
      },
    });
  }

  readonly learner: LearnerActions = {
    terminals: () => [],
    openTerminal: () => Promise.reject(new Error('no test of these opens a terminal')),
    visit: async (url) => ({
      visit: { id: 'v', url, from: 'server01', outcome: 'page', status: 200, milliseconds: 0 },
      html: this.html,
    }),
    answer: async (_check, text) => {
      this.answers.push(text);
      this.#check = { id: 'read', state: 'passed', passedAt: 0 };
      for (const listener of this.#listeners) listener();
      return this.#check;
    },
    checks: () => [this.#check],
    onChecks: (listener) => {
      this.#listeners.add(listener);
      return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
    },
    values: async () => [],
  };
}

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

describe('a guide', () => {
  test('does a step as its page has it, and leaves no timer and no listener', async () => {
    const stage = new Stage();
    stage.guide.doStep(STEP, stage.learner);
    await stage.background.settled();
    expect(stage.answers).toEqual(['172.17.0.2']);
    expect(stage.guide.view).toMatchObject({ state: 'done', purpose: 'step' });
    expect(vi.getTimerCount()).toBe(0);
  });

  test('that is busy refuses, and does not ask for hosts', () => {
    const stage = new Stage();
    const ready = vi.fn(() => new Promise<LearnerActions>(() => undefined));
    stage.guide.bringTo([STEP], ready);
    const again = vi.fn(() => Promise.reject(new Error('no hosts')));
    expect(() => stage.guide.bringTo([STEP], again)).toThrow('being done for you already');
    expect(again).not.toHaveBeenCalled();
    stage.guide.abandon();
  });

  test('says why the hosts did not come, and logs what nobody expected', async () => {
    const stage = new Stage();
    stage.guide.bringTo([STEP], () => Promise.reject(new Error('no hosts')));
    await stage.background.settled();
    expect(stage.guide.view).toMatchObject({
      state: 'stopped',
      reason: 'The step could not be done: no hosts.',
    });
    expect(stage.failures).toEqual(['do steps: no hosts']);
  });

  test('that is abandoned says nothing of hosts that fail later', async () => {
    const stage = new Stage();
    const hosts = Promise.withResolvers<LearnerActions>();
    stage.guide.bringTo([STEP], () => hosts.promise);
    stage.guide.abandon();
    hosts.reject(new Error('no hosts'));
    await stage.background.settled();
    expect(stage.guide.view).toEqual({ state: 'idle' });
    expect(stage.failures).toEqual([]);
  });

  test('whose news cannot be told is logged, and ends nothing else', async () => {
    const stage = new Stage();
    stage.onView = () => {
      throw new Error('socket gone');
    };
    stage.guide.doStep(STEP, stage.learner);
    await stage.background.settled();
    expect(stage.guide.working).toBe(false);
    expect(stage.failures.length).toBeGreaterThan(0);
  });

  test('reads a page without end as far as a page of a lab goes', async () => {
    const stage = new Stage();
    stage.html = '<div>'.repeat(1_000_000);
    stage.guide.doStep(STEP, stage.learner);
    await stage.background.settled();
    expect(stage.guide.view).toMatchObject({
      state: 'stopped',
      reason: 'The answer to “Which?” does not stand on the screen.',
    });
  });
});
