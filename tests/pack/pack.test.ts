import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { stopOwnEngine } from '../../server/engine/own-engine.ts';
import { PROJECT } from '../../server/labs/loader.ts';
import { freePort } from '../fixtures/nginx.ts';

/** A GiB and a half is written, pressed, read and taken in by an engine. */
const PACK_MS = 1_800_000;
const LABS = join(PROJECT, 'tests/labs/linux-basics');
/** A lab whose hosts have another engine than the usual one. */
const NEWER_ENGINE = join(PROJECT, 'tests/labs/closed-door');
const STEPS = z.object({ said: z.string(), ticked: z.array(z.string()) });
const TOLD = z.object({
  outside: z.string(),
  said: z.array(z.string()),
  ours: STEPS,
  own: STEPS,
});

test(
  'an archive starts on an empty engine where there is no network, with all that its labs ask for, and they work, those of a folder too',
  async () => {
    // Short: the path of an engine's sockets has a limit.
    const folder = await mkdtemp(join(tmpdir(), 'qp-'));
    const home = join(folder, 'e');
    onTestFinished(async () => {
      await stopOwnEngine(home);
      await rm(folder, { recursive: true, force: true });
    });
    const output = join(folder, 'q.tar.gz');
    const labs = `docker-networking,${LABS},${NEWER_ENGINE}`;
    const pack = ['setup/run.mjs', 'server/cli/pack.ts', '--labs', labs, '--internet'];
    const packed = await execa(process.execPath, [...pack, '--output', output], { cwd: PROJECT });
    const there =
      'docker-networking,../quayside-labs/linux-basics,../quayside-labs/closed-door --internet';
    expect(packed.stdout).toContain(`cd quayside && ./start --class "Docker 101" --labs ${there}`);
    expect((await stat(output)).size).toBeGreaterThan(0);
    await execa('tar', ['--extract', '--file', output, '--directory', folder]);

    const argv = ['--clean', '--class', 'Docker 101', '--labs', ...there.split(' ')];
    const offline = [process.execPath, 'tests/pack/offline.ts', join(folder, 'quayside'), LABS];
    const script = 'ip link set lo up && exec "$@"';
    const { DOCKER_HOST: _, ...env } = process.env;
    const { stdout } = await execa(
      'unshare',
      ['--net', 'sh', '-c', script, 'offline', ...offline, ...argv],
      {
        ...{ cwd: PROJECT, extendEnv: false },
        env: { ...env, QUAYSIDE_ENGINE_HOME: home, PORT: String(await freePort()) },
      },
    );
    const { outside, said, ours, own } = TOLD.parse(JSON.parse(stdout));
    expect(outside).toBe('ENETUNREACH');
    expect(said).toContainEqual(expect.stringMatching(/^Loading the images that came with this/));
    expect(said.filter((line) => /^(Building|Installing|Fetching)/.test(line))).toEqual([]);
    expect(ours.said).toContain('42 on server01');
    expect(ours.ticked).not.toEqual([]);
    expect(own).toMatchObject({ said: expect.stringContaining('42 on'), ticked: ['anna'] });
  },
  PACK_MS,
);
