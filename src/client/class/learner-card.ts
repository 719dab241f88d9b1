import type { JoinedView, RosterLab, RosterLearner } from '#protocol';
import { ApiError, request } from '../request.ts';
import { set, setText } from '../set.ts';
import { clock, Filled, make } from './make.ts';
import { duration, stateWord } from './roster-order.ts';
import { isSure } from './sure.ts';
import type { Watching } from './watching.ts';

/** What a press may do to a learner, and what is asked before. */
const ACTIONS = {
  reset: {
    method: 'POST',
    path: '/reset',
    ask: 'They get fresh hosts, every step starts open, and what they have made is gone for good.',
    yes: 'Reset the lab',
  },
  end: {
    method: 'DELETE',
    path: '',
    ask: 'Their hosts are removed with all that is on them. The steps they have passed stay passed.',
    yes: 'End the session',
  },
  extend: { method: 'POST', path: '/extend', ask: undefined, yes: 'More time' },
} as const;

/** The dialog about one learner: where they are, their terminals, and what the instructor can do for them. */
export class LearnerCard {
  readonly #dialog: HTMLDialogElement;
  readonly #sure: HTMLDialogElement;
  readonly #watching: Watching;
  readonly #hosts: Filled;
  readonly #terminals: Filled;
  /** Where learners find the server. */
  origin = location.origin;
  #shown: { readonly learner: RosterLearner; readonly lab: RosterLab } | undefined;

  constructor(dialog: HTMLDialogElement, sure: HTMLDialogElement, watching: Watching) {
    this.#dialog = dialog;
    this.#sure = sure;
    this.#watching = watching;
    this.#hosts = new Filled(this.#part('hosts'));
    this.#terminals = new Filled(this.#part('terminals'));
    dialog.addEventListener('close', () => {
      this.#shown = undefined;
    });
    dialog.addEventListener('click', (event) => void this.#press(event.target as Element));
  }

  open(learner: RosterLearner, lab: RosterLab): void {
    this.#part('new-link').hidden = true;
    this.#say('');
    this.#paint(learner, lab);
    if (!this.#dialog.open) this.#dialog.showModal();
  }

  /** Shows the learner as they are now, if the dialog is theirs. */
  update(learner: RosterLearner, lab: RosterLab): void {
    if (this.#shown?.learner.id === learner.id) this.#paint(learner, lab);
  }

  /** The learner has left. */
  gone(id: string): void {
    if (this.#shown?.learner.id === id) this.#dialog.close();
  }

  #paint(learner: RosterLearner, lab: RosterLab): void {
    this.#shown = { learner, lab };
    const progress = learner.labs[lab.name];
    const step = lab.steps.find(({ id }) => id === progress?.at?.check);
    setText(this.#part('name'), learner.name);
    setText(
      this.#part('where'),
      step ? `At “${step.title}” for ${duration(Date.now() - (progress?.at?.since ?? 0))}.` : '',
    );
    setText(this.#part('reason'), progress?.at?.reason ?? '');
    const mayRestart = progress?.state === 'ready';
    const hosts = (progress?.hosts ?? []).map(({ name, phase, detail }) => ({
      phase,
      text: `${name}: ${phase === 'ready' ? 'ready' : detail}`,
      restart: mayRestart ? name : '',
    }));
    const none = [{ phase: 'off', text: `Hosts: ${stateWord(progress)}`, restart: '' }];
    this.#hosts.show(hosts.length > 0 ? hosts : none, ({ phase, text, restart }) => {
      const item = make('li', { dataset: { phase } }, text);
      const looks = { className: 'button quiet', ariaLabel: `Restart ${restart}` };
      if (restart)
        item.append(make('button', { type: 'button', ...looks, dataset: { restart } }, 'Restart'));
      return item;
    });
    const terminals = progress?.terminals ?? [];
    this.#terminals.show(terminals, ({ id, title }) =>
      make(
        'button',
        { type: 'button', className: 'button', dataset: { watch: id } },
        `Watch ${title}`,
      ),
    );
    set(this.#part('no-terminals'), 'hidden', terminals.length > 0);
    set(this.#part('hand'), 'hidden', learner.handAt === undefined);
    setText(
      this.#part('hand-since'),
      learner.handAt === undefined ? '' : `Hand up since ${clock(learner.handAt)}.`,
    );
    const isUp = progress?.state === 'ready' || progress?.state === 'starting';
    for (const each of this.#dialog.querySelectorAll<HTMLButtonElement>('[data-does]')) {
      const canDo = isUp || (progress?.state === 'stopped' && each.dataset.does !== 'extend');
      set(each, 'disabled', !canDo);
    }
  }

  async #press(target: Element): Promise<void> {
    const pressed = target.closest('button');
    const shown = this.#shown;
    if (!pressed || !shown) return;
    const { watch, does, card, restart } = pressed.dataset;
    const { learner, lab } = shown;
    const path = `/api/class/learners/${learner.id}`;
    try {
      if (watch !== undefined) {
        const view = learner.labs[lab.name]?.terminals.find(({ id }) => id === watch);
        if (view) await this.#watching.open(learner, lab.name, view);
      } else if (restart !== undefined) {
        const ask = 'What runs on it ends. Its files, images and containers stay.';
        if (!(await this.#isSure(`Restart ${restart}?`, ask, 'Restart it'))) return;
        this.#say(`${restart} is being restarted.`);
        await request('POST', `${path}/labs/${lab.name}/hosts/${restart}/restart`);
        this.#say('Done.');
      } else if (does === 'reset' || does === 'end' || does === 'extend') {
        const action = ACTIONS[does];
        if (action.ask && !(await this.#isSure(`${action.yes}?`, action.ask, action.yes))) return;
        await request(action.method, `${path}/labs/${lab.name}${action.path}`);
        this.#say('Done.');
      } else if (card === 'lower') {
        await request('DELETE', `${path}/hand`);
      } else if (card === 'link') {
        await this.#renew(path);
      } else if (card === 'remove') {
        const ask = 'Their hosts, their progress and their place in the class are gone for good.';
        if (await this.#isSure(`Remove ${learner.name}?`, ask, 'Remove'))
          await request('DELETE', path);
      } else if (card === 'message') {
        const box = this.#part('text') as HTMLInputElement;
        if (box.value.trim() === '') return box.focus();
        await request('POST', '/api/class/messages', { text: box.value, to: learner.id });
        box.value = '';
        this.#say('Sent.');
      }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#say(`${error.message} ${error.remedy}`);
    }
  }

  async #renew(path: string): Promise<void> {
    const ask = 'Their old link, and every device that is signed in with it, is signed out.';
    if (!(await this.#isSure('Make a new personal link?', ask, 'Make a new link'))) return;
    const { link } = await request<JoinedView>('POST', `${path}/link`);
    const box = this.#part('link-text') as HTMLInputElement;
    box.value = new URL(link, this.origin).href;
    this.#part('new-link').hidden = false;
    box.select();
  }

  #isSure(title: string, text: string, yes: string): Promise<boolean> {
    return isSure(this.#sure, title, text, yes);
  }

  #say(text: string): void {
    this.#part('says').textContent = text;
  }

  #part(name: string): HTMLElement {
    return this.#dialog.querySelector(`[data-card="${name}"]`) as HTMLElement;
  }
}
