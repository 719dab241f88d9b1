/** What a pane of files does by itself, or by a key. */
export interface PaneActions {
  /** Ctrl+S. @param isHeld the key is held down and came before */
  save(isHeld: boolean): void;
  /** Files were dropped. */
  upload(files: readonly File[]): void;
  /** What was done elsewhere, in a terminal above all, may have changed the file that is shown. */
  look(): void;
  hasUnsaved(): boolean;
}

/** Hears keys, files that are dropped, and the window, until `signal` is aborted. */
export function hearPane(root: HTMLElement, signal: AbortSignal, actions: PaneActions): void {
  root.addEventListener(
    'keydown',
    (event) => {
      if (event.key !== 's' || !(event.ctrlKey || event.metaKey) || event.altKey) return;
      event.preventDefault();
      actions.save(event.repeat);
    },
    { signal },
  );
  root.addEventListener(
    'dragover',
    (event) => {
      if (event.dataTransfer?.types.includes('Files')) event.preventDefault();
    },
    { signal },
  );
  root.addEventListener(
    'drop',
    (event) => {
      const files = [...(event.dataTransfer?.files ?? [])];
      if (files.length === 0) return;
      event.preventDefault();
      actions.upload(files);
    },
    { signal },
  );
  window.addEventListener('focus', () => actions.look(), { signal });
  window.addEventListener(
    'beforeunload',
    (event) => {
      if (actions.hasUnsaved()) event.preventDefault();
    },
    { signal },
  );
}
