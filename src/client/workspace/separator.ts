/** Where the learner's choice is remembered: the prose's share of the room, in percent. */
export const SPLIT_KEY = 'quayside-split';
/** Less than this, and either side is no longer of use. */
export const SPLIT_LEAST = 30;
export const SPLIT_MOST = 70;
/** At 1280 and at 1440 px the terminal has 80 columns or more, and the text 60 letters to the line. */
export const SPLIT_AT_FIRST = 41;
const STEP = 2;
const LARGE_STEP = 10;

/**
 * Makes a `role="separator"` between prose and workspace movable: arrow keys, Page Up/Down, Home and End, a pointer,
 * and a double click back to where it was at first.
 */
export function makeMovable(separator: HTMLElement, prose: HTMLElement, onMove: () => void): void {
  const root = document.documentElement;

  const read = () => Number(separator.getAttribute('aria-valuenow'));
  const move = (share: number) => {
    const now = Math.round(Math.min(SPLIT_MOST, Math.max(SPLIT_LEAST, share)));
    separator.setAttribute('aria-valuenow', String(now));
    root.style.setProperty('--lab-split', String(now));
    localStorage.setItem(SPLIT_KEY, String(now));
    onMove();
  };

  const remembered = Number.parseInt(root.style.getPropertyValue('--lab-split'), 10);
  if (Number.isFinite(remembered)) separator.setAttribute('aria-valuenow', String(remembered));

  separator.addEventListener('keydown', (event) => {
    const moves: Record<string, () => number> = {
      ArrowLeft: () => read() - STEP,
      ArrowRight: () => read() + STEP,
      PageDown: () => read() - LARGE_STEP,
      PageUp: () => read() + LARGE_STEP,
      Home: () => SPLIT_LEAST,
      End: () => SPLIT_MOST,
    };
    const next = moves[event.key];
    if (!next || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    move(next());
  });

  /** Who had the keyboard before the pointer came. */
  let before: Element | null = null;
  separator.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    before = document.activeElement;
    separator.focus();
    separator.setPointerCapture(event.pointerId);
    // Frames and terminals would swallow the pointer on its way.
    root.toggleAttribute('data-splitting', true);
  });
  separator.addEventListener('pointermove', ({ clientX, pointerId }) => {
    if (!separator.hasPointerCapture(pointerId)) return;
    const left = prose.getBoundingClientRect().left;
    move(((clientX - left) / (root.clientWidth - left)) * 100);
  });
  separator.addEventListener('lostpointercapture', () => {
    root.removeAttribute('data-splitting');
    if (before instanceof HTMLElement && before.isConnected && before !== document.body)
      before.focus();
  });
  separator.addEventListener('dblclick', () => move(SPLIT_AT_FIRST));
}
