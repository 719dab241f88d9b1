import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { expect, onTestFinished, test } from 'vitest';
import { openSwarmStage } from '../../machines/swarm-stage.ts';

async function namespaces(): Promise<readonly string[]> {
  const all = existsSync('/run/netns') ? await readdir('/run/netns') : [];
  return all.toSorted();
}

test('three engines of one machine are one Swarm, and nothing of them stays', async () => {
  const before = await namespaces();
  const stage = await openSwarmStage(3);
  onTestFinished(() => stage[Symbol.asyncDispose]());
  const states = async () => {
    const nodes = (await stage.nodes[0]?.engine.docker.listNodes()) ?? [];
    return Object.fromEntries(nodes.map(({ ID, Status }) => [ID, Status.State]));
  };
  const ready = Object.fromEntries(stage.nodes.map(({ id }) => [id, 'ready']));
  await expect.poll(states).toEqual(ready);
  await stage[Symbol.asyncDispose]();
  expect(await namespaces()).toEqual(before);
});
