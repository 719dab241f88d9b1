const TERMINAL = '.xterm-helper-textarea';
/** What is opened for a moment. Whatever is pressed in it belongs to what had the keyboard before. */
const OPENED = 'dialog, [popover]:popover-open';

/**
 * Gives the keyboard back to the terminal that had it, once a menu, a dialog or the separator has been used with a
 * pointer: what is typed next goes where it went before. By keyboard they are reached and left as usual.
 */
export function giveFocusBack(): void {
  let terminal: HTMLElement | undefined;
  let pressed: Element | null = null;
  document.addEventListener(
    'pointerdown',
    ({ target }) => {
      if (!(target instanceof Element) || target.closest(OPENED)) return;
      const { activeElement: active } = document;
      terminal = active instanceof HTMLElement && active.matches(TERMINAL) ? active : undefined;
      pressed = target.closest('button, [role="separator"]');
    },
    { capture: true },
  );
  document.addEventListener(
    'keydown',
    ({ target }) => {
      if (target instanceof Element && !target.closest(OPENED)) terminal = undefined;
    },
    { capture: true },
  );
  const back = () => {
    const { activeElement: active } = document;
    const isFree = active === document.body || active === pressed;
    if (isFree && terminal?.isConnected) terminal.focus();
  };
  document.addEventListener('close', back, { capture: true });
  document.addEventListener(
    'toggle',
    (event) => {
      if (event instanceof ToggleEvent && event.newState === 'closed') back();
    },
    { capture: true },
  );
  document.addEventListener('lostpointercapture', ({ target }) => {
    if (target instanceof Element && target.matches('[role="separator"]')) back();
  });
}
