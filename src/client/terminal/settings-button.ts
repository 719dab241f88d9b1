import type { SettingsMenu, SettingsMenuOwner } from './settings-menu.ts';

/** The button of a terminal's menu, which is made when it is first wanted. */
export function settingsButton(
  pane: HTMLElement,
  label: string,
  owner: SettingsMenuOwner,
  ending: AbortSignal,
): HTMLButtonElement {
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = 'Settings and keys';
  button.className = 'qs-terminal-settings-button';
  button.ariaLabel = `Settings and keys of the terminal ${label}`;
  button.ariaExpanded = 'false';
  button.ariaHasPopup = 'dialog';
  let menu: SettingsMenu | undefined;
  button.addEventListener('click', async () => {
    const { SettingsMenu } = await import('./settings-menu.ts');
    menu ??= new SettingsMenu(pane, button, owner, ending);
    menu.toggle();
  });
  return button;
}
