import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { daemonCommand, daemonEnvironment, writeConfig } from '../../../server/engine/daemon.ts';

let run: string;
beforeEach(() => {
  run = mkdtempSync(join(tmpdir(), 'quayside-daemon-'));
});
afterEach(() => rmSync(run, { recursive: true }));

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

test('it trusts what Node is told to trust, beside what the machine trusts', () => {
  const extra = join(run, 'company.pem');
  writeFileSync(extra, 'a certificate');
  const env = daemonEnvironment({ run }, { NODE_EXTRA_CA_CERTS: extra, HTTPS_PROXY: 'http://p:1' });
  expect(env).toMatchObject({
    HTTPS_PROXY: 'http://p:1',
    SSL_CERT_DIR: `/etc/ssl/certs:${run}/certificates`,
  });
  expect(readFileSync(`${run}/certificates/extra.pem`, 'utf8')).toBe('a certificate');
  const missing = { NODE_EXTRA_CA_CERTS: join(run, 'nothing.pem') };
  expect(daemonEnvironment({ run }, missing)).toEqual(missing);
});

test('it pulls from where the machine’s engine does, and has nothing else of its settings', () => {
  const [config, machine] = [join(run, 'engine.json'), join(run, 'daemon.json')];
  const mirrors = { 'registry-mirrors': ['https://mirror.example'] };
  writeFileSync(machine, JSON.stringify({ ...mirrors, 'data-root': '/elsewhere' }));
  writeConfig({ config }, machine);
  expect(JSON.parse(readFileSync(config, 'utf8'))).toEqual(mirrors);
  writeFileSync(machine, '{ no JSON');
  writeConfig({ config }, machine);
  expect(JSON.parse(readFileSync(config, 'utf8'))).toEqual({});
});
