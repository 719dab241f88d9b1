import { withBase } from './base-path.ts';

/** One page that was found, as Pagefind describes it. */
interface Found {
  readonly url: string;
  readonly meta: { readonly title?: string };
  readonly sub_results: readonly {
    readonly title: string;
    readonly url: string;
    readonly excerpt: string;
  }[];
}

/** What of Pagefind's own script is used here. It is made by the build, beside the pages. */
interface Pagefind {
  /** @param options `baseUrl`: what the paths of pages are below */
  options(options: { readonly baseUrl: string }): Promise<void>;
  /** @param options `filters`: what is said of the pages that are wanted (`data-pagefind-filter`) */
  debouncedSearch(
    text: string,
    options: { readonly filters: Readonly<Record<string, string>> },
  ): Promise<{ readonly results: readonly { data(): Promise<Found> }[] } | null>;
}

const PAGEFIND = withBase('/pagefind/pagefind.js');
/** More than fit on a screen are no help; typing on is. */
const PAGES_MOST = 6;
const PLACES_MOST = 3;

async function loadPagefind(): Promise<Pagefind> {
  const pagefind = (await import(/* @vite-ignore */ PAGEFIND)) as Pagefind;
  await pagefind.options({ baseUrl: withBase('/') });
  return pagefind;
}

/** The search of the header. Nothing of it is loaded before it is opened. */
class SiteSearch extends HTMLElement {
  readonly #dialog = this.querySelector('dialog') as HTMLDialogElement;
  readonly #box = this.querySelector('input') as HTMLInputElement;
  readonly #status = this.querySelector('.search-status') as HTMLElement;
  readonly #results = this.querySelector('.search-results') as HTMLElement;
  #pagefind: Promise<Pagefind> | undefined;

  connectedCallback(): void {
    this.querySelector('[data-search-open]')?.addEventListener('click', () => this.#open());
    this.querySelector('[data-search-close]')?.addEventListener('click', () =>
      this.#dialog.close(),
    );
    this.#box.addEventListener('input', () => void this.#search());
    this.#dialog.addEventListener('keydown', (event) => this.#onKey(event));
    this.#dialog.addEventListener('click', ({ target }) => {
      const onBackdrop = target === this.#dialog;
      if (onBackdrop || (target as Element).closest('a')) this.#dialog.close();
    });
    document.addEventListener('keydown', (event) => {
      if (event.key !== 'k' || !(event.ctrlKey || event.metaKey)) return;
      // In a terminal Ctrl-K cuts the rest of the line.
      if ((event.target as Element).closest?.('.xterm')) return;
      event.preventDefault();
      if (this.#dialog.open) this.#dialog.close();
      else this.#open();
    });
  }

  #open(): void {
    this.#dialog.showModal();
    this.#box.select();
    void this.#load().catch(() => this.#say('The search is there once the site is built.'));
  }

  #load(): Promise<Pagefind> {
    this.#pagefind ??= loadPagefind();
    return this.#pagefind;
  }

  async #search(): Promise<void> {
    const text = this.#box.value.trim();
    const pagefind = await this.#load().catch(() => undefined);
    if (!pagefind) return;
    const { finds } = this.dataset;
    const filters = finds === undefined ? {} : { for: finds };
    // Absent when more has been typed meanwhile.
    const found = text === '' ? { results: [] } : await pagefind.debouncedSearch(text, { filters });
    if (!found) return;
    const pages = await Promise.all(found.results.slice(0, PAGES_MOST).map((each) => each.data()));
    if (this.#box.value.trim() !== text) return;
    this.#results.replaceChildren(...pages.map(item));
    this.#say(text !== '' && pages.length === 0 ? `Nothing found for “${text}”.` : '');
  }

  #say(text: string): void {
    this.#status.textContent = text;
  }

  #onKey(event: KeyboardEvent): void {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const stops = [this.#box, ...this.#results.querySelectorAll('a')];
    const at = stops.indexOf(document.activeElement as HTMLAnchorElement);
    stops[(at + step + stops.length) % stops.length]?.focus();
  }
}

function item(page: Found): HTMLElement {
  const entry = document.createElement('li');
  const title = document.createElement('a');
  title.href = page.url;
  title.className = 'search-page';
  title.textContent = page.meta.title ?? page.url;
  entry.append(title);
  for (const place of page.sub_results.slice(0, PLACES_MOST)) {
    const link = document.createElement('a');
    link.href = place.url;
    link.className = 'search-place';
    const excerpt = document.createElement('span');
    // Pagefind's own, made from our pages: text with <mark> around what was found.
    excerpt.innerHTML = place.excerpt;
    if (place.title !== page.meta.title) {
      const heading = document.createElement('strong');
      heading.textContent = place.title;
      link.append(heading, ' ');
    }
    link.append(excerpt);
    entry.append(link);
  }
  return entry;
}

customElements.define('site-search', SiteSearch);
