/** The server hears at most once a minute that somebody reads; its limits count in minutes. */
const TOLD_EVERY_MS = 60_000;

/** Tells `attend` while somebody reads: scrolls, types, points or touches on a page that is in sight. */
export function tellAttendance(page: Document, attend: () => Promise<void>): void {
  let told = Number.NEGATIVE_INFINITY;
  const heard = () => {
    const now = performance.now();
    if (page.visibilityState !== 'visible' || now - told < TOLD_EVERY_MS) return;
    told = now;
    // Lost on the way: the next movement tells it again.
    attend().catch(() => {
      told = Number.NEGATIVE_INFINITY;
    });
  };
  for (const kind of ['scroll', 'pointermove', 'pointerdown', 'keydown', 'touchstart'] as const) {
    page.addEventListener(kind, heard, { passive: true, capture: true });
  }
}
