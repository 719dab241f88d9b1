/** After the last event of a scroll (ms): a wheel and a finger send some each frame, and a slow page has them late. */
const SCROLL_MS = 300;
/** Where scrolling the page shows. Terminals scroll by themselves as they print. */
const EVENTS = ['wheel', 'touchmove', 'scroll'] as const;

let last = Number.NEGATIVE_INFINITY;

for (const event of EVENTS) {
  globalThis.addEventListener?.(
    event,
    ({ target }) => {
      if (target instanceof Element && target.closest('.xterm')) return;
      last = performance.now();
    },
    { capture: true, passive: true },
  );
}

/** Whether somebody scrolls the page, terminals apart. */
export function isPageScrolled(): boolean {
  return performance.now() - last < SCROLL_MS;
}
