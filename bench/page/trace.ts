/** An event of Chromium's trace; times in µs. */
export interface TraceEvent {
  readonly name: string;
  readonly ts: number;
  readonly args?: { readonly elementCount?: number };
}

/** How many elements were given styles anew between two times. */
export function elementsIn(trace: readonly TraceEvent[], from: number, to: number): number {
  return trace
    .filter(({ name, ts }) => name === 'UpdateLayoutTree' && ts >= from && ts <= to)
    .reduce((sum, { args }) => sum + (args?.elementCount ?? 0), 0);
}
