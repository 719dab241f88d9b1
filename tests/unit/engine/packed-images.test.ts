import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Dockerode, Engine } from '../../../server/engine/engine.ts';
import { loadPacked } from '../../../server/engine/packed-images.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'quayside-packed-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function packed(names: unknown): void {
  mkdirSync(join(folder, 'packed'));
  writeFileSync(join(folder, 'packed/images.tar'), 'an archive');
  writeFileSync(join(folder, 'packed/names.json'), JSON.stringify(names));
}

/** An engine that answers a load with `report`. */
function engine(report: string, loaded: string[] = []): Engine {
  const docker = {
    listImages: async () => [],
    loadImage: async (archive: Readable) => {
      loaded.push(await text(archive));
      return Readable.from([report]);
    },
  };
  return new Engine('unix:///none', docker as unknown as Dockerode);
}

const load = (on: Engine, told: string[] = []) =>
  loadPacked(on, folder, 'quayside/lab-host:0', (line) => told.push(line));

test('a checkout has no images with it, and an image that did not come along is built', async () => {
  expect(await load(engine(''))).toBe(false);
  packed(['quayside/webbase:1']);
  const loaded: string[] = [];
  expect(await load(engine('', loaded))).toBe(false);
  expect(loaded).toEqual([]);
});

test('an image that came along is loaded, and that is said', async () => {
  packed(['quayside/base:trixie', 'quayside/lab-host:0']);
  const [loaded, told]: [string[], string[]] = [[], []];
  expect(await load(engine('{"stream":"Loaded"}\n', loaded), told)).toBe(true);
  expect(loaded).toEqual(['an archive']);
  expect(told).toEqual(['Loading the images that came with this Quayside (1 MiB) …']);
});

test('images that are asked for side by side are loaded once', async () => {
  packed(['quayside/webbase:1', 'quayside/lab-host:0']);
  const [loaded, told]: [string[], string[]] = [[], []];
  const on = engine('{"stream":"Loaded"}\n', loaded);
  const other = loadPacked(on, folder, 'quayside/webbase:1', (line) => told.push(line));
  expect(await Promise.all([load(on, told), other])).toEqual([true, true]);
  expect([loaded.length, told.length]).toEqual([1, 1]);
});

test('an archive that the engine does not take is told with its words', async () => {
  packed(['quayside/lab-host:0']);
  await expect(load(engine('{"error":"unexpected EOF"}\n'))).rejects.toMatchObject({
    code: 'IMAGE_BUILD_FAILED',
    message: expect.stringContaining('unexpected EOF'),
    remedy: expect.stringContaining(`docker load --input ${folder}/packed/images.tar`),
  });
});

test('a list of names that is none is told as well', async () => {
  packed('damaged');
  await expect(load(engine(''))).rejects.toMatchObject({ code: 'IMAGE_BUILD_FAILED' });
});
