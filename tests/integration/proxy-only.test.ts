import { createWriteStream, existsSync } from 'node:fs';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { execa } from 'execa';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { BASE_IMAGE, ensureBaseImage } from '../../server/engine/base-image.ts';
import { removeEngine } from './second-engine.ts';
import { realEngine } from './stage.ts';

/** Short: a Unix socket's path may have 107 characters. */
let home: string;
beforeEach(async () => {
  home = await mkdtemp('/tmp/quay-');
});
afterEach(() => removeEngine(home));

/** A proxy for http and https at a Unix socket, and what it was asked for. */
async function proxyAt(socket: string) {
  const asked: string[] = [];
  const server = createServer((inner, answer) => {
    asked.push(inner.url ?? '');
    const outer = request(
      inner.url ?? '',
      { method: inner.method, headers: inner.headers },
      (found) => {
        answer.writeHead(found.statusCode ?? 502, found.headers);
        found.pipe(answer);
      },
    );
    outer.on('error', () => answer.writeHead(502).end());
    inner.pipe(outer);
  });
  server.on('connect', ({ url = '' }, inner, head) => {
    asked.push(url);
    const { hostname, port } = new URL(`https://${url}`);
    const outer = connect(Number(port || 443), hostname, () => {
      inner.write('HTTP/1.1 200 Connection established\r\n\r\n');
      outer.write(head);
      outer.pipe(inner).pipe(outer);
    });
    outer.on('error', () => inner.destroy());
    inner.on('error', () => outer.destroy());
  });
  await new Promise<void>((listening) => server.listen(socket, listening));
  return { asked, [Symbol.dispose]: () => server.close() };
}

/** What comes of a work in a network whose only way out is that socket. */
async function behind(argv: readonly string[], env: Readonly<Record<string, string>>) {
  const script = join(import.meta.dirname, 'proxy-only.ts');
  const without = { http_proxy: '', https_proxy: '', HTTP_PROXY: '', HTTPS_PROXY: '' };
  const { stdout } = await execa(
    'unshare',
    ['--net', process.execPath, '--disable-warning=ExperimentalWarning', script, ...argv],
    { env: { ...without, ...env }, reject: false },
  );
  return stdout;
}

const PROXY = 'http://127.0.0.1:3128';

const socketIn = (folder: string) => join(folder, 'proxy.sock');

/** An image that asks Debian's mirror for something, and what it is built on. @returns how its build is asked for */
async function prepared(): Promise<readonly string[]> {
  const shared = await realEngine();
  await ensureBaseImage(shared, () => undefined);
  const archive = await shared.docker.getImage(BASE_IMAGE).get();
  await pipeline(archive, createWriteStream(join(home, 'base.tar')));
  await mkdir(join(home, 'images/asks'), { recursive: true });
  await mkdir(join(home, 'lists/partial'), { recursive: true });
  await writeFile(
    join(home, 'images/asks/Dockerfile'),
    'ARG BASE\nFROM $BASE\nRUN apt-get -o APT::Update::Error-Mode=any update\n',
  );
  return ['build', home, socketIn(home), join(home, 'images'), join(home, 'base.tar')];
}

test('apt and a build come through a proxy that is the only way out, and not without it', async () => {
  const build = await prepared();
  using proxy = await proxyAt(socketIn(home));
  expect(await behind(build, {})).toContain('could not be built');
  expect(proxy.asked).toEqual([]);
  // One that only apt knows here is for the build as well.
  const config = join(home, 'apt.conf');
  await writeFile(config, `Acquire::http::Proxy "${PROXY}";\n`);
  expect(await behind(build, { APT_CONFIG: config })).toBe('built');
  expect(proxy.asked.filter((url) => url.endsWith('/InRelease')).length).toBeGreaterThan(1);
});

test('a build comes through the proxy that the environment names', async () => {
  const build = await prepared();
  using proxy = await proxyAt(socketIn(home));
  expect(await behind(build, { HTTP_PROXY: PROXY })).toBe('built');
  expect(proxy.asked.some((url) => url.endsWith('/InRelease'))).toBe(true);
});

test('npm installs packages through it, and not without it', async () => {
  const dependencies = { picocolors: '1.1.1' };
  await writeFile(join(home, 'package.json'), JSON.stringify({ private: true, dependencies }));
  using proxy = await proxyAt(socketIn(home));
  const install = ['install', home, socketIn(home)];
  expect(await behind(install, {})).toContain('Command failed');
  expect(proxy.asked).toEqual([]);
  expect(await behind(install, { HTTPS_PROXY: PROXY, HTTP_PROXY: PROXY })).toBe('installed');
  expect(existsSync(join(home, 'node_modules/picocolors/package.json'))).toBe(true);
  expect(proxy.asked).not.toEqual([]);
});
