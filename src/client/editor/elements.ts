/** An element with its properties and what is in it. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  properties: Partial<HTMLElementTagNameMap[Name]> = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

export function button(text: string, press: () => void, className = 'button'): HTMLButtonElement {
  const made = element('button', { type: 'button', className }, text);
  made.addEventListener('click', press);
  return made;
}

/** In place of a name, these would lead elsewhere. */
const NAME = String.raw`(?!\.{1,2}$)[^\/]+`;

/**
 * Asks before something that loses text.
 *
 * @param choices a value and the words on its button, the harmless one first
 * @returns the value of what was chosen; that of the first where the question was put away
 */
export async function ask<Value extends string>(
  title: string,
  text: string,
  choices: readonly (readonly [Value, string])[],
): Promise<Value> {
  const buttons = choices.map(([value, words], at) => {
    return element('button', { value, className: at === 0 ? 'button' : 'button danger' }, words);
  });
  const given = await answered(title, [element('p', {}, text)], buttons);
  return (choices.find(([value]) => value === given) ?? (choices[0] as (typeof choices)[0]))[0];
}

/** Asks for a name of a file or a folder. @param does the words on the button @returns none where the question was put away */
export async function askName(
  title: string,
  label: string,
  value: string,
  does: string,
): Promise<string | undefined> {
  const input = element('input', {
    ...{ id: 'files-ask-name', type: 'text', value, required: true, pattern: NAME },
    title: 'A name without /',
    ...{ autocomplete: 'off', autocapitalize: 'off', spellcheck: false },
  });
  // No button of the form's: Enter presses the first one that is.
  const cancel = button('Cancel', () => cancel.closest('dialog')?.close());
  const buttons = [cancel, element('button', { value: 'go', className: 'button primary' }, does)];
  // Without its ending, a name is what is mostly written anew.
  const ending = value.lastIndexOf('.');
  input.addEventListener('focus', () =>
    input.setSelectionRange(0, ending > 0 ? ending : value.length),
  );
  const asked = [element('label', { htmlFor: input.id }, label), input];
  return (await answered(title, asked, buttons)) === 'go' ? input.value : undefined;
}

/** Shows a question until it is answered. @returns the value of the button that was pressed, or nothing */
function answered(
  title: string,
  asked: readonly HTMLElement[],
  buttons: readonly HTMLButtonElement[],
): Promise<string> {
  const heading = element('h2', { id: 'files-ask-title' }, title);
  const row = element('div', { className: 'ask-buttons' }, ...buttons);
  const form = element('form', { method: 'dialog' }, heading, ...asked, row);
  const dialog = element('dialog', { className: 'ask' }, form);
  dialog.setAttribute('aria-labelledby', heading.id);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue);
    });
  });
}
