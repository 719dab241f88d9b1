import { setTimeout as delay } from 'node:timers/promises';
import { percentile } from '../class/machine.ts';
import type { Figures } from '../terminal/measures.ts';
import { BenchPage, type Metrics } from './bench-page.ts';
import type { Setting } from './contenders.ts';
import { heapWithoutCode } from './heap.ts';
import { FRAMES_FILE } from './host-files.ts';
import { measureRoom } from './room.ts';
import { elementsIn } from './trace.ts';
import { Traffic } from './traffic.ts';

export interface Measure {
  readonly name: string;
  /** `ours`: the bare page has nothing like it. */
  readonly of: 'all' | 'ours';
  /** `once`: the speed of the processor has no part in it. */
  readonly at: 'every speed' | 'once';
  run(setting: Setting): Promise<Figures>;
}

const KEYS = 61;
/** From a key that is on the screen to the next (ms): no typist is quicker, and it is in step with no frame. */
const BETWEEN_KEYS_MS = [83, 97, 109, 71, 127] as const;
/** A key that is not on the screen by then counts as never seen. */
const KEY_MOST_MS = 3_000;
/** … and what is left of the keys after this is not typed any more. */
const KEYS_MOST_MS = 60_000;
/** `cat` on a raw terminal: a key comes back as it is, behind the word that the page looks for. */
const ECHO = "stty raw -echo; printf 'KEY''S:'; exec cat";
const FRAMES_MS = 5_000;
/** The cursor of an idle page blinks for five seconds, and a slow page ends its loading meanwhile. */
const BLINKING_MS = 6_000;
const IDLE_MS = 20_000;
const LAST = 2_000_000;
const OTHERS = ['server02', 'client'] as const;
/** Lines a second in each of the tabs that nobody looks at. */
const RATES = [10, 5] as const;
/** Until the tabs behind begin to print: the one in front is there by then. */
const BEGIN_S = 6;
const PING =
  'i=0; while :; do echo "64 bytes from 10.1.10.12: icmp_seq=$((i+=1)) ttl=64 time=0.042 ms"; sleep 0.1; done';
/** More lines, and more bytes, than any terminal here keeps. */
const FILL = 'seq -f %0100.0f 1 30000';
const CHANGES = 100;
/**
 * So many first, so that what is made once is not taken for a leak: what Chromium notes of loads and long tasks, up to some
 * hundred entries.
 */
const CHANGES_BEFORE = 60;
const GARBAGE_MS = 5_000;
const RESTYLED_KEYS = 10;
/** A turn of the wheel (px), and the time between two (ms). */
const WHEEL = 40;
const WHEEL_MS = 50;
const RELOAD_MOST_MS = 60_000;
/** After a reload a key is typed so often: one that comes too early may be lost. */
const RELOAD_KEYS_MS = 100;

export const MEASURES: readonly Measure[] = [
  { name: 'key, fresh', of: 'all', at: 'every speed', run: (on) => keysIn(on, fresh) },
  { name: 'key, after long output', of: 'all', at: 'every speed', run: (on) => keysIn(on, used) },
  { name: 'key beside one tab', of: 'ours', at: 'every speed', run: (on) => besideTabs(on, 1) },
  { name: 'key beside two tabs', of: 'ours', at: 'every speed', run: (on) => besideTabs(on, 2) },
  { name: 'flood', of: 'all', at: 'every speed', run: (on) => command(on, `seq 1 ${LAST}`) },
  {
    name: 'full screen',
    of: 'all',
    at: 'every speed',
    run: (on) => command(on, `cat ${FRAMES_FILE}`),
  },
  { name: 'scroll beside ping', of: 'ours', at: 'every speed', run: (on) => scroll(on, PING) },
  { name: 'scroll beside yes', of: 'ours', at: 'every speed', run: (on) => scroll(on, 'yes') },
  { name: 'reload', of: 'ours', at: 'every speed', run: reload },
  { name: 'restyled', of: 'all', at: 'once', run: restyled },
  { name: 'idle', of: 'all', at: 'every speed', run: idle },
  { name: 'sections', of: 'ours', at: 'once', run: sections },
  { name: 'terminals', of: 'ours', at: 'once', run: terminals },
  { name: 'bytes', of: 'all', at: 'once', run: bytes },
  { name: 'roster', of: 'ours', at: 'every speed', run: measureRoom },
];

async function opened({ contender, browser }: Setting, hosts?: readonly string[]) {
  const page = await contender.open(browser, hosts);
  await page.prompt();
  return page;
}

async function fresh(): Promise<void> {}

/** A long output, a full-screen program, a reload. */
async function used(page: BenchPage): Promise<void> {
  await page.run('seq 1 200000');
  await page.run(`cat ${FRAMES_FILE}`);
  await page.page.reload();
  await page.prompt();
}

async function keysIn(
  setting: Setting,
  prepare: (page: BenchPage) => Promise<void>,
): Promise<Figures> {
  await using page = await opened(setting);
  await prepare(page);
  return await typed(page, setting.slow);
}

/** Types {@link KEYS} keys, each once the one before is on the screen. */
async function typed(page: BenchPage, slow: number): Promise<Figures> {
  await page.command(ECHO);
  await page.shown('^KEYS:');
  await page.slowDown(slow);
  await page.page.evaluate(() => bench.watch());
  page.forgetTold();
  const until = performance.now() + KEYS_MOST_MS;
  const times: number[] = [];
  for (let index = 0; index < KEYS; index++) {
    const left = Math.min(KEY_MOST_MS, until - performance.now());
    if (left <= 0) break;
    page.press(String.fromCharCode(97 + (index % 26)));
    const told = await page.told('key', left, (key) => key.index === index);
    if (told) times.push(told.ms);
    await delay(BETWEEN_KEYS_MS[index % BETWEEN_KEYS_MS.length]);
  }
  return {
    'p50 ms': percentile(times, 0.5),
    'p99 ms': percentile(times, 0.99),
    [`never seen, of ${KEYS}`]: KEYS - times.length,
  };
}

/** Keys, and frames, while tabs behind the one in front print short lines. */
async function besideTabs(setting: Setting, count: number): Promise<Figures> {
  const others = OTHERS.slice(0, count);
  await using page = await opened(setting, ['server01', ...others]);
  for (const [index, host] of others.entries()) {
    await tab(page, host);
    const pause = 1 / (RATES[index] ?? 1);
    await page.command(
      `sleep ${BEGIN_S}; while :; do echo "line $((i+=1))"; sleep ${pause.toFixed(2)}; done`,
    );
  }
  await tab(page, 'server01');
  await delay(BEGIN_S * 1_000);
  const keys = await typed(page, setting.slow);
  return { ...keys, 'frames a second': await page.frames(FRAMES_MS) };
}

async function tab(page: BenchPage, name: string): Promise<void> {
  await page.page.getByRole('tab', { name, exact: true }).click();
  await page.prompt();
}

/** How long a command takes until its end is on the screen, and what the page does meanwhile. */
async function command(setting: Setting, text: string): Promise<Figures> {
  await using page = await opened(setting);
  await page.slowDown(setting.slow);
  let before: Metrics | undefined;
  const ms = await page.run(text, async () => {
    before = await page.metrics();
  });
  const after = await page.metrics();
  const of = (name: keyof Metrics) => after[name] - (before?.[name] ?? 0);
  return {
    s: ms / 1_000,
    'script s': of('ScriptDuration'),
    'styles and layout s': of('RecalcStyleDuration') + of('LayoutDuration'),
  };
}

/** Scrolls the prose with the wheel while a program prints into the terminal in front. */
async function scroll(setting: Setting, program: string): Promise<Figures> {
  await using page = await opened(setting);
  await page.command(program);
  await page.slowDown(setting.slow);
  const prose = await page.page.locator('#lab-prose').boundingBox();
  const at = { x: (prose?.x ?? 0) + 100, y: 400 };
  const frames = page.frames(FRAMES_MS);
  let turned = 0;
  const turning = setInterval(() => {
    // Down for a second, up for a second.
    const deltaY = Math.floor((turned++ * WHEEL_MS) / 1_000) % 2 === 0 ? WHEEL : -WHEEL;
    const wheel = { type: 'mouseWheel', ...at, deltaX: 0, deltaY } as const;
    page.cdp.send('Input.dispatchMouseEvent', wheel).catch(() => undefined);
  }, WHEEL_MS);
  try {
    return { 'frames a second': await frames };
  } finally {
    clearInterval(turning);
  }
}

/** A full scrollback, and a reload: until a key is on the screen that was typed as soon as there was a terminal. */
async function reload(setting: Setting): Promise<Figures> {
  await using page = await opened(setting);
  await page.run(FILL);
  await page.slowDown(setting.slow);
  await page.page.evaluate(() => bench.focusAfterReload());
  page.forgetTold();
  const reloaded = page.page.reload();
  await page.told('focus', RELOAD_MOST_MS);
  const typing = setInterval(() => page.press('x'), RELOAD_KEYS_MS);
  try {
    const typed = await page.told('typed', RELOAD_MOST_MS);
    await reloaded;
    return { 's to a key on the screen': (typed?.ms ?? Number.NaN) / 1_000 };
  } finally {
    clearInterval(typing);
  }
}

/** Elements that Chromium gives styles anew, from a key until it is on the screen. */
async function restyled(setting: Setting): Promise<Figures> {
  await using page = await opened(setting);
  await page.command(ECHO);
  await page.shown('^KEYS:');
  await page.page.evaluate(() => bench.watch());
  const trace = await page.traced(async () => {
    for (let index = 0; index < RESTYLED_KEYS; index++) {
      page.press('x');
      await page.told('key', KEY_MOST_MS, (key) => key.index === index);
      await delay(BETWEEN_KEYS_MS[0]);
    }
  });
  const marks = (name: string) => trace.filter((event) => event.name === name).map(({ ts }) => ts);
  const ends = marks('bench-seen');
  const counts = marks('bench-key').map((from, index) =>
    elementsIn(trace, from, ends[index] ?? from),
  );
  const all = await page.page.evaluate(() => document.querySelectorAll('*').length);
  return { 'elements for a key': percentile(counts, 0.5), 'elements in the page': all };
}

/** Nobody does anything: first loading ends and the cursor blinks, then it rests. */
async function idle(setting: Setting): Promise<Figures> {
  await using page = await opened(setting);
  await page.slowDown(setting.slow);
  const pass = async (milliseconds: number) => {
    const before = await page.metrics();
    await delay(milliseconds);
    const after = await page.metrics();
    const busy = (after.TaskDuration - before.TaskDuration) / (milliseconds / 1_000);
    return { busy: 100 * busy, layouts: after.LayoutCount - before.LayoutCount };
  };
  const first = await pass(BLINKING_MS);
  const rest = await pass(IDLE_MS);
  return { 'at first, busy %': first.busy, 'busy %': rest.busy, layouts: rest.layouts };
}

async function sections(setting: Setting): Promise<Figures> {
  await using page = await opened(setting);
  return await growth(page, (count) =>
    page.page.evaluate(async (times) => {
      const lab = location.pathname.split('/', 3).join('/');
      for (let change = 0; change < times; change++) {
        const links = document.querySelectorAll<HTMLAnchorElement>('#starlight__sidebar a');
        const others = [...links].filter(
          ({ pathname }) => pathname.startsWith(lab) && pathname !== location.pathname,
        );
        const arrived = new Promise((resolve) => {
          navigation.addEventListener('navigatesuccess', resolve, { once: true });
        });
        others[change % others.length]?.click();
        await arrived;
      }
    }, count),
  );
}

/** The server lets a browser open 120 a minute (server/web/rate-limits.ts). */
const TERMINAL_EVERY_MS = 520;

async function terminals(setting: Setting): Promise<Figures> {
  await using page = await opened(setting);
  return await growth(page, (count) =>
    page.page.evaluate(
      async ({ times, every }) => {
        const until = async (isSo: () => boolean) => {
          while (!isSo()) await new Promise(requestAnimationFrame);
        };
        const tabs = () => document.querySelectorAll('.workspace [role="tab"]').length;
        const rows = () => document.querySelector('.panel:not([hidden]) .xterm-rows');
        const before = tabs();
        for (let change = 0; change < times; change++) {
          const next = performance.now() + every;
          document.querySelector<HTMLElement>('[data-open-host="server01"]')?.click();
          await until(() => tabs() > before && /[$#]/.test(rows()?.textContent ?? ''));
          document
            .querySelector<HTMLElement>('.workspace [aria-selected="true"] .tab-close')
            ?.click();
          await until(() => tabs() === before && performance.now() >= next);
        }
      },
      { times: count, every: TERMINAL_EVERY_MS },
    ),
  );
}

/** What there is more of after {@link CHANGES}, once the garbage is collected. */
async function growth(
  { cdp }: BenchPage,
  change: (times: number) => Promise<void>,
): Promise<Figures> {
  const kept = async () => {
    // Chromium holds on to what was just used for a moment.
    await delay(GARBAGE_MS);
    const kib = await heapWithoutCode(cdp);
    const { nodes } = await cdp.send('Memory.getDOMCounters');
    return { kib, nodes };
  };
  await change(CHANGES_BEFORE);
  const before = await kept();
  await change(CHANGES);
  const after = await kept();
  return {
    'heap, KiB more': after.kib - before.kib,
    'nodes more': after.nodes - before.nodes,
  };
}

/** What goes over the line until the prompt, with an empty cache and with a full one. */
async function bytes({ contender, browser }: Setting): Promise<Figures> {
  const cold = new Traffic();
  const page = await contender.open(browser, undefined, (opening) => cold.count(opening));
  await page.prompt();
  const figures = { 'cold, requests': cold.requests, 'cold, KiB': cold.kib };
  const url = page.page.url();
  const context = page.page.context();
  await page.page.close();
  const warm = new Traffic();
  await using again = await BenchPage.in(context, url, (opening) => warm.count(opening));
  await again.prompt();
  return { ...figures, 'warm, requests': warm.requests, 'warm, KiB': warm.kib };
}
