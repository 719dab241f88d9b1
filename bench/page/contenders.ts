import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Browser } from '@playwright/test';
import { build } from 'vite';
import type { SessionSnapshot } from '#protocol';
import { type HttpClient, signIn } from '../../client-driver/http.ts';
import { Learner } from '../../client-driver/learner.ts';
import { startServer } from '../../client-driver/server-process.ts';
import { progress } from '../../server/base/progress.ts';
import type { Engine } from '../../server/engine/engine.ts';
import { findEngine } from '../../server/engine/find.ts';
import { LABEL } from '../../server/sandbox/labels.ts';
import { openBrowser } from '../browser.ts';
import { BenchPage, type Opening } from './bench-page.ts';
import { writeFrames } from './host-files.ts';

const LAB = 'docker-networking';
const LAB_PAGE = `/labs/${LAB}/ephemeral-ports/`;
/** The host whose shell all contenders type into. */
const HOST = 'server01';
/** Bash as it is, by words that no other shell of the host is started with. */
const BARE_SHELL = ['bash', '--noprofile'] as const;
/** As many lines as our terminals keep. */
const SCROLLBACK = 5_000;

const run = promisify(execFile);

/** A page that is measured. */
export interface Contender {
  readonly name: 'Quayside' | 'bare page';
  openBrowser(): Promise<Browser>;
  /** A page in a fresh browser with fresh shells. @param hosts ours: a terminal on each, the first in front */
  open(browser: Browser, hosts?: readonly string[], before?: Opening['before']): Promise<BenchPage>;
}

/** One contender's page in one state, with a browser of its own. */
export interface Setting {
  readonly contender: Contender;
  readonly browser: Browser;
  /** So many times slower than it is, the processor of the page's own thread. */
  readonly slow: number;
  readonly project: string | undefined;
}

/** The real server with a learner's hosts, and beside it the bare page with shells in one of them. */
export interface Stage extends AsyncDisposable {
  readonly contenders: readonly Contender[];
}

/** @param project the folder of the checkout whose server and pages are ours */
export async function openStage(project: string | undefined): Promise<Stage> {
  const engine = await findEngine(process.env, progress);
  await using opening = new AsyncDisposableStack();
  const data = await mkdtemp(join(tmpdir(), 'quayside-page-'));
  opening.defer(() => rm(data, { recursive: true }));
  const server = opening.use(
    await startServer({ data, project, args: ['--clean'], log: 'ignore' }),
  );
  const http = await signIn(server.url);
  const before = await hostsOn(engine);
  using learner = await Learner.open(http, LAB);
  await learner.start();
  const [container, ...others] = (await hostsOn(engine)).filter((id) => !before.includes(id));
  if (container === undefined || others.length > 0) {
    throw new Error('another server has made a sandbox meanwhile: try again');
  }
  const ours: Contender = {
    name: 'Quayside',
    openBrowser,
    open: async (browser, hosts = [HOST], before) => {
      await freshTerminals(http, hosts);
      return BenchPage.open(browser, { url: http.origin + LAB_PAGE, cookie: http.cookie, before });
    },
  };
  const docker = ['--host', engine.address, 'exec'];
  const size = await sizeOf(ours);
  await writeFrames([...docker, container], size);
  const directory = await mkdtemp(join(tmpdir(), 'quayside-bare-'));
  opening.defer(() => rm(directory, { recursive: true }));
  await build({
    root: join(import.meta.dirname, 'bare'),
    configFile: false,
    logLevel: 'error',
    build: { outDir: directory },
  });
  const argv = { directory, command: ['docker', ...docker, '-it', container, ...BARE_SHELL] };
  const child = fork(join(import.meta.dirname, 'bare-server.ts'), [JSON.stringify(argv)]);
  opening.defer(() => void child.kill());
  const [origin] = (await once(child, 'message')) as [string];
  const query = new URLSearchParams({ ...size, scrollback: String(SCROLLBACK) });
  const bare: Contender = {
    name: 'bare page',
    openBrowser,
    open: async (browser, _hosts, before) => {
      // A shell outlives the command that led to it.
      await run('docker', [
        ...docker,
        container,
        'pkill',
        '-KILL',
        '-xf',
        BARE_SHELL.join(' '),
      ]).catch(() => undefined);
      return BenchPage.open(browser, { url: `${origin}/?${query}`, before });
    },
  };
  const opened = opening.move();
  return {
    contenders: [ours, bare],
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** The containers that are a server01, of all servers on this engine. */
async function hostsOn(engine: Engine): Promise<readonly string[]> {
  const filters = { label: [`${LABEL.host}=${HOST}`] };
  return (await engine.docker.listContainers({ filters })).map(({ Id }) => Id);
}

/** Closes what is open, and opens a terminal on each of the hosts. */
export async function freshTerminals(http: HttpClient, hosts: readonly string[]): Promise<void> {
  const session = `/api/labs/${LAB}/session`;
  const { terminals } = await http.ask<SessionSnapshot>('POST', session);
  for (const { id } of terminals) await http.send('DELETE', `/api/labs/${LAB}/terminals/${id}`);
  for (const host of hosts) await http.ask('POST', `/api/labs/${LAB}/terminals`, { host });
}

/** The size that a terminal of ours has on its page. The others take the same. */
async function sizeOf(ours: Contender): Promise<{ readonly cols: string; readonly rows: string }> {
  const browser = await ours.openBrowser();
  try {
    await using page = await ours.open(browser);
    await page.prompt();
    await page.run('stty size');
    const rows = await page.page.locator('.xterm-rows:visible > div').allInnerTexts();
    const [, high = '', wide = ''] =
      rows.map((row) => /^(\d+) (\d+)\s*$/.exec(row)).find(Boolean) ?? [];
    return { cols: wide, rows: high };
  } finally {
    await browser.close();
  }
}
