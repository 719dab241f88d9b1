import { button, element } from './elements.ts';
import { HOME } from './tree.ts';

/** What can be done above the editor. */
export interface BarActions {
  open(path: string): void;
  save(): void;
  close(): void;
}

/** The file that is shown. */
export interface ShownFile {
  readonly path: string;
  readonly canSave: boolean;
  /** Where a browser downloads it from; none before it is there. */
  readonly address: string | undefined;
}

/** The row above the editor: the open files, and what can be done with the one that is shown. */
export class FileBar {
  readonly element = element('div', { className: 'file-bar' });
  readonly #choice = element('select', { ariaLabel: 'Open files' });
  readonly #mark = element('span', { className: 'file-mark' });
  readonly #save: HTMLButtonElement;
  readonly #download = element('a', { className: 'button', download: '' }, 'Download');

  constructor({ open, save, close }: BarActions) {
    this.#save = button('Save', save, 'button primary');
    this.#save.setAttribute('aria-keyshortcuts', 'Control+S Meta+S');
    this.#choice.addEventListener('change', () => open(this.#choice.value));
    this.element.append(
      ...[this.#choice, this.#mark, this.#save, this.#download, button('Close', close)],
    );
  }

  /** @param shown none where no file is: there is no row then */
  paint(
    files: readonly { readonly path: string; readonly isDirty: boolean }[],
    shown: ShownFile | undefined,
  ): void {
    this.#choice.replaceChildren(
      ...files.map(({ path, isDirty }) => {
        const name = path.startsWith(`${HOME}/`) ? path.slice(HOME.length + 1) : path;
        return element('option', { value: path }, isDirty ? `${name} (not saved)` : name);
      }),
    );
    this.element.hidden = shown === undefined;
    if (!shown) return;
    const isDirty = files.some((file) => file.path === shown.path && file.isDirty);
    this.#choice.value = shown.path;
    this.#mark.textContent = isDirty ? '●' : '';
    this.#mark.title = isDirty ? 'Not saved' : '';
    this.#save.hidden = !shown.canSave;
    this.#download.href = shown.address ?? '';
    this.#download.hidden = shown.address === undefined;
  }
}
