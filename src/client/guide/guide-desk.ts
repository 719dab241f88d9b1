import type { GuideAction, GuideView, VisitView } from '#protocol';
import { ApiError, type LabApi } from '../api.ts';
import { confirmed } from '../confirm.ts';
import { type LabData, stepsBefore } from '../lab-data.ts';
import type { LabState, LabView } from '../lab-state.ts';
import { setText } from '../set.ts';
import { doneText, type GuideStrip } from './strip.ts';

/** Asks for the start of this page with its hosts: `/labs/docker-networking/linux-bridge/?start-here`. */
const START_HERE = 'start-here';

/** The workspace, as far as what is being done is shown in it. */
interface Stage {
  showTerminal(id: string): Promise<void>;
  showVisit(visit: VisitView): void;
  say(text: string): void;
}

interface Desk {
  readonly api: LabApi;
  readonly state: LabState;
  readonly stage: Stage;
  readonly strip: GuideStrip;
  readonly say: (text: string) => void;
  /** The lab, as the page in sight has it. */
  readonly lab: () => LabData;
}

/** Where steps are asked for, watched and stopped. */
export class GuideDesk {
  readonly #desk: Desk;
  /** The job that was asked for here: another browser tab shows its own. */
  #own: string | undefined;
  #told: string | undefined;
  #wish: string | undefined;

  constructor(desk: Desk) {
    this.#desk = desk;
    desk.state.subscribe(({ view }) => this.#hear(view));
  }

  /** A link asked to start here; until that has been dealt with, nothing else starts the hosts. */
  get wishes(): boolean {
    return this.#wish !== undefined;
  }

  /** Takes the wish out of the page's address. */
  arrive(): void {
    const url = new URL(location.href);
    if (!url.searchParams.has(START_HERE)) return;
    url.searchParams.delete(START_HERE);
    history.replaceState(history.state, '', url);
    const { page } = this.#desk.lab();
    if (this.#desk.lab().sections.some((section) => section.page === page)) this.#wish = page;
    this.#grant(this.#desk.state.view);
  }

  /** Has a step done, or stops it if it is the one under way. */
  async press(button: HTMLElement): Promise<void> {
    if (button.ariaDisabled === 'true') return;
    const { doStep } = button.dataset;
    if ('working' in button.dataset || doStep === undefined) return this.stop();
    await this.#asking(async ({ api, state }) => {
      const guide = await api.doStep(doStep);
      if (guide.state === 'working') this.#own = guide.job;
      // Its events may have come before this answer, and know more.
      if (state.view.snapshot?.guide.state === 'idle') state.apply({ type: 'guide', guide });
      else this.#hear(state.view);
    });
  }

  /** Stops what is being done, or puts away how it ended. */
  async stop(): Promise<void> {
    this.#desk.strip.hide();
    await this.#asking(async ({ api }) => void (await api.stopGuide()));
  }

  /** Starts from a section, on fresh hosts; asks first where there are hosts to lose. */
  async startFrom(page: string): Promise<void> {
    const { status } = this.#desk.state.view.snapshot ?? {};
    const running = status?.state === 'ready' || status?.state === 'starting';
    if (running && !(await this.#confirmed(page))) return;
    await this.#asking(async ({ api, state }) => {
      state.answered(await api.startFrom(page));
    });
  }

  async #confirmed(page: string): Promise<boolean> {
    const dialog = document.querySelector<HTMLDialogElement>('#lab-start-from');
    if (!dialog) return false;
    const lab = this.#desk.lab();
    const title = lab.sections.find((section) => section.page === page)?.title ?? 'here';
    setText(dialog.querySelector('[data-start-title]'), `“${title}”`);
    setText(dialog.querySelector('[data-start-before]'), beforeText(stepsBefore(lab, page)));
    return confirmed(dialog);
  }

  #hear(view: LabView): void {
    this.#grant(view);
    const guide = view.snapshot?.guide;
    if (!guide) return;
    this.#desk.strip.paint(guide);
    this.#announce(guide);
    if (guide.state === 'working' && guide.job === this.#own) this.#follow(guide.deed);
  }

  /** Brings into sight what is being done, in the page that asked for it. */
  #follow(deed: GuideAction | undefined): void {
    const { stage } = this.#desk;
    if (deed?.kind === 'run') void stage.showTerminal(deed.terminal);
    else if (deed?.kind === 'open' && deed.visit) stage.showVisit(deed.visit);
  }

  #announce(guide: GuideView): void {
    const { say, lab } = this.#desk;
    const key = guide.state === 'idle' ? undefined : `${guide.job} ${guide.state}`;
    if (key === this.#told) return;
    const first = this.#told === undefined && guide.state !== 'working';
    this.#told = key;
    // How something ended before this page was there is in the strip, for who wants to read it.
    if (first) return;
    if (guide.state === 'working') {
      const step = lab().steps.find(({ id }) => id === guide.step);
      say(step ? `Being done for you: ${step.heading}.` : 'Fresh hosts are being made ready.');
    } else if (guide.state === 'stopped') say(`${guide.reason} ${guide.remedy}`);
    else if (guide.state === 'done' && guide.purpose === 'start') say(doneText(guide.of));
  }

  #grant({ link, snapshot }: LabView): void {
    if (this.#wish === undefined || link.state !== 'live' || !snapshot) return;
    const page = this.#wish;
    this.#wish = undefined;
    void this.startFrom(page);
  }

  async #asking(ask: (desk: Desk) => Promise<void>): Promise<void> {
    try {
      await ask(this.#desk);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#desk.stage.say(`${error.message} ${error.remedy}`);
    }
  }
}

function beforeText(steps: number): string {
  if (steps === 0) return 'Nothing comes before this page, so nothing is done on them.';
  const what = steps === 1 ? 'the step' : `the ${steps} steps`;
  return `Then ${what} before this page ${steps === 1 ? 'is' : 'are'} done on them for you and marked “done for you”. That takes a moment; you can watch, and stop it.`;
}
