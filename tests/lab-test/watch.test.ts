import { spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';

const PROJECT = resolve(import.meta.dirname, '../..');
const WATCHED_MS = 240_000;

/** `npm run lab:test -- --watch` on a new lab, at its first step or another. */
async function watched(...options: readonly string[]) {
  const labs = await mkdtemp(join(tmpdir(), 'quayside-watch-'));
  await cp(join(PROJECT, 'setup/new-lab'), join(labs, 'my-lab'), { recursive: true });
  const argv = ['lab-test/main.ts', 'my-lab', '--labs', labs, '--watch', ...options];
  const program = spawn(process.execPath, argv, {
    cwd: PROJECT,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const lines = createInterface({ input: program.stdout })[Symbol.asyncIterator]();
  return {
    said: async (pattern: RegExp): Promise<string> => {
      for (;;) {
        const { value, done } = await lines.next();
        if (done || pattern.test(value)) return value ?? 'ended';
      }
    },
    change: async (file: string, from: string, to: string) => {
      const path = join(labs, 'my-lab', file);
      const text = await readFile(path, 'utf8');
      expect(text).toContain(from);
      await writeFile(path, text.replace(from, to));
    },
    /** Ctrl-C: what is said from then on, and the status. */
    interrupted: async () => {
      program.kill('SIGINT');
      const said: string[] = [];
      for (let next = await lines.next(); !next.done; next = await lines.next()) {
        said.push(next.value);
      }
      if (program.exitCode === null) await new Promise((ended) => program.once('exit', ended));
      return { said, status: program.exitCode };
    },
    [Symbol.asyncDispose]: async () => {
      program.kill('SIGTERM');
      if (program.exitCode === null) await new Promise((ended) => program.once('exit', ended));
      await rm(labs, { recursive: true });
    },
  };
}

test(
  'the step that was changed is tried at each save, on hosts that wait before it',
  async () => {
    await using author = await watched();
    expect(await author.said(/^[✓✗]/)).toMatch(/^✓ web-runs: as written, and 1 wrong ways/);
    await author.said(/^Ready for web-runs/);
    await author.change('lab.ts', "says: 'publishes no port'", 'says: /publishes no port|never/');
    expect(await author.said(/^[✓✗]/)).toMatch(/^✓ web-runs/);
    await author.said(/^Ready for web-runs/);
    await author.change('first-steps.mdx', 'docker port web\n', 'docker prot web\n');
    expect(await author.said(/^[✓✗]/)).toMatch(
      /^✗ .*first-steps\.mdx:26 web-port-read .*“docker prot web” to succeed; seen: exit status 1, “docker: 'prot' is not a docker command/,
    );
    await author.said(/^Ready for web-port-read/);
    await author.change('lab.ts', "browser: 'client'", "browser: 'clent'");
    await author.said(/lab\.ts:14: browser: "clent" is no host/);
    expect(await author.interrupted()).toEqual({ said: [], status: 0 });
  },
  WATCHED_MS,
);
