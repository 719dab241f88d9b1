/**
 * Sets a property where it is another: an attribute or a text that is written again is told again to live regions and
 * observers, and laid out again.
 */
export function set<T extends object, K extends keyof T>(
  target: T | null | undefined,
  name: K,
  value: T[K],
): void {
  if (target && target[name] !== value) target[name] = value;
}

/** `3 of 4`, and ` +1` for what is not counted. */
export function countText(passed: number, all: number, extra: number): string {
  return `${passed} of ${all}${extra > 0 ? ` +${extra}` : ''}`;
}

/** Writes only a text that is new. */
export function setText(element: Element | null, text: string): void {
  set(element, 'textContent', text);
}
