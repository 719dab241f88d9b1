import { randomBytes } from 'node:crypto';
import type { Lab } from '#lab';
import type { GuideAction, GuideView } from '#protocol';
import type { Step } from '#steps';
import type { Background } from '../base/background.ts';
import { withAbort } from '../base/deadline.ts';
import { QuaysideError } from '../base/errors.ts';
import { GuideStopped } from './guide-stopped.ts';
import type { LearnerActions } from './learner-actions.ts';
import { type LastOutput, runStep } from './run-step.ts';

/** Between two keys, where a learner watches: quick enough not to bore, slow enough to be read. */
const KEY_MS = 18;
/** Where the learner waits for the hosts and does not watch. */
const NO_TIME = 0;

/** What a guide is made with. */
export interface GuideOptions {
  readonly lab: Lab;
  /** The lab's steps, in order, as its pages have them. */
  readonly steps: readonly Step[];
  readonly onChange: (view: GuideView) => void;
  /** Has a job while it runs, and what goes wrong in it. */
  readonly background: Background;
}

/** Where to begin: a section's page, or a step. */
export type Start = { readonly page: string } | { readonly step: string };

/**
 * Does steps for a learner, one job at a time: a single step, or all that come before a place to start from. What it
 * types stands in the lab's own pages; a request names a step and never a command.
 */
export class Guide {
  readonly #options: GuideOptions;
  #view: GuideView = { state: 'idle' };
  /** What is being done. */
  #work: Work | undefined;

  constructor(options: GuideOptions) {
    this.#options = options;
  }

  get view(): GuideView {
    return this.#view;
  }

  /** Something is being done: what is passed meanwhile is not the learner's own work. */
  get working(): boolean {
    return this.#work !== undefined;
  }

  /** @throws QuaysideError STEP_UNKNOWN */
  step(id: string): Step {
    const step = this.#options.steps.find((each) => each.id === id);
    if (step) return step;
    throw unknown(`step ${id}`);
  }

  /** All that has to be done before a place. @throws QuaysideError STEP_UNKNOWN */
  before(start: Start): readonly Step[] {
    const { lab, steps } = this.#options;
    if ('step' in start) return steps.slice(0, steps.indexOf(this.step(start.step)));
    const at = lab.sections.findIndex(({ page }) => page === start.page);
    if (at < 0) throw unknown(`section ${start.page}`);
    const pages = lab.sections.slice(0, at).map(({ page }) => page);
    return steps.filter(({ page }) => pages.includes(page));
  }

  /** Does one step as the learner would, in sight. @throws QuaysideError GUIDE_BUSY */
  doStep(step: Step, learner: LearnerActions): void {
    this.#begin('step', [step], KEY_MS, async () => learner);
  }

  /**
   * Does steps on hosts that are still to come, as quickly as they can be done.
   *
   * @param ready waits for the hosts; called at once
   * @throws QuaysideError GUIDE_BUSY
   */
  bringTo(steps: readonly Step[], ready: () => Promise<LearnerActions>): void {
    this.#begin('start', steps, NO_TIME, ready);
  }

  /** Ends what is being done. What was done stays done. */
  stop(): void {
    this.#work?.stop.abort(
      new GuideStopped('You stopped it.', 'What was done so far stays done. Go on by yourself.'),
    );
  }

  /** Takes away how the last job ended. */
  dismiss(): void {
    if (!this.working) this.#show({ state: 'idle' });
  }

  /** The hosts go away: nothing more is done, and nothing said of it. */
  abandon(): void {
    this.#work?.stop.abort();
    this.#work = undefined;
    if (this.#view.state !== 'idle') this.#show({ state: 'idle' });
  }

  #begin(
    purpose: 'step' | 'start',
    steps: readonly Step[],
    keyMs: number,
    ready: () => Promise<LearnerActions>,
    id = randomBytes(6).toString('hex'),
  ): void {
    if (this.working) {
      throw new QuaysideError(
        'GUIDE_BUSY',
        'Something is being done for you already.',
        'Wait until it is done, or stop it.',
      );
    }
    const work: Work = { purpose, id, steps, keyMs, stop: new AbortController() };
    this.#work = work;
    this.#options.background.run('do steps', () => this.#do(work, ready));
  }

  async #do(work: Work, ready: () => Promise<LearnerActions>): Promise<void> {
    const { purpose, id, steps, keyMs, stop } = work;
    const { signal } = stop;
    const show = (view: GuideView): void => {
      if (this.#work === work) this.#show(view);
    };
    let at: Step | undefined;
    try {
      const first = { state: 'working', job: id, purpose, place: 0, of: steps.length } as const;
      show({ ...first, says: purpose === 'start' ? 'Waiting for your hosts' : 'Beginning' });
      const learner = await withAbort(signal, ready);
      let last: LastOutput = { text: '' };
      for (const [index, step] of steps.entries()) {
        // What a page's question asks for stands in what was done on that page.
        if (at?.page !== step.page) last = { text: '' };
        at = step;
        const now = { ...first, place: index + 1, step: step.id };
        const tell = (says: string, action?: GuideAction): void =>
          show({ ...now, says, ...(action ? { deed: action } : {}) });
        await runStep({ lab: this.#options.lab, learner, keyMs, signal, tell }, step, last);
      }
      show({ state: 'done', job: id, purpose, of: steps.length });
    } catch (error) {
      // The hosts are gone; what took them away tells the learner.
      if (this.#work !== work) return;
      const { reason, remedy } = this.#wordsFor(error);
      show({ state: 'stopped', job: id, purpose, ...(at ? { step: at.id } : {}), reason, remedy });
    } finally {
      if (this.#work === work) this.#work = undefined;
    }
  }

  #wordsFor(error: unknown): { readonly reason: string; readonly remedy: string } {
    if (error instanceof GuideStopped || error instanceof QuaysideError) {
      return { reason: error.message, remedy: error.remedy };
    }
    this.#options.background.fail('do steps', error);
    return {
      reason: `The step could not be done: ${error instanceof Error ? error.message : String(error)}`,
      remedy: 'Try it once more, or do it by yourself.',
    };
  }

  #show(view: GuideView): void {
    this.#view = view;
    this.#options.onChange(view);
  }
}

interface Work {
  readonly purpose: 'step' | 'start';
  readonly id: string;
  readonly steps: readonly Step[];
  readonly keyMs: number;
  readonly stop: AbortController;
}

function unknown(what: string): QuaysideError {
  return new QuaysideError(
    'STEP_UNKNOWN',
    `This lab has no ${what}.`,
    'Reload the page; it may be older than the server.',
  );
}
