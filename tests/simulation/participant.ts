import type { CheckView, SessionEvent } from '#protocol';
import { LABEL } from '../../server/sandbox/labels.ts';
import { WHY_ENDED } from '../../server/session/expiry.ts';
import type { Session } from '../../server/session/session.ts';
import { FIRST_COMMAND, SECOND_COMMAND } from './lab.ts';
import { RULES } from './rules.ts';
import type { ServerLife } from './server-life.ts';
import type { World } from './world.ts';

/** Why a session ends though nobody has ended it. */
const LIMITS: readonly string[] = Object.values(WHY_ENDED);
/** Why one does that was stopped. */
const KEPT_LONG_ENOUGH = 'Your hosts had been stopped since';

/** Whether it was a rule that has ended a session, and not a person. */
export function isByRule({ state, reason = '' }: StatusWords): boolean {
  return state === 'ended' && (LIMITS.includes(reason) || reason.startsWith(KEPT_LONG_ENOUGH));
}

interface StatusWords {
  readonly state: string;
  readonly reason?: string;
}

/** Something that the learner saw, and whether it is on the disk by now: nothing but their own word takes it back then. */
interface Seen {
  kept: boolean;
}

/** A step that the learner saw ticked. */
interface SeenPass extends Seen {
  readonly at: number;
  readonly assisted: boolean;
}

interface SeenTerminal extends Seen {
  readonly host: string;
}

/** One learner before one lab: what they do, what they have seen, and what therefore must stay true. */
export class Participant {
  readonly name: string;
  readonly lab: string;
  readonly #world: World;
  /** Changes whenever the session does something else. */
  changedAt = 0;
  learner: string | undefined;
  /** The instructor has removed the learner. */
  isRemoved = false;
  wantsPage = true;
  /** Since when no page is open (virtual ms); absent while one is. */
  closedAt: number | undefined;
  readonly passes = new Map<string, SeenPass>();
  /** The sandbox that the learner was let into, until they or a limit have let go of it. */
  given: string | undefined;
  /** Resets and starts from a section whose outcome is not known yet. */
  #startingOver = 0;
  /** The server was killed meanwhile. */
  #isUnsure = false;
  #session: Session | undefined;
  #page: Disposable | undefined;
  readonly #terminals = new Map<string, SeenTerminal>();

  constructor(world: World, name: string, lab: string) {
    this.#world = world;
    this.name = name;
    this.lab = lab;
  }

  /** The learner's session on the server that serves. */
  get session(): Session | undefined {
    return this.#world.open && !this.isRemoved ? this.#session : undefined;
  }

  /** A server is up: everything that the learner sees is taken note of, and the page comes back. */
  follow(life: ServerLife): void {
    if (this.learner === undefined) return;
    // A server that was killed before it could write may not know of the removal.
    if (this.isRemoved) {
      if (!life.knows(this.learner)) return;
      this.isRemoved = false;
      this.passes.clear();
      this.#setGiven(undefined);
    }
    const session = life.sessions.of(this.learner, this.lab);
    this.#session = session;
    // A server that was killed amid a new start may have kept the learner's word for it, or not.
    if (this.#isUnsure) {
      this.passes.clear();
      if (session.sandbox !== this.given) this.#setGiven(undefined);
      this.#isUnsure = false;
    }
    session.observe((event) => {
      if (!life.isDead) this.#heard(session, event);
    });
    if (this.wantsPage) this.openPage();
  }

  serverGone(): void {
    this.#session = undefined;
    this.#page = undefined;
    this.#isUnsure ||= this.#startingOver > 0;
    this.#startingOver = 0;
    // What was in the memory of a server that was killed may be gone with it.
    for (const seen of [this.passes, this.#terminals]) {
      for (const [id, { kept }] of seen) if (!kept) seen.delete(id);
    }
  }

  openPage(): void {
    this.wantsPage = true;
    const { session } = this;
    if (!session || this.#page) return;
    this.#page = session.subscribe(() => undefined);
    this.closedAt = undefined;
  }

  closePage(): void {
    this.wantsPage = false;
    this.#page?.[Symbol.dispose]();
    this.#page = undefined;
    this.closedAt = this.#world.clock.now;
  }

  /** The learner does something. */
  act(): void {
    const { session } = this;
    if (session) this.#weighed(this.#deeds(session))();
  }

  /** Whoever may do so ends the learner's session. */
  end(who: string, reason?: string): void {
    const { session } = this;
    if (!session) return;
    this.#world.attempt(`${who} ends ${this.name}/${this.lab}`, () =>
      this.#letGo(session, () => session.end(reason)),
    );
  }

  /** Whoever may do so puts the learner's session back to its start. */
  reset(who: string): void {
    const { session } = this;
    if (session) this.#startOver(`${who} resets`, session, () => session.reset(), true);
  }

  /** Whether a sandbox that the learner was let into may be removed now. */
  mayGo(sandbox: string): boolean {
    if (this.given !== sandbox || this.#startingOver > 0 || this.isRemoved) return true;
    const status = this.session?.status;
    return status !== undefined && isByRule(status);
  }

  /** All that was seen is on the disk by now. */
  allIsKept(): void {
    for (const pass of this.passes.values()) pass.kept = true;
    for (const terminal of this.#terminals.values()) terminal.kept = true;
  }

  /** What has to be true of what the learner is shown. */
  look(): void {
    const { session } = this;
    if (session && this.passes.size > 0) this.#compare(session, session.snapshot().checks);
  }

  /** The terminals that the learner has seen on the present hosts and not closed: id to host. */
  get terminals(): ReadonlyMap<string, string> {
    return new Map([...this.#terminals].map(([id, { host }]) => [id, host]));
  }

  /** What there is to do, and how often it is done. */
  #deeds(session: Session): readonly (readonly [number, () => void])[] {
    const doing = (what: string, deed: () => unknown) => () => this.#do(what, deed);
    if (this.#page === undefined) {
      return [
        [1, doing('opens a page', () => this.openPage())],
        [1, () => undefined],
      ];
    }
    const { state } = session.status;
    if (['none', 'ended', 'failed', 'stopped'].includes(state)) {
      return [
        ...(state === 'stopped'
          ? ([
              [1, () => this.end(this.name)],
              [1, () => this.reset(this.name)],
            ] as const)
          : []),
        [8, doing('starts', () => session.start())],
        [1, doing('closes the pages', () => this.closePage())],
        [1, () => this.#startFrom(session)],
      ];
    }
    return [
      [4, () => this.#work(session)],
      [2, () => this.reset(this.name)],
      [1, () => this.#startFrom(session)],
      [2, () => this.end(this.name)],
      [1, doing('closes the pages', () => this.closePage())],
      [1, doing('opens a terminal', () => session.openTerminal('client'))],
      [1, () => this.#closeTerminal(session)],
      [1, () => this.#restartHost(session)],
      [1, doing('reads on', () => session.touch())],
      [1, doing('asks for more time', () => session.extend())],
      [1, doing('has a step done', () => void session.doStep('typed'))],
      [1, doing('stops what is done', () => void session.stopGuide())],
    ];
  }

  #weighed(deeds: readonly (readonly [number, () => void])[]): () => void {
    let left = this.#world.chance.number() * deeds.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, deed] of deeds) {
      left -= weight;
      if (left < 0) return deed;
    }
    return () => undefined;
  }

  #do(what: string, deed: () => unknown): void {
    this.#world.attempt(`${this.name} ${what}`, deed);
  }

  #work(session: Session): void {
    const { chance, machine } = this.#world;
    const command = chance.pick([FIRST_COMMAND, SECOND_COMMAND, 'ls']);
    const [terminal] = session.snapshot().terminals.filter(({ host }) => host === 'server01');
    if (!terminal) return;
    this.#do(`types ${command}`, () => session.terminal(terminal.id).sendText(`${command}\r`));
    const host = [...machine.containers.values()].find(
      ({ labels }) =>
        labels[LABEL.sandbox] === session.sandbox && labels[LABEL.host] === 'server01',
    );
    host?.files.set('work', this.name);
  }

  #closeTerminal(session: Session): void {
    const { terminals } = session.snapshot();
    if (terminals.length < 3) return;
    const { id } = this.#world.chance.pick(terminals);
    this.#terminals.delete(id);
    this.#do('closes a terminal', () => session.closeTerminal(id));
  }

  #restartHost(session: Session): void {
    const host = this.#world.chance.pick(['server01', 'client']);
    this.#do(`restarts ${host}`, () => session.restartHost(host));
  }

  #startFrom(session: Session): void {
    const page = this.#world.chance.pick(['first', 'second']);
    this.#startOver(
      `${this.name} starts from ${page},`,
      session,
      () => session.startFrom({ page }),
      false,
    );
  }

  /** @param all whether what the learner passed without help goes as well */
  #startOver(what: string, session: Session, deed: () => unknown, all: boolean): void {
    const life = this.#world.life;
    this.#startingOver += 1;
    const before = new Map(this.passes);
    for (const [check, { assisted }] of before) if (all || assisted) this.passes.delete(check);
    this.#world.attempt(`${what} ${this.name}/${this.lab}`, deed, (error) => {
      if (life !== this.#world.life) return;
      this.#startingOver -= 1;
      if (error === undefined) this.#setGiven(undefined);
      if (this.#startingOver === 0) this.#note(session.snapshot().checks);
    });
  }

  #letGo(session: Session, deed: () => unknown): unknown {
    this.#setGiven(undefined);
    // It may be let in while the deed waits for the disk.
    this.#startingOver += 1;
    const life = this.#world.life;
    const over = (): void => {
      if (life !== this.#world.life || this.#startingOver === 0) return;
      this.#startingOver -= 1;
      if (session.status.state === 'ready') this.#setGiven(session.sandbox);
    };
    try {
      const result = deed();
      if (result instanceof Promise) return result.finally(over);
      over();
      return result;
    } catch (error) {
      over();
      throw error;
    }
  }

  #heard(session: Session, event: SessionEvent): void {
    if (this.isRemoved) return;
    switch (event.type) {
      case 'snapshot':
        this.#status(session, event.snapshot.status);
        this.#sawTerminals(event.snapshot.terminals);
        this.#compare(session, event.snapshot.checks);
        this.#note(event.snapshot.checks);
        break;
      case 'status':
        this.#status(session, event.status);
        break;
      case 'checks':
        this.#note(event.checks);
        break;
      case 'terminals':
        this.#sawTerminals(event.terminals);
        break;
    }
  }

  #status(session: Session, status: StatusWords): void {
    const why = status.reason === undefined ? '' : ` (${status.reason})`;
    if (status.state !== this.#shown)
      this.#world.say(`  ${this.name}/${this.lab} is ${status.state}${why}`);
    if (status.state !== this.#shown) this.changedAt = this.#world.clock.now;
    this.#shown = status.state;
    if (isByRule(status)) this.#setGiven(undefined);
    if (status.state === 'stopped' && this.given !== undefined) this.#wasStopped(this.given);
    if (status.state === 'ready') this.#runsAgain(session.sandbox);
    if (status.state === 'ready' && this.#startingOver === 0) this.#setGiven(session.sandbox);
  }
  #shown = '';

  /** Its containers that run are to run again. A server that comes back to stopped hosts tells of them a second time. */
  #wasStopped(sandbox: string): void {
    if (this.#ran?.sandbox === sandbox) return;
    this.#ran = {
      sandbox,
      ids: this.#nested(sandbox).flatMap(({ id, running }) => (running ? id : [])),
    };
  }
  #ran: { readonly sandbox: string; readonly ids: readonly string[] } | undefined;

  /** A start of a container that fails in a storm is told to the learner, and no fault. */
  #runsAgain(sandbox: string | undefined): void {
    const ran = this.#ran;
    this.#ran = undefined;
    if (!ran || ran.sandbox !== sandbox || !this.#world.isCalm) return;
    const idle = this.#nested(sandbox).filter(
      ({ id, running }) => ran.ids.includes(id) && !running,
    );
    if (idle.length === 0) return;
    const what = `${this.name}/${this.lab}: ${idle.map(({ id }) => id).join(', ')}`;
    this.#world.violate(RULES.containersRunAgain, what);
  }

  #nested(sandbox: string) {
    return [...this.#world.machine.containers.values()]
      .filter(({ labels }) => labels[LABEL.sandbox] === sandbox)
      .flatMap(({ engine }) => engine?.containers ?? []);
  }

  #sawTerminals(terminals: readonly { readonly id: string; readonly host: string }[]): void {
    for (const { id, host } of terminals) {
      if (!this.#terminals.has(id)) this.#terminals.set(id, { host, kept: false });
    }
  }

  #setGiven(sandbox: string | undefined): void {
    if (sandbox !== this.given) this.#terminals.clear();
    this.given = sandbox;
  }

  #note(checks: readonly CheckView[]): void {
    if (this.#startingOver > 0) return;
    for (const check of checks) {
      if (check.state !== 'passed' || this.passes.has(check.id)) continue;
      this.#world.say(`  ${this.name}/${this.lab} passed ${check.id}`);
      this.passes.set(check.id, {
        at: check.passedAt,
        assisted: check.assisted ?? false,
        kept: false,
      });
    }
  }

  #compare(session: Session, checks: readonly CheckView[]): void {
    if (this.#startingOver > 0) return;
    for (const [id, { at }] of this.passes) {
      const shown = checks.find((check) => check.id === id);
      if (shown?.state === 'passed' && shown.passedAt === at) continue;
      const now = shown?.state === 'passed' ? `passed at ${shown.passedAt}` : shown?.state;
      this.#world.violate(
        RULES.keepsItsPasses,
        `${this.name}/${session.labName}: ${id} was passed at ${at} and is ${now}`,
      );
    }
  }
}
