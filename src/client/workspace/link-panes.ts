import type { Views } from './views.ts';

/** What of the workspace can be gone to. */
interface Focusable {
  focus(): void;
}

/**
 * The keyboard's way between the two panes: a skip link leads to the workspace, and a button behind the terminal leads
 * back to where in the text the learner was (the Run button that was pressed, most often).
 */
export function linkPanes(prose: HTMLElement, views: Views, workspace: Focusable): void {
  let last: HTMLElement | undefined;
  prose.addEventListener('focusin', ({ target }) => {
    last = target as HTMLElement;
  });
  document.addEventListener('click', (event) => {
    const target = event.target as Element;
    if (target.closest('[data-to-workspace]')) {
      event.preventDefault();
      if (views.narrow) views.show('terminals');
      workspace.focus();
    } else if (target.closest('[data-return-to-text]')) {
      if (views.narrow) views.show('read');
      const place = last?.isConnected ? last : prose.querySelector('h1');
      // A heading takes the focus only when told that it may.
      if (place?.tagName === 'H1') place.tabIndex = -1;
      place?.focus();
    }
  });
}
