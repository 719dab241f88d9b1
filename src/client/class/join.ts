import type { ClassView, JoinedView } from '#protocol';
import { ApiError, request } from '../request.ts';
import { copyBox } from './copy.ts';

/** Which box an error belongs beside. */
const BOX_OF: Readonly<Record<string, 'code' | 'name'>> = {
  CODE_WRONG: 'code',
  NAME_INVALID: 'name',
  NAME_TAKEN: 'name',
};

/** The page on which learners join their class, or come back to it. */
class JoinPage {
  readonly #page: HTMLElement;
  readonly #form: HTMLFormElement;

  constructor(page: HTMLElement) {
    this.#page = page;
    this.#form = page.querySelector('form') as HTMLFormElement;
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#join();
    });
    this.#form.addEventListener('input', () => this.#say(undefined));
    page.querySelector('[data-other]')?.addEventListener('click', () => {
      this.#show('form');
      this.#box('code').focus();
    });
    page.querySelector('[data-copy]')?.addEventListener('click', () => {
      void copyBox(this.#link, page.querySelector('[data-copied]'));
    });
    // A link of this very page opened in this tab changes only what stands behind the #.
    addEventListener('hashchange', () => void this.open());
  }

  /** Finds out who is here: a personal link first, then whoever this browser is already. */
  async open(): Promise<void> {
    const { me, code } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
    // Neither the link nor the code stays in sight, in the history or in a bookmark made by mistake.
    if (location.hash) history.replaceState(null, '', location.pathname);
    if (code) this.#box('code').value = code;
    try {
      const view = await request<ClassView>('GET', '/api/class');
      if (view.mode === 'single') return this.#show('none');
      this.#text('[data-class-name]', view.name);
      if (me)
        return this.#enter(await request<JoinedView>('POST', '/api/class/return', { key: me }));
      if (view.me) return this.#enter(await request<JoinedView>('GET', '/api/class/me'));
      this.#show('form');
      this.#box(code ? 'name' : 'code').focus();
      if (view.out) this.#say(new ApiError(view.out, 0));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#show('form');
      this.#say(error);
    }
  }

  async #join(): Promise<void> {
    this.#say(undefined);
    const code = this.#box('code').value.trim();
    const name = this.#box('name').value.trim();
    if (code === '') return this.#lacks('code', 'Type the code that your instructor shows.');
    if (name === '') return this.#lacks('name', 'Type the name that the class knows you by.');
    this.#form.ariaBusy = 'true';
    try {
      this.#enter(await request<JoinedView>('POST', '/api/class/join', { code, name }));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#say(error);
    } finally {
      this.#form.removeAttribute('aria-busy');
    }
  }

  #enter({ name, link }: JoinedView): void {
    this.#text('[data-my-name]', name);
    this.#link.value = new URL(link, location.origin).href;
    this.#show('inside');
    this.#page.querySelector<HTMLElement>('[data-go-on]')?.focus();
  }

  #lacks(box: 'code' | 'name', text: string): void {
    this.#text(`[data-error="${box}"]`, text);
    this.#box(box).ariaInvalid = 'true';
    this.#box(box).focus();
  }

  #say(error: ApiError | undefined): void {
    const at = error && (BOX_OF[error.code] ?? 'all');
    for (const each of ['code', 'name', 'all']) {
      this.#text(
        `[data-error="${each}"]`,
        error && at === each ? `${error.message} ${error.remedy}` : '',
      );
    }
    for (const each of ['code', 'name'] as const) {
      this.#box(each).ariaInvalid = at === each ? 'true' : null;
    }
    if (at === 'code' || at === 'name') this.#box(at).focus();
  }

  #show(part: 'none' | 'form' | 'inside'): void {
    this.#page.dataset.shows = part;
  }

  #text(selector: string, text: string): void {
    const element = this.#page.querySelector(selector);
    if (element && element.textContent !== text) element.textContent = text;
  }

  #box(name: 'code' | 'name'): HTMLInputElement {
    return this.#form.elements.namedItem(name) as HTMLInputElement;
  }

  get #link(): HTMLInputElement {
    return this.#page.querySelector('#personal-link') as HTMLInputElement;
  }
}

const joinPage = document.querySelector<HTMLElement>('[data-door="join"]');
if (joinPage) void new JoinPage(joinPage).open();
