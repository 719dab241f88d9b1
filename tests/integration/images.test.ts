import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ensureImage } from '../../server/engine/build-image.ts';
import type { Engine } from '../../server/engine/engine.ts';
import { removeOldImages, removeOthers } from '../../server/engine/old-images.ts';
import { createSandboxRuntime } from '../../server/sandbox/runtime.ts';
import { PROJECT, realEngine, SMALL_LAB } from './stage.ts';

const DAY_MS = 24 * 60 * 60_000;
const PROXY = 'http://ada:s3cret@127.0.0.1:9';

let engine: Engine;
let images: string;
/** A folder that no other test has: its images are this one's. */
let folder: string;

beforeEach(async () => {
  engine = await realEngine();
  images = await mkdtemp(join(tmpdir(), 'quayside-images-'));
  folder = `test-${randomBytes(6).toString('hex')}`;
  await mkdir(join(images, folder));
});

afterEach(async () => {
  vi.unstubAllEnvs();
  for (const name of await built()) await engine.docker.getImage(name).remove({ force: true });
  await rm(images, { recursive: true });
});

/** Builds what is to be a host. */
async function buildHost(...lines: readonly string[]): Promise<string> {
  await writeFile(join(images, folder, 'Dockerfile'), lines.join('\n'));
  const hostImage = await ensureImage(engine, join(PROJECT, 'images'), 'lab-host', () => undefined);
  return await ensureImage(engine, images, folder, () => undefined, { hostImage });
}

/** The images of the folder that the engine has. */
async function built(): Promise<readonly string[]> {
  const reference = [`quayside/${folder}`];
  const found = await engine.docker.listImages({ filters: { reference } });
  return found.flatMap(({ RepoTags }) => RepoTags ?? []);
}

async function build(...lines: readonly string[]): Promise<string> {
  await writeFile(join(images, folder, 'Dockerfile'), lines.join('\n'));
  return await ensureImage(engine, images, folder, () => undefined);
}

function giveProxies(): void {
  for (const name of ['http_proxy', 'https_proxy', 'no_proxy']) {
    vi.stubEnv(name, undefined);
    vi.stubEnv(name.toUpperCase(), undefined);
  }
  vi.stubEnv('HTTP_PROXY', PROXY);
  vi.stubEnv('https_proxy', PROXY);
  vi.stubEnv('NO_PROXY', 'mirror.example');
}

test('proxies of the server reach what a build runs, by both names, and nothing of them stays in the image', async () => {
  const lines = [
    'ARG BASE',
    'FROM $BASE',
    'RUN test "$http_proxy" && test "$http_proxy" = "$HTTP_PROXY"',
    'RUN test "$https_proxy" && test "$https_proxy" = "$HTTPS_PROXY"',
    'RUN test "$no_proxy" = mirror.example && test "$NO_PROXY" = mirror.example',
  ];
  giveProxies();
  const name = await build(...lines);
  const image = engine.docker.getImage(name);
  const kept = JSON.stringify([await image.inspect(), await image.history()]);
  expect(kept).not.toMatch(/s3cret|_proxy=/i);
  vi.unstubAllEnvs();
  expect(await build(...lines), 'the same without a proxy').toBe(name);
});

test('what a build prints of a proxy has no password in it', async () => {
  giveProxies();
  const building = build('ARG BASE', 'FROM $BASE', 'RUN env | grep -i _proxy; exit 7');
  const { message, remedy } = await building.catch((error) => error);
  expect(message).toContain('http_proxy=http://***@127.0.0.1:9');
  expect(message).toContain('HTTPS_PROXY=http://***@127.0.0.1:9');
  expect(message + remedy).not.toContain('s3cret');
});

test('earlier builds are removed that no container uses and no server has started with for two weeks', async () => {
  const told: string[] = [];
  const inDays = (days: number) =>
    removeOldImages(engine, third, (line) => told.push(line), Date.now() + days * DAY_MS);
  const [first, second, third] = [
    await build('FROM scratch', `LABEL test=${folder}-1`, 'CMD ["none"]'),
    await build('FROM scratch', `LABEL test=${folder}-2`, 'CMD ["none"]'),
    await build('FROM scratch', `LABEL test=${folder}-3`, 'CMD ["none"]'),
  ];
  expect((await built()).toSorted(), 'another server may want them').toEqual(
    [first, second, third].toSorted(),
  );
  await inDays(13);
  expect(await built()).toHaveLength(3);
  const container = await engine.docker.createContainer({ Image: first });
  await inDays(15);
  expect((await built()).toSorted(), 'but one that a container uses').toEqual(
    [first, third].toSorted(),
  );
  await container.remove();
  const [repo = ''] = third.split(':');
  const own = `${repo}:before-the-exam`;
  await engine.docker.getImage(third).tag({ repo, tag: 'before-the-exam' });
  await inDays(15);
  expect((await built()).toSorted(), 'and what somebody has named').toEqual(
    [own, third].toSorted(),
  );
  await engine.docker.getImage(own).remove();
  expect(told).toEqual([]);
});

test('a start that builds nothing removes such builds as well, also those of a folder that is no more', async () => {
  const name = await build('FROM scratch', `LABEL test=${folder}`, 'CMD ["none"]');
  const told: string[] = [];
  // Of this test's own alone: others on this engine keep theirs.
  const inDays = (days: number, names: readonly string[]) =>
    removeOthers(
      engine,
      `quayside/${folder}*`,
      names,
      (line) => told.push(line),
      Date.now() + days * DAY_MS,
    );
  await inDays(15, [name]);
  await inDays(13, []);
  expect(await built(), 'used, or not for so long').toEqual([name]);
  await inDays(15, []);
  expect([await built(), told]).toEqual([[], []]);
});

test('of a folder that makes several, as of hosts’ engines, the one that no lab asks for any more is removed', async () => {
  const lines = ['FROM scratch', 'ARG TAG', `LABEL test=${folder} version=$TAG`, 'CMD ["none"]'];
  await writeFile(join(images, folder, 'Dockerfile'), lines.join('\n'));
  const told: string[] = [];
  const version = (tag: string) =>
    ensureImage(engine, images, folder, (line) => told.push(line), { tag });
  const [older, newer] = [await version('28'), await version('29')];
  const tell = (line: string) => line.startsWith('Building');
  const said = [`Building the image ${folder}:28 …`, `Building the image ${folder}:29 …`];
  expect(told.filter(tell), 'each by its name').toEqual(said);
  const sweep = (names: readonly string[]) =>
    removeOthers(engine, `quayside/${folder}*`, names, () => undefined, Date.now() + 15 * DAY_MS);
  await sweep([older, newer]);
  expect(await built()).toHaveLength(2);
  await sweep([newer]);
  expect(await built()).toEqual([newer]);
});

test('a start with an image counts as a use of it', async () => {
  const lines = ['FROM scratch', `LABEL test=${folder}`, 'CMD ["none"]'];
  const name = await build(...lines);
  const used = async () => {
    const { Metadata } = (await engine.docker.getImage(name).inspect()) as unknown as {
      readonly Metadata: { readonly LastTagTime: string };
    };
    return Metadata.LastTagTime;
  };
  const before = await used();
  await build(...lines);
  expect(await used()).not.toBe(before);
});

test('a host of a lab’s own is built on ours, once', async () => {
  const lines = ['ARG HOST', 'FROM $HOST', `LABEL test=${folder}`];
  const name = await buildHost(...lines);
  expect(await buildHost(...lines)).toBe(name);
  expect(await built()).toEqual([name]);
});

test('one that is built on something else is refused, with its file', async () => {
  const { message } = (await buildHost(
    'ARG BASE=quayside/base:trixie',
    'FROM $BASE',
    'CMD ["x"]',
  ).catch((error: Error) => error)) as Error;
  expect(message).toContain(`${folder}/Dockerfile could not be built: it is not built on a host.`);
  expect(await built()).toEqual([]);
});

test('what fails in it is said in Docker’s words, with its file', async () => {
  const building = buildHost('ARG HOST', 'FROM $HOST', 'RUN echo no such thing >&2; exit 7');
  await expect(building).rejects.toThrow(
    new RegExp(`${folder}/Dockerfile could not be built: [\\s\\S]*code: 7[\\s\\S]*no such thing`),
  );
});

test('an engine that Debian does not have is told at the lab’s line, with those that there are', async () => {
  const source = {
    files: () => Promise.resolve([]),
    placeIn: () => undefined,
    placeOf: (text: string, host: string) => `lab.ts: “${text}” of ${host}`,
  };
  const [host] = SMALL_LAB.hosts;
  if (!host) throw new Error('the lab has a host');
  const hosts = [{ ...host, hasEngine: true, engineVersion: '27' }];
  const labs = new Map([['old', { ...SMALL_LAB, hosts, source }]]);
  await expect(
    createSandboxRuntime(PROJECT, engine, labs, folder, () => undefined),
  ).rejects.toMatchObject({
    code: 'IMAGE_BUILD_FAILED',
    message: expect.stringMatching(
      new RegExp(
        `^lab\\.ts: “27” of ${host.name}: ${host.name} is to have a Docker Engine 27, and Debian has none\\. It has .*26\\.1\\.5`,
      ),
    ),
  });
});

test('a lab of which an image cannot be built keeps no other from its hosts, where that is wished', async () => {
  await writeFile(join(images, folder, 'Dockerfile'), 'FROM scratch\nCOPY nothing /\n');
  const broken = { ...SMALL_LAB, images: { 'broken:1': join(images, folder) } };
  const labs = new Map([
    ['broken', broken],
    ['small', SMALL_LAB],
  ]);
  const told: string[] = [];
  const runtime = (onUnbuilt?: (lab: string) => void) =>
    createSandboxRuntime(PROJECT, engine, labs, folder, () => undefined, { onUnbuilt });
  await using prepared = await runtime((lab) => told.push(lab));
  expect(told).toEqual(['broken']);
  expect(Object.keys(prepared.labImages)).toHaveLength(Object.keys(SMALL_LAB.images).length);
  await expect(runtime()).rejects.toThrow('could not be built');
});
