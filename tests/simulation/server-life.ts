import type { Lab } from '#lab';
import { Background } from '../../server/base/background.ts';
import { Class } from '../../server/class/class.ts';
import { Roster } from '../../server/class/roster.ts';
import type { SandboxRuntime } from '../../server/sandbox/runtime.ts';
import { SessionManager } from '../../server/session/manager.ts';
import type { Database } from '../../server/store/database.ts';
import { Store } from '../../server/store/store.ts';
import { MemoryEngine } from '../fixtures/memory-engine.ts';
import type { MemoryMachine } from '../fixtures/memory-machine.ts';
import { memoryRuntime } from '../fixtures/memory-runtime.ts';
import { MemoryTerminals } from '../fixtures/memory-terminals.ts';
import { STEPS } from './lab.ts';

/** What a server is started with. */
export interface LifeOptions {
  readonly machine: MemoryMachine;
  /** The store's file, open. */
  readonly database: Database;
  readonly labs: ReadonlyMap<string, Lab>;
  readonly sandboxesMost: number;
  readonly pool: number;
  readonly startsAtOnce: number;
  readonly hasMemory: () => boolean;
  readonly idleMs: number;
  readonly totalMs: number;
  readonly keepMs: number;
  readonly diskFill: () => number;
  readonly inClass: boolean;
  readonly log: (message: string, error: unknown) => void;
}

/**
 * One server from its start to its end: what `server/app.ts` composes, without the web edge and on a machine in memory.
 * The only place of the simulation that knows how a server is put together.
 */
export class ServerLife {
  readonly engine: MemoryEngine;
  readonly background: Background;
  readonly store: Store;
  readonly sessions: SessionManager;
  readonly roster: Roster | undefined;
  readonly runtime: SandboxRuntime;
  /** It has taken up what an earlier server has left. */
  isOpen = false;
  /** It was killed: all that it still says and does is nothing. */
  isDead = false;
  isClosing = false;

  constructor(options: LifeOptions) {
    const { machine, database, labs, idleMs, totalMs, keepMs, log } = options;
    this.engine = new MemoryEngine(machine);
    this.background = new Background(log);
    this.store = new Store(database, log);
    this.runtime = memoryRuntime(this.engine, this.store.instance);
    const terminals = new MemoryTerminals(this.engine, this.background);
    this.sessions = new SessionManager({
      runtime: this.runtime,
      store: this.store,
      labs,
      steps: new Map([...labs.keys()].map((name) => [name, STEPS])),
      sandboxesMost: options.sandboxesMost,
      pool: options.pool,
      startsAtOnce: options.startsAtOnce,
      hasMemory: options.hasMemory,
      limits: { idleMs, totalMs },
      retention: { keepMs, fillPercent: 95 },
      diskFill: async () => options.diskFill(),
      terminals,
      background: this.background,
    });
    const { store, sessions, background } = this;
    const classroom = options.inClass && new Class({ store, name: 'Simulated', learnersMost: 99 });
    this.roster = classroom
      ? new Roster({ classroom, store, sessions, labs, background })
      : undefined;
  }

  async open(): Promise<void> {
    await this.sessions.open();
    this.roster?.open();
    this.isOpen = true;
  }

  /** Somebody new. @returns the learner's id */
  join(name: string): string {
    if (!this.roster) return this.store.learners.create().learner;
    const { classroom } = this.roster;
    const { learner } = classroom.join('127.0.0.1', classroom.code, name).member;
    this.roster.entry(learner);
    return learner;
  }

  /** Whether a learner who has joined is still one of its own. */
  knows(learner: string): boolean {
    return this.roster?.classroom.members.some((member) => member.learner === learner) ?? true;
  }

  async close(clean: boolean): Promise<void> {
    this.isClosing = true;
    this.isOpen = false;
    await this.sessions.close({ clean });
    this.roster?.[Symbol.dispose]();
    await this.runtime[Symbol.asyncDispose]();
    this.store[Symbol.dispose]();
  }

  /** No promise that it waits for is settled any more. Its timers and its file are closed by the world. */
  kill(): void {
    this.isDead = true;
    this.isOpen = false;
    this.engine.die();
  }
}
