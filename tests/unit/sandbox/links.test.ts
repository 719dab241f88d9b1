import { Duplex } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Dockerode, Engine } from '../../../server/engine/engine.ts';
import { LinkManager } from '../../../server/sandbox/links.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});

afterEach(() => {
  vi.useRealTimers();
});

/** An engine whose helper containers take `milliseconds` for a line, or never answer it. */
function engineOf(milliseconds: (line: string) => number | undefined) {
  const containers: Dockerode.ContainerCreateOptions[] = [];
  const lines: string[] = [];
  const attend: Engine['attend'] = async (options) => {
    containers.push(options);
    const mark = options.Entrypoint?.at(-1);
    const stream = new Duplex({
      read: () => undefined,
      write: (chunk: Buffer, _encoding, done) => {
        done();
        const line = chunk.toString().trim();
        lines.push(line);
        const after = milliseconds(line);
        if (after !== undefined) setTimeout(() => stream.push(`\n${mark} 0\n`), after);
      },
    });
    return { stream, [Symbol.asyncDispose]: async () => void stream.destroy() };
  };
  return { engine: { attend } as Engine, containers, lines };
}

const endpoint = (pid: number) => [
  { pid, interface: 'eth1', address: '10.1.10.11/24', bridge: 'br0' },
];

test('sixty sandboxes that are taken up at once are all linked', async () => {
  const { engine, containers, lines } = engineOf(() => 400);
  await using links = new LinkManager(engine, 'image', 'i');
  const all = Promise.all(Array.from({ length: 60 }, (_, i) => links.link(1, endpoint(i + 2))));
  await vi.advanceTimersByTimeAsync(60 * 400);
  await all;
  expect(lines).toHaveLength(60);
  expect(containers).toHaveLength(2);
});

test('an end with a gateway beyond its wire says so, and no other is asked for more than before', async () => {
  const { engine, lines } = engineOf(() => 0);
  await using links = new LinkManager(engine, 'image', 'i');
  const ends = endpoint(2).flatMap((end) => [{ ...end, gateway: '198.18.1.1' }, end]);
  const linked = links.link(1, ends);
  await vi.advanceTimersByTimeAsync(0);
  await linked;
  const end = '2,10.1.10.11/24,02:00:0a:01:0a:0b';
  expect(lines[0]).toContain(`'${end},port1,eth1,br0,198.18.1.1' '${end},port2,eth1,br0'`);
});

test('one at a time needs one helper', async () => {
  const { engine, containers, lines } = engineOf(() => 0);
  await using links = new LinkManager(engine, 'image', 'i');
  for (const pid of [2, 3]) {
    const linked = links.link(1, endpoint(pid));
    await vi.advanceTimersByTimeAsync(0);
    await linked;
  }
  expect(containers).toHaveLength(1);
  expect(lines[0]).toBe(
    "'timeout' '-k' '1' '20' '/opt/quayside/wire' '1' '2,10.1.10.11/24,02:00:0a:01:0a:0b,port1,eth1,br0'",
  );
});

test('one that hangs fails alone; the others pass it by', async () => {
  const { engine } = engineOf((line) => (line.includes("'13,") ? undefined : 400));
  await using links = new LinkManager(engine, 'image', 'i');
  const stuck = expect(links.link(1, endpoint(13))).rejects.toThrow('could not be wired together');
  const others = Promise.all([20, 21, 22].map((pid) => links.link(1, endpoint(pid))));
  await vi.advanceTimersByTimeAsync(3 * 400);
  await others;
  await vi.advanceTimersByTimeAsync(25_000);
  await stuck;
});

test('a session that is given up leaves the queue, and breaks off nothing that others share', async () => {
  const { engine, containers, lines } = engineOf(() => 400);
  await using links = new LinkManager(engine, 'image', 'i');
  const given = new AbortController();
  const underWay = [2, 3].map((pid) => links.link(1, endpoint(pid), given.signal));
  const waiting = links.link(1, endpoint(4), given.signal);
  const other = links.link(1, endpoint(5));
  await vi.advanceTimersByTimeAsync(100);
  given.abort(new Error('ended'));
  for (const each of [...underWay, waiting]) await expect(each).rejects.toThrow('ended');
  await vi.advanceTimersByTimeAsync(1_000);
  await other;
  expect(lines.map((line) => line.match(/'(\d),/)?.[1])).toEqual(['2', '3', '5']);
  expect(containers).toHaveLength(2);
});
