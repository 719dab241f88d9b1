import type { SignalBody } from '#lab';

/** Receives every signal of a host. */
export type OnSignal = (signal: SignalBody) => void;
