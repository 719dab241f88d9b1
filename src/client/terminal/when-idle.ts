/** Safari cannot say when it is idle; this much later (ms) what was on its way has been done. */
const PROBABLY_IDLE_MS = 50;

/** Calls back when the page has nothing else to do: maybe never, while it is busy. @returns takes it back */
export function whenIdle(work: () => void): () => void {
  if (typeof requestIdleCallback === 'function') {
    const handle = requestIdleCallback(work);
    return () => cancelIdleCallback(handle);
  }
  const timer = setTimeout(work, PROBABLY_IDLE_MS);
  return () => clearTimeout(timer);
}
