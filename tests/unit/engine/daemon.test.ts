import { expect, test } from 'vitest';
import { daemonCommand } from '../../../server/engine/daemon.ts';

const PATHS = {
  run: '/r',
  data: '/d',
  log: '/l',
  pidFile: '/r/engine.pid',
  socket: '/r/docker.sock',
  config: '/r/engine.json',
};

test('where systemd runs, the engine is in a scope of its own, as much as its hosts need', () => {
  const command = daemonCommand(PATHS, true);
  expect(command.slice(0, 2)).toEqual(['systemd-run', '--scope']);
  expect(command).toContain('--property=TasksMax=infinity');
  expect(command.slice(command.indexOf('--') + 1)).toEqual(daemonCommand(PATHS, false));
});

test('elsewhere it is started as it is', () => {
  expect(daemonCommand(PATHS, false).slice(0, 2)).toEqual([
    'dockerd',
    '--host=unix:///r/docker.sock',
  ]);
});
