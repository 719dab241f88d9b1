import { describe, expect, test } from 'vitest';
import {
  atItsAddress,
  command,
  container,
  image,
  listens,
  process,
  reaches,
  refused,
  restartOf,
  route,
  type SandboxView,
  type Signal,
  type SignalBody,
  type SignalKind,
  type SignalOf,
  type Start,
  script,
  startBefore,
  type Test,
  throughFormerPort,
  throughPort,
  type VisitOutcome,
  visited,
} from '#lab';
import { lab } from '../../../src/content/docs/labs/docker-networking/lab.ts';
import { World } from './docker-networking-world.ts';

const web = container('web').on('server01');

/** A journal that counts how often something of a signal is read, and how often the hosts are listed. */
class Counted {
  reads = 0;
  lists = 0;
  readonly #byKind = new Map<SignalKind, Signal[]>();

  constructor(bodies: readonly SignalBody[]) {
    for (const [at, body] of bodies.entries()) {
      const all = this.#byKind.get(body.kind) ?? [];
      const read = <T>(target: T, key: keyof T): T[keyof T] => {
        this.reads += 1;
        return target[key];
      };
      all.push(new Proxy<Signal>({ ...body, seq: at + 1, at: 0 }, { get: read as never }));
      this.#byKind.set(body.kind, all);
    }
  }

  view(world: World): SandboxView {
    const of = <K extends SignalKind>(kind: K) =>
      (this.#byKind.get(kind) ?? []) as unknown as SignalOf<K>[];
    const view = world.view();
    const list = () => {
      this.lists += 1;
      return view.hosts;
    };
    return {
      signal: view.signal,
      host: view.host,
      get hosts() {
        return list();
      },
      journal: { all: of, last: (kind, fits = () => true) => of(kind).findLast(fits) },
    };
  }
}

/** As many starts of the container as visits that all miss what is asked for, taking turns. */
const journalOf = (name: string, pairs: number, outcome: VisitOutcome): readonly SignalBody[] =>
  Array.from({ length: pairs }, (_, at): readonly SignalBody[] => [
    {
      kind: 'container',
      host: 'server01',
      action: 'start',
      id: name.padEnd(64, '0'),
      name,
      image: 'mycontainer:5.6',
      ports: { '80/tcp': [32_768 + at] },
    },
    {
      kind: 'visit',
      from: 'client',
      url: 'http://10.1.10.11:9/',
      hostname: '10.1.10.11',
      port: 9,
      outcome,
      ...(outcome === 'page' ? { status: 200 } : {}),
    },
  ]).flat();

async function workFor(test: Test, name: string, pairs: number, outcome: VisitOutcome) {
  const world = new World().run({ name, publish: '', port: 32_768 }).route('172.17.0.0/16');
  const counted = new Counted(journalOf(name, pairs, outcome));
  const verdict = await test(counted.view(world));
  expect(verdict.kind).toBe('not-yet');
  return { reads: counted.reads, lists: counted.lists };
}

/** As much as a host may say at once (server/sandbox/host-shell-channel.ts). */
const MOST_SAID = 256 * 1024;
/** More than one look at each signal for each thing that is asked of it, and far less than one for each other signal. */
const READS_A_SIGNAL = 30;

describe('the work for one look at a journal grows with it, and no faster:', () => {
  test.each([
    ['a fixed address', visited('http://10.1.10.11:8080'), 'page'],
    ['through a port', visited(throughPort(web)), 'page'],
    ['through a former port', refused(throughFormerPort(web)), 'refused'],
    ['at its own address', visited(atItsAddress(web)), 'page'],
    ['after a restart', visited(throughPort(web)).after(restartOf(web)), 'page'],
    ['after a command', visited(throughPort(web)).after(command(/x/).on('server01')), 'page'],
    ['showing a text', visited(throughPort(web)).showing(/Version 2/), 'page'],
    [
      'a command after an image',
      command(/x/).on('server01').after(image('web:1').on('server01')),
      'page',
    ],
    ['after a visit', restartOf(web).after(visited(throughPort(web))), 'page'],
  ] as const)('%s', async (_, test, outcome) => {
    for (const pairs of [100, 400]) {
      const { reads, lists } = await workFor(test, 'web', pairs, outcome);
      expect(reads).toBeLessThan(2 * pairs * READS_A_SIGNAL);
      expect(lists).toBeLessThan(10);
    }
  });

  test.each(
    lab.checks.flatMap(({ id, test, question }) => (question ? [] : [[id, test] as const])),
  )('the lab’s %s', async (_, test) => {
    const world = new World().runMyapp2().route('172.17.0.0/16');
    for (const outcome of ['page', 'refused'] as const) {
      const counted = new Counted(journalOf('myapp2', 400, outcome));
      await test(counted.view(world));
      expect(counted.reads).toBeLessThan(2 * 400 * READS_A_SIGNAL);
    }
  });
});

test('the work for one look at a host’s routes grows with them, and no faster', async () => {
  for (const routes of [500, 2_000]) {
    let reads = 0;
    const world = new World();
    for (let at = 0; at < routes; at++) {
      const destination = `172.17.${at >> 8}.${at % 256}/32`;
      const one = { destination, via: '10.1.10.11', device: 'eth1' };
      world.routes.push(
        new Proxy(one, {
          get: (target, key) => {
            reads += 1;
            return Reflect.get(target, key);
          },
        }),
      );
    }
    const test = route('172.17.0.0/16').on('client').via('10.1.10.11');
    expect(await world.put(test)).toMatchObject({ reason: expect.stringContaining('too narrow') });
    expect(reads).toBeLessThan(routes * READS_A_SIGNAL);
  }
});

test('what a host says of its sockets and processes, to a probe or a script, is gone through once, whatever stands in it', async () => {
  const HOSTILE = [
    '\u001b[',
    'From ',
    'From x icmp_seq=1 ',
    '"',
    '("',
    '",pid=',
    ' ',
    'S a b\n',
    '7 7 ? S a b\n',
    '1 2 ? S a x b\n2 1 ? S a x b\n',
    'LISTEN 0 0 :: users:(("',
    'a'.repeat(99),
  ];
  for (const part of HOSTILE) {
    const said = part.repeat(Math.ceil(MOST_SAID / part.length));
    const world = new World()
      .says('client', 'ss -Hltnp', said)
      .says('client', 'ps -eo pid=,ppid=,tty=,stat=,user:32=,args=', said)
      .says('client', 'probe 10.1.20.11', said, 1)
      .says('client', 'ip -j -4 route get 10.1.20.11', '[{}]')
      .says('client', 'false', said, 1);
    for (const test of [
      listens(80).on('client').by('x'),
      process(/^x y$/).on('client'),
      reaches('10.1.20.11').from('client'),
      script('false').on('client'),
    ]) {
      expect((await world.put(test)).kind).toBe('not-yet');
    }
  }
});

test('the start before a visit is found without looking at all of them', () => {
  let looked = 0;
  const starts = new Proxy(
    Array.from({ length: 4_096 }, (_, at): Start => {
      return { seq: 2 * at + 1, id: 'x', again: at > 0, ports: {} };
    }),
    {
      get: (all, key) => {
        if (typeof key === 'string' && /^\d+$/.test(key)) looked += 1;
        return Reflect.get(all, key);
      },
    },
  );
  expect(startBefore(starts, 1)).toBeUndefined();
  expect(startBefore(starts, 2)?.seq).toBe(1);
  expect(startBefore(starts, 4_001)?.seq).toBe(3_999);
  expect(startBefore(starts, 10_000)?.seq).toBe(8_191);
  expect(looked).toBeLessThan(4 * 15);
});
