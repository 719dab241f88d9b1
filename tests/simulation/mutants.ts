import { Capacity } from '../../server/capacity/capacity.ts';
import { Sandbox, SandboxDestroyedError } from '../../server/sandbox/sandbox.ts';
import { SessionLifecycle } from '../../server/session/lifecycle.ts';
import { Session } from '../../server/session/session.ts';
import { Store } from '../../server/store/store.ts';
import type { World } from './world.ts';

type Owners = ReturnType<Capacity['owners']>;
type Rows = ReturnType<Store['sessionsWithSandbox']>;

/** Between two looks, once. */
const LOOKED_AGAIN_MS = 500;

/** A fault that servers once had, put back into those of a world until disposed. */
export type Mutant = (world: World) => Disposable;

/** Puts another method in the place of a class's own. */
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

/** The faults that the simulation is there to find, each as it was, by its one decisive step. */
export const MUTANTS: Readonly<Record<string, Mutant>> = {
  'a look that fails destroys the sandbox': () =>
    replaced(
      Sandbox.prototype,
      'reconcile',
      (reconcile) =>
        async function (this: Sandbox, ...given) {
          try {
            await reconcile.apply(this, given);
          } catch (error) {
            await this.destroy().catch(() => undefined);
            throw error;
          }
        },
    ),

  'a new sandbox does not wait until the old one is gone': () =>
    replaced(
      Sandbox.prototype,
      'destroy',
      (destroy) =>
        async function (this: Sandbox, ...given) {
          destroy.apply(this, given).catch(() => undefined);
        },
    ),

  'a look under way makes a destroyed sandbox again': (world) =>
    replaced(
      Sandbox.prototype,
      'reconcile',
      (reconcile) =>
        async function (this: Sandbox, ...given) {
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
        },
    ),

  'whoever observes a session counts as a page': () =>
    replaced(
      Session.prototype,
      'observe',
      () =>
        function (this: Session, listener) {
          return this.subscribe(listener);
        },
    ),

  'the sweep knows the owners of before its list': (world) => {
    let before: { readonly owners: Owners; readonly rows: Rows } | undefined;
    let isRead = false;
    const stack = new DisposableStack();
    // Sandboxes were begun meanwhile.
    stack.use(
      replaced(
        Capacity.prototype,
        'open',
        (open) =>
          function (this: Capacity) {
            this.queue.open();
            open.call(this);
          },
      ),
    );
    stack.use(
      replaced(
        Capacity.prototype,
        'sweep',
        (sweep) =>
          async function (this: Capacity, signal) {
            const rows = world.life?.store.sessionsWithSandbox() ?? [];
            before = { owners: this.owners(), rows };
            await sweep.call(this, signal).finally(() => {
              before = undefined;
            });
          },
      ),
    );
    // The sweep reads the rows, and then the owners in the same turn.
    stack.use(
      replaced(
        Store.prototype,
        'sessionsWithSandbox',
        (sessionsWithSandbox) =>
          function (this: Store) {
            isRead = before !== undefined;
            return before?.rows ?? sessionsWithSandbox.call(this);
          },
      ),
    );
    stack.use(
      replaced(
        Capacity.prototype,
        'owners',
        (owners) =>
          function (this: Capacity) {
            const known = isRead ? before?.owners : undefined;
            isRead = false;
            return known ?? owners.call(this);
          },
      ),
    );
    return stack;
  },

  'hosts are let go of before it is kept that the session starts over': () =>
    replaced(
      SessionLifecycle.prototype,
      'startOver',
      (startOver) =>
        async function (this: SessionLifecycle, forget) {
          const { live } = this;
          try {
            await startOver.call(this, forget);
          } catch (error) {
            live?.[Symbol.dispose]();
            await live?.sandbox.destroy().catch(() => undefined);
            throw error;
          }
        },
    ),

  'a warm sandbox whose row could not be written is forgotten': () =>
    replaced(
      Store.prototype,
      'takeSandbox',
      (takeSandbox) =>
        function (this: Store, ...given) {
          return takeSandbox.apply(this, given).catch(() => new Promise<never>(() => undefined));
        },
    ),
};
