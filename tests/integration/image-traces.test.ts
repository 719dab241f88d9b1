import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { BASE_IMAGE } from '../../server/engine/base-image.ts';
import type { Engine } from '../../server/engine/engine.ts';
import { createSandboxRuntime } from '../../server/sandbox/runtime.ts';
import { PROJECT, realEngine, SMALL_LAB } from './stage.ts';

/** Where the settings of a machine stand, and what is written while packages are installed. */
const PLACES = ['etc', 'root', 'var/log', 'var/lib/dbus', 'var/lib/systemd', 'usr/local'];
/** What `docker save` writes beside the layers. */
const MANIFEST = z.tuple([z.object({ Layers: z.array(z.string()) })]);
/** A machine of this name cannot be told from words of Debian's own. */
const SHORT_NAME = 5;

let engine: Engine;
let images: readonly string[];
let directory: string;
beforeAll(async () => {
  engine = await realEngine();
  directory = await mkdtemp(join(tmpdir(), 'quayside-traces-'));
  const labs = new Map([['small', SMALL_LAB]]);
  await using runtime = await createSandboxRuntime(PROJECT, engine, labs, 'traces', () => {});
  images = [BASE_IMAGE, runtime.hostImage, ...Object.values(runtime.labImages)];
}, 600_000);
afterAll(() => rm(directory, { recursive: true }));

/**
 * The files in those places of each layer of an image, by layer and path. A container would not do: the engine gives it
 * empty ones in the place of some.
 */
async function filesOf(image: string): Promise<ReadonlyMap<string, string>> {
  const saved = await mkdtemp(join(directory, 'image-'));
  const tar = execa('tar', ['-x', '-C', saved], { stdout: 'ignore' });
  await Promise.all([pipeline(await engine.docker.getImage(image).get(), tar.stdin), tar]);
  const manifest = MANIFEST.parse(JSON.parse(await readFile(join(saved, 'manifest.json'), 'utf8')));
  const files = new Map<string, string>();
  for (const layer of manifest[0].Layers) {
    const root = await mkdtemp(join(directory, 'layer-'));
    const excluded = '--exclude=*/dev/*';
    await execa('tar', ['-x', '-f', join(saved, layer), '-C', root, '--no-same-owner', excluded]);
    await execa('chmod', ['-R', 'u+rwX', root]);
    for (const place of PLACES) await readAllBelow(join(root, place), root, files);
    await rm(root, { recursive: true });
  }
  await rm(saved, { recursive: true });
  return files;
}

async function readAllBelow(place: string, root: string, files: Map<string, string>) {
  if (!existsSync(place)) return;
  for (const entry of await readdir(place, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(root.length);
    // What one layer has is in the image, whether or not a later one hides it.
    files.set(name, (files.get(name) ?? '') + (await readFile(path, 'latin1')));
  }
}

/** What tells this machine from others. */
async function traces(): Promise<readonly string[]> {
  const read = (path: string) => readFile(path, 'utf8').catch(() => '');
  const nameServers = (await read('/etc/resolv.conf')).match(/^(nameserver|search|domain) .+$/gm);
  const proxies = Object.entries(process.env).flatMap(([name, value]) =>
    /^(http|https)_proxy$/i.test(name) && value ? [value] : [],
  );
  const id = (await read('/etc/machine-id')).trim();
  const name = hostname().length < SHORT_NAME ? [] : [hostname()];
  return [...(nameServers ?? []), ...proxies, ...name, ...(id === '' ? [] : [id])];
}

test('nothing of the machine on which they were built is in the images', async () => {
  const known = await traces();
  for (const image of images) {
    const files = await filesOf(image);
    // An engine gives these to each container; in the image they are empty, or missing.
    for (const path of ['/etc/hostname', '/etc/resolv.conf', '/etc/machine-id']) {
      expect(files.get(path) ?? '', `${path} of ${image}`).toBe('');
    }
    for (const [path, content] of files) {
      expect(path, image).not.toMatch(/\/ssh_host_|\/(authorized_keys|id_[a-z0-9]+)$/);
      const found = known.filter((trace) => content.includes(trace));
      expect(found, `${path} of ${image}`).toEqual([]);
      if (path.startsWith('/etc/apt/')) expect(content, path).not.toMatch(/^\s*Acquire::.*Proxy/m);
    }
    const zone = files.get('/etc/timezone') ?? 'Etc/UTC';
    expect(zone.trim(), image).toBe('Etc/UTC');
    const { Config } = await engine.docker.getImage(image).inspect();
    expect((Config.Env ?? []).filter((each) => /proxy/i.test(each))).toEqual([]);
  }
});
