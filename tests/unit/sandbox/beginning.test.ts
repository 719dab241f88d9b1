import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempDisposableSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { defineLab, type LabFiles, type LabSource } from '#lab';
import type { Engine } from '../../../server/engine/engine.ts';
import { Host } from '../../../server/sandbox/host.ts';
import { WakeTurns } from '../../../server/sandbox/wake-turns.ts';

/** The script that hosts have, with a folder of a test in place of the host's own. */
const SCRIPT = readFileSync(join(import.meta.dirname, '../../../images/lab-host/begin'), 'utf8');
const ME = execFileSync('id', ['-un']).toString().trim();
const SIGNAL = new AbortController().signal;

let folder: ReturnType<typeof mkdtempDisposableSync>;
beforeEach(() => {
  folder = mkdtempDisposableSync(join(tmpdir(), 'quayside-begin-'));
});
afterEach(() => folder.remove());
const inFolder = (name: string) => join(folder.path, name);

const [PLAIN] = defineLab({
  title: 'T',
  hosts: { client: { address: '10.0.0.1/24' } },
  browser: 'client',
  sections: [],
}).hosts;

const SOURCE: LabSource = {
  files: async (from) => {
    if (from !== 'starter') throw new Error('is not there; its path begins beside lab.ts');
    return [
      { path: 'run', bytes: Buffer.from('#!/bin/sh\n'), isExecutable: true },
      // Every byte there is, and more of them than a pipe holds.
      {
        path: 'deep/all',
        bytes: Buffer.alloc(200_000, Buffer.from(Array.from({ length: 256 }, (_, i) => i))),
        isExecutable: false,
      },
      { path: 'empty', bytes: Buffer.alloc(0), isExecutable: false },
    ];
  },
  placeOf: (text) => `lab.ts:${text.length}`,
  placeIn: () => undefined,
};

/** A host that does the script here, as a fresh one each time it is called. */
function hostOf(given: {
  readonly files?: readonly LabFiles[];
  readonly setup?: readonly string[];
  /** How long a command may take. */
  readonly seconds?: number;
}) {
  const { seconds = 60 } = given;
  if (!PLAIN) throw new Error('the lab has a host');
  const runs: string[] = [];
  const run: Engine['run'] = async (_container, argv, options) => {
    runs.push(argv.join(' '));
    const script = SCRIPT.replace('/opt/quayside/begun', inFolder('begun')).replace(
      'seconds=60',
      `seconds=${seconds}`,
    );
    const { status, stdout, stderr } = spawnSync('bash', ['-c', script], { input: options?.input });
    return { status: status ?? -1, stdout: String(stdout), stderr: String(stderr) };
  };
  const spec = { ...PLAIN, ...given };
  return { runs, host: () => new Host({ run } as Engine, spec, 'c', undefined, new WakeTurns(2)) };
}

const begin = (host: Host) => host.begin(SOURCE, () => undefined, SIGNAL);
const starter = (more: Partial<LabFiles> = {}): LabFiles => ({
  ...{ from: 'starter', to: inFolder('srv/web'), owner: ME, mode: undefined },
  ...more,
});

describe('a host that has a beginning', () => {
  test('has its files byte by byte, each executable where it was, with the folders above them', async () => {
    await begin(hostOf({ files: [starter()] }).host());
    const [run, all] = await SOURCE.files('starter');
    expect(readFileSync(inFolder('srv/web/run'))).toEqual(run?.bytes);
    expect(readFileSync(inFolder('srv/web/deep/all')).equals(all?.bytes ?? Buffer.alloc(0))).toBe(
      true,
    );
    expect(readFileSync(inFolder('srv/web/empty'))).toHaveLength(0);
    const mode = (name: string) => (statSync(inFolder(name)).mode & 0o7777).toString(8);
    expect(['srv/web/run', 'srv/web/empty'].map(mode)).toEqual(['755', '644']);
  });

  test('has the mode that the lab names', async () => {
    await begin(hostOf({ files: [starter({ mode: '600' })] }).host());
    expect(statSync(inFolder('srv/web/run')).mode & 0o7777).toBe(0o600);
  });

  test('does its set-up in order, with its files there', async () => {
    const setup = [
      `cp ${inFolder('srv/web/run')} ${inFolder('one')}`,
      `mv ${inFolder('one')} "${inFolder("it's")}"`,
    ];
    await begin(hostOf({ files: [starter()], setup }).host());
    expect(readFileSync(inFolder("it's"), 'utf8')).toBe('#!/bin/sh\n');
  });

  test('is set up once: a server that comes back asks, and a look again asks nothing', async () => {
    const log = inFolder('log');
    const { host, runs } = hostOf({ setup: [`echo one >> ${log}`, `echo two >> ${log}`] });
    const first = host();
    await begin(first);
    await begin(first);
    expect(runs).toEqual(['/opt/quayside/begin']);
    expect(first.begunAt).toBeDefined();
    const afterCrash = host();
    await begin(afterCrash);
    expect(runs).toHaveLength(2);
    expect(afterCrash.begunAt).toBeUndefined();
    expect(readFileSync(log, 'utf8')).toBe('one\ntwo\n');
  });

  test('goes on at the command that failed', async () => {
    const log = inFolder('log');
    const { host } = hostOf({
      setup: [`echo one >> ${log}`, `cat ${inFolder('ready')}`, `echo three >> ${log}`],
    });
    const it = host();
    await expect(begin(it)).rejects.toThrow('failed with status 1');
    writeFileSync(inFolder('ready'), '');
    await begin(it);
    expect(readFileSync(log, 'utf8')).toBe('one\nthree\n');
  });

  test('leaves nobody waiting for what a command leaves running', async () => {
    const { host } = hostOf({ setup: [`sleep 300 & echo $! > ${inFolder('pid')}`] });
    await begin(host());
    process.kill(Number(readFileSync(inFolder('pid'), 'utf8')));
  });
});

describe('a beginning that fails', () => {
  const saying = (given: Parameters<typeof hostOf>[0]) =>
    begin(hostOf(given).host()).then(
      () => 'it began',
      ({ message }: Error) => message,
    );

  test('names the line, the host, the command and its last words, without what a terminal would obey', async () => {
    const command = String.raw`printf '\033[31mno such thing\nat all'; exit 3`;
    expect(await saying({ setup: ['true', command] })).toBe(
      `client could not be set up. lab.ts:${command.length}: “${command}” failed with status 3: [31mno such thing\nat all.`,
    );
  });

  test('keeps to the end of what is said', async () => {
    const said = await saying({ setup: ['seq 1000000; false'] });
    expect(said).toMatch(/\n1000000\.$/);
    expect(said.length).toBeLessThan(800);
  });

  test('says when a command said nothing', async () => {
    expect(await saying({ setup: ['false'] })).toContain(
      '“false” failed with status 1: it said nothing.',
    );
  });

  test('ends a command that does not end', async () => {
    expect(await saying({ setup: ['echo waiting; sleep 300'], seconds: 0.2 })).toContain(
      '“echo waiting; sleep 300” was not done within a minute: waiting.',
    );
  });

  test('names the file whose owner is nobody', async () => {
    expect(await saying({ files: [starter({ owner: 'nobody-here' })], setup: ['true'] })).toMatch(
      /^client could not be set up\. lab\.ts:7: the file \S+srv\/web failed with status 1: chown: invalid user: .nobody-here/,
    );
  });

  test('names a file that is no longer beside lab.ts', async () => {
    expect(await saying({ files: [starter({ from: 'gone' })] })).toBe(
      'client could not be set up. lab.ts:4: “gone” is not there; its path begins beside lab.ts.',
    );
  });
});

test('a host without a beginning is asked nothing', async () => {
  const { host, runs } = hostOf({});
  const phases: string[] = [];
  await host().begin(SOURCE, () => phases.push('being set up'), SIGNAL);
  expect([...runs, ...phases]).toEqual([]);
});
