import { join } from 'node:path';
import { Readable } from 'node:stream';
import { CouldNotCheck, type LabHost, type LabSource } from '#lab';
import { deadline, sleep, withAbort } from '../base/deadline.ts';
import { QuaysideError } from '../base/errors.ts';
import type { DialedProcess, Dockerode, Engine, ProcessOptions } from '../engine/engine.ts';
import { engineCall } from '../engine/engine-call.ts';
import { stepsOf } from '../engine/output-limit.ts';
import { ReadBudget } from '../engine/read-budget.ts';
import { begin, hasBeginning, settingsRefused } from './beginning.ts';
import { EngineSleep } from './engine-sleep.ts';
import { isThere, untilEngineAnswersAt } from './engine-socket.ts';
import { engineCannotStart, HostCannotRunError } from './host-cannot-run.ts';
import { type ExecResult, HostShellChannel } from './host-shell-channel.ts';
import { imageName } from './image-name.ts';
import type { SharedDirectory } from './shared-directory.ts';
import type { WakeTurns } from './wake-turns.ts';

/** A cold engine answers 0.7 s after its host starts; on a machine full of them it takes longer. */
const ENGINE_READY_MS = 60_000;
/** A lab's image of 2 MB is loaded in 0.5 s. */
const LOAD_SILENCE_MS = 60_000;
/** How long an engine that does not answer is waited for before its host is asked what keeps it. */
const ENGINE_LOOK_MS = 1_000;
/** The same where its lab sets nothing: it comes up, and a machine full of starts is not asked for nothing. */
const PLAIN_ENGINE_LOOK_MS = 5_000;
/** The last lines of a log are read in milliseconds. */
const LOG_MS = 5_000;
/** Three lines of it, and not more where a learner has written the file. */
const LOG_CHARACTERS = 600;

/** A small command takes some milliseconds, and a second on a machine that is full of starts. */
const SMALL_MS = 5_000;

/** Where a host's engine listens as well, in the directory that it shares with this machine (images/lab-host/init). */
export const ENGINE_SOCKET = 'docker.sock';

/** How the command below ends where the host's engine sleeps. */
const ASLEEP_STATUS = 75;

/** There for as long as a host's engine sleeps: in that directory, and in the host itself (images/lab-host/init). */
const ASLEEP = 'asleep';
const ASLEEP_IN_HOST = `/run/quayside/${ASLEEP}`;
/** Says when an engine that has slept became everybody's (ms since the epoch). */
const AWAKE_IN_HOST = '/run/quayside/awake';
const WAKE = '/opt/quayside/wake';
/** The host's engine, as its image has it: `26.1.5+dfsg1`. */
const VERSION_IN_HOST = '/opt/quayside/engine.version';

/**
 * Where no directory is shared, one process inside the host waits: each request from outside costs an exec. It is kept
 * from look to look, as its start may take longer than one.
 */
const UNTIL_ENGINE_ANSWERS = `until [ -e ${ASLEEP_IN_HOST} ] || curl -sf -m 5 --unix-socket /run/docker.sock http://engine/_ping >/dev/null; do sleep 0.05; done; [ ! -e ${ASLEEP_IN_HOST} ] || exit ${ASLEEP_STATUS}`;

/** That process ends by itself after {@link ENGINE_READY_MS}, which begins when it has been started. */
const ENGINE_WAIT_MS = 2 * ENGINE_READY_MS;

/** The last words of a host's engine that failed (images/lab-host/init). They stay while it is started again. */
const ENGINE_WORDS = '/run/quayside/engine.words';

/** What containerd says as it ends, where it has never come up; the host's engine waits for it. */
const CONTAINERD_WORDS = "tail -n 1 /var/log/containerd.log | grep '^containerd: ' | head -c 400";

/** What keeps a host's engine from running: its last words, where it failed. */
const ENGINE_STATE = `if [ -e /run/quayside/engine.stopped ]; then echo stopped; elif [ -e ${ENGINE_WORDS} ]; then head -c 400 ${ENGINE_WORDS}; elif [ ! -S /run/docker/containerd/containerd.sock ]; then ${CONTAINERD_WORDS}; else false; fi 2>/dev/null`;

/** Why a host's engine does not answer: somebody has stopped it; it cannot start, in its own words; nobody knows. */
export type EngineDown =
  | { readonly kind: 'stopped' }
  | { readonly kind: 'failed'; readonly words: string }
  | { readonly kind: 'silent' };

/** What a look at a host's engine finds. */
type EngineAnswer = 'awake' | 'asleep' | 'silent';

/** What is shown of a host whose own engine does not run, while the host does. */
export const ENGINE_DOWN: Readonly<Record<EngineDown['kind'], string>> = {
  stopped: 'engine stopped (sudo systemctl start docker)',
  failed: 'engine does not start (journalctl -u docker)',
  silent: 'engine does not answer (restart the host)',
};

/** A host with as many checks as a lab has on it, each waiting a second for nothing, is asked within a check's time. */
const SLOW_AT_ONCE = 4;

/** An engine that is woken has its mark taken away in milliseconds. */
const WOKEN_LOOK_MS = 10;
const MARKED_MS = 10_000;

/** A sequence that is not typed, so that Ctrl-P and Ctrl-Q reach the shell. */
const DETACH_KEYS = 'ctrl-^,ctrl-@,ctrl-^';

/** A running host of a sandbox, and the ways into it. */
export class Host {
  readonly spec: LabHost;
  /** The id of its container on the engine. */
  readonly container: string;
  /** A directory that this machine and the host both see, where that can be had. */
  readonly shared: SharedDirectory | undefined;
  /** The lab's images that its engine has from the start, to the names that they were built as. */
  readonly images: ReadonlyMap<string, string>;
  /** Bounds what is read of it for checks and signals, over all ways into it. */
  readonly budget = new ReadBudget();
  /** The same for the pages that are asked for from it: a large one is not to keep its checks waiting. */
  readonly pageBudget = new ReadBudget();
  readonly #engine: Engine;
  readonly #shell: HostShellChannel;
  /** Apart from the checks': none of them keeps a terminal waiting, and none closes its budget. */
  readonly #terminals: HostShellChannel;
  /** Apart from both, each with how much it has to do: a probe that nobody answers takes a second. */
  readonly #slow: readonly { readonly shell: HostShellChannel; waiting: number }[];
  #docker: Dockerode | undefined;
  #engineWait: Promise<EngineAnswer> | undefined;
  #hasBegun = false;
  #begunAt: number | undefined;
  #availability = new AbortController();
  readonly #sleep = new EngineSleep();
  readonly #wakes: WakeTurns;
  /** Aborted where somebody on the host has woken its engine before its turn. */
  #noticed = new AbortController();

  /** @param wakes of the machine that the host is on */
  constructor(
    engine: Engine,
    spec: LabHost,
    container: string,
    shared: SharedDirectory | undefined,
    wakes: WakeTurns,
    images: ReadonlyMap<string, string> = new Map(),
  ) {
    this.images = images;
    this.#wakes = wakes;
    this.#engine = engine;
    this.spec = spec;
    this.container = container;
    this.shared = shared;
    const shell = (limit: ReadBudget): HostShellChannel =>
      new HostShellChannel((argv, signal) => this.dial(argv, { signal, budget: limit }), limit);
    this.#shell = shell(this.budget);
    this.#terminals = shell(new ReadBudget());
    this.#slow = Array.from({ length: SLOW_AT_ONCE }, () => ({
      shell: shell(new ReadBudget()),
      waiting: 0,
    }));
  }

  get name(): string {
    return this.spec.name;
  }

  /** Aborted while the host cannot be asked anything. Its reason is a {@link CouldNotCheck}. */
  get availability(): AbortSignal {
    return this.#availability.signal;
  }

  /** The host cannot be asked anything until it is back. @param why a half-sentence: "server01 is paused." */
  markUnavailable(why: string): void {
    // The newest reason counts: a host that was restarting may have lost its engine since.
    this.markAvailable();
    this.#availability.abort(new CouldNotCheck(why));
  }

  markAvailable(): void {
    if (this.availability.aborted) this.#availability = new AbortController();
  }

  /** The host's own engine. Throws for a host that has none. */
  get docker(): Dockerode {
    if (!this.spec.hasEngine) throw new Error(`${this.name} has no Docker Engine`);
    this.#docker ??= this.#engine.nested(
      this.container,
      this.shared && join(this.shared.outside, ENGINE_SOCKET),
      this.budget,
    );
    return this.#docker;
  }

  /** Whether its engine has never been used: there are no containers on it, and only the lab's images. */
  get isAsleep(): boolean {
    return this.#sleep.isAsleep;
  }

  /** Settles when its engine is awake, which may be at once. @throws the signal's reason */
  untilAwake(signal: AbortSignal): Promise<void> {
    return withAbort(signal, () => this.#sleep.untilAwake);
  }

  /**
   * Wakes its engine when its turn comes, and settles when it answers, or has failed to start; at once where it is awake. It is
   * done once for all who ask meanwhile, for as long as the first of them has not given it up.
   *
   * @throws the reason of that one's signal; Error where the host cannot be asked
   */
  wake(signal: AbortSignal): Promise<void> {
    return this.#sleep.wake(() => {
      this.#noticed = new AbortController();
      return this.#wakes.take(
        async () => {
          await this.runSmall([WAKE], { signal });
          await this.#untilWoken(signal);
          // Also where its learner keeps the mark: it would be woken with every key.
          return 'awake' as const;
        },
        AbortSignal.any([signal, this.#noticed.signal]),
      );
    });
  }

  /**
   * Something happened on the host: where that was its engine, which somebody there has woken, it is followed as by
   * {@link Host.wake}, and waits for no turn. A host that comes up again has no mark for a moment before its engine sleeps.
   */
  async noticeWake(signal: AbortSignal): Promise<void> {
    if (!this.isAsleep || (await this.#isMarkedAsleep(signal))) return;
    this.#noticed.abort();
    await this.#sleep.wake(async () => {
      const down = await this.engineDown(signal);
      return down === undefined && this.isAsleep ? 'asleep' : 'awake';
    });
  }

  /** What keeps the engine from starting is told by whoever watches it. */
  async #untilWoken(signal: AbortSignal): Promise<void> {
    // The mark goes as the first thing, where nobody there keeps it.
    const late = Date.now() + MARKED_MS;
    while ((await this.#isMarkedAsleep(signal)) && Date.now() < late) {
      await sleep(WOKEN_LOOK_MS, signal);
    }
    await this.engineDown(signal);
  }

  async #isMarkedAsleep(signal: AbortSignal): Promise<boolean> {
    if (this.shared) return await isThere(join(this.shared.outside, ASLEEP));
    const { status } = await this.exec(['test', '-e', ASLEEP_IN_HOST], signal);
    return status === 0;
  }

  /** One of the lab's images, as the engine that the hosts are on has it. */
  builtImage(builtAs: string) {
    return this.#engine.docker.getImage(builtAs);
  }

  /** When its engine became everybody's, if it has slept or was given images (ms since the epoch); else 0. */
  async awakeSince(signal: AbortSignal): Promise<number> {
    const { status, output } = await this.exec(['head', '-c', '16', AWAKE_IN_HOST], signal);
    return status === 0 && /^\d{13}\s*$/.test(output) ? Math.min(Number(output), Date.now()) : 0;
  }

  /** The version of its engine, whether that is awake or not: `26.1.5+dfsg1`. Empty where its image does not say. */
  async installedEngine(signal: AbortSignal): Promise<string> {
    const { status, output } = await this.exec(['head', '-c', '64', VERSION_IN_HOST], signal);
    return status === 0 ? output.trim() : '';
  }

  /** A duplex stream to a process in the host. */
  dial(argv: readonly string[], options?: ProcessOptions): Promise<DialedProcess> {
    return this.#engine.dial(this.container, argv, options);
  }

  /** Runs a process in the host to its end, without a TTY. */
  run(argv: readonly string[], options?: ProcessOptions & { readonly input?: string }) {
    return this.#engine.run(this.container, argv, options);
  }

  /**
   * The same for what has no line break in it and takes some milliseconds: over a shell that is there already, so that
   * the engine starts no process (40 to 60 ms); where that one does not answer, through the engine. stderr comes with
   * stdout. It may have been run in vain before.
   */
  async runSmall(
    argv: readonly string[],
    { user, signal = new AbortController().signal }: Pick<ProcessOptions, 'user' | 'signal'> = {},
  ): ReturnType<Engine['run']> {
    const become = user ? ['setpriv', `--reuid=${user}`, `--regid=${user}`, '--init-groups'] : [];
    try {
      const { status, output } = await this.#terminals.exec([...become, ...argv], signal, SMALL_MS);
      return { status, stdout: output, stderr: '' };
    } catch {
      signal.throwIfAborted();
      return await this.run(argv, { ...(user && { user }), signal });
    }
  }

  /** A small command that changes nothing and takes a few milliseconds. One at a time. */
  exec(argv: readonly string[], signal: AbortSignal): Promise<ExecResult> {
    return this.#shell.exec(argv, signal);
  }

  /** The same for one that takes up to some seconds: a few at a time, so that they fit into the time of a check. */
  async execSlow(
    argv: readonly string[],
    signal: AbortSignal,
    milliseconds: number,
  ): Promise<ExecResult> {
    const [first, ...others] = this.#slow.toSorted((a, b) => a.waiting - b.waiting);
    if (!first) throw new Error(`${others.length} shells for what is slow`);
    first.waiting += 1;
    try {
      return await first.shell.exec(argv, signal, milliseconds);
    } finally {
      first.waiting -= 1;
    }
  }

  /** The command on this machine that gives `argv` in the host a TTY. */
  ttyCommand(argv: readonly string[], { user }: { readonly user?: string } = {}) {
    const options = ['-it', '--detach-keys', DETACH_KEYS, ...(user ? ['--user', user] : [])];
    return {
      file: 'docker',
      args: ['exec', ...options, this.container, ...argv],
      env: { DOCKER_HOST: this.#engine.address },
    };
  }

  /**
   * Settles when the host's engine answers or sleeps; at once for a host without one.
   *
   * @throws HostCannotRunError as soon as it has failed at two starts, which is not by chance; QuaysideError
   *   SANDBOX_FAILED where it does not answer; the signal's reason
   */
  async untilEngineAnswers(outer = new AbortController().signal, source?: LabSource) {
    const hasSettings = this.spec.engineSettings !== '';
    const look = hasSettings ? ENGINE_LOOK_MS : PLAIN_ENGINE_LOOK_MS;
    let cause: unknown;
    try {
      let down = await this.engineDown(outer, look);
      if (down?.kind === 'failed') {
        // What is read next is said by a later start.
        await this.runSmall(['rm', '-f', ENGINE_WORDS], { signal: outer });
        down = await this.engineDown(outer, look);
      }
      if (!down) return;
      if (down.kind === 'failed') {
        throw hasSettings
          ? settingsRefused(this.spec, source, down.words)
          : engineCannotStart(this.name, down.words);
      }
    } catch (error) {
      outer.throwIfAborted();
      if (error instanceof HostCannotRunError) throw error;
      cause = error;
    }
    throw new QuaysideError(
      'SANDBOX_FAILED',
      `The Docker Engine of ${this.name} does not answer. ${await this.#engineLog(outer)}`.trim(),
      'Try again; if the machine is busy or full, give it a moment first.',
      { cause },
    );
  }

  /**
   * Settles when the host's engine answers or sleeps, or with why it does neither: once that is known, and after 60 s in
   * any case.
   *
   * @param look how long it is waited for before its host is asked what keeps it (ms)
   * @throws the signal's reason; Error where the host cannot be asked
   */
  async engineDown(outer: AbortSignal, look = ENGINE_LOOK_MS): Promise<EngineDown | undefined> {
    if (!this.spec.hasEngine) return undefined;
    for (let waited = 0; waited < ENGINE_READY_MS; waited += look) {
      const found = await this.#answersWithin(look, outer);
      if (found === 'asleep') this.#sleep.begin();
      else if (found === 'awake') this.#sleep.end();
      if (found !== 'silent') return undefined;
      const down = await this.whyEngineIsDown(outer);
      if (down.kind !== 'silent') return down;
    }
    return { kind: 'silent' };
  }

  /** Why the host's engine does not answer, as its host knows it now. */
  async whyEngineIsDown(signal: AbortSignal): Promise<EngineDown> {
    using limit = deadline(LOG_MS, signal);
    const state = await this.exec(['sh', '-c', ENGINE_STATE], limit.signal).catch(() => undefined);
    if (state?.status !== 0 || state.output === '') return { kind: 'silent' };
    return state.output === 'stopped'
      ? { kind: 'stopped' }
      : { kind: 'failed', words: state.output };
  }

  async #answersWithin(
    milliseconds: number,
    outer: AbortSignal | undefined,
  ): Promise<EngineAnswer> {
    using limit = deadline(milliseconds, outer);
    const { signal } = limit;
    try {
      if (this.shared) {
        const { outside } = this.shared;
        const socket = join(outside, ENGINE_SOCKET);
        return await untilEngineAnswersAt(socket, join(outside, ASLEEP), signal);
      }
      return await withAbort(signal, () => this.#untilEngineAnswersInside());
    } catch (error) {
      outer?.throwIfAborted();
      if (signal.aborted) return 'silent';
      throw error;
    }
  }

  /** As the one process says that waits for it in the host. */
  #untilEngineAnswersInside(): Promise<EngineAnswer> {
    this.#engineWait ??= (async () => {
      using limit = deadline(ENGINE_WAIT_MS);
      const limits = ['timeout', '-k', '1', String(ENGINE_READY_MS / 1000)];
      const argv = [...limits, 'sh', '-c', UNTIL_ENGINE_ANSWERS];
      const { status } = await this.run(argv, { signal: limit.signal });
      if (status === ASLEEP_STATUS) return 'asleep';
      return status === 0 ? 'awake' : 'silent';
    })().finally(() => {
      this.#engineWait = undefined;
    });
    return this.#engineWait;
  }

  /** What the host's engine logged last; empty where that cannot be had. */
  async #engineLog(outer?: AbortSignal): Promise<string> {
    const argv = ['tail', '-n', '3', '/var/log/dockerd.log'];
    try {
      const { stdout } = await engineCall(outer, (signal) => this.run(argv, { signal }), LOG_MS);
      return stdout.trim().slice(-LOG_CHARACTERS);
    } catch {
      return '';
    }
  }

  /**
   * Gives a fresh host its files and its set-up; a host that has them, or whose lab names none, is asked nothing.
   *
   * @param onWork called before anything is asked of the host
   * @throws as {@link begin}
   */
  async begin(
    source: LabSource | undefined,
    onWork: () => void,
    signal: AbortSignal,
  ): Promise<void> {
    if (this.#hasBegun || !hasBeginning(this.spec)) return;
    onWork();
    if (await begin(this, source, signal)) this.#begunAt = Date.now();
    this.#hasBegun = true;
  }

  /** When it was set up, if this server has done it (ms since the epoch): what happened before is no learner's doing. */
  get begunAt(): number | undefined {
    return this.#begunAt;
  }

  /** Loads an image into the host's engine under the lab's name for it, unless it is there. */
  async ensureImage(
    name: string,
    builtAs: string,
    archive: () => Promise<Buffer>,
    signal: AbortSignal,
  ): Promise<void> {
    const { docker } = this;
    const named = imageName(name);
    const filters = { reference: [`${named.repo}:${named.tag}`] };
    const there = await docker.listImages({ filters, abortSignal: signal });
    if (there.length > 0) return;
    const bytes = await archive();
    const report = await engineCall(signal, (abortSignal) =>
      docker.loadImage(Readable.from([bytes]), { abortSignal }),
    );
    // The image is there when the report is complete.
    for await (const _ of stepsOf(report, LOAD_SILENCE_MS, signal));
    const image = docker.getImage(builtAs);
    await image.tag({ ...named, abortSignal: signal });
    // Removes the builder's name only; the image keeps the lab's.
    await image.remove({ abortSignal: signal });
  }
}
