import { expect, test, vi } from 'vitest';
import { check, defineLab, type Lab, notYet, passed, type SandboxView, value } from '#lab';
import type { CheckView, ValueView } from '#protocol';
import { CheckRunner } from '../../server/checks/runner.ts';

const NO_SANDBOX = {} as SandboxView;

function labWith(checks: Lab['checks'], values: Lab['values'] = {}): Lab {
  return defineLab({
    title: 'T',
    hosts: { one: { address: '10.0.0.1/24' } },
    browser: 'one',
    values,
    sections: [{ page: 'p', title: 'P', checks }],
  });
}

function runnerFor(lab: Lab, known: ReadonlyMap<string, number> = new Map()) {
  const passes = new Map(known);
  const published: CheckView[] = [];
  const values: ValueView[] = [];
  const runner = new CheckRunner({
    lab,
    view: () => NO_SANDBOX,
    passes: () => passes,
    onPass: (id, at) => void passes.set(id, at),
    onChecks: (checks) => void published.push(...checks),
    onValues: (news) => void values.push(...news),
  });
  return { runner, passes, published, values };
}

/** Published views go out with the next turn of the loop. */
const nextTurn = () => new Promise<void>((settle) => setImmediate(settle));

test('a check that passes is kept as passed although the world moves away', async () => {
  let done = true;
  const lab = labWith([
    check('step', { title: 't', test: () => (done ? passed() : notYet('gone')) }),
  ]);
  const { runner, passes } = runnerFor(lab);
  using _ = runner;
  runner.wake();
  await runner.settled();
  done = false;
  runner.wake();
  await runner.settled();
  expect(runner.checks).toEqual([{ id: 'step', state: 'passed', passedAt: passes.get('step') }]);
});

test('a check that throws could not check, and is never called wrong', async () => {
  const test = () => Promise.reject(new Error('the engine is restarting'));
  const { runner } = runnerFor(labWith([check('step', { title: 't', test })]));
  using _ = runner;
  runner.wake();
  await runner.settled();
  expect(runner.checks[0]).toMatchObject({
    state: 'unknown',
    reason: expect.stringContaining('the engine is restarting'),
  });
});

test('signals that arrive during a run make one more run, and a check never runs twice at once', async () => {
  let runs = 0;
  let atOnce = 0;
  let most = 0;
  const gate = Promise.withResolvers<void>();
  const test = async () => {
    runs++;
    most = Math.max(most, ++atOnce);
    await gate.promise;
    atOnce--;
    return notYet('still');
  };
  const { runner } = runnerFor(labWith([check('step', { title: 't', test })]));
  using _ = runner;
  const first = runner.ask('step');
  for (let i = 0; i < 10; i++) runner.wake();
  gate.resolve();
  await first;
  await runner.settled();
  expect({ runs, most }).toEqual({ runs: 2, most: 1 });
});

test('a check that hangs holds up no other, and could not check at its deadline', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const abort = new AbortController();
  vi.spyOn(AbortSignal, 'timeout').mockReturnValue(abort.signal);
  try {
    const { runner, published } = runnerFor(
      labWith([
        check('hangs', { title: 't', test: () => new Promise(() => undefined) }),
        check('quick', { title: 't', test: () => passed() }),
      ]),
    );
    using _ = runner;
    const run = runner.ask('hangs');
    await runner.ask('quick');
    await nextTurn();
    await nextTurn();
    expect(published).toMatchObject([{ id: 'quick', state: 'passed' }]);
    abort.abort(new Error('deadline'));
    await run;
    await nextTurn();
    expect(published.at(-1)).toMatchObject({ id: 'hangs', state: 'unknown' });
  } finally {
    vi.useRealTimers();
    vi.restoreAllMocks();
  }
});

test('only what changed is told', async () => {
  let text: string | undefined;
  const lab = labWith([check('step', { title: 't', test: () => notYet('still') })], {
    port: value('<port>', async () => text),
  });
  const { runner, published, values } = runnerFor(lab);
  using _ = runner;
  runner.wake();
  await runner.settled();
  runner.wake();
  await runner.settled();
  text = '32768';
  runner.wake();
  await runner.settled();
  await nextTurn();
  expect(published).toHaveLength(1);
  expect(values).toEqual([{ id: 'port' }, { id: 'port', text: '32768' }]);
});
