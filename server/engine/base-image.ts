import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf, QuaysideError } from '../base/errors.ts';
import type { Progress } from '../base/progress.ts';
import {
  BASE_PACKAGES,
  BASE_TREE,
  baseCommand,
  isDebian,
  isInstalled,
  withoutTraces,
} from './debian.mjs';
import type { Engine } from './engine.ts';
import { engineCall } from './engine-call.ts';
import { stepsOf } from './output-limit.ts';
import { installPackages, runToEnd } from './packages.ts';

/** The base of every image of ours, under one name whichever way it came. */
const BASE_NAME = { repo: 'quayside/base', tag: 'trixie' } as const;
export const BASE_IMAGE = `${BASE_NAME.repo}:${BASE_NAME.tag}`;
const PULLED_IMAGE = { name: 'debian', tag: 'trixie-slim' };
/** A registry that is reachable answers within this time; the download itself may take longer. */
const PULL_SILENCE_MS = 20_000;
/** To pack and to unpack the base takes 10 s; on a slow disk, minutes. */
const IMPORT_SILENCE_MS = 600_000;
/**
 * Counted up where a base is made otherwise: one that an earlier Quayside has made is then made anew, and so is all that is
 * built on it. 2 has nothing of the machine on which it was made.
 */
export const BASE_EDITION = '2';
export const EDITION_LABEL = 'quayside.base';
/** How the engine describes an image that was made of a tree and not pulled. */
const IMPORTED = /^Imported from/;
/** What a base needs no more once it is unpacked: two thirds of its size. */
const LEFT_OUT = ['usr/share/doc/*', 'usr/share/locale/*', 'usr/share/man/*', 'dev/*'];

/** Engines whose base is looked for or made: images are built side by side, and need one. */
const underWay = new WeakMap<Engine, Promise<void>>();

/**
 * Debian trixie as {@link BASE_IMAGE}: pulled where a registry answers, made with debootstrap where none does.
 *
 * @throws QuaysideError IMAGE_BUILD_FAILED naming both causes
 */
export function ensureBaseImage(engine: Engine, progress: Progress): Promise<void> {
  const ensured = underWay.get(engine) ?? ensure(engine, progress);
  underWay.set(engine, ensured);
  const forget = () => underWay.delete(engine);
  ensured.then(forget, forget);
  return ensured;
}

async function ensure(engine: Engine, progress: Progress): Promise<void> {
  if (await isThere(engine)) return;
  if (isMadeAhead()) return await bootstrap(engine, progress);
  try {
    progress('Fetching the base image (Debian trixie) …');
    await pull(engine);
    return;
  } catch (error) {
    progress(
      `  No registry answers (${firstLine(error)}). Making the base with debootstrap instead (about 30 s) …`,
    );
  }
  await bootstrap(engine, progress);
}

/** Whether the engine has an image of that name. */
export async function hasImage(engine: Engine, name: string): Promise<boolean> {
  const images = await engine.docker.listImages({ filters: { reference: [name] } });
  return images.length > 0;
}

/** Whether the engine has a base, and not one that an earlier Quayside has made otherwise. */
async function isThere(engine: Engine): Promise<boolean> {
  if (!(await hasImage(engine, BASE_IMAGE))) return false;
  const { Comment, Config } = await engine.docker.getImage(BASE_IMAGE).inspect();
  return !IMPORTED.test(Comment) || Config.Labels?.[EDITION_LABEL] === BASE_EDITION;
}

async function pull(engine: Engine): Promise<void> {
  const { docker } = engine;
  const { name, tag } = PULLED_IMAGE;
  const report = await engineCall(
    undefined,
    (abortSignal) => docker.createImage({ fromImage: name, tag, abortSignal }),
    PULL_SILENCE_MS,
  );
  for await (const _ of stepsOf(report, PULL_SILENCE_MS));
  await docker.getImage(`${name}:${tag}`).tag(BASE_NAME);
}

/** Whether a tree was made while the project's packages were installed, and this user may read it. */
function isMadeAhead(): boolean {
  return process.getuid?.() === 0 && existsSync(BASE_TREE);
}

async function bootstrap(engine: Engine, progress: Progress): Promise<void> {
  if (process.getuid?.() !== 0 || !isDebian()) {
    const pull = `Reach a registry and run: docker pull ${PULLED_IMAGE.name}:${PULLED_IMAGE.tag}`;
    throw new QuaysideError(
      'IMAGE_BUILD_FAILED',
      'The base image cannot be had: no registry answers, and only root on Debian or Ubuntu can make it without one.',
      isDebian() ? `${pull}. Or start as root: sudo npm start` : pull,
    );
  }
  const isMade = isMadeAhead();
  if (!isMade && !isInstalled('debootstrap')) {
    progress('Installing debootstrap …');
    await installPackages(BASE_PACKAGES, progress);
  }
  const root = isMade ? BASE_TREE : await mkdtemp(join(tmpdir(), 'quayside-base-'));
  try {
    if (!isMade) await runToEnd(baseCommand(root), progress);
    withoutTraces(root);
    progress('Giving the base image to the engine …');
    await importTree(engine, root);
  } catch (error) {
    throw new QuaysideError(
      'IMAGE_BUILD_FAILED',
      `Making the base image failed: ${messageOf(error)}`,
      'Try it by hand to see all it says: debootstrap --variant=minbase trixie /tmp/base',
      { cause: error },
    );
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

async function importTree(engine: Engine, root: string): Promise<void> {
  const excludes = LEFT_OUT.map((path) => `--exclude=./${path}`);
  const { execa } = await import('execa');
  const tar = execa('tar', ['-C', root, ...excludes, '-c', '.'], {
    ...{ stdin: 'ignore', stderr: 'ignore', buffer: false },
    timeout: IMPORT_SILENCE_MS,
  });
  const how = { ...BASE_NAME, changes: `LABEL ${EDITION_LABEL}=${BASE_EDITION}` };
  const [report] = await Promise.all([engine.docker.importImage(tar.stdout, how), tar]);
  for await (const _ of stepsOf(report, IMPORT_SILENCE_MS));
}

function firstLine(error: unknown): string {
  return messageOf(error).split('\n', 1)[0] ?? '';
}
