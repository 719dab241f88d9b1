import type { VisitView } from '#protocol';
import { ApiError, type LabApi } from '../api.ts';
import { setText } from '../set.ts';
import { failureOf } from './failure-page.ts';
import { PaneNotes } from './pane-notes.ts';

/** A click inside the page and the server's word of it arrive in either order; later than this they are strangers. */
const SAME_CLICK_MS = 3_000;

/**
 * The browser pane: an address box, back, forward and reload, and the page in a sandboxed frame. The page is fetched by
 * the server from a host's network. A link inside the page navigates the frame by itself; the server then tells of the
 * visit, and the address box follows.
 */
export class BrowserPane {
  readonly #root: HTMLElement;
  readonly #api: LabApi;
  readonly #address: HTMLInputElement;
  readonly #frame: HTMLIFrameElement;
  readonly #notes: PaneNotes;
  readonly #rememberAs: string;
  readonly #history: string[] = [];
  #place = -1;
  #request: AbortController | undefined;
  /** The last visit that this pane asked for: its event is no news. */
  #own: string | undefined;
  /** The frame is about to load what we gave it. */
  #expected = false;
  #loadedAt = 0;
  #told: { readonly visit: VisitView; readonly at: number } | undefined;

  /** @param rememberAs where the last address outlives a reload, until the browser tab is closed */
  constructor(root: HTMLElement, api: LabApi, rememberAs: string) {
    this.#root = root;
    this.#rememberAs = rememberAs;
    this.#api = api;
    this.#address = root.querySelector('input') as HTMLInputElement;
    this.#frame = root.querySelector('iframe') as HTMLIFrameElement;
    this.#notes = new PaneNotes(root.querySelector('[data-browser-notes]'), this.#frame);
    root.querySelector('form')?.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.open(this.#address.value);
    });
    this.#button('back')?.addEventListener('click', () => void this.#go(-1));
    this.#button('forward')?.addEventListener('click', () => void this.#go(1));
    this.#button('reload')?.addEventListener('click', () => void this.#go(0));
    this.#address.addEventListener('focus', () => this.#address.select());
    this.#frame.addEventListener('load', () => this.#onLoad());
    // Not opened by itself: a visit is the learner's own doing, and counts as one.
    const last = sessionStorage.getItem(rememberAs);
    if (last) {
      this.#address.value = last;
      this.#enter(last);
    }
    this.#paintButtons();
  }

  focus(): void {
    this.#address.focus();
  }

  /** Opens an address as typed: `10.1.10.11:8080` will do. */
  async open(typed: string): Promise<void> {
    const text = typed.trim();
    if (text === '') return;
    const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
    const visit = await this.#visit(url);
    if (!visit) return;
    this.#enter(placeOf(visit));
  }

  /** Shows a visit that was made for the learner, as if they had made it here. */
  present(visit: VisitView): void {
    if (visit.id === this.#own) return;
    this.#own = visit.id;
    this.#enter(placeOf(visit));
    this.#show(visit);
  }

  /** The server tells of a visit: ours, one by a link inside our page, or one of another browser tab. */
  hear(visit: VisitView): void {
    if (this.#request || visit.id === this.#own) return;
    this.#told = { visit, at: performance.now() };
    if (performance.now() - this.#loadedAt < SAME_CLICK_MS) this.#follow();
  }

  /** A new address after the present one; what lay ahead of it is gone. */
  #enter(url: string): void {
    this.#history.splice(this.#place + 1, Number.POSITIVE_INFINITY, url);
    this.#place = this.#history.length - 1;
    sessionStorage.setItem(this.#rememberAs, url);
    this.#paintButtons();
  }

  async #go(step: number): Promise<void> {
    const url = this.#history[this.#place + step];
    if (url === undefined) return;
    this.#place += step;
    this.#paintButtons();
    await this.#visit(url);
  }

  async #visit(url: string): Promise<VisitView | undefined> {
    this.#request?.abort();
    const request = new AbortController();
    this.#request = request;
    this.#address.value = url;
    this.#busy(true);
    try {
      const visit = await this.#api.visit(url, request.signal);
      if (request.signal.aborted) return undefined;
      this.#own = visit.id;
      this.#show(visit);
      return visit;
    } catch (error) {
      if (request.signal.aborted) return undefined;
      if (!(error instanceof ApiError)) throw error;
      this.#showFailure(error.message, '', error.remedy);
      return undefined;
    } finally {
      if (this.#request === request) {
        this.#request = undefined;
        this.#busy(false);
      }
    }
  }

  #show(visit: VisitView): void {
    this.#notes.clear();
    this.#showAddress(visit);
    if (visit.outcome === 'page' && visit.frame) {
      this.#expected = true;
      this.#frame.title = visit.title ? `${visit.title}, ${visit.url}` : visit.url;
      this.#frame.src = visit.frame;
      this.#root.dataset.shows = 'page';
    } else {
      const { title, detail, meaning } = failureOf(visit);
      this.#showFailure(title, detail, meaning);
    }
  }

  #showAddress(visit: VisitView): void {
    this.#address.value = placeOf(visit);
    const unverified = this.#root.querySelector('[data-browser-unverified]');
    unverified?.toggleAttribute(
      'hidden',
      visit.outcome !== 'page' || !placeOf(visit).startsWith('https:'),
    );
    this.#notes.show(visit);
  }

  #showFailure(title: string, detail: string, meaning: string): void {
    this.#notes.clear();
    setText(this.#root.querySelector('[data-failure-title]'), title);
    setText(this.#root.querySelector('[data-failure-detail]'), detail);
    setText(this.#root.querySelector('[data-failure-meaning]'), meaning);
    this.#root.dataset.shows = 'failure';
  }

  #onLoad(): void {
    if (this.#expected) {
      this.#expected = false;
      return;
    }
    this.#loadedAt = performance.now();
    if (this.#told && performance.now() - this.#told.at < SAME_CLICK_MS) this.#follow();
  }

  /** A link inside the page was followed: the frame has it already, the rest of the pane follows. */
  #follow(): void {
    const visit = this.#told?.visit;
    if (!visit) return;
    this.#told = undefined;
    this.#loadedAt = 0;
    this.#enter(placeOf(visit));
    if (visit.outcome === 'page') this.#showAddress(visit);
    else this.#show(visit);
  }

  #busy(busy: boolean): void {
    this.#root.toggleAttribute('data-busy', busy);
    this.#root.querySelector('[data-browser-body]')?.setAttribute('aria-busy', String(busy));
  }

  #button(name: string): HTMLButtonElement | null {
    return this.#root.querySelector(`[data-browser="${name}"]`);
  }

  #paintButtons(): void {
    const able: Record<string, boolean> = {
      back: this.#place > 0,
      forward: this.#place < this.#history.length - 1,
      reload: this.#place >= 0,
    };
    for (const [name, enabled] of Object.entries(able)) {
      const button = this.#button(name);
      // Not `disabled`: the button that was just pressed would lose the focus.
      if (button) button.ariaDisabled = String(!enabled);
    }
  }
}

/** Where a visit ended: redirects may have led on from what was asked for. */
function placeOf({ url, movedTo }: VisitView): string {
  return movedTo ?? url;
}
