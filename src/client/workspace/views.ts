/** On a narrow screen one of the two is in sight. */
export type View = 'read' | 'terminals';

/** Where the choice is kept for as long as this browser tab lives. */
export const VIEW_KEY = 'quayside-view';
/** Below this width prose and workspace take turns. The style sheets have the same figure. */
export const NARROW = '(max-width: 56.24rem)';

/**
 * The tabs `Read` and `Terminals` of a narrow screen. The page scrolls as a whole and the workspace lies over it, so
 * both keep their place. On a wide screen both are there, and nothing is inert.
 */
export class Views {
  readonly #tabs: readonly HTMLElement[];
  readonly #prose: HTMLElement;
  readonly #workspace: HTMLElement;
  readonly #narrow = matchMedia(NARROW);
  readonly #onShow: () => void;
  readonly #onTurn: () => void;

  /**
   * @param onShow the workspace has come into sight
   * @param onTurn one has taken the other's place
   */
  constructor(
    tabs: readonly HTMLElement[],
    prose: HTMLElement,
    workspace: HTMLElement,
    onShow: () => void,
    onTurn: () => void,
  ) {
    this.#tabs = tabs;
    this.#prose = prose;
    this.#workspace = workspace;
    this.#onShow = onShow;
    this.#onTurn = onTurn;
    for (const tab of tabs) {
      tab.addEventListener('click', () => this.show(tab.dataset.view as View));
      tab.addEventListener('keydown', (event) => {
        if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
        const other = tabs.find((each) => each !== tab);
        this.show(other?.dataset.view as View);
        other?.focus();
      });
    }
    this.#narrow.addEventListener('change', () => {
      this.#paint();
      this.#onTurn();
    });
    this.#paint();
  }

  get narrow(): boolean {
    return this.#narrow.matches;
  }

  get current(): View {
    return document.documentElement.dataset.labView === 'terminals' ? 'terminals' : 'read';
  }

  show(view: View): void {
    document.documentElement.dataset.labView = view;
    sessionStorage.setItem(VIEW_KEY, view);
    this.#paint();
    this.#onTurn();
    if (view === 'terminals') this.#onShow();
  }

  #paint(): void {
    const view = this.current;
    for (const tab of this.#tabs) {
      const front = tab.dataset.view === view;
      tab.ariaSelected = String(front);
      tab.tabIndex = front ? 0 : -1;
    }
    this.#prose.inert = this.narrow && view !== 'read';
    this.#workspace.inert = this.narrow && view !== 'terminals';
    // Each stands where somebody looks, and takes room of its own where a terminal would lie below it.
    const inSight = this.narrow ? view : undefined;
    move('.lab-warnings', `[data-warnings-place="${inSight === 'read' ? 'text' : 'terminals'}"]`);
    move('.lab-dock', `[data-dock-place="${inSight === 'terminals' ? 'terminals' : 'text'}"]`);
  }
}

function move(what: string, where: string): void {
  const [part, place] = [document.querySelector(what), document.querySelector(where)];
  if (part && place && part.parentElement !== place) place.append(part);
}
