import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Browser } from '@playwright/test';
import { type HttpClient, signIn } from '../../client-driver/http.ts';
import { Learner } from '../../client-driver/learner.ts';
import { startServer } from '../../client-driver/server-process.ts';
import { type LineOptions, SlowLine } from '../../client-driver/slow-line.ts';
import { openBrowser } from '../browser.ts';
import { BenchPage } from '../page/bench-page.ts';
import { freshTerminals } from '../page/contenders.ts';
import { type Seen, watchFar } from './far-page.ts';
import { freePort } from './whole-server.ts';

const LAB = 'docker-networking';
const HOST = 'server01';
const LAB_PAGE = `/labs/${LAB}/ephemeral-ports/`;
/** How a page shows keys: as the host does, and as it does by itself where the line is slow. */
const ECHOES = ['off', 'automatic'] as const;
/** Between keys, in turn (ms): a quick typist. */
const GAPS_MS: readonly number[] = [95, 180, 130, 240, 110, 160];
/** What a learner types. `⌫` takes a letter back; after the lines that end so the result is waited for. */
const LINES: readonly string[] = [
  'docker ps -a',
  'docker run -d --name web -p 8080:80 mycontainer:5.6',
  'ls',
  'docker netwrk⌫⌫⌫work ls',
  'ip addr show docker0 | grep inet',
  'cat /etc/hostt⌫s',
  'docker inspect web --format "{{.State.Status}}"',
  'ping -c 1 172.17.0.1',
  'docker rm -f web',
];
/** Something prints beside what is typed. */
const BESIDE = '(for i in 1 2 3 4 5 6 7 8; do sleep 0.6; echo beside; done) &';
/** In letters that stand nowhere else; vim goes about by them. */
const SECRET = 'GHLMHLMG';
const FILL = 'seq -f "line %g of a long output that fills the scrollback" 1 8000';
const PATIENCE_MS = 60_000;
const KEYS_MS = 100;

/** A server, a learner's hosts, and a browser that is far from both. */
interface Stage extends AsyncDisposable {
  readonly line: SlowLine;
  open(browser: Browser, echo: (typeof ECHOES)[number]): Promise<BenchPage>;
}

async function openStage(options: LineOptions, project: string): Promise<Stage> {
  await using opening = new AsyncDisposableStack();
  const data = await mkdtemp(join(tmpdir(), 'bench-far-'));
  opening.defer(() => rm(data, { recursive: true, force: true }));
  const [port, linePort] = [await freePort(), await freePort()];
  const origin = `http://127.0.0.1:${linePort}`;
  const env = { QUAYSIDE_ORIGINS: origin };
  const server = opening.use(
    await startServer({ data, project, port, args: ['--clean'], env, log: 'ignore' }),
  );
  const line = opening.use(await SlowLine.open(port, options, linePort));
  const http = await signIn(server.url);
  const learner = opening.use(await Learner.open(http, LAB));
  await learner.start();
  const opened = opening.move();
  return {
    line,
    open: (browser, echo) => openPage(browser, origin, http, echo),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

async function openPage(
  browser: Browser,
  origin: string,
  http: HttpClient,
  echo: (typeof ECHOES)[number],
): Promise<BenchPage> {
  await freshTerminals(http, [HOST]);
  const page = await BenchPage.open(browser, {
    url: origin + LAB_PAGE,
    cookie: http.cookie,
    before: async ({ page }) => {
      await page.addInitScript(watchFar);
      await page.addInitScript((localEcho) => {
        localStorage.setItem('quayside:terminal', JSON.stringify({ localEcho }));
      }, echo);
    },
  });
  await page.prompt();
  return page;
}

/** Keys that are seen at once over a long way, with and without local echo. @returns a table */
export async function measureFarKeys(rttMs: number, project: string): Promise<string> {
  await using stage = await openStage({ rttMs }, project);
  const rows: string[] = [];
  for (const echo of ECHOES) {
    const browser = await openBrowser();
    try {
      await using page = await stage.open(browser, echo);
      await delay(4 * rttMs);
      const name = echo === 'off' ? 'without' : 'with';
      rows.push(rowOf(name, 'at a prompt', await typed(page, rttMs, LINES)));
      await page.command(BESIDE);
      rows.push(
        rowOf(name, 'while a job prints', await typed(page, rttMs, LINES.slice(0, 1), true)),
      );
      await delay(5_000);
      await page.run('clear');
      rows.push(rowOf(name, 'a secret (read -s)', await hidden(page, rttMs, 'read -s secret')));
      await page.page.keyboard.press('Enter');
      await delay(3 * rttMs);
      rows.push(rowOf(name, 'commands of vim', await hidden(page, rttMs, 'vim')));
    } finally {
      await browser.close();
    }
  }
  const head = ['local echo', 'typed', 'keys', 'seen within 30 ms', 'wrong', 'stood, at most (ms)'];
  return tableOf([head, ...rows.map((row) => row.split('\t'))]);
}

function rowOf(name: string, what: string, { keys, atOnce, wrong }: Seen): string {
  const share = `${Math.round((100 * atOnce) / keys)} %`;
  const most = wrong.length === 0 ? '–' : String(Math.round(Math.max(...wrong)));
  return [name, what, keys, share, wrong.length, most].join('\t');
}

/** Types as a learner does: goes on after every other line without a look at what it did. */
async function typed(
  page: BenchPage,
  rttMs: number,
  lines: readonly string[],
  isBeside = false,
): Promise<Seen> {
  await page.page.evaluate((beside) => far.begin('', beside), isBeside);
  let gap = 0;
  for (const [at, text] of lines.entries()) {
    for (const key of [...text, 'Enter']) {
      await page.page.keyboard.press(key === '⌫' ? 'Backspace' : key);
      await delay(GAPS_MS[gap++ % GAPS_MS.length]);
    }
    await delay(at % 2 === 0 ? 2 * rttMs + 500 : rttMs / 2);
  }
  await delay(3 * rttMs);
  return page.page.evaluate(() => far.seen());
}

/** Types what nothing echoes, some of it before the program is there. */
async function hidden(page: BenchPage, rttMs: number, command: string): Promise<Seen> {
  await page.command(command);
  // The last of its keys are looked at.
  await delay(50);
  await page.page.evaluate((secret) => far.begin(secret), SECRET);
  for (const [at, key] of [...SECRET].entries()) {
    await page.page.keyboard.press(key);
    await delay(GAPS_MS[at % GAPS_MS.length]);
  }
  await delay(3 * rttMs);
  return page.page.evaluate(() => far.seen());
}

/** A reload with a full scrollback over a thin line: until a key's echo, and until all of it is there. @returns a table */
export async function measureThin(rttMs: number, mbit: number, project: string): Promise<string> {
  await using stage = await openStage({ rttMs, mbit }, project);
  const browser = await openBrowser();
  try {
    await using page = await stage.open(browser, 'off');
    const { page: tab } = page;
    await page.run(FILL);
    await delay(1_000);
    await tab.evaluate(() => bench.focusAfterReload());
    page.forgetTold();
    const before = stage.line.received;
    const begun = performance.now();
    const reloaded = tab.reload();
    await page.told('focus', PATIENCE_MS);
    const typing = setInterval(() => page.press('x'), KEYS_MS);
    const typed = await page.told('typed', PATIENCE_MS);
    clearInterval(typing);
    const untilKey = stage.line.received - before;
    await reloaded;
    const whole = await untilQuiet(stage.line);
    return tableOf([
      ['line', 'a key echoes after (s)', 'KiB until then', 'all is there after (s)', 'KiB in all'],
      [
        `${mbit} Mbit/s, ${rttMs} ms`,
        ((typed?.ms ?? Number.NaN) / 1_000).toFixed(2),
        (untilKey / 1_024).toFixed(0),
        ((whole - begun) / 1_000).toFixed(1),
        ((stage.line.received - before) / 1_024).toFixed(0),
      ],
    ]);
  } finally {
    await browser.close();
  }
}

/** @returns when more than a kilobyte a second came last */
async function untilQuiet(line: SlowLine): Promise<number> {
  for (let last = performance.now(); ; ) {
    const before = line.received;
    await delay(1_000);
    if (line.received - before > 1_024) last = performance.now();
    else if (performance.now() - last > 3_000) return last;
  }
}

function tableOf([head = [], ...rows]: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
