import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
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

/** A proxy for http at a Unix socket, and what it was asked for. */
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
  await new Promise<void>((listening) => server.listen(socket, listening));
  return { asked, [Symbol.dispose]: () => server.close() };
}

/** What comes of a build in a network whose only way out is that socket. */
async function buildBehind(socket: string, env: Readonly<Record<string, string>>) {
  const script = join(import.meta.dirname, 'proxy-only.ts');
  const argv = [script, home, socket, join(home, 'images'), join(home, 'base.tar')];
  const without = { http_proxy: '', https_proxy: '', HTTP_PROXY: '', HTTPS_PROXY: '' };
  const { stdout } = await execa(
    'unshare',
    ['--net', process.execPath, '--disable-warning=ExperimentalWarning', ...argv],
    { env: { ...without, ...env }, reject: false },
  );
  return stdout;
}

test('apt and a build come through a proxy that is the only way out, and not without it', async () => {
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
  const socket = join(home, 'proxy.sock');
  using proxy = await proxyAt(socket);
  expect(await buildBehind(socket, {})).toContain('could not be built');
  expect(proxy.asked).toEqual([]);
  expect(await buildBehind(socket, { HTTP_PROXY: 'http://127.0.0.1:3128' })).toBe('built');
  expect(proxy.asked.some((url) => url.endsWith('/InRelease'))).toBe(true);
});
