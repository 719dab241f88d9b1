import { mkdir, mkdtemp } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { takeTurn } from '../../server/base/turn.ts';
import { Engine } from '../../server/engine/engine.ts';
import { ownEngineAddress, startOwnEngine } from '../../server/engine/own-engine.ts';
import { removeEngine } from './second-engine.ts';

/** A short path: a Unix socket's may have 107 characters. */
let home: string;
beforeEach(async () => {
  home = await mkdtemp('/tmp/quay-');
});
afterEach(() => removeEngine(home));

const STARTING = 'Starting a Docker Engine for Quayside …';
const answers = () => new Engine(ownEngineAddress(home)).ping();

test('several starts at once come to one engine, which one of them starts', async () => {
  const told: string[] = [];
  const start = () => startOwnEngine((line) => told.push(line), home).then(answers);
  await Promise.all([start(), start(), start()]);
  expect(told.filter((line) => line === STARTING)).toHaveLength(1);
});

test('a start says which process sets the engine up, waits for it, and does the rest where that one has not', async () => {
  await mkdir(`${home}/run`);
  const other = await takeTurn(`${home}/run/start.lock`, () => undefined);
  const told: string[] = [];
  const waits = Promise.withResolvers<void>();
  const started = startOwnEngine((line) => {
    told.push(line);
    waits.resolve();
  }, home);
  await waits.promise;
  expect(told).toEqual([`Waiting for process ${process.pid}, which sets up the Docker Engine …`]);
  other[Symbol.dispose]();
  await started;
  await answers();
  expect(told.slice(1)).toEqual([STARTING]);
});
