import { holdsThrough } from './hold.ts';

holdsThrough(1_001, 1_000);
