import { randomBytes } from 'node:crypto';
import type { Lab } from '#lab';
import type { GuideAction, GuidePurpose, GuideView } from '#protocol';
import type { Step } from '#steps';
import type { Background } from '../base/background.ts';
import { withAbort } from '../base/deadline.ts';
import { QuaysideError, ReadableError, wordsFor } from '../base/errors.ts';
import { stepsBelow } from '../labs/stands-on.ts';
import { GuideStopped } from './free-terminal.ts';
import { type LastOutput, type LearnerActions, runStep } from './run-step.ts';

/** Between two keys. A learner who watches a step can read it and need not wait; one who waits for hosts does not watch. */
const KEY_MS: Readonly<Record<GuidePurpose, number>> = { step: 18, start: 0 };

const NOT_DONE = {
  reason: 'The step could not be done',
  remedy: 'Try it once more, or do it by yourself.',
};

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
  /** Aborted to stop what is being done; absent where nothing is. */
  #job: AbortController | undefined;
  #purpose: GuidePurpose = 'step';

  constructor(options: GuideOptions) {
    this.#options = options;
  }

  get view(): GuideView {
    return this.#view;
  }

  /** Something is being done: what is passed meanwhile is not the learner's own work. */
  get working(): boolean {
    return this.#job !== undefined;
  }

  /** What it is being done for. */
  get purpose(): GuidePurpose | undefined {
    return this.#job && this.#purpose;
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

  /**
   * Does one step as the learner would, in sight; before it those that it stands on and that have not passed.
   *
   * @throws QuaysideError GUIDE_BUSY
   */
  doStep(step: Step, learner: LearnerActions): void {
    const { steps, lab } = this.#options;
    const views = learner.checks();
    const isOpen = ({ checks }: Step) =>
      views.some(({ id, state }) => checks.includes(id) && state !== 'passed');
    const below = stepsBelow(steps, step, lab).filter(isOpen);
    this.#begin('step', [...below, step], async () => learner);
  }

  /**
   * Does steps on hosts that are still to come, as quickly as they can be done.
   *
   * @param ready waits for the hosts; called at once
   * @throws QuaysideError GUIDE_BUSY
   */
  bringTo(steps: readonly Step[], ready: () => Promise<LearnerActions>): void {
    this.#begin('start', steps, ready);
  }

  /** Ends what is being done, or takes away how it ended. What was done stays done. */
  stop(): void {
    const remedy = 'What was done so far stays done. Go on by yourself.';
    if (this.#job) this.#job.abort(new GuideStopped('You stopped it.', remedy));
    else this.#show({ state: 'idle' });
  }

  /** The hosts go away: nothing more is done, and nothing said of it. */
  abandon(): void {
    this.#job?.abort();
    this.#job = undefined;
    if (this.#view.state !== 'idle') this.#show({ state: 'idle' });
  }

  #begin(
    purpose: GuidePurpose,
    steps: readonly Step[],
    ready: () => Promise<LearnerActions>,
  ): void {
    if (this.#job) {
      throw new QuaysideError(
        'GUIDE_BUSY',
        'Something is being done for you already.',
        'Wait until it is done, or stop it.',
      );
    }
    const stop = new AbortController();
    this.#job = stop;
    this.#purpose = purpose;
    this.#options.background.run('do steps', () => this.#do(purpose, steps, ready, stop));
  }

  async #do(
    purpose: GuidePurpose,
    steps: readonly Step[],
    ready: () => Promise<LearnerActions>,
    stop: AbortController,
  ): Promise<void> {
    const { lab, background } = this.#options;
    const { signal } = stop;
    const job = { job: randomBytes(6).toString('hex'), purpose };
    const show = (view: GuideView): void => {
      if (this.#job === stop) this.#show(view);
    };
    let at: Step | undefined;
    try {
      const begun = { state: 'working', ...job, place: 0, of: steps.length } as const;
      show({ ...begun, says: purpose === 'start' ? 'Waiting for your hosts' : 'Beginning' });
      const learner = await withAbort(signal, ready);
      let last: LastOutput = { text: '' };
      for (const [index, step] of steps.entries()) {
        // What a page's question asks for stands in what was done on that page.
        if (at?.page !== step.page) last = { text: '' };
        at = step;
        const now = { ...begun, place: index + 1, step: step.id };
        const first =
          purpose === 'step' && step !== steps.at(-1) ? `${this.#comesFirst(step)} ` : '';
        const tell = (says: string, action?: GuideAction): void =>
          show({ ...now, says: first + says, ...(action && { deed: action }) });
        await runStep({ lab, learner, keyMs: KEY_MS[purpose], signal, tell }, step, last);
      }
      show({ state: 'done', ...job, of: steps.length });
    } catch (error) {
      // The hosts are gone; what took them away tells the learner.
      if (this.#job !== stop) return;
      if (!(error instanceof ReadableError)) background.fail('do steps', error);
      const why = wordsFor(error, NOT_DONE);
      const first =
        purpose === 'step' && at && at !== steps.at(-1) ? `${this.#comesFirst(at)} ` : '';
      show({
        state: 'stopped',
        ...job,
        ...(at && { step: at.id }),
        ...why,
        reason: first + why.reason,
      });
    } finally {
      if (this.#job === stop) this.#job = undefined;
    }
  }

  /** Names a step that another stands on. */
  #comesFirst({ checks, heading }: Step): string {
    const title = this.#options.lab.checks.find(({ id }) => checks.includes(id))?.title ?? heading;
    return `First comes “${title}”.`;
  }

  #show(view: GuideView): void {
    this.#view = view;
    this.#options.onChange(view);
  }
}

function unknown(what: string): QuaysideError {
  return new QuaysideError(
    'STEP_UNKNOWN',
    `This lab has no ${what}.`,
    'Reload the page; it may be older than the server.',
  );
}
