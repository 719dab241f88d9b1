import type { ClassStatus, JoinedView } from '#protocol';
import { keepLive } from '../event-link.ts';
import { ApiError, request } from '../request.ts';
import { set, setText } from '../set.ts';
import { copyBox } from './copy.ts';
import { clock, make } from './make.ts';

/** Where this browser keeps which messages have been read. */
const DISMISSED_KEY = 'quayside-dismissed';
/** More are never shown at once. */
const DISMISSED_KEPT = 50;

/** What a lab's page shows of the class that its learner is in. */
export class ClassStatusOnPage {
  readonly #bar: HTMLElement;
  readonly #messages: HTMLElement;
  readonly #panels: HTMLElement | null;
  #status: ClassStatus | undefined;

  constructor(bar: HTMLElement, messages: HTMLElement) {
    this.#bar = bar;
    this.#messages = messages;
    this.#panels = document.querySelector('#lab-workspace [data-part="panels"]');
  }

  async begin(): Promise<void> {
    const { link } = await request<JoinedView>('GET', '/api/class/me');
    this.#box('link').value = new URL(link, location.origin).href;
    this.#show(true);
    this.#bar.closest('.lab-bar')?.setAttribute('data-in-class', '');
    this.#listen();
    keepLive<ClassStatus>(
      '/api/class/me/events',
      {
        onEvent: (status) => this.#paint(status),
        onLive: () => this.#show(true),
        onLost: () => undefined,
        onRefused: () => this.#isStillIn(),
      },
      new AbortController().signal,
    );
    // Panels come and go with their terminals; a notice belongs to its panel.
    if (this.#panels) {
      new MutationObserver(() => this.#paintWatched()).observe(this.#panels, { childList: true });
    }
  }

  /** Nothing of the class is offered to whoever is out of it; the workspace says why. */
  async #isStillIn(): Promise<boolean> {
    try {
      const { link } = await request<JoinedView>('GET', '/api/class/me');
      this.#box('link').value = new URL(link, location.origin).href;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.isSignedOut) this.#show(false);
      return !error.isSignedOut;
    }
    return true;
  }

  #show(isIn: boolean): void {
    set(this.#bar, 'hidden', !isIn);
    set(this.#messages, 'hidden', !isIn);
  }

  #listen(): void {
    this.#part('hand').addEventListener('click', () => {
      void this.#tell('/api/class/me/hand', { raised: this.#status?.handAt === undefined });
    });
    this.#box('typing').addEventListener('change', () => {
      void this.#tell('/api/class/me/typing', { allowed: this.#box('typing').checked });
    });
    this.#part('copy').addEventListener('click', () => {
      void copyBox(this.#box('link'), this.#part('copied'));
    });
    this.#messages.addEventListener('click', ({ target }) => {
      const id = (target as Element).closest<HTMLElement>('[data-dismiss]')?.dataset.dismiss;
      if (id === undefined) return;
      localStorage.setItem(
        DISMISSED_KEY,
        JSON.stringify([...dismissed(), id].slice(-DISMISSED_KEPT)),
      );
      if (this.#status) this.#paintMessages(this.#status);
    });
  }

  async #tell(path: string, body: object): Promise<void> {
    try {
      await request('PUT', path, body);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      // The socket tells how things stand; what could not be changed is shown as it was.
      if (this.#status) this.#paint(this.#status);
    }
  }

  #paint(status: ClassStatus): void {
    this.#status = status;
    setText(this.#part('class-name'), status.className);
    setText(this.#part('my-name'), status.name);
    const { handAt } = status;
    const hand = this.#part('hand');
    set(hand, 'ariaPressed', String(handAt !== undefined));
    setText(hand, handAt === undefined ? 'Raise hand' : 'Hand up');
    set(
      hand,
      'title',
      handAt === undefined
        ? 'Ask the instructor to come'
        : `Up since ${clock(handAt)}; press to lower it`,
    );
    set(this.#box('typing'), 'checked', status.mayType);
    this.#paintWatched();
    this.#paintMessages(status);
  }

  #paintWatched(): void {
    const watched = new Set(this.#status?.watched);
    const chip = document.querySelector<HTMLElement>('[data-class-watched]');
    const text = this.#status?.mayType
      ? 'The instructor watches and may type'
      : 'The instructor watches';
    set(chip, 'hidden', watched.size === 0);
    setText(chip, watched.size === 0 ? '' : 'Watched');
    set(chip, 'title', text);
    for (const panel of this.#panels?.children ?? []) {
      const isWatched = watched.has(panel.id.replace(/^panel-/, ''));
      const notice = panel.querySelector('.terminal-watched');
      if (!isWatched) notice?.remove();
      else if (!notice)
        panel.append(make('p', { className: 'terminal-watched', role: 'status' }, text));
      else setText(notice, text);
    }
  }

  #paintMessages({ messages }: ClassStatus): void {
    const gone = new Set(dismissed());
    const wanted = messages.filter(({ id }) => !gone.has(id));
    const ids = new Set(wanted.map(({ id }) => id));
    for (const card of [...this.#messages.children]) {
      if (!ids.has((card as HTMLElement).dataset.message ?? '')) card.remove();
    }
    for (const { id, at, text } of wanted) {
      if (this.#messages.querySelector(`[data-message="${id}"]`)) continue;
      this.#messages.append(
        make(
          'div',
          { className: 'class-message', dataset: { message: id } },
          make('p', { className: 'class-message-from' }, `From your instructor, ${clock(at)}`),
          make('p', {}, text),
          make(
            'button',
            { type: 'button', className: 'button', dataset: { dismiss: id } },
            'Dismiss',
          ),
        ),
      );
    }
  }

  #part(name: string): HTMLElement {
    return this.#bar.querySelector(`[data-class="${name}"]`) as HTMLElement;
  }

  #box(name: string): HTMLInputElement {
    return this.#part(name) as HTMLInputElement;
  }
}

function dismissed(): readonly string[] {
  const kept: unknown = JSON.parse(localStorage.getItem(DISMISSED_KEY) ?? '[]');
  return Array.isArray(kept) ? kept.filter((id) => typeof id === 'string') : [];
}
