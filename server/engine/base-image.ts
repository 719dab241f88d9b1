import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { QuaysideError } from '../base/errors.ts';
import type { Progress } from '../base/progress.ts';
import type { Engine } from './engine.ts';
import { jsonLines } from './lines.ts';
import { installPackages, isDebian, isInstalled, runToEnd } from './packages.ts';

/** The base of every image of ours, under one name whichever way it came. */
export const BASE_IMAGE = 'quayside/base:trixie';
const PULLED_IMAGE = { name: 'debian', tag: 'trixie-slim' };
/** A registry that is reachable answers within this time; the download itself may take longer. */
const PULL_SILENCE_MS = 20_000;
/** What a base needs no more once it is unpacked: two thirds of its size. */
const LEFT_OUT = [
  'var/cache/apt/*',
  'var/lib/apt/lists/*',
  'usr/share/doc/*',
  'usr/share/locale/*',
  'usr/share/man/*',
  'dev/*',
];

/**
 * Debian trixie as {@link BASE_IMAGE}: pulled where a registry answers, made with debootstrap where none does.
 *
 * @throws QuaysideError IMAGE_BUILD_FAILED naming both causes
 */
export async function ensureBaseImage(engine: Engine, say: Progress): Promise<void> {
  if (await hasImage(engine, BASE_IMAGE)) return;
  try {
    say('Fetching the base image (Debian trixie) …');
    await pull(engine);
    return;
  } catch (error) {
    say(
      `  No registry answers (${firstLine(error)}). Making the base with debootstrap instead (about 30 s) …`,
    );
  }
  await bootstrap(engine, say);
}

/** Whether the engine has an image of that name. */
export async function hasImage(engine: Engine, name: string): Promise<boolean> {
  const images = await engine.docker.listImages({ filters: { reference: [name] } });
  return images.length > 0;
}

async function pull(engine: Engine): Promise<void> {
  const { name, tag } = PULLED_IMAGE;
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), PULL_SILENCE_MS);
  try {
    const progress = await engine.docker.createImage({
      fromImage: name,
      tag,
      abortSignal: silence.signal,
    });
    for await (const step of jsonLines<{ error?: string }>(progress)) {
      if (step.error) throw new Error(step.error);
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), PULL_SILENCE_MS);
    }
  } finally {
    clearTimeout(timer);
  }
  const [repo = '', baseTag = ''] = BASE_IMAGE.split(':');
  await engine.docker.getImage(`${name}:${tag}`).tag({ repo, tag: baseTag });
}

async function bootstrap(engine: Engine, say: Progress): Promise<void> {
  if (process.getuid?.() !== 0 || !(await isDebian())) {
    throw new QuaysideError(
      'IMAGE_BUILD_FAILED',
      'The base image cannot be had: no registry answers, and only root on Debian or Ubuntu can make it without one.',
      `Reach a registry and run: docker pull ${PULLED_IMAGE.name}:${PULLED_IMAGE.tag}. Or start as root: sudo npm start`,
    );
  }
  if (!(await isInstalled('debootstrap'))) {
    say('Installing debootstrap …');
    await installPackages(['debootstrap', 'debian-archive-keyring'], say);
  }
  const root = await mkdtemp(join(tmpdir(), 'quayside-base-'));
  try {
    await runToEnd(['debootstrap', '--variant=minbase', 'trixie', root], say);
    await importTree(engine, root);
  } catch (error) {
    throw new QuaysideError(
      'IMAGE_BUILD_FAILED',
      `Making the base image failed: ${firstLine(error)}`,
      `Try it by hand to see all it says: sudo debootstrap --variant=minbase trixie ${root}`,
      { cause: error },
    );
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

async function importTree(engine: Engine, root: string): Promise<void> {
  const excludes = LEFT_OUT.map((path) => `--exclude=./${path}`);
  const tar = spawn('tar', ['-C', root, ...excludes, '-c', '.'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = new Promise<void>((resolve, reject) => {
    tar.once('error', reject);
    tar.once('close', (status) =>
      status === 0 ? resolve() : reject(new Error(`tar ended with status ${status}`)),
    );
  });
  const [repo, tag] = BASE_IMAGE.split(':');
  const [progress] = await Promise.all([
    engine.docker.importImage(tar.stdout, { repo, tag }),
    ended,
  ]);
  for await (const step of jsonLines<{ error?: string }>(progress)) {
    if (step.error) throw new Error(step.error);
  }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? '';
}
