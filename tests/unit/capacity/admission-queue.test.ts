import { describe, expect, test } from 'vitest';
import {
  AdmissionQueue,
  type QueueEntry,
  type QueuePosition,
  type Slot,
} from '../../../server/capacity/admission-queue.ts';
import { hasMemoryFor } from '../../../server/capacity/memory.ts';

/** Somebody at the gate, who keeps what was said. */
class Guest implements QueueEntry {
  admission: Slot | undefined;
  readonly places: QueuePosition[] = [];
  warm = false;
  ready(): boolean {
    return this.warm;
  }
  admitted(admission: Slot): void {
    this.admission = admission;
  }
  placed(place: QueuePosition): void {
    this.places.push(place);
  }
  get last(): QueuePosition | undefined {
    return this.places.at(-1);
  }
}

interface Setting {
  most: number;
  startsAtOnce: number;
  memory: boolean;
  spare: number;
  time: number;
}

function gateWith(given: Partial<Setting> = {}) {
  const setting: Setting = { most: 2, startsAtOnce: 9, memory: true, spare: 0, time: 0, ...given };
  let quiet = 0;
  const gate = new AdmissionQueue({
    most: setting.most,
    startsAtOnce: setting.startsAtOnce,
    hasMemory: () => setting.memory,
    spare: () => setting.spare,
    giveUpSpare: () => setting.spare > 0 && setting.spare-- > 0,
    onQuiet: () => quiet++,
    now: () => setting.time,
  });
  const come = (): Guest => {
    const guest = new Guest();
    gate.join(guest);
    return guest;
  };
  return { gate, setting, come, quiet: () => quiet };
}

describe('the gate', () => {
  test('lets in at once while there is room, then in the order of coming', () => {
    using gate = gateWith().gate;
    const guests = Array.from({ length: 4 }, () => {
      const guest = new Guest();
      gate.join(guest);
      return guest;
    });
    expect(guests.map(({ admission }) => admission !== undefined)).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(guests.map(({ last }) => last?.place)).toEqual([undefined, undefined, 1, 2]);
    expect(guests[2]?.last?.because).toBe('full');
    guests[0]?.admission?.leave();
    expect(guests[2]?.admission).toBeDefined();
    expect(guests[3]?.last?.place).toBe(1);
  });

  test('gives the place of whoever goes away to the next', () => {
    const { gate, come } = gateWith({ most: 1 });
    using _ = gate;
    const inside = come();
    const [second, third] = [come(), come()];
    gate.leaveQueue(second);
    expect(third.last?.place).toBe(1);
    inside.admission?.leave();
    expect([second.admission, third.admission]).toEqual([undefined, expect.anything()]);
  });

  test('counts nobody twice, however often an admission is given back', () => {
    const { gate, come } = gateWith({ most: 1 });
    using _ = gate;
    const first = come();
    first.admission?.started();
    first.admission?.leave();
    first.admission?.leave();
    first.admission?.started();
    expect([gate.inside, gate.starting]).toEqual([0, 0]);
    const [second, third] = [come(), come()];
    expect([second.admission, third.admission]).toEqual([expect.anything(), undefined]);
  });

  test('starts only so many side by side, and estimates by how long starts take', () => {
    const { gate, come, setting } = gateWith({ most: 9, startsAtOnce: 1 });
    using _ = gate;
    const first = come();
    const second = come();
    expect(second.last).toEqual({ place: 1, because: 'busy' });
    const third = come();
    setting.time = 3_000;
    first.admission?.started();
    expect(second.admission).toBeDefined();
    expect(third.last).toEqual({ place: 1, because: 'busy', waitSeconds: 3 });
  });

  test('estimates the wait by how often sandboxes end, and claims nothing before it has seen two', () => {
    const { gate, come, setting } = gateWith({ most: 3 });
    using _ = gate;
    const inside = [come(), come(), come()];
    const waiting = [come(), come(), come(), come()];
    expect(waiting[0]?.last).toEqual({ place: 1, because: 'full' });
    setting.time = 60_000;
    inside[0]?.admission?.leave();
    expect(waiting[1]?.last).toEqual({ place: 1, because: 'full' });
    setting.time = 120_000;
    inside[1]?.admission?.leave();
    expect(waiting[3]?.last).toEqual({ place: 2, because: 'full', waitSeconds: 60 });
  });

  test('waits for memory, and looks again when told that something has changed', () => {
    const { gate, come, setting } = gateWith({ memory: false });
    using _ = gate;
    const guest = come();
    expect(guest.last).toEqual({ place: 1, because: 'full' });
    setting.memory = true;
    gate.stir();
    expect(guest.admission).toBeDefined();
  });

  test('gives up what stands ready for nobody before it makes anybody wait', () => {
    const { gate, come, setting } = gateWith({ most: 2, spare: 1 });
    using _ = gate;
    expect(come().admission).toBeDefined();
    expect(setting.spare).toBe(1);
    expect(come().admission).toBeDefined();
    expect(setting.spare).toBe(0);
    expect(come().admission).toBeUndefined();
  });

  test('lets in whoever’s sandbox is ready, starts under way or not', () => {
    const { gate, come } = gateWith({ startsAtOnce: 1, spare: 1 });
    using _ = gate;
    come();
    const guest = new Guest();
    guest.warm = true;
    gate.join(guest);
    expect(guest.admission).toBeDefined();
    expect(gate.starting).toBe(1);
  });

  test('says when nobody waits and nobody starts', () => {
    const { gate, come, quiet } = gateWith();
    using _ = gate;
    const guest = come();
    expect(quiet()).toBe(0);
    guest.admission?.started();
    expect(quiet()).toBe(1);
  });
});

test('memory is kept for those who are starting, and a system that does not tell is trusted', () => {
  const GIB = 1024 ** 3;
  expect([hasMemoryFor(0, GIB), hasMemoryFor(5, GIB), hasMemoryFor(50, undefined)]).toEqual([
    true,
    false,
    true,
  ]);
});
