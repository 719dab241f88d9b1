import { button, element } from './elements.ts';

/** What can be done beside the editor. */
export interface SideActions {
  open(path: string): void;
  upload(files: readonly File[]): Promise<void>;
  refresh(): void;
  rename(): void;
  remove(): void;
}

/** What stands beside the editor: a path to open, the tree, and what can be done with the row of it that has the focus. */
export function side(tree: HTMLElement, actions: SideActions): HTMLElement {
  const upload = element('input', { type: 'file', multiple: true, hidden: true });
  upload.addEventListener('change', () => {
    void actions.upload([...(upload.files ?? [])]).then(() => {
      upload.value = '';
    });
  });
  const path = element('input', {
    type: 'text',
    name: 'path',
    placeholder: 'web/Dockerfile',
    ariaLabel: 'Path of a file to open or to make',
    autocomplete: 'off',
    autocapitalize: 'off',
    spellcheck: false,
  });
  const form = element('form', {}, path, element('button', { className: 'button' }, 'Open'));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const given = path.value.trim();
    if (given !== '') actions.open(given);
    path.value = '';
  });
  const buttons = element(
    'div',
    { className: 'files-buttons' },
    button('Upload', () => upload.click()),
    button('Refresh', () => actions.refresh()),
    withKey(
      button('Rename', () => actions.rename()),
      'F2',
    ),
    withKey(
      button('Delete', () => actions.remove()),
      'Delete',
    ),
    upload,
  );
  return element('div', { className: 'files-side' }, form, tree, buttons);
}

/** A button of which the tree knows a key. */
function withKey(made: HTMLButtonElement, key: string): HTMLButtonElement {
  made.title = `${key} in the list`;
  made.setAttribute('aria-keyshortcuts', key);
  return made;
}
