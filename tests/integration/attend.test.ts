import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openFoundry } from './stage.ts';

/** What this test has made, and nothing else, carries it. */
const LABEL = 'quayside.attended';

let stage: Awaited<ReturnType<typeof openFoundry>>;

beforeAll(async () => {
  stage = await openFoundry();
});

afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
});

const attend = (...program: string[]) =>
  stage.runtime.engine.attend({
    Image: stage.runtime.hostImage,
    Entrypoint: program,
    Labels: { [LABEL]: stage.instance },
    NetworkDisabled: true,
  });

const left = async () => {
  const filters = { label: [`${LABEL}=${stage.instance}`] };
  const all = await stage.runtime.engine.docker.listContainers({ all: true, filters });
  return all.map(({ Id }) => Id);
};

test('an attended container answers on its line, and is gone when the line has been let go', async () => {
  {
    await using line = await attend('tini', '--', 'cat');
    line.stream.write('hello');
    expect(String(await once(line.stream, 'data'))).toBe('hello');
    expect(await left()).toHaveLength(1);
  }
  expect(await left()).toEqual([]);
});

test('one that ended by itself can be let go as well', async () => {
  const line = await attend('true');
  line.stream.resume();
  await once(line.stream, 'end');
  await line[Symbol.asyncDispose]();
  expect(await left()).toEqual([]);
});

test('one whose program cannot be started leaves nothing', async () => {
  await expect(attend('/no/such/program')).rejects.toThrow(/no such file/);
  expect(await left()).toEqual([]);
});
