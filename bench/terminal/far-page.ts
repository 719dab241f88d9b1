/** What a page tells of keys whose echo is far away. */
export interface FarBench {
  /**
   * Keys are counted anew.
   *
   * @param secret letters that nothing echoes; none, where all that is typed is to be seen
   * @param isBeside something else is printed meanwhile
   */
  begin(secret: string, isBeside?: boolean): void;
  /** What was seen since {@link FarBench.begin}. */
  seen(): Seen;
}

export interface Seen {
  /** Keys that print. */
  readonly keys: number;
  /** … whose effect was seen at once. */
  readonly atOnce: number;
  /** How long each stood that was foreseen and did not come (ms, from frame to frame). */
  readonly wrong: readonly number[];
}

declare global {
  var far: FarBench;
}

/** Runs in the page, before its own scripts. It stands alone: a browser is given its text. */
export function watchFar(): void {
  if (window !== top) return;
  /** Nobody sees a key come later than this. */
  const AT_ONCE_MS = 30;
  let secret = '';
  let isBeside = false;
  let line = '';
  let keys = 0;
  let atOnce = 0;
  let wrong: number[] = [];
  const nothing = { text: '', told: false };
  let shown = nothing;
  /** Since when each character stands that is foreseen. */
  let since: number[] = [];

  const inSight = (selector: string): HTMLElement | undefined =>
    [...document.querySelectorAll<HTMLElement>(selector)].find((is) => is.checkVisibility());

  /** The line with the cursor, up to it, as a person sees it. */
  const display = (): { readonly text: string; readonly foreseen: string } => {
    const cursor = inSight('.xterm-rows .xterm-cursor');
    let text = '';
    for (let is = cursor?.previousSibling; is; is = is.previousSibling)
      text = is.textContent + text;
    const view = inSight('.qs-prediction');
    const foreseen = view?.querySelector('u')?.textContent ?? '';
    if (!view || !cursor) return { text, foreseen };
    const cell = cursor.getBoundingClientRect().width;
    const from = Math.round(Number.parseFloat(view.style.translate) / cell);
    return { text: text.slice(0, from) + foreseen, foreseen };
  };

  const onScreen = (text: string): boolean =>
    [...(inSight('.xterm-rows')?.children ?? [])].some((row) =>
      row.textContent?.replaceAll('\u00a0', ' ').includes(text.trim()),
    );

  addEventListener(
    'keydown',
    ({ key }) => {
      if (key === 'Backspace') line = line.slice(0, -1);
      else if (key.length === 1) line += key;
      else {
        line = '';
        return;
      }
      keys += 1;
      // Whatever is printed between begins another line.
      const expected = isBeside ? key : `$ ${line}`;
      setTimeout(() => {
        const { text } = display();
        if (text.replaceAll('\u00a0', ' ').endsWith(expected)) atOnce += 1;
      }, AT_ONCE_MS);
    },
    { capture: true },
  );

  const look = (now: number): void => {
    requestAnimationFrame(look);
    const { text, foreseen } = display();
    const isTold = [...secret].some((letter) => foreseen.includes(letter));
    // Deleted by a key, or gone with its line, it was right.
    const isDeleted = shown.text.startsWith(text) && text.endsWith(line);
    const isRight = text.startsWith(shown.text) || isDeleted || onScreen(shown.text);
    const isWrong = shown.text !== '' && (secret === '' ? !isRight : shown.told && !isTold);
    if (isWrong) wrong.push(now - (since[0] ?? now));
    if (isWrong || foreseen === '') since = [];
    for (let more = text.length - shown.text.length; more > 0; more--) since.push(now);
    // What was foreseen first is there first.
    since = since.slice(-foreseen.length);
    shown = foreseen === '' ? nothing : { text, told: isTold };
  };
  requestAnimationFrame(look);

  globalThis.far = {
    begin: (letters, beside = false) => {
      secret = letters;
      isBeside = beside;
      line = '';
      keys = 0;
      atOnce = 0;
      wrong = [];
    },
    seen: () => ({ keys, atOnce, wrong }),
  };
}
