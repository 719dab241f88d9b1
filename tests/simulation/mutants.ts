import { Capacity } from '../../server/capacity/capacity.ts';
import { Sandbox, SandboxDestroyedError } from '../../server/sandbox/sandbox.ts';
import { SessionLifecycle } from '../../server/session/lifecycle.ts';
import { Session } from '../../server/session/session.ts';
import { Store } from '../../server/store/store.ts';
import { StoredSession } from '../../server/store/stored-session.ts';
import { RULES, type Rule } from './rules.ts';
import type { World } from './world.ts';

/** A fault that servers once had. */
export interface Mutant {
  /** Puts it back into the servers of a world until disposed. */
  readonly install: (world: World) => Disposable;
  /** The rule that it breaks. */
  readonly rule: Rule;
}

/** The faults that the simulation is there to find, each by the one step that made it. */
export const MUTANTS: Readonly<Record<string, Mutant>> = {
  'a look that fails destroys the sandbox': {
    install: destroyAfterFailedLook,
    rule: RULES.keepsItsSandbox,
  },
  'a new sandbox does not wait until the old one is gone': {
    install: startBesideTheOld,
    rule: RULES.limit,
  },
  'a look makes a destroyed sandbox again': {
    install: lookAgainAfterDestroy,
    rule: RULES.hasAnOwner,
  },
  'whoever observes a session counts as a page': {
    install: observeAsPage,
    rule: RULES.givesUpItsPlace,
  },
  'the sweep knows the owners of before its list': {
    install: sweepByOwnersOfBefore,
    rule: RULES.keepsItsSandbox,
  },
  'hosts are let go of before the new start is on the disk': {
    install: letGoBeforeItIsKept,
    rule: RULES.hostsAreRepaired,
  },
  'a start whose row cannot be written is forgotten': {
    install: forgetTheStart,
    rule: RULES.queueMoves,
  },
  'a slot is given back while its hosts are being stopped': {
    install: giveBackBeforeItIsStopped,
    rule: RULES.limit,
  },
};

/** Between two looks, once (ms). */
const LOOKED_AGAIN_MS = 500;

function destroyAfterFailedLook(): Disposable {
  return replaced(Sandbox.prototype, 'reconcile', (reconcile) => {
    return async function (this: Sandbox, ...given) {
      try {
        await reconcile.apply(this, given);
      } catch (error) {
        await this.destroy().catch(() => undefined);
        throw error;
      }
    };
  });
}

function startBesideTheOld(): Disposable {
  return replaced(Sandbox.prototype, 'destroy', (destroy) => {
    return async function (this: Sandbox, ...given) {
      destroy.apply(this, given).catch(() => undefined);
    };
  });
}

function lookAgainAfterDestroy(world: World): Disposable {
  return replaced(Sandbox.prototype, 'reconcile', (reconcile) => {
    return async function (this: Sandbox, ...given) {
      try {
        await reconcile.apply(this, given);
      } catch (error) {
        const { life } = world;
        if (life && !(error instanceof SandboxDestroyedError)) {
          const again = new Sandbox(life.runtime, this.lab, this.labels);
          const look = () => reconcile.call(again, () => undefined).catch(() => undefined);
          setTimeout(look, LOOKED_AGAIN_MS);
        }
        throw error;
      }
    };
  });
}

function observeAsPage(): Disposable {
  return replaced(Session.prototype, 'observe', () => {
    return function (this: Session, listener) {
      return this.subscribe(listener);
    };
  });
}

function sweepByOwnersOfBefore(world: World): Disposable {
  let before:
    | {
        readonly owners: ReturnType<Capacity['owners']>;
        readonly rows: ReturnType<Store['sessionsWithSandbox']>;
      }
    | undefined;
  let isSweepReading = false;
  const stack = new DisposableStack();
  // The queue did not wait for the sweep either.
  stack.use(
    replaced(Capacity.prototype, 'open', (open) => {
      return function (this: Capacity) {
        this.queue.open();
        open.call(this);
      };
    }),
  );
  stack.use(
    replaced(Capacity.prototype, 'sweep', (sweep) => {
      return async function (this: Capacity, signal) {
        before = {
          owners: this.owners(),
          rows: world.life?.store.sessionsWithSandbox() ?? [],
        };
        await sweep.call(this, signal).finally(() => {
          before = undefined;
        });
      };
    }),
  );
  // After its list, the sweep reads the rows and in the same turn the owners.
  stack.use(
    replaced(Store.prototype, 'sessionsWithSandbox', (sessionsWithSandbox) => {
      return function (this: Store) {
        isSweepReading = before !== undefined;
        return before?.rows ?? sessionsWithSandbox.call(this);
      };
    }),
  );
  stack.use(
    replaced(Capacity.prototype, 'owners', (owners) => {
      return function (this: Capacity) {
        const known = isSweepReading ? before?.owners : undefined;
        isSweepReading = false;
        return known ?? owners.call(this);
      };
    }),
  );
  return stack;
}

function letGoBeforeItIsKept(): Disposable {
  return replaced(SessionLifecycle.prototype, 'startOver', (startOver) => {
    return async function (this: SessionLifecycle, forget) {
      const { live } = this;
      try {
        await startOver.call(this, forget);
      } catch (error) {
        live?.[Symbol.dispose]();
        await live?.sandbox.destroy().catch(() => undefined);
        throw error;
      }
    };
  });
}

function forgetTheStart(): Disposable {
  return replaced(StoredSession.prototype, 'begin', (begin) => {
    return function (this: StoredSession, ...given) {
      return begin.apply(this, given).catch(() => new Promise<never>(() => undefined));
    };
  });
}

function giveBackBeforeItIsStopped(): Disposable {
  return replaced(Sandbox.prototype, 'stop', (stop) => {
    return async function (this: Sandbox, ...given) {
      stop.apply(this, given).catch(() => undefined);
    };
  });
}

/** Puts another method in the place of a class's own until disposed. */
function replaced<T extends object, K extends keyof T>(
  prototype: T,
  name: K,
  make: (original: T[K]) => T[K],
): Disposable {
  const original = prototype[name];
  prototype[name] = make(original);
  return {
    [Symbol.dispose]: () => {
      prototype[name] = original;
    },
  };
}
