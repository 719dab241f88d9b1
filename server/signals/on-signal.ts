import type { SignalBody } from '#lab';

/** Told of every signal of a host. */
export type OnSignal = (signal: SignalBody) => void;
