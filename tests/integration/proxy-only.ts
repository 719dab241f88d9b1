/**
 * Run in a network of its own, which has no way out but a Unix socket to a proxy: builds an image that asks Debian's mirror
 * for something, on an engine of its own, and asks the same itself; or has npm install a project. Says `built` or
 * `installed`, or why not.
 *
 *   node proxy-only.ts build <home of the engine> <socket of the proxy> <folder of images> <archive of the base>
 *   node proxy-only.ts install <folder of the project> <socket of the proxy>
 */
import { execFileSync } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { connect, createServer } from 'node:net';
import { execa } from 'execa';
import { ensureImage } from '../../server/engine/build-image.ts';
import { Engine } from '../../server/engine/engine.ts';
import { ownEngineAddress, startOwnEngine, stopOwnEngine } from '../../server/engine/own-engine.ts';
import { runToEnd } from '../../server/engine/packages.ts';

const [, , what = '', home = '', proxy = '', images = '', base = ''] = process.argv;
const quiet = () => undefined;

execFileSync('ip', ['link', 'set', 'lo', 'up']);
const relay = createServer((inner) => {
  const outer = connect(proxy);
  inner.on('error', () => outer.destroy()).pipe(outer);
  outer.on('error', () => inner.destroy()).pipe(inner);
});
await new Promise<void>((listening) => relay.listen(3128, '127.0.0.1', listening));
try {
  await (what === 'install' ? install() : build());
} catch (error) {
  console.log((error as Error).message);
} finally {
  await stopOwnEngine(home);
}
process.exit();

async function build(): Promise<void> {
  await startOwnEngine(quiet, home);
  const engine = new Engine(ownEngineAddress(home));
  for await (const _ of await engine.docker.loadImage(createReadStream(base))) {
    // Read to the end: the image is there when the report is complete.
  }
  await ensureImage(engine, images, 'asks', quiet);
  const lists = `Dir::State::lists=${home}/lists`;
  await runToEnd(['apt-get', '-o', lists, '-o', 'APT::Update::Error-Mode=any', 'update'], quiet);
  console.log('built');
}

/** As setup/run.mjs does it. Not by `execFileSync`: the relay is in this process. */
async function install(): Promise<void> {
  const args = ['install', '--no-audit', '--no-fund', '--loglevel=error', '--fetch-retries=0'];
  await execa('npm', [...args, `--cache=${home}/cache`], { cwd: home, stdin: 'ignore' });
  console.log('installed');
}
