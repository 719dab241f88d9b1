import { isDeepStrictEqual } from 'node:util';
import type { CheckDefinition, HostView, Lab, SandboxView, Verdict } from '#lab';
import type { Step } from '#steps';
import { ExpectationFailed } from '../client-driver/expectation-failed.ts';
import type { Learner } from '../client-driver/learner.ts';
import { CHECK_DEADLINE_MS, type Probe } from './probe.ts';
import type { Place, Report } from './report.ts';
import { servicesRun } from './services-run.ts';

/** So often in a row a check has to say the same. */
const TIMES = 50;
/** So often where it sends packets or runs a script, each of which may take a second. */
const SLOW_TIMES = 3;
/** So many of them may be late: a machine that stalls for a moment is not the check's doing, and the server asks again. */
const LATE_MOST = 5;
/** A check gives up after its deadline and is tried again a few seconds later, by itself. */
const RECOVERY_MS = 60_000;

/**
 * Everything on a host that a check could have changed, a line for each. Of its programs those are left out that were started
 * from outside and are under way, as the server's own questions are: what such a one leaves behind becomes a child of the
 * host's first process. What runs in a terminal counts.
 */
const STATE = `
if [ -S /run/docker.sock ] && [ ! -e /run/quayside/asleep ]; then
  docker ps -a --no-trunc --format '{{.ID}} {{.Names}} {{.Image}} {{.Ports}} {{.State}}'
  docker network ls --no-trunc --format '{{.ID}} {{.Name}}'
  docker volume ls --format '{{.Name}}'
  docker images -a --no-trunc --format '{{.ID}} {{.Repository}}:{{.Tag}}'
  sudo iptables-save 2>/dev/null | grep '^-'
fi
ip -4 route; ip -o addr
ps -eo pid=,ppid=,tty=,args= | awk '
  { parent[$1] = $2; tty[$1] = $3; args = $0; sub(/^ *[^ ]+ +[^ ]+ +[^ ]+ +/, "", args); line[$1] = args }
  END {
    for (pid in line) {
      first = pid
      while (parent[first] > 0) first = parent[first]
      if (first == 1 || tty[pid] != "?") print line[pid]
    }
  }' | grep -Ev '^(sleep|socat|cat|\\[)' | sort
`;
/** What is written to while nothing happens: the logs of the engine and its containerd, as a pattern. */
const BUSY_FILES = '/var/log/(dockerd|containerd)[.]log';

/**
 * Asks every check fifty times, in the state that the sandbox is in: each gives the same answer and keeps its deadline,
 * and nothing on the hosts changes.
 */
export async function fiftyTimes(
  run: string,
  probe: Probe,
  placeOf: (check: string) => Place,
  report: Report,
): Promise<void> {
  // That asks them once, so that the connections into the hosts are open and what they start is there.
  const slow = (await asking(probe, (part) => part === 'probe' || part === 'script')).map(
    ({ id }) => id,
  );
  await servicesRun(probe);
  const before = await stateOf(probe);
  const since = Date.now();
  const signals = probe.signals;
  const answers = new Map<string, Outcome[]>(probe.lab.checks.map(({ id }) => [id, []]));
  for (let time = 0; time < TIMES; time++) {
    const checks = probe.lab.checks.filter(({ id }) => time < SLOW_TIMES || !slow.includes(id));
    for (const [id, outcome] of await asked({ checks }, await probe.look()))
      answers.get(id)?.push(outcome);
  }
  for (const [id, outcomes] of answers) {
    await report.attempt(run, placeOf(id), undefined, async () => agree(id, outcomes));
  }
  await report.attempt(run, wholeLab(probe.lab, placeOf), undefined, async () => {
    const after = await stateOf(probe);
    const changes = [
      ...before.filter((line) => !after.includes(line)).map((line) => `gone: ${line}`),
      ...after.filter((line) => !before.includes(line)).map((line) => `new: ${line}`),
      ...(await writtenSince(probe, since)).map((line) => `written: ${line}`),
    ];
    if (changes.length > 0) {
      throw new ExpectationFailed(
        'checks to change nothing on the hosts',
        changes.slice(0, 5).join('; '),
      );
    }
    if (probe.signals !== signals) {
      throw new ExpectationFailed(
        'checks to leave no trace in the journal',
        `${probe.signals - signals} signals`,
      );
    }
  });
}

/**
 * Takes a host away, in two ways: checks that need it could not check, none passes meanwhile, and all is as before once
 * the host is back.
 */
export async function unreachable(
  run: string,
  learner: Learner,
  probe: Probe,
  placeOf: (check: string) => Place,
  report: Report,
): Promise<void> {
  const withEngine = probe.lab.hosts.filter(({ hasEngine }) => hasEngine).map(({ name }) => name);
  const [first] = withEngine;
  // Without engines, a paused host is all there is to try; the browsing host is asked for routes at most.
  const paused = first ?? probe.lab.hosts[0]?.name;
  if (paused === undefined) return;
  await report.attempt(run, wholeLab(probe.lab, placeOf), `${paused} is paused`, () =>
    away(learner, probe, paused, {
      asks: () => true,
      typesOn: probe.lab.hosts.find(({ name }) => name !== paused)?.name,
      leave: () => probe.pause(paused),
      come: () => probe.unpause(paused),
    }),
  );
  if (first === undefined) return;
  await use(learner, probe, first);
  await report.attempt(run, wholeLab(probe.lab, placeOf), `the engine of ${first} is stopped`, () =>
    away(learner, probe, first, {
      asks: (part) => BY_ENGINE.has(part),
      typesOn: first,
      leave: async () => void (await probe.read(first, 'pkill -STOP -x dockerd')),
      come: async () => void (await probe.read(first, 'pkill -CONT -x dockerd')),
    }),
  );
}

/**
 * Uses a host's engine: one that sleeps is answered for without being asked. Settles when the learner is shown what the
 * checks say of it then.
 */
async function use(learner: Learner, probe: Probe, host: string): Promise<void> {
  await (await learner.terminal(host)).run('docker version');
  const { events } = learner;
  const said = await asked(probe.lab, await probe.look());
  const differing = (): readonly string[] =>
    [...said].flatMap(([id, outcome]) => {
      const isOpen = outcome.kind === 'answered' && outcome.verdict.kind === 'not-yet';
      const shown = events.check(id);
      if (!isOpen || shown.state === 'passed') return [];
      return shown.reason === outcome.verdict.reason ? [] : id;
    });
  await events.until({
    ms: RECOVERY_MS,
    what: `every check to say what it says of the engine of ${host}`,
    look: () => differing().length === 0,
    seen: () => statesOf(learner, differing()),
  });
}

async function away(
  learner: Learner,
  probe: Probe,
  host: string,
  change: {
    /** Whether a part of the host cannot be asked while it is away. */
    readonly asks: (part: string) => boolean;
    /** A host that is there meanwhile, if any. */
    readonly typesOn: string | undefined;
    readonly leave: () => Promise<void>;
    readonly come: () => Promise<void>;
  },
): Promise<void> {
  const ids = probe.lab.checks.map(({ id }) => id);
  const { events } = learner;
  const before = new Map(ids.map((id) => [id, events.check(id)]));
  const asked = await asking(probe, (part, of) => of === host && change.asks(part));
  const sees = asked.flatMap(({ id, outcome }) =>
    outcome.kind === 'answered' && outcome.verdict.kind !== 'passed' ? id : [],
  );
  await change.leave();
  try {
    // Something happens in the sandbox, so that the checks are asked. A lab's only host being paused is enough for that.
    if (change.typesOn) await (await learner.terminal(change.typesOn)).run('true');
    const checked = () => sees.filter((id) => events.check(id).state !== 'unknown');
    await events.until({
      ms: RECOVERY_MS,
      what: `${sees.join(', ')} to say “could not check”`,
      look: () => checked().length === 0,
      seen: () => statesOf(learner, checked()),
    });
    for (const id of ids.filter((each) => !sees.includes(each))) {
      const { state } = events.check(id);
      if (state === 'passed' && before.get(id)?.state !== 'passed') {
        throw new ExpectationFailed(`${id} not to pass while ${host} is away`, 'passed');
      }
    }
  } finally {
    await change.come();
  }
  const changed = () => ids.filter((id) => !isDeepStrictEqual(events.check(id), before.get(id)));
  await events.until({
    ms: RECOVERY_MS,
    what: `every check to recover once ${host} is back`,
    look: () => changed().length === 0,
    seen: () => statesOf(learner, changed()),
  });
}

function statesOf({ events }: Learner, ids: readonly string[]): string {
  return ids.map((id) => `${id} is ${events.check(id).state}`).join(', ');
}

/** What of a host its engine answers: files, routes, sockets and such are there without it. */
const BY_ENGINE: ReadonlySet<string> = new Set<keyof HostView>([
  'docker',
  'container',
  'containers',
  'image',
  'images',
  'imageSteps',
  'networks',
]);

/** The checks that ask any host now for a part of it that counts, and what they answer. */
async function asking(
  probe: Probe,
  counts: (part: string, host: string) => boolean,
): Promise<readonly { readonly id: string; readonly outcome: Outcome }[]> {
  const found = [];
  for (const check of probe.lab.checks) {
    const look = await probe.look();
    let asks = false;
    const watched: SandboxView = {
      ...look,
      host: (name) =>
        new Proxy(look.host(name), {
          get: (view, part, receiver) => {
            asks ||= counts(String(part), view.name);
            return Reflect.get(view, part, receiver);
          },
        }),
    };
    const outcome = await ask(check, watched);
    if (asks) found.push({ id: check.id, outcome });
  }
  return found;
}

type Outcome =
  | { readonly kind: 'answered'; readonly verdict: Verdict; readonly milliseconds: number }
  | { readonly kind: 'threw'; readonly message: string };

async function asked(
  { checks }: Pick<Lab, 'checks'>,
  look: SandboxView,
): Promise<ReadonlyMap<string, Outcome>> {
  const outcomes = await Promise.all(
    checks.map(async (check) => [check.id, await ask(check, look)] as const),
  );
  return new Map(outcomes);
}

async function ask(check: CheckDefinition, look: SandboxView): Promise<Outcome> {
  const from = performance.now();
  try {
    const verdict = await check.test(look);
    return { kind: 'answered', verdict, milliseconds: performance.now() - from };
  } catch (error) {
    return { kind: 'threw', message: error instanceof Error ? error.message : String(error) };
  }
}

function agree(id: string, outcomes: readonly Outcome[]): void {
  const [first] = outcomes;
  const late = outcomes.filter(
    (outcome) => outcome.kind === 'answered' && outcome.milliseconds > CHECK_DEADLINE_MS,
  );
  if (late.length > LATE_MOST) {
    throw new ExpectationFailed(
      `${id} within its deadline`,
      `${late.length} of ${outcomes.length} answers after it`,
    );
  }
  for (const [index, outcome] of outcomes.entries()) {
    if (outcome.kind === 'threw') {
      throw new ExpectationFailed(`${id} to answer`, `could not check: ${outcome.message}`);
    }
    if (first?.kind === 'answered' && !isDeepStrictEqual(outcome.verdict, first.verdict)) {
      throw new ExpectationFailed(
        `${id} to say the same ${outcomes.length} times: ${JSON.stringify(first.verdict)}`,
        `${JSON.stringify(outcome.verdict)} the ${index + 1}th time`,
      );
    }
  }
}

/** What is there in two looks, one after the other: what the server starts to ask meanwhile is gone by the second. */
async function stateOf(probe: Probe): Promise<readonly string[]> {
  const first = await onEveryHost(probe, STATE);
  const second = await onEveryHost(probe, STATE);
  return first.filter((line) => second.includes(line));
}

/** Files that were written to since a moment, but for those that are written to while nothing happens. */
async function writtenSince(probe: Probe, since: number): Promise<readonly string[]> {
  const newer = `find / -xdev -newermt @${(since / 1_000).toFixed(3)} -type f 2>/dev/null`;
  return onEveryHost(probe, `${newer} | grep -Ev '^/(proc|sys|dev|run)/|^${BUSY_FILES}$'`);
}

async function onEveryHost(probe: Probe, script: string): Promise<readonly string[]> {
  const said = await Promise.all(
    probe.lab.hosts.map(async ({ name }) =>
      (await probe.read(name, script))
        .split('\n')
        .map((line) => (line === '' ? '' : `${name}: ${line}`)),
    ),
  );
  return said.flat().filter((line) => line !== '');
}

function wholeLab(lab: Lab, placeOf: (check: string) => Place): Place {
  const [first] = lab.checks;
  return first
    ? { ...placeOf(first.id), id: 'every check' }
    : { id: 'every check', file: 'lab.ts', line: 1 };
}

/** Where a check's step stands. */
export function placesOf(steps: readonly Step[]): (check: string) => Place {
  return (check) => {
    const step = steps.find(({ checks }) => checks.includes(check));
    return step ?? { id: check, file: 'lab.ts', line: 1 };
  };
}
