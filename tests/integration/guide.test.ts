import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Lab } from '#lab';
import type { GuideView } from '#protocol';
import type { Step, StepAction } from '#steps';
import { labFolders } from '../../server/labs/folders.ts';
import { loadAllSteps } from '../../server/labs/loader.ts';
import type { LearnerSession } from '../../server/session/sessions.ts';
import type { Terminal } from '../../server/terminal/terminal.ts';
import { lab } from '../../src/content/docs/labs/docker-networking/lab.ts';
import { openApp, PROJECT, started, type TestApp, until } from './stage.ts';

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

/** Each is one command of several lines. */
const FORMS = [
  'for i in 1 2 3; do\n  echo "form 0 d"one\ndone',
  'if true; then\n  echo "form 1 d"one\nfi',
  'echo "form 2 d"one |\ncat',
  'echo "form 3 \nform 3 d"one',
  '{\n  echo "form 4 d"one\n}',
  "cat <<\\EOF | tr _ ' '\nform_5_done\nEOF",
  'true &&\necho "form 6 d"one',
  'f() {\n  echo "form 7 d"one\n}\nf',
];

let app: TestApp;

beforeAll(async () => {
  const steps = (await loadAllSteps(labFolders(PROJECT), LABS)).get(NAME) ?? [];
  const tried = [
    made('slow', typed(SLOW)),
    made('fails', typed('ls /nowhere'), typed('touch /tmp/too-far')),
    made('forms', ...FORMS.map(typed)),
    made('asks', typed('docker network prune'), typed('touch /tmp/answered')),
    made('numbered', typed('echo "docker0 has {docker0-address}"')),
    made('quick', typed('echo quick'), typed('echo twice\necho over')),
  ];
  app = await openApp({ labs: LABS, steps: new Map([[NAME, [...steps, ...tried]]]), sandboxes: 3 });
});

afterAll(() => app?.[Symbol.asyncDispose]());

/** Settles with what is being done for a learner, or was, as soon as it is as `isWanted` says. */
async function guide(
  session: LearnerSession,
  isWanted: (view: GuideView) => boolean,
): Promise<GuideView> {
  const seen: GuideView[] = [];
  using _ = session.observe((event) => {
    if (event.type === 'snapshot') seen.push(event.snapshot.guide);
    else if (event.type === 'guide') seen.push(event.guide);
  });
  await until(session, 'the guide to be so', () => seen.some(isWanted));
  return seen.find(isWanted) ?? { state: 'idle' };
}

const hasEnded = ({ state }: GuideView): boolean => state === 'done' || state === 'stopped';
const types =
  (command: string) =>
  (view: GuideView): boolean =>
    view.state === 'working' && view.deed?.kind === 'run' && view.says.includes(command);

function passesOf(session: LearnerSession): Record<string, 'assisted' | 'own'> {
  const { checks } = session.snapshot();
  return Object.fromEntries(
    checks.flatMap((check) =>
      check.state === 'passed' ? [[check.id, check.assisted ? 'assisted' : 'own']] : [],
    ),
  );
}

function terminalOf(session: LearnerSession, title: string): Terminal {
  const { terminals } = session.snapshot();
  const id = terminals.find((terminal) => terminal.title === title)?.id ?? '';
  return session.terminal(id);
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
  let session: LearnerSession;

  beforeAll(async () => {
    ({ session } = app.newLearner(NAME));
    await started(session);
  });

  /** What a step builds on is done, by an earlier test or now. */
  const isDone = async (step: string): Promise<void> => {
    if (step in passesOf(session)) return;
    session.doStep(step);
    expect(await guide(session, hasEnded)).toMatchObject({ state: 'done' });
  };

  test('is typed into their own terminal, and ticks as assisted', async () => {
    session.doStep(FIRST);
    expect(await guide(session, hasEnded)).toMatchObject({ state: 'done', purpose: 'step' });
    expect(passesOf(session)).toEqual({ [FIRST]: 'assisted' });
    expect(screenOf(terminalOf(session, 'server01'))).toContain('docker run -d --name myapp2');
    expect(session.snapshot().terminals).toHaveLength(lab.hosts.length);
  });

  test('answers its question from what is on the screen', async () => {
    await isDone(FIRST);
    session.doStep('myapp2-port-read');
    expect(await guide(session, hasEnded)).toMatchObject({ state: 'done' });
    expect(passesOf(session)).toMatchObject({ 'myapp2-port-read': 'assisted' });
    expect(session.snapshot().answers['myapp2-port-read']).toMatch(/^\d+$/);
  });

  test('opens its page in the browser pane, at the port of the moment', async () => {
    await isDone(FIRST);
    const opened = guide(session, (view) => view.state === 'working' && isVisited(view.deed));
    session.doStep('myapp2-page-opened');
    expect(await opened).toMatchObject({ deed: { visit: { outcome: 'page', status: 200 } } });
    expect(await guide(session, hasEnded)).toMatchObject({ state: 'done' });
  });

  test('is the only one at a time, and every tab sees it', async () => {
    const elsewhere = guide(session, types(SLOW));
    session.doStep('slow');
    await expect(async () => session.doStep('quick')).rejects.toMatchObject({
      code: 'GUIDE_BUSY',
    });
    expect(await elsewhere).toMatchObject({ step: 'slow', place: 1, of: 1 });
    session.stopGuide();
    expect(await guide(session, hasEnded)).toMatchObject({ reason: 'You stopped it.' });
    expect(session.stopGuide()).toEqual({ state: 'idle' });
  });

  test('puts aside what is half typed where it types, and brings back nothing of it', async () => {
    const own = terminalOf(session, 'server01');
    await expect.poll(() => own.prompt, { timeout: PATIENCE_MS }).toBe('clear');
    const type = keyboard(own);
    type('echo half');
    session.doStep('quick');
    expect(await guide(session, hasEnded)).toMatchObject({ state: 'done' });
    for (const line of ['quick', 'twice', 'over']) {
      expect(screenOf(own)).toContain(`\x07${line}\r\n`);
    }
    type('\x19 typed\r');
    await expect
      .poll(() => screenOf(own), { timeout: PATIENCE_MS })
      .toContain('\x07half typed\r\n');
  });

  test('takes each command of a block as a whole, in all its forms', async () => {
    session.doStep('forms');
    expect(await guide(session, hasEnded)).toMatchObject({ state: 'done' });
    const screens = session
      .snapshot()
      .terminals.map(({ id }) => screenOf(session.terminal(id)))
      .join('');
    for (const form of FORMS.keys()) expect(screens).toContain(`form ${form} done`);
  });

  test('has the hosts’ own numbers in what is typed', async () => {
    const seen = guide(session, types('echo "docker0 has 172.17.0.1"'));
    session.doStep('numbered');
    expect(await seen).toMatchObject({ step: 'numbered' });
    expect(await guide(session, hasEnded)).toMatchObject({ state: 'done' });
  });

  test('that asks is said to ask, and goes on once the learner has answered', async () => {
    const asks = (view: GuideView) => view.state === 'working' && view.says.includes(' asks: ');
    session.doStep('asks');
    const view = await guide(session, asks);
    expect(view).toMatchObject({
      says: expect.stringMatching(
        /^`docker network prune` on server01 asks: .*\[y\/N\]\. Answer it in the terminal\.$/,
      ),
    });
    const id = view.state === 'working' && view.deed?.kind === 'run' ? view.deed.terminal : '';
    keyboard(session.terminal(id))('n\r');
    expect(await guide(session, hasEnded)).toMatchObject({ state: 'done' });
  });

  test('stops when the learner presses Ctrl-C, and says so', async () => {
    session.doStep('slow');
    const view = await guide(session, types(SLOW));
    const id = view.state === 'working' && view.deed?.kind === 'run' ? view.deed.terminal : '';
    const terminal = session.terminal(id);
    await expect
      .poll(() => screenOf(terminal), { timeout: PATIENCE_MS })
      .toContain('\x07begun\r\n');
    keyboard(terminal)('\x03');
    expect(await guide(session, hasEnded)).toMatchObject({ reason: 'You stopped it with Ctrl-C.' });
  });

  test('gives way to a learner who types while it is typed, and mixes with nothing', async () => {
    session.doStep('slow');
    const view = await guide(session, types(SLOW));
    const id = view.state === 'working' && view.deed?.kind === 'run' ? view.deed.terminal : '';
    const terminal = session.terminal(id);
    keyboard(terminal)('echo mi');
    expect(await guide(session, hasEnded)).toMatchObject({
      reason: expect.stringContaining('the terminal is yours'),
    });
    keyboard(terminal)('ne\r');
    await expect.poll(() => screenOf(terminal), { timeout: PATIENCE_MS }).toContain('\x07mine\r\n');
  });

  test('ends at a command that fails, in plain words, and goes no further', async () => {
    session.doStep('fails');
    expect(await guide(session, hasEnded)).toMatchObject({
      state: 'stopped',
      step: 'fails',
      reason: expect.stringMatching(
        /^`ls \/nowhere` on server01 ended with status 2: .*No such file/,
      ),
    });
    expect(screenOf(terminalOf(session, 'server01'))).not.toContain('too-far');
  });

  test('does first what it stands on, and leaves what it does not', async () => {
    const { session: own } = app.newLearner(NAME);
    await started(own);
    const first = guide(own, (view) => view.state === 'working' && view.says.startsWith('First'));
    own.doStep('own-bridge-container');
    expect(await first).toMatchObject({ step: 'own-bridge-created', place: 1, of: 2 });
    expect(await guide(own, hasEnded)).toMatchObject({ state: 'done', purpose: 'step' });
    expect(passesOf(own)).toEqual({
      'own-bridge-created': 'assisted',
      'own-bridge-container': 'assisted',
    });
    await own.end();
  });

  test('takes a known mistake out of the way first', async () => {
    const { session: own } = app.newLearner(NAME);
    await started(own);
    const terminal = terminalOf(own, 'server01');
    await expect.poll(() => terminal.prompt, { timeout: PATIENCE_MS }).toBe('clear');
    keyboard(terminal)('docker run -d --name myapp2 -p 8080:80 mycontainer:5.6\r');
    await until(own, 'a fix to be offered', ({ checks }) =>
      checks.some((check) => check.id === FIRST && 'wayOut' in check),
    );
    own.doStep(FIRST);
    expect(await guide(own, hasEnded)).toMatchObject({ state: 'done' });
    await own.end();
  });

  test('is none of another learner’s, and none that the lab does not have', async () => {
    const { session: other } = app.newLearner(NAME);
    expect(() => other.doStep(FIRST)).toThrow(/not running/);
    expect(() => session.doStep('rm -rf')).toThrow(/has no step rm -rf/);
    await expect(other.startFrom({ page: 'nowhere' })).rejects.toThrow(/no section nowhere/);
    expect(other.snapshot().status).toEqual({ state: 'none' });
  });

  test('goes with the hosts: a reset leaves nothing of it', async () => {
    session.doStep('slow');
    await guide(session, types(SLOW));
    await session.reset();
    const { status, guide: view } = session.snapshot();
    expect([status.state, view]).toEqual(['starting', { state: 'idle' }]);
    await session.end();
  });
});

describe('a start from a section', () => {
  test.each(lab.sections.map(({ page }, index) => ({ page, index })))(
    '$page: all before it is done for the learner, and nothing after it',
    async ({ page, index }) => {
      const { session } = app.newLearner(NAME);
      await session.startFrom({ page });
      expect(await guide(session, hasEnded)).toMatchObject({ state: 'done', purpose: 'start' });
      const before = lab.sections.slice(0, index).flatMap(({ checks }) => checks);
      expect(passesOf(session)).toEqual(
        Object.fromEntries(before.map(({ id }) => [id, 'assisted'])),
      );
      await session.end();
    },
    PATIENCE_MS,
  );

  test('keeps what the learner has passed by themselves, and opens again what was done for them', async () => {
    const { session } = app.newLearner(NAME);
    await started(session);
    const terminal = terminalOf(session, 'server01');
    await expect.poll(() => terminal.prompt, { timeout: PATIENCE_MS }).toBe('clear');
    keyboard(terminal)('docker run -d --name myapp2 -p :80 mycontainer:5.6\r');
    await expect
      .poll(() => passesOf(session), { timeout: PATIENCE_MS })
      .toEqual({ [FIRST]: 'own' });
    await session.startFrom({ step: 'myapp2-page-opened' });
    expect(await guide(session, hasEnded)).toMatchObject({ state: 'done', of: 2 });
    const reached = { [FIRST]: 'own', 'myapp2-port-read': 'assisted' };
    expect(passesOf(session)).toEqual(reached);
    await session.startFrom({ page: 'ephemeral-ports' });
    expect(await guide(session, hasEnded)).toMatchObject({ state: 'done', of: 0 });
    expect(passesOf(session)).toEqual({ [FIRST]: 'own' });
    await session.end();
  });
});

const isVisited = (deed: { kind: string; visit?: unknown } | undefined): boolean =>
  deed?.kind === 'open' && deed.visit !== undefined;
