import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { installPackages } from '../../../server/engine/packages.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'quayside-apt-'));
  vi.stubEnv('PATH', `${directory}:${process.env.PATH}`);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true });
});

/** A program in the place of apt-get, with the words that apt 3.0 has. `$busy` is there while another uses it. */
function apt(script: string): string {
  const busy = join(directory, 'busy');
  const path = join(directory, 'apt-get');
  writeFileSync(path, `#!/bin/sh\nbusy=${busy}\n${script}\n`);
  chmodSync(path, 0o755);
  return busy;
}

const HELD = `if [ -e $busy ]; then
  echo 'Reading package lists...'
  echo 'E: Could not get lock /var/lib/apt/lists/lock. It is held by process 3200 (unattended-upgr)' >&2
  echo 'E: Unable to lock directory /var/lib/apt/lists/' >&2
  exit 100
fi`;

describe('packages', () => {
  it('are fetched by the proxy that the server was given, and its password is not shown', async () => {
    for (const name of ['http_proxy', 'https_proxy', 'HTTPS_PROXY']) vi.stubEnv(name, undefined);
    vi.stubEnv('HTTP_PROXY', 'http://ada:s%40cret@proxy.example:3128');
    apt('echo "Setting up by $http_proxy and $https_proxy"');
    const said: string[] = [];
    await installPackages(['docker.io'], (line) => said.push(line));
    expect(said[0]).toBe('  Setting up by http://***@proxy.example:3128 and');
  });

  it('are installed after the lists are read anew', async () => {
    apt('echo "Setting up $*"');
    const said: string[] = [];
    await installPackages(['docker.io'], (line) => said.push(line));
    expect(said).toEqual([
      '  Setting up update',
      '  Setting up install -y --no-install-recommends docker.io',
    ]);
  });

  it('wait while another program uses apt, which is named once', async () => {
    const busy = apt(`${HELD}; echo "Setting up $1"`);
    writeFileSync(busy, '');
    const said: string[] = [];
    const first = Promise.withResolvers<void>();
    const installed = installPackages(['docker.io'], (line) => {
      said.push(line);
      first.resolve();
    });
    await first.promise;
    rmSync(busy);
    await installed;
    expect(said).toEqual([
      'Waiting for apt: unattended-upgr (process 3200) is using it …',
      '  Setting up update',
      '  Setting up install',
    ]);
  });

  it('are given up after a quarter of an hour, with who still uses apt', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    writeFileSync(apt(HELD), '');
    const told = Promise.withResolvers<void>();
    const failed = expect(installPackages(['docker.io'], () => told.resolve())).rejects.toThrow(
      'It is held by process 3200 (unattended-upgr)',
    );
    await told.promise;
    await vi.advanceTimersByTimeAsync(15 * 60_000);
    await failed;
  });

  it('that cannot be had are an error with what apt gives as its cause, in whole lines', async () => {
    apt(
      'echo "Reading package lists..."; printf E >&2; printf ": " >&2; echo "Unable to locate package nothing" >&2; exit 100',
    );
    await expect(installPackages(['nothing'], () => undefined)).rejects.toThrow(
      /^Installing nothing failed: apt-get ended with status 100\.\n {2}E: Unable to locate package nothing$/,
    );
  });

  it.each([
    [
      'E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 812 (dpkg)\nE: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), is another process using it?',
      'dpkg (process 812)',
    ],
    [
      'dpkg: error: dpkg frontend lock was locked by another process with pid 812\nE: Sub-process /usr/bin/dpkg returned an error code (2)',
      'process 812',
    ],
    [
      'E: Could not get lock /var/lib/dpkg/lock-frontend - open (11: Resource temporarily unavailable)',
      'another program',
    ],
    ['E: Could not get lock /var/lib/apt/lists/lock. It is held by process 0', 'another program'],
  ])('wait for each of its locks: %s', async (words, holder) => {
    const busy = apt(`[ -e $busy ] && { cat "$busy" >&2; exit 100; }; exit 0`);
    writeFileSync(busy, `${words}\n`);
    const said = Promise.withResolvers<string>();
    const installed = installPackages(['docker.io'], said.resolve);
    expect(await said.promise).toBe(`Waiting for apt: ${holder} is using it …`);
    rmSync(busy);
    await installed;
  });
});
