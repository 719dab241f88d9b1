import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type HttpClient, joinClass } from '../../client-driver/http.ts';
import { Learner } from '../../client-driver/learner.ts';
import { BASE_IMAGE } from '../../server/engine/base-image.ts';
import { Engine } from '../../server/engine/engine.ts';
import { USUAL_ADDRESS } from '../../server/engine/own-engine.ts';
import { PROJECT } from '../../server/labs/loader.ts';
import { expectNoTraces } from '../fixtures/image-traces.ts';
import { freePort } from '../fixtures/nginx.ts';
import { firstSteps, KEPT } from './first-steps.ts';

/** Packages from two mirrors, and a build of the pages. */
const BUILD_MS = 900_000;
/** The pages are built with the lab of the volume. */
const USE_MS = 600_000;
const OWN_LABS = join(PROJECT, 'tests/labs');
const NAME = `quayside-test-${process.pid}`;
const IMAGE = `${NAME}/server`;
const READY = /^Quayside is ready: (\S+)$/;

const docker = async (...args: readonly string[]): Promise<string> =>
  (await execa('docker', args, { stdin: 'ignore' })).stdout;

let port = 0;
let mounts: readonly string[] = [];

beforeAll(async () => {
  port = await freePort();
  const address = process.env.DOCKER_HOST ?? USUAL_ADDRESS;
  const socket = new URL(address).pathname;
  mounts = ['-v', `${socket}:/var/run/docker.sock`, '-v', `${NAME}:/data`];
  const file = ['-f', join(PROJECT, 'images/quayside/Dockerfile')];
  const build = ['build', '--network', 'host', '--build-arg', `BASE=${BASE_IMAGE}`];
  await docker(...build, ...file, '-t', IMAGE, PROJECT);
  // As compose makes one: an engine of our own has no bridge of its own.
  await docker('network', 'create', NAME);
}, BUILD_MS);

afterAll(async () => {
  await docker('rm', '--force', NAME).catch(() => undefined);
  const cleaned = ['run', '--rm', ...mounts, '--entrypoint', 'node', IMAGE, 'server/cli/clean.ts'];
  await docker(...cleaned).catch(() => undefined);
  await docker('network', 'rm', NAME).catch(() => undefined);
  await docker('volume', 'rm', '--force', NAME);
  await docker('rmi', IMAGE);
});

/** The URL of the ready line of a container's server. */
async function ready(...args: readonly string[]): Promise<string> {
  const attached = execa('docker', args, { stdin: 'ignore', reject: false, buffer: false });
  const said: string[] = [];
  for await (const line of attached.iterable()) {
    const [, url] = READY.exec(line) ?? [];
    said.push(line);
    if (url === undefined) continue;
    // A signal that it can hear would be the container's.
    attached.kill('SIGKILL');
    return url;
  }
  throw new Error(`the container ended: ${said.join('\n')}`);
}

test(
  'the image does the whole main job: a class joins, works on hosts beside it, in a lab of a volume too, and finds them again',
  async () => {
    const url = await ready(
      ...['run', '--name', NAME, '--network', NAME, '-p', `127.0.0.1:${port}:4321`, ...mounts],
      ...['-v', `${OWN_LABS}/linux-basics:/labs/linux-basics:ro`],
      ...['-e', `QUAYSIDE_ORIGINS=http://localhost:${port}`],
      ...['-e', 'QUAYSIDE_LABS=docker-networking,/labs', '-e', 'QUAYSIDE_POOL=0'],
      ...[IMAGE, '--class', 'Docker 101'],
    );
    const http: HttpClient = await joinClass(url, 'Ann');
    const ours = await firstSteps(http, 'docker-networking');
    expect(ours.said).toContain('42 on server01');
    expect(ours.ticked).not.toEqual([]);
    const own = await firstSteps(http, 'linux-basics', [OWN_LABS]);
    expect(own).toMatchObject({ said: expect.stringContaining('42 on'), ticked: ['anna'] });

    await docker('stop', NAME);
    await ready('start', '--attach', NAME);
    using learner = await Learner.open(http, 'docker-networking');
    await learner.start();
    const terminal = await learner.terminal('server01');
    // What is shown again has no marks; the next prompt has.
    terminal.type('\r');
    await terminal.run('echo "$kept"');
    expect(terminal.screen).toContain(KEPT);

    await docker('stop', NAME);
    const clean = ['--entrypoint', 'node', IMAGE, 'server/cli/clean.ts'];
    expect(await docker('run', '--rm', ...mounts, ...clean)).toContain('Removed 2 sandboxes.');
  },
  USE_MS,
);

test('nothing of the machine that built it is in the image', async () => {
  const names = ['-name', '.git', '-o', '-name', '.quayside', '-o', '-name', 'certificates'];
  const find = ['/quayside', '-maxdepth', '3', '(', ...names, ')'];
  expect(await docker('run', '--rm', '--entrypoint', 'find', IMAGE, ...find)).toBe('');
  const address = process.env.DOCKER_HOST ?? USUAL_ADDRESS;
  await expectNoTraces(new Engine(address), IMAGE);
});
