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

/**
 * Asks before something that loses text.
 *
 * @param choices a value and the words on its button, the harmless one first
 * @returns the value of what was chosen; that of the first where the question was put away
 */
export function ask<Value extends string>(
  title: string,
  text: string,
  choices: readonly (readonly [Value, string])[],
): Promise<Value> {
  const buttons = choices.map(([value, words], at) => {
    return element('button', { value, className: at === 0 ? 'button' : 'button danger' }, words);
  });
  const heading = element('h2', { id: 'files-ask-title' }, title);
  const row = element('div', { className: 'ask-buttons' }, ...buttons);
  const form = element('form', { method: 'dialog' }, heading, element('p', {}, text), row);
  const dialog = element('dialog', { className: 'ask' }, form);
  dialog.setAttribute('aria-labelledby', heading.id);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      const chosen = choices.find(([value]) => value === dialog.returnValue) ?? choices[0];
      dialog.remove();
      if (chosen) resolve(chosen[0]);
    });
  });
}
