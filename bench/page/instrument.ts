/** What the bench has in the page: it notes keys and rows, and counts frames. Times are of `performance.now()`. */
export interface PageBench {
  /** When the browser got the last key. */
  readonly keyAt: number;
  /** Looks at the rows of the terminal in sight from now on, and begins to count keys anew. */
  watch(): void;
  /** Settles when a row of that terminal matches and a frame with it is drawn. @returns when */
  shown(pattern: string): Promise<number>;
  /** Frames a second, over so many ms. */
  frames(ms: number): Promise<number>;
  /** Has the terminal of the next document take keys as soon as it can, which `benchTell` hears. */
  focusAfterReload(): void;
}

/** What the page tells the bench. */
export type Told =
  /** The glyph of a key is on the screen, so many ms after the browser got the key. */
  | { readonly kind: 'key'; readonly index: number; readonly ms: number }
  /** After a reload: the terminal has the focus. */
  | { readonly kind: 'focus' }
  /** … and shows the first key typed at a prompt, so many ms after the reload began. */
  | { readonly kind: 'typed'; readonly ms: number };

declare global {
  var bench: PageBench;
  function benchTell(told: Told): Promise<void>;
}

/** Runs in the page, before its own scripts. It stands alone: a browser is given its text. */
export function instrument(): void {
  // Frames of the browser pane have no terminals.
  if (window !== top) return;
  const RELOADED = 'bench-reloaded';
  const COUNTED = /^KEYS:([a-z]*)/;
  const TYPED = /[$#] x+\s*$/;
  const presses: number[] = [];
  const waiting = new Set<{ readonly pattern: RegExp; readonly done: (at: number) => void }>();
  let keyAt = 0;
  let seen = 0;
  let observer: MutationObserver | undefined;

  /** A task that was queued in a frame's callback runs once that frame is drawn. */
  const afterFrame = (): Promise<number> =>
    new Promise((resolve) => {
      requestAnimationFrame(() => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => resolve(performance.now());
        port2.postMessage('');
      });
    });

  const look = (row: string): void => {
    for (const each of waiting) {
      if (!each.pattern.test(row)) continue;
      waiting.delete(each);
      void afterFrame().then(each.done);
    }
    const keys = COUNTED.exec(row)?.[1]?.length ?? 0;
    for (; seen < keys; seen++) {
      const index = seen;
      void afterFrame().then((at) => {
        performance.mark('bench-seen');
        return benchTell({ kind: 'key', index, ms: at - (presses[index] ?? at) });
      });
    }
  };

  const inSight = <Found extends Element>(selector: string): Found | undefined =>
    [...document.querySelectorAll<Found>(selector)].find((element) => element.checkVisibility());

  const watch = (): void => {
    observer?.disconnect();
    presses.length = 0;
    seen = 0;
    const rows = inSight('.xterm-rows');
    if (!rows) throw new Error('no terminal is in sight');
    observer = new MutationObserver((changes) => {
      const changed = new Set<Node>();
      for (const { target } of changes) {
        const element = target instanceof Element ? target : target.parentElement;
        const row = element?.closest('.xterm-rows > *');
        if (row) changed.add(row);
      }
      for (const row of changed) look(row.textContent ?? '');
    });
    observer.observe(rows, { subtree: true, childList: true, characterData: true });
    for (const row of rows.children) look(row.textContent ?? '');
  };

  const shown = (pattern: string): Promise<number> =>
    new Promise((done) => {
      waiting.add({ pattern: new RegExp(pattern), done });
      for (const row of inSight('.xterm-rows')?.children ?? []) look(row.textContent ?? '');
    });

  const frames = (ms: number): Promise<number> =>
    new Promise((resolve) => {
      const from = performance.now();
      let count = 0;
      const next = (): void => {
        const passed = performance.now() - from;
        if (passed >= ms) {
          resolve((1_000 * count) / passed);
          return;
        }
        count += 1;
        requestAnimationFrame(next);
      };
      requestAnimationFrame(next);
    });

  const untilFocused = (): void => {
    const text = inSight<HTMLElement>('.xterm-helper-textarea');
    if (!text || !inSight('.xterm-rows')) {
      requestAnimationFrame(untilFocused);
      return;
    }
    text.focus();
    watch();
    void benchTell({ kind: 'focus' });
    void shown(TYPED.source).then((ms) => benchTell({ kind: 'typed', ms }));
  };

  globalThis.bench = {
    get keyAt() {
      return keyAt;
    },
    watch,
    shown,
    frames,
    focusAfterReload: () => sessionStorage.setItem(RELOADED, ''),
  };
  addEventListener(
    'keydown',
    ({ timeStamp }) => {
      keyAt = timeStamp;
      presses.push(timeStamp);
      performance.mark('bench-key');
    },
    { capture: true },
  );
  if (sessionStorage.getItem(RELOADED) === null) return;
  sessionStorage.removeItem(RELOADED);
  untilFocused();
}
