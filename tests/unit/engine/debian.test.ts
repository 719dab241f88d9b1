import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { aptProxies, baseCommand, withoutTraces } from '../../../server/engine/debian.mjs';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'quayside-tree-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function write(path: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), 'of the machine');
}

test('a base loses what is of the machine on which it was made, and keeps what is Debian’s', () => {
  const ofMachine = [
    ...['etc/hostname', 'etc/resolv.conf', 'etc/machine-id', 'var/lib/dbus/machine-id'],
    ...[
      'var/log/apt/history.log',
      'root/debootstrap.log',
      'tmp/left',
      'var/cache/apt/pkgcache.bin',
    ],
  ];
  const ofDebian = ['etc/passwd', 'root/.profile', 'var/lib/dpkg/status'];
  for (const path of [...ofMachine, ...ofDebian]) write(path);
  withoutTraces(root);
  expect(ofMachine.filter((path) => existsSync(join(root, path)))).toEqual([]);
  expect(ofDebian.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  expect(readdirSync(join(root, 'var/log')), 'the directories themselves stay').toEqual([]);
});

test('dpkg does not wait for the disk while a base is made, and in what is built on it', () => {
  expect(baseCommand(root).at(-1)).toBe(root);
  const settings = readFileSync(join(root, 'etc/dpkg/dpkg.cfg.d/quayside-io'), 'utf8');
  expect(settings).toBe('force-unsafe-io\n');
});

test('apt’s own proxies are known by the names that other programs read', () => {
  const config = join(root, 'apt.conf');
  const lines = ['Acquire::http::Proxy "http://proxy:3142";', 'Acquire::https::Proxy "DIRECT";'];
  writeFileSync(
    config,
    [...lines, 'Acquire::http::Proxy::own.example "http://other:1";'].join('\n'),
  );
  vi.stubEnv('APT_CONFIG', config);
  expect(aptProxies()).toEqual({ http_proxy: 'http://proxy:3142' });
  vi.stubEnv('PATH', root);
  expect(aptProxies(), 'where there is no apt').toEqual({});
  vi.unstubAllEnvs();
});
