import { availableParallelism } from 'node:os';

/**
 * How many starts or removals of sandboxes run side by side. Each keeps about one core busy; with one more than there
 * are cores, none is idle while an engine waits for something.
 */
export const AT_ONCE = availableParallelism() + 1;
