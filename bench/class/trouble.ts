import { setTimeout as delay } from 'node:timers/promises';
import type { ScriptedLearner } from './learner.ts';
import { percentile } from './machine.ts';
import { openRoom } from './room.ts';
import { typeAway } from './typing.ts';

/** Learners who type while one makes trouble. */
const TYPISTS = 4;
/** Quicker than anybody types (ms): a 99th percentile wants some hundred keys. */
const GAP_MS = [30, 90] as const;
const TYPING_MS = 8_000;
/** Trouble is at its full height by then. */
const BEGINS_MS = 1_000;
/** Every trouble ends by itself, a little after the typing (s). */
const TROUBLE_S = 10;
const ROUNDS = 3;

/** What one learner can do to their own host, each with the host that it is typed on. */
const TROUBLES = {
  'a flood of output': ['server01', 'yes flood'],
  'every core kept busy': ['server01', 'for n in 1 2 3 4; do while :; do :; done & done; wait'],
  'a fork bomb': ['server01', 'bomb() { while :; do bomb & sleep 0.05; done; }; bomb 2>/dev/null'],
  'all memory taken, again and again': ['client', 'while :; do tail /dev/zero; done'],
  'a disk written without a pause': [
    'client',
    'while :; do head -c 1G /dev/zero > ~/fill; sync ~/fill; done',
  ],
  'iptables -F, and all routes gone': [
    'server01',
    'sudo iptables -F; sudo iptables -t nat -F; sudo ip route flush table main; sleep 60',
  ],
} as const satisfies Record<string, readonly [host: string, script: string]>;

/** The echo of the others, quiet and beside one trouble, in ms. */
export interface Beside {
  readonly trouble: string;
  readonly quietP50: number;
  readonly quietP99: number;
  readonly besideP50: number;
  readonly besideP99: number;
}

/** Some learners type; one makes each trouble in turn, with a quiet time of the same length before each. */
export async function measureTrouble(lab: string): Promise<readonly Beside[]> {
  await using room = await openRoom({ learners: TYPISTS + 1, lab, pool: 0 });
  await Promise.all(room.learners.map((learner) => learner.start()));
  const [eve, ...typists] = room.learners;
  if (!eve) throw new Error('nobody has joined');
  const samples = Object.keys(TROUBLES).map(() => ({
    quiet: [] as number[],
    beside: [] as number[],
  }));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, [host, script]] of Object.values(TROUBLES).entries()) {
      const { quiet, beside } = samples[index] ?? { quiet: [], beside: [] };
      await type(typists, quiet);
      const terminal = await eve.terminal(host);
      const over = terminal.run(`timeout -s KILL ${TROUBLE_S} bash -c '${script}'`);
      await delay(BEGINS_MS);
      await type(typists, beside);
      await over;
    }
  }
  return Object.keys(TROUBLES).map((trouble, index) => {
    const { quiet, beside } = samples[index] ?? { quiet: [], beside: [] };
    return {
      trouble,
      quietP50: percentile(quiet, 0.5),
      quietP99: percentile(quiet, 0.99),
      besideP50: percentile(beside, 0.5),
      besideP99: percentile(beside, 0.99),
    };
  });
}

async function type(typists: readonly ScriptedLearner[], echoes: number[]): Promise<void> {
  const enough = AbortSignal.timeout(TYPING_MS);
  await Promise.all(typists.map((learner) => typeAway(learner, GAP_MS, enough, echoes)));
}
