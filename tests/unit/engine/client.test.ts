import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { createClient } from '../../../server/engine/client.ts';

const PROJECT = resolve(import.meta.dirname, '../../..');
const LEFT_OUT = ['ssh2', '@grpc/grpc-js', 'protobufjs'];

/** The packages of which a process has loaded anything once it has imported `specifier`. */
async function packagesOf(specifier: string): Promise<ReadonlySet<string>> {
  const code = `import { registerHooks } from 'node:module';
    registerHooks({ load: (url, context, next) => (console.log(url), next(url, context)) });
    await import('${specifier}');`;
  const argv = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', code];
  const { stdout } = await promisify(execFile)(process.execPath, argv, { cwd: PROJECT });
  return new Set(stdout.match(/(?<=node_modules\/)(@[^/\n]+\/)?[^/\n]+(?!.*node_modules)/g));
}

it('loads the server without the parts of its libraries that it never uses', async () => {
  const packages = await packagesOf('./server/app.ts');
  expect(packages).toContain('dockerode');
  for (const name of [...LEFT_OUT, 'execa', 'node-pty', 'tough-cookie'])
    expect(packages).not.toContain(name);
});

it('is superfluous once the library loads these parts itself only when it uses them', async () => {
  const packages = await packagesOf('dockerode');
  expect([...packages]).toEqual(expect.arrayContaining(LEFT_OUT));
});

it('says so where a part that was left out is asked for', async () => {
  const overSsh = createClient({ protocol: 'ssh', host: 'localhost' });
  await expect(overSsh.info()).rejects.toThrow(
    "Quayside does not load dockerode's docker-modem/lib/ssh",
  );
});
