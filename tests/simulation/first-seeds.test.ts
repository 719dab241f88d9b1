import { holdsThrough } from './hold.ts';

holdsThrough(1, 1_000);
