import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Lab } from '#lab';
import type { GuideView, SessionEvent, SessionStatus } from '#protocol';
import type { Step, StepAction } from '#steps';
import { loadAllSteps } from '../../server/labs/loader.ts';
import { liveSandboxes } from '../../server/sandbox/sandbox.ts';
import { SessionManager } from '../../server/session/manager.ts';
import { Store } from '../../server/store/store.ts';
import type { Terminal } from '../../server/terminal/terminal.ts';
import { lab } from '../../src/content/docs/labs/docker-networking/lab.ts';
import { openRuntime, PROJECT, sessionParts } from './stage.ts';

const NAME = 'docker-networking';
const LABS: ReadonlyMap<string, Lab> = new Map([[NAME, lab]]);
const PATIENCE_MS = 120_000;
const FIRST = 'myapp2-on-ephemeral-port';

/** A step beside the lab's own, to be tried out; it has no check, and comes after all others. */
function made(id: string, ...actions: readonly StepAction[]): Step {
  return {
    id,
    page: 'docker-networks',
    heading: id,
    file: '',
    line: 0,
    actions,
    checks: [],
  };
}
/** A command that stays, and says when it has the terminal: a Ctrl-C before that is the shell's. */
const SLOW = "sh -c 'echo begun; exec sleep 600'";
const typed = (command: string): StepAction => ({
  kind: 'run',
  host: 'server01',
  command,
  line: 0,
});

let stage: Awaited<ReturnType<typeof openRuntime>>;
let store: Store;
let sessions: SessionManager;
const logged: string[] = [];

beforeAll(async () => {
  stage = await openRuntime(LABS);
  store = new Store(':memory:');
  const steps = (await loadAllSteps(PROJECT, LABS)).get(NAME) ?? [];
  const tried = [
    made('slow', typed(SLOW)),
    made('fails', typed('ls /nowhere'), typed('touch /tmp/too-far')),
    made('quick', typed('echo quick'), typed('echo twice\necho over')),
  ];
  sessions = new SessionManager({
    runtime: stage.runtime,
    store,
    labs: LABS,
    steps: new Map([[NAME, [...steps, ...tried]]]),
    sandboxesMost: 3,
    ...sessionParts((message, error) => void logged.push(`${message}: ${error}`)),
  });
  sessions.open();
});

afterAll(async () => {
  await sessions?.close(true);
  store[Symbol.dispose]();
  await stage?.[Symbol.asyncDispose]();
});

/** Settles with what is being done for a learner, or was, as soon as it is as `isWanted` says. */
async function guide(learner: string, isWanted: (view: GuideView) => boolean): Promise<GuideView> {
  const seen: GuideView[] = [];
  await heard(learner, (event) => {
    if (event.type === 'snapshot') seen.push(event.snapshot.guide);
    else if (event.type === 'guide') seen.push(event.guide);
    return seen.some(isWanted);
  });
  return seen.find(isWanted) ?? { state: 'idle' };
}

/** Settles at the first event that is the awaited one; rejects when the hosts fail meanwhile. */
async function heard(learner: string, isIt: (event: SessionEvent) => boolean): Promise<void> {
  const settled = Promise.withResolvers<void>();
  using _ = sessions.of(learner, NAME).subscribe((event) => {
    const status = statusIn(event);
    if (status?.state === 'failed') settled.reject(new Error(status.reason));
    if (isIt(event)) settled.resolve();
  });
  await settled.promise;
}

function statusIn(event: SessionEvent): SessionStatus | undefined {
  if (event.type === 'snapshot') return event.snapshot.status;
  return event.type === 'status' ? event.status : undefined;
}

const hasEnded = ({ state }: GuideView): boolean => state === 'done' || state === 'stopped';
const types =
  (command: string) =>
  (view: GuideView): boolean =>
    view.state === 'working' && view.deed?.kind === 'run' && view.says.includes(command);

async function ready(learner: string): Promise<void> {
  sessions.of(learner, NAME).start();
  await heard(learner, (event) => statusIn(event)?.state === 'ready');
}

function passesOf(learner: string): Record<string, 'assisted' | 'own'> {
  const { checks } = sessions.of(learner, NAME).snapshot();
  return Object.fromEntries(
    checks.flatMap((check) =>
      check.state === 'passed' ? [[check.id, check.assisted ? 'assisted' : 'own']] : [],
    ),
  );
}

function terminalOf(learner: string, title: string): Terminal {
  const { terminals } = sessions.of(learner, NAME).snapshot();
  const id = terminals.find((terminal) => terminal.title === title)?.id ?? '';
  return sessions.of(learner, NAME).terminal(id);
}

const screenOf = (terminal: Terminal): string => Buffer.from(terminal.outputSince(0)).toString();

/** A page that types into a terminal. */
function keyboard(terminal: Terminal): (text: string) => void {
  const listener = { wake() {}, sized() {}, closed() {}, drained() {} };
  const arrival = { client: 7n, attention: 'active', epoch: 0n, offset: 0 } as const;
  const { viewer } = terminal.attach(arrival, listener);
  return (text) => terminal.input(viewer, terminal.taken(7n), Buffer.from(text));
}

describe('a step that is done for the learner', () => {
  let learner: string;

  beforeAll(async () => {
    ({ learner } = store.createLearner());
    await ready(learner);
  }, PATIENCE_MS);

  test('is typed into their own terminal, and ticks as assisted', async () => {
    sessions.of(learner, NAME).doStep(FIRST);
    expect(await guide(learner, hasEnded)).toMatchObject({ state: 'done', purpose: 'step' });
    expect(passesOf(learner)).toEqual({ [FIRST]: 'assisted' });
    expect(screenOf(terminalOf(learner, 'server01'))).toContain('docker run -d --name myapp2');
    expect(sessions.of(learner, NAME).snapshot().terminals).toHaveLength(lab.hosts.length);
  });

  test('answers its question from what stands on the screen', async () => {
    sessions.of(learner, NAME).doStep('myapp2-port-read');
    expect(await guide(learner, hasEnded)).toMatchObject({ state: 'done' });
    expect(passesOf(learner)).toMatchObject({ 'myapp2-port-read': 'assisted' });
    expect(sessions.of(learner, NAME).snapshot().answers['myapp2-port-read']).toMatch(/^\d+$/);
  });

  test('opens its page in the browser pane, at the port of the moment', async () => {
    const opened = guide(learner, (view) => view.state === 'working' && isVisited(view.deed));
    sessions.of(learner, NAME).doStep('myapp2-page-opened');
    expect(await opened).toMatchObject({ deed: { visit: { outcome: 'page', status: 200 } } });
    expect(await guide(learner, hasEnded)).toMatchObject({ state: 'done' });
  });

  test('is the only one at a time, and every tab sees it', async () => {
    const elsewhere = guide(learner, types(SLOW));
    sessions.of(learner, NAME).doStep('slow');
    await expect(async () => sessions.of(learner, NAME).doStep('quick')).rejects.toMatchObject({
      code: 'GUIDE_BUSY',
    });
    expect(await elsewhere).toMatchObject({ step: 'slow', place: 1, of: 1 });
    sessions.of(learner, NAME).stopGuide();
    expect(await guide(learner, hasEnded)).toMatchObject({ reason: 'You stopped it.' });
    expect(sessions.of(learner, NAME).stopGuide()).toEqual({ state: 'idle' });
  });

  test('leaves a terminal to a learner who has something half typed there', async () => {
    const own = terminalOf(learner, 'server01');
    await expect.poll(() => own.prompt, { timeout: PATIENCE_MS }).toBe('clear');
    const type = keyboard(own);
    type('echo half');
    sessions.of(learner, NAME).doStep('quick');
    expect(await guide(learner, hasEnded)).toMatchObject({ state: 'done' });
    const other = screenOf(terminalOf(learner, 'server01 (2)'));
    for (const line of ['quick', 'twice', 'over']) expect(other).toContain(`\x07${line}\r\n`);
    type(' typed\r');
    await expect
      .poll(() => screenOf(own), { timeout: PATIENCE_MS })
      .toContain('\x07half typed\r\n');
  });

  test('stops when the learner presses Ctrl-C, and says so', async () => {
    sessions.of(learner, NAME).doStep('slow');
    const view = await guide(learner, types(SLOW));
    const id = view.state === 'working' && view.deed?.kind === 'run' ? view.deed.terminal : '';
    const terminal = sessions.of(learner, NAME).terminal(id);
    await expect
      .poll(() => screenOf(terminal), { timeout: PATIENCE_MS })
      .toContain('\x07begun\r\n');
    keyboard(terminal)('\x03');
    expect(await guide(learner, hasEnded)).toMatchObject({ reason: 'You stopped it with Ctrl-C.' });
  });

  test('gives way to a learner who types while it is typed, and mixes with nothing', async () => {
    sessions.of(learner, NAME).doStep('slow');
    const view = await guide(learner, types(SLOW));
    const id = view.state === 'working' && view.deed?.kind === 'run' ? view.deed.terminal : '';
    const terminal = sessions.of(learner, NAME).terminal(id);
    keyboard(terminal)('echo mi');
    expect(await guide(learner, hasEnded)).toMatchObject({
      reason: expect.stringContaining('the terminal is yours'),
    });
    keyboard(terminal)('ne\r');
    await expect.poll(() => screenOf(terminal), { timeout: PATIENCE_MS }).toContain('\x07mine\r\n');
  });

  test('ends at a command that fails, in plain words, and goes no further', async () => {
    sessions.of(learner, NAME).doStep('fails');
    expect(await guide(learner, hasEnded)).toMatchObject({
      state: 'stopped',
      step: 'fails',
      reason: expect.stringMatching(
        /^`ls \/nowhere` on server01 ended with status 2: .*No such file/,
      ),
    });
    expect(screenOf(terminalOf(learner, 'server01'))).not.toContain('too-far');
  });

  test('takes a known mistake out of the way first', async () => {
    const own = store.createLearner().learner;
    await ready(own);
    const terminal = terminalOf(own, 'server01');
    await expect.poll(() => terminal.prompt, { timeout: PATIENCE_MS }).toBe('clear');
    keyboard(terminal)('docker run -d --name myapp2 -p 8080:80 mycontainer:5.6\r');
    await expect
      .poll(
        () =>
          sessions
            .of(own, NAME)
            .snapshot()
            .checks.find(({ id }) => id === FIRST),
        {
          timeout: PATIENCE_MS,
        },
      )
      .toHaveProperty('wayOut');
    sessions.of(own, NAME).doStep(FIRST);
    expect(await guide(own, hasEnded)).toMatchObject({ state: 'done' });
    void sessions.of(own, NAME).end();
  });

  test('is none of another learner’s, and none that the lab does not have', async () => {
    const other = store.createLearner().learner;
    expect(() => sessions.of(other, NAME).doStep(FIRST)).toThrow(/not running/);
    expect(() => sessions.of(learner, NAME).doStep('rm -rf')).toThrow(/has no step rm -rf/);
    await expect(sessions.of(other, NAME).startFrom({ page: 'nowhere' })).rejects.toThrow(
      /no section nowhere/,
    );
    expect(sessions.of(other, NAME).snapshot().status).toEqual({ state: 'none' });
  });

  test('goes with the hosts: a reset leaves nothing of it', async () => {
    sessions.of(learner, NAME).doStep('slow');
    await guide(learner, types(SLOW));
    await sessions.of(learner, NAME).reset();
    const { status, guide: view } = sessions.of(learner, NAME).snapshot();
    expect([status.state, view]).toEqual(['starting', { state: 'idle' }]);
    void sessions.of(learner, NAME).end();
  });
});

describe('a start from a section', () => {
  test.each(lab.sections.map(({ page }, index) => ({ page, index })))(
    '$page: all before it is done for the learner, and nothing after it',
    async ({ page, index }) => {
      const { learner } = store.createLearner();
      await sessions.of(learner, NAME).startFrom({ page });
      expect(await guide(learner, hasEnded)).toMatchObject({ state: 'done', purpose: 'start' });
      const before = lab.sections.slice(0, index).flatMap(({ checks }) => checks);
      expect(passesOf(learner)).toEqual(
        Object.fromEntries(before.map(({ id }) => [id, 'assisted'])),
      );
      void sessions.of(learner, NAME).end();
      await gone();
    },
    PATIENCE_MS,
  );

  test('keeps what the learner has passed by themselves, and opens again what was done for them', async () => {
    const { learner } = store.createLearner();
    await ready(learner);
    const terminal = terminalOf(learner, 'server01');
    await expect.poll(() => terminal.prompt, { timeout: PATIENCE_MS }).toBe('clear');
    keyboard(terminal)('docker run -d --name myapp2 -p :80 mycontainer:5.6\r');
    await expect
      .poll(() => passesOf(learner), { timeout: PATIENCE_MS })
      .toEqual({ [FIRST]: 'own' });
    await sessions.of(learner, NAME).startFrom({ step: 'myapp2-page-opened' });
    expect(await guide(learner, hasEnded)).toMatchObject({ state: 'done', of: 2 });
    const reached = { [FIRST]: 'own', 'myapp2-port-read': 'assisted' };
    expect(passesOf(learner)).toEqual(reached);
    await sessions.of(learner, NAME).startFrom({ page: 'ephemeral-ports' });
    expect(await guide(learner, hasEnded)).toMatchObject({ state: 'done', of: 0 });
    expect(passesOf(learner)).toEqual({ [FIRST]: 'own' });
    void sessions.of(learner, NAME).end();
    await gone();
  });
});

test('nothing went wrong behind the scenes', () => {
  expect(logged).toEqual([]);
});

const isVisited = (deed: { kind: string; visit?: unknown } | undefined): boolean =>
  deed?.kind === 'open' && deed.visit !== undefined;

async function gone(): Promise<void> {
  await expect
    .poll(() => liveSandboxes(stage.runtime, store.instance), { timeout: PATIENCE_MS })
    .toEqual([]);
}
