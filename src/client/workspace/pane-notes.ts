import { setText } from '../set.ts';

/** What a page in the pane tried and cannot have, by the name that the pane's script in it has for it. */
const NOTES: Readonly<Record<string, string>> = {
  storage: 'What this page stores (localStorage, sessionStorage) is gone when you leave it.',
  'service-worker': 'Service workers do not run in this pane; the page goes on without.',
  window: 'This page tried to open a window. In this pane, pages open in place.',
  dialog: 'This page tried to show a dialog (alert, confirm or prompt). This pane shows none.',
  address:
    'This page changes its own address. This pane does not follow that, and a reload begins at the address above.',
  blocked:
    'Something of this page was not loaded. This pane runs no workers, and leads to the lab’s network only.',
  too_large: 'This page tried to send more than 5 MiB at once. This pane sends no more than that.',
  too_many:
    'This page asks for too much at once. This pane sends 4 forms or files at a time, and keeps the rest waiting.',
  stream:
    'An event stream or a WebSocket of this page did not open. This pane keeps 4 of them open; beyond that, look at what the server says.',
};
const LOGIN =
  'This page asks for a name and a password. Write them before the host, as in http://name:password@10.1.10.11/.';

/** The quiet line below the address: what the page cannot do here, said once for each. */
export class PaneNotes {
  readonly #element: Element | null;
  readonly #tried = new Set<string>();
  #asksLogin = false;

  /** @param element where the line stands */
  constructor(element: Element | null, frame: HTMLIFrameElement) {
    this.#element = element;
    window.addEventListener('message', ({ source, data }: MessageEvent<unknown>) => {
      // Anything may come from the page: it chooses among our sentences, and can say nothing of its own.
      if (source === null || source !== frame.contentWindow) return;
      const said = (data as { quaysidePane?: unknown } | null)?.quaysidePane;
      if (said === 'begin') this.#tried.clear();
      else if (typeof said === 'string' && Object.hasOwn(NOTES, said)) this.#tried.add(said);
      else return;
      this.#paint();
    });
  }

  /** Another page is shown. What it says by itself comes after or has come already. */
  show({ asksLogin = false }: { readonly asksLogin?: boolean }): void {
    this.#asksLogin = asksLogin;
    this.#paint();
  }

  /** No page is shown. */
  clear(): void {
    this.#tried.clear();
    this.show({});
  }

  #paint(): void {
    const tried = [...this.#tried].map((each) => NOTES[each]);
    setText(this.#element, [...(this.#asksLogin ? [LOGIN] : []), ...tried].join(' '));
  }
}
