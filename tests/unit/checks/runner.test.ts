import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  CouldNotCheck,
  check,
  notYet,
  passed,
  passOf,
  type SandboxView,
  type SignalBody,
  value,
} from '#lab';
import { CheckStage, containerSignal, containerView, LABS_OWN, labWith } from './stage.ts';

/** The clocks that a test takes in its hands; turns of the event loop stay real. */
const TIMERS = ['setTimeout', 'clearTimeout', 'performance'] as const;
/** The least time between two rounds, and a little. */
const GAP_MS = 20;

/** Published views go out with the next turn of the loop. */
const nextTurn = () => new Promise<void>((settle) => setImmediate(settle));

const runs = async (sandbox: SandboxView, name: string, host = 'one') =>
  (await sandbox.host(host).container(name))?.running ? passed() : notYet(`No ${name} yet.`);

describe('a check', () => {
  test('that could not check says why, and is never called wrong', async () => {
    const test = () => Promise.reject(new CouldNotCheck('one is paused.'));
    using stage = new CheckStage(labWith([check('step', { title: 't', test })]));
    await stage.runner.ask('step');
    expect(stage.view('step')).toEqual({
      id: 'step',
      state: 'unknown',
      reason: 'Could not check: one is paused. It is tried again by itself.',
    });
  });

  test('that passes while a guide does the steps says that it was no work of the learner', async () => {
    using stage = new CheckStage(labWith([check('step', { title: 't', test: () => passed() })]));
    stage.assisted = 'start';
    await stage.runner.ask('step');
    expect(stage.view('step')).toMatchObject({ state: 'passed', assisted: true, help: 'start' });
  });

  test('with a defect says so, and takes it off the learner', async () => {
    const test = () => Promise.reject(new TypeError('x is undefined'));
    using stage = new CheckStage(labWith([check('step', { title: 't', test })]));
    await stage.runner.ask('step');
    expect(stage.view('step')).toMatchObject({
      state: 'unknown',
      reason: expect.stringMatching(/has a defect \(TypeError: x is undefined\).*not at fault/),
    });
  });

  test('with a defect says where in the lab it is', async () => {
    const test = () => Promise.reject(new TypeError('x is undefined'));
    const source = {
      ...{ files: async () => [], placeOf: () => '' },
      placeIn: (stack: string) =>
        stack.includes('x is undefined') ? 'my-lab/lab.ts:7' : undefined,
    };
    using stage = new CheckStage({ ...labWith([check('step', { title: 't', test })]), source });
    await stage.runner.ask('step');
    expect(stage.view('step')).toMatchObject({
      reason: expect.stringContaining('(TypeError: x is undefined at my-lab/lab.ts:7).'),
    });
  });

  test('repeats no more of what a host has said than a page can show', async () => {
    const long = 'x'.repeat(1_000_000);
    const fix = { host: 'one', command: `docker rm ${long}` };
    const lab = labWith(
      [
        check('says', { title: 't', test: () => notYet(`${long} is not right.`, fix) }),
        check('fails', { title: 't', test: () => Promise.reject(new Error(long)) }),
      ],
      { long: value('<long>', async () => long) },
    );
    using stage = new CheckStage(lab);
    stage.runner.wake();
    await stage.runner.settled();
    expect(JSON.stringify(stage.runner.checks).length).toBeLessThan(5_000);
    expect(stage.view('says')).not.toHaveProperty('wayOut');
    expect(stage.runner.values[0]?.text).toHaveLength(4_096);
  });

  test('never runs twice at once, and signals during a run make one more', async () => {
    let count = 0;
    let atOnce = 0;
    let most = 0;
    const gate = Promise.withResolvers<void>();
    const test = async (sandbox: SandboxView) => {
      count++;
      most = Math.max(most, ++atOnce);
      await gate.promise;
      await sandbox.host('one').routes();
      atOnce--;
      return notYet('still');
    };
    using stage = new CheckStage(labWith([check('step', { title: 't', test })]));
    const first = stage.runner.ask('step');
    for (let i = 0; i < 10; i++) stage.signal({ kind: 'route', host: 'one', change: `${i}` });
    gate.resolve();
    await first;
    await stage.runner.settled();
    expect({ count, most }).toEqual({ count: 2, most: 1 });
  });

  test('is not asked again for a signal during its run that it does not look at', async () => {
    let count = 0;
    const gate = Promise.withResolvers<void>();
    const test = async (sandbox: SandboxView) => {
      count++;
      await gate.promise;
      await sandbox.host('one').routes();
      return notYet('still');
    };
    using stage = new CheckStage(labWith([check('step', { title: 't', test })]));
    const first = stage.runner.ask('step');
    stage.signal({ kind: 'route', host: 'two', change: '' });
    gate.resolve();
    await first;
    await stage.runner.settled();
    expect(count).toBe(1);
  });

  test('that hangs holds up no other, and could not check at its deadline', async () => {
    vi.useFakeTimers({ toFake: [...TIMERS] });
    onTestFinished(() => void vi.useRealTimers());
    using stage = new CheckStage(
      labWith([
        check('hangs', { title: 't', test: (sandbox) => runs(sandbox, 'web') }),
        check('quick', { title: 't', test: () => passed() }),
      ]),
    );
    stage.host('one').before = () => new Promise(() => undefined);
    const run = stage.runner.ask('hangs');
    await stage.runner.ask('quick');
    await nextTurn();
    await nextTurn();
    expect(stage.checks).toMatchObject([{ id: 'quick', state: 'passed' }]);
    await vi.advanceTimersByTimeAsync(5_000);
    await run;
    expect(stage.view('hangs')).toMatchObject({
      state: 'unknown',
      reason: expect.stringContaining('one did not answer within 5 seconds'),
    });
  });

  test('tells only what changed', async () => {
    const lab = labWith([check('step', { title: 't', test: () => notYet('still') })], {
      file: value('<file>', async (sandbox) => (await sandbox.host('one').read('/f')) || undefined),
    });
    using stage = new CheckStage(lab);
    stage.runner.wake();
    await stage.runner.settled();
    stage.runner.wake();
    await stage.runner.settled();
    stage.host('one').files['/f'] = '32768';
    stage.runner.wake();
    await stage.runner.settled();
    await nextTurn();
    expect(stage.checks).toHaveLength(1);
    expect(stage.values).toEqual([{ id: 'file' }, { id: 'file', text: '32768' }]);
  });
});

describe('a signal wakes', () => {
  const asked: string[] = [];
  const look = (id: string, at: (sandbox: SandboxView) => unknown) =>
    check(id, {
      title: id,
      test: async (sandbox) => {
        asked.push(id);
        await at(sandbox);
        return notYet('still');
      },
    });
  const LAB = labWith([
    look('container', ({ host }) => host('one').container('web')),
    look('networks', ({ host }) => host('one').networks()),
    look('elsewhere', ({ host }) => host('two').containers()),
    look('routes', ({ host }) => host('one').routes()),
    look('file', ({ host }) => host('one').read('/etc/hosts')),
    look('visits', ({ journal }) => journal.all('visit')),
    look('answers', ({ journal }) => journal.last('answer')),
    look('execs', ({ journal }) => journal.all('container')),
    look('nothing', () => undefined),
    look('fails', () => Promise.reject(new Error('x'))),
  ]);
  /** Every signal wakes what has no answer. */
  const ALWAYS = 'fails';

  test.each([
    [
      'a container’s start: what looks at that host’s containers, files, or the journal of them',
      containerSignal('one', 'start', 'web'),
      ['container', 'networks', 'file', 'execs'],
    ],
    [
      'a command inside a container: the journal of it alone',
      containerSignal('one', 'exec_start', 'web'),
      ['execs'],
    ],
    ['a start elsewhere', containerSignal('two', 'start', 'web'), ['elsewhere', 'execs']],
    ['a route', { kind: 'route', host: 'one', change: '' } as const, ['routes', 'file']],
    [
      'a command line: files and routes, for which no other signal may come',
      { kind: 'command', host: 'one', terminal: 't', line: 'ls', status: 0 } as const,
      ['routes', 'file'],
    ],
    [
      'a file that was saved in the editor: as after a command line',
      { kind: 'file', host: 'one', path: '/home/learner/a' } as const,
      ['routes', 'file'],
    ],
    ['an answer', { kind: 'answer', check: 'c', text: 't' } as const, ['answers']],
    [
      'a host that came back: everything of it',
      { kind: 'host', host: 'one', change: 'engine-up' } as const,
      ['container', 'networks', 'routes', 'file'],
    ],
  ])('%s', async (_, signal, expected) => {
    using stage = new CheckStage(LAB);
    stage.runner.wake();
    await stage.runner.settled();
    asked.length = 0;
    stage.signal(signal);
    await stage.runner.settled();
    expect(asked.toSorted()).toEqual([...expected, ALWAYS].toSorted());
  });

  test('what looks at passes, when a check is passed', async () => {
    const second = check('second', {
      title: 't',
      test: ({ journal }) =>
        journal.last('pass', (pass) => pass.check === 'first') ? passed() : notYet('first, first'),
    });
    const first = check('first', { title: 't', test: (sandbox) => runs(sandbox, 'web') });
    using stage = new CheckStage(labWith([second, first]));
    stage.runner.wake();
    await stage.runner.settled();
    stage.host('one').containers = [containerView({ name: 'web' })];
    stage.signal(containerSignal('one', 'start', 'web'));
    await stage.runner.settled();
    expect(stage.view('second')?.state).toBe('passed');
  });

  test('one round, when several come together', async () => {
    using stage = new CheckStage(LAB);
    stage.runner.wake();
    await stage.runner.settled();
    asked.length = 0;
    for (const action of ['create', 'start', 'die']) {
      stage.signal(containerSignal('one', action, 'web'));
    }
    await stage.runner.settled();
    expect(asked.filter((id) => id === 'container')).toHaveLength(1);
  });
});

describe('a failure behind the checks', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: [...TIMERS] }));
  afterEach(() => void vi.useRealTimers());
  const PASSES = labWith([check('step', { title: 't', test: () => passed() })], {
    one: value('<one>', async () => '1'),
  });
  const again = async (stage: CheckStage) => {
    await vi.advanceTimersByTimeAsync(30_000);
    await stage.runner.settled();
    await nextTurn();
  };

  test('to keep a pass is logged, and the pass is tried again', async () => {
    using stage = new CheckStage(PASSES);
    stage.failing = { onPass: new Error('database is locked') };
    stage.runner.wake();
    await stage.runner.settled();
    await nextTurn();
    expect(stage.failures).toEqual(['keep a pass: database is locked']);
    expect(stage.view('step')?.state).not.toBe('passed');
    stage.failing = {};
    await again(stage);
    expect(stage.view('step')?.state).toBe('passed');
    expect([...stage.passes.keys()]).toEqual(['step']);
  });

  test('to keep a pass is not the failure of whoever asked the check', async () => {
    using stage = new CheckStage(PASSES);
    stage.failing = { onPass: new Error('database is locked') };
    await stage.runner.ask('step');
    expect(stage.failures).toEqual(['keep a pass: database is locked']);
  });

  test('of one listener is logged, and the others are told all the same', async () => {
    using stage = new CheckStage(PASSES);
    stage.failing = { onChecks: new Error('socket gone') };
    stage.runner.wake();
    await stage.runner.settled();
    await nextTurn();
    expect(stage.failures).toEqual(['tell of checks: socket gone']);
    expect(stage.values).toEqual([{ id: 'one', text: '1' }]);
  });

  test('to look at the hosts at all is logged, and the checks are asked again', async () => {
    using stage = new CheckStage(PASSES);
    stage.failing = { view: new Error('no such host') };
    stage.runner.wake();
    await stage.runner.settled();
    expect(stage.failures).toEqual(['checks: no such host']);
    stage.failing = {};
    await again(stage);
    expect(stage.view('step')?.state).toBe('passed');
  });
});

describe('in time,', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: [...TIMERS, 'Date'] }));
  afterEach(() => void vi.useRealTimers());
  /** Lets fake time pass, and what falls due in it run to its end. */
  const pass = async (stage: CheckStage, milliseconds: number) => {
    await vi.advanceTimersByTimeAsync(milliseconds);
    await vi.advanceTimersByTimeAsync(GAP_MS);
    await stage.runner.settled();
    await nextTurn();
  };
  const WEB = labWith([check('web', { title: 't', test: (sandbox) => runs(sandbox, 'web') })]);

  test('is asked in the rhythm that it wants, while it is open and somebody has a page of the lab', async () => {
    const beats = async ({ host }: SandboxView) =>
      (await host('one').script('…')).status === 0 ? passed() : notYet('No beat yet.');
    using stage = new CheckStage(
      labWith([check('beats', { title: 't', every: '2s', test: beats })]),
    );
    const host = stage.host('one');
    stage.runner.wake();
    await pass(stage, 10_500);
    expect(host.asked).toBe(6);
    stage.hasPage = false;
    await pass(stage, 10_000);
    expect(host.asked).toBe(6);
    stage.hasPage = true;
    host.system = 'beats';
    await pass(stage, 2_000);
    expect([host.asked, stage.view('beats')?.state]).toEqual([7, 'passed']);
    await pass(stage, 5_000);
    expect(host.asked).toBe(7);
  });

  test('who reaches whom is asked again for what happens on any host, but for visits and looks inside', async () => {
    const reached = async ({ host }: SandboxView) =>
      (await host('one').probe('10.0.0.2')).status === 0 ? passed() : notYet('No answer.');
    using stage = new CheckStage(labWith([check('reached', { title: 't', test: reached })]));
    const host = stage.host('one');
    stage.runner.wake();
    const askedFor = async (signal: SignalBody) => {
      await pass(stage, 2_000);
      const before = host.asked;
      stage.signal(signal);
      await pass(stage, 500);
      return host.asked - before;
    };
    const [on, name, id] = ['two', 'web', 'f00d'];
    const network = { kind: 'network', host: on, action: 'connect', id, name } as const;
    expect(await askedFor({ kind: 'route', host: on, change: '' })).toBe(1);
    expect(await askedFor(network)).toBe(1);
    expect(await askedFor(containerSignal(on, 'start', name))).toBe(1);
    expect(await askedFor({ kind: 'host', host: on, change: 'started' })).toBe(1);
    expect(await askedFor(containerSignal(on, 'exec_start', name))).toBe(0);
    expect(await askedFor({ kind: 'answer', check: 'q', text: '' })).toBe(0);
    const line = { kind: 'command', host: on, terminal: 't', line: 'x &', status: 0 } as const;
    expect(await askedFor(line)).toBe(1);
    await pass(stage, 1_000);
    const before = host.asked;
    host.system = 'answers';
    stage.signal(line);
    await pass(stage, 100);
    expect([host.asked - before, stage.view('reached')?.state]).toEqual([1, 'passed']);
  });

  test('what a command has left in the background is there a moment later, and is asked for then', async () => {
    const listening = async ({ host }: SandboxView) =>
      (await host('one').ask(['ss', '-Hltnp'])).output === '' ? notYet('Nothing yet.') : passed();
    using stage = new CheckStage(labWith([check('port', { title: 't', test: listening })]));
    const host = stage.host('one');
    stage.runner.wake();
    await pass(stage, 200);
    const run = (on: string) =>
      stage.signal({ kind: 'command', host: on, terminal: 't', line: 'nc -l 80 &', status: 0 });
    run('two');
    await pass(stage, 1_000);
    expect(host.asked).toBe(1);
    for (const _ of Array(5)) run('one');
    await pass(stage, 100);
    expect(host.asked).toBe(2);
    host.system = 'LISTEN';
    await pass(stage, 900);
    expect([host.asked, stage.view('port')?.state]).toEqual([3, 'passed']);
    run('one');
    await pass(stage, 20_000);
    // Once for the command itself: what is passed is in no hurry.
    expect(host.asked).toBe(4);
  });

  test('a check that could not be asked is asked again by itself', async () => {
    using stage = new CheckStage(WEB);
    const host = stage.host('one');
    host.containers = [containerView({ name: 'web' })];
    host.before = () => Promise.reject(new CouldNotCheck('one is paused.'));
    stage.runner.wake();
    await pass(stage, 0);
    expect(stage.view('web')?.state).toBe('unknown');
    host.before = async () => undefined;
    await pass(stage, 2_000);
    expect(stage.view('web')?.state).toBe('passed');
  });

  test('a world that changes without a signal is seen by the slow pass', async () => {
    using stage = new CheckStage(WEB);
    stage.runner.wake();
    await pass(stage, 0);
    stage.host('one').containers = [containerView({ name: 'web' })];
    await pass(stage, 29_000);
    expect(stage.view('web')?.state).toBe('not-yet');
    await pass(stage, 1_000);
    expect(stage.view('web')?.state).toBe('passed');
  });

  test('a container that has only just started counts once it has stayed up', async () => {
    using stage = new CheckStage(WEB);
    stage.host('one').containers = [containerView({ name: 'web', startedAt: Date.now() })];
    stage.runner.wake();
    await pass(stage, 0);
    expect(stage.view('web')).toMatchObject({
      state: 'not-yet',
      reason: expect.stringContaining('web has only just started'),
    });
    await pass(stage, 2_000);
    expect(stage.view('web')?.state).toBe('passed');
  });

  test('a container that exits after a second never ticks', async () => {
    using stage = new CheckStage(WEB);
    stage.host('one').containers = [containerView({ name: 'web', startedAt: Date.now() })];
    stage.signal(containerSignal('one', 'start', 'web'));
    await pass(stage, 1_000);
    stage.host('one').containers = [containerView({ name: 'web', running: false })];
    stage.signal(containerSignal('one', 'die', 'web'));
    await pass(stage, 10_000);
    expect(stage.view('web')).toMatchObject({ state: 'not-yet', reason: 'No web yet.' });
    expect(stage.checks.some(({ state }) => state === 'passed')).toBe(false);
  });

  test('a container that was seen when it had only just started does not tick, however late the answer', async () => {
    const answer = Promise.withResolvers<void>();
    const late = async (sandbox: SandboxView) => {
      const verdict = await runs(sandbox, 'web');
      await answer.promise;
      return verdict;
    };
    using stage = new CheckStage(labWith([check('web', { title: 't', test: late })]));
    stage.host('one').containers = [containerView({ name: 'web', startedAt: Date.now() })];
    stage.runner.wake();
    await vi.advanceTimersByTimeAsync(3_000);
    stage.host('one').containers = [];
    answer.resolve();
    await pass(stage, 1_000);
    expect(stage.view('web')).toMatchObject({ state: 'not-yet', reason: 'No web yet.' });
    expect(stage.checks.some(({ state }) => state === 'passed')).toBe(false);
  });

  test('a container that its restart policy keeps starting never ticks, however long a run lasts', async () => {
    using stage = new CheckStage(WEB);
    for (let restarts = 0; restarts < 4; restarts++) {
      const up = containerView({ name: 'web', restarts, startedAt: Date.now() });
      stage.host('one').containers = [restarts === 0 ? up : { ...up, ...LABS_OWN }];
      stage.signal(containerSignal('one', 'start', 'web'));
      await pass(stage, restarts === 0 ? 1_500 : 9_000);
      stage.host('one').containers = [{ ...up, running: false, status: 'restarting' }];
      stage.signal(containerSignal('one', 'die', 'web'));
      await pass(stage, 1_000);
    }
    expect(stage.checks.some(({ state }) => state === 'passed')).toBe(false);
  });

  test.each([
    ['the lab’s own program', LABS_OWN, 0],
    ['one that has been up', {}, -60_000],
  ])('%s ticks at once', async (_, made, startedAt) => {
    using stage = new CheckStage(WEB);
    stage.host('one').containers = [
      containerView({ name: 'web', ...made, startedAt: Date.now() + startedAt }),
    ];
    stage.signal(containerSignal('one', 'start', 'web'));
    await stage.runner.settled();
    expect(stage.view('web')?.state).toBe('passed');
  });

  test('the lab’s own program on the host’s network waits: its port may be taken', async () => {
    using stage = new CheckStage(WEB);
    stage.host('one').containers = [
      containerView({ name: 'web', ...LABS_OWN, networkMode: 'host', startedAt: Date.now() }),
    ];
    stage.runner.wake();
    await pass(stage, 0);
    expect(stage.view('web')?.state).toBe('not-yet');
    await pass(stage, 2_000);
    expect(stage.view('web')?.state).toBe('passed');
  });

  test('a pass holds, and says since what it would not pass any more', async () => {
    using stage = new CheckStage(WEB);
    stage.host('one').containers = [containerView({ name: 'web' })];
    stage.runner.wake();
    await pass(stage, 0);
    const passedAt = stage.passes.get('web')?.at;
    stage.host('one').containers = [];
    stage.signal(containerSignal('one', 'destroy', 'web'));
    await pass(stage, 500);
    expect(stage.view('web')).toEqual({ id: 'web', state: 'passed', passedAt, moved: 'No web.' });
    stage.host('one').containers = [containerView({ name: 'web' })];
    stage.signal(containerSignal('one', 'start', 'web'));
    await pass(stage, 500);
    expect(stage.view('web')).toEqual({ id: 'web', state: 'passed', passedAt });
  });

  test('a pass says nothing of now while nobody answers', async () => {
    using stage = new CheckStage(WEB);
    stage.host('one').containers = [containerView({ name: 'web' })];
    stage.runner.wake();
    await pass(stage, 0);
    stage.host('one').before = () => Promise.reject(new CouldNotCheck('one is paused.'));
    stage.signal({ kind: 'host', host: 'one', change: 'paused' });
    await pass(stage, 500);
    expect(stage.view('web')).not.toHaveProperty('moved');
  });

  test('what has happened cannot move', async () => {
    const visited = check('visited', {
      title: 't',
      test: async (sandbox) => {
        if (!(await sandbox.host('one').container('web'))) return notYet('No web yet.');
        return sandbox.journal.last('visit') ? passed() : notYet('not visited');
      },
    });
    using stage = new CheckStage(labWith([visited]));
    stage.host('one').containers = [containerView({ name: 'web', startedAt: Date.now() })];
    stage.signal({
      kind: 'visit',
      from: 'one',
      url: 'http://one/',
      hostname: 'one',
      port: 80,
      outcome: 'page',
    });
    await pass(stage, 0);
    expect(stage.view('visited')?.state).toBe('passed');
    stage.host('one').containers = [];
    stage.signal(containerSignal('one', 'destroy', 'web'));
    stage.runner.wake();
    await pass(stage, 60_000);
    expect(stage.view('visited')).not.toHaveProperty('moved');
  });

  test('a pass of an earlier sandbox is not held against the new one', async () => {
    using stage = new CheckStage(
      WEB,
      new Map([['web', { at: 42, about: undefined, assisted: false }]]),
    );
    stage.runner.wake();
    await pass(stage, 60_000);
    expect(stage.view('web')).toEqual({ id: 'web', state: 'passed', passedAt: 42 });
  });

  describe('a pass of earlier hosts', () => {
    const KEPT = { at: 42, about: undefined, assisted: false } as const;
    const keptOf = (id: string) => new Map([[id, KEPT]]);
    const then = check('then', { title: 't', test: passOf('web') });

    test('is earned again on these, for what comes after it, and is shown as it was', async () => {
      using stage = new CheckStage(labWith([...WEB.checks, then]), keptOf('web'));
      stage.runner.wake();
      await pass(stage, 0);
      expect([stage.passes.get('web'), stage.view('then')?.state]).toEqual([KEPT, 'not-yet']);
      stage.host('one').containers = [containerView({ name: 'web' })];
      stage.signal(containerSignal('one', 'start', 'web'));
      await pass(stage, 20);
      expect(stage.passes.get('web')).toEqual({ ...KEPT, about: 'state' });
      expect(stage.view('web')).toEqual({ id: 'web', state: 'passed', passedAt: 42 });
      expect(stage.view('then')?.state).toBe('passed');
      expect(stage.checks.filter(({ id }) => id === 'web')).toHaveLength(1);
    });

    test('says what these would not pass any more once it is earned on them', async () => {
      using stage = new CheckStage(WEB, keptOf('web'));
      stage.host('one').containers = [containerView({ name: 'web' })];
      stage.runner.wake();
      await pass(stage, 0);
      stage.host('one').containers = [];
      stage.signal(containerSignal('one', 'destroy', 'web'));
      await pass(stage, 500);
      expect(stage.view('web')).toMatchObject({ passedAt: 42, moved: 'No web.' });
    });

    test('is not earned by a container that has only just started, and not shown as open meanwhile', async () => {
      using stage = new CheckStage(WEB, keptOf('web'));
      stage.host('one').containers = [containerView({ name: 'web', startedAt: Date.now() })];
      stage.runner.wake();
      await pass(stage, 1_000);
      expect(stage.passes.get('web')).toEqual(KEPT);
      await pass(stage, 1_000);
      expect(stage.passes.get('web')?.about).toBe('state');
      expect(stage.checks).toEqual([{ id: 'web', state: 'passed', passedAt: 42 }]);
    });

    test('is earned by what a command has left in the background, a moment later', async () => {
      const listening = async ({ host }: SandboxView) =>
        (await host('one').ask(['ss', '-Hltnp'])).output === '' ? notYet('Nothing yet.') : passed();
      const port = check('port', { title: 't', test: listening });
      using stage = new CheckStage(labWith([port]), keptOf('port'));
      stage.runner.wake();
      await pass(stage, 20);
      stage.signal({ kind: 'command', host: 'one', terminal: 't', line: 'nc -l 80 &', status: 0 });
      await pass(stage, 20);
      stage.host('one').system = 'LISTEN';
      await pass(stage, 1_000);
      expect(stage.passes.get('port')?.about).toBe('state');
    });
  });

  test('nothing is left to fire once the runner is closed', async () => {
    {
      using stage = new CheckStage(WEB);
      stage.host('one').containers = [containerView({ name: 'web', startedAt: Date.now() })];
      stage.runner.wake();
      await pass(stage, 0);
    }
    expect(vi.getTimerCount()).toBe(0);
  });
});
