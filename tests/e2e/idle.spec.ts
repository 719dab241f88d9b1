import type { CDPSession } from '@playwright/test';
import { expect, test } from './learner.ts';

/** The cursor comes to rest after five seconds, and all that loading has left to do has been done. */
const REST_MS = 7_000;
/** The server is silent in the time that the page is made to take; after 25 seconds of it the page would dial anew. */
const IDLE_MS = 15_000;
/** The page's own, and a terminal on each of the three hosts. */
const LINKS = 4;
/** Each link looks every five seconds whether its server has been silent for too long. */
const TIMERS = LINKS * (IDLE_MS / 5_000);
/** As Chromium's trace calls a timer that runs out, and a frame that is drawn. */
const [TIMER, FRAME] = ['TimerFire', 'PrePaint'] as const;

interface TraceEvent {
  readonly name: string;
}

/** Lets so much of the page's time pass at once, with every timer in it. */
async function pass(devtools: CDPSession, ms: number): Promise<void> {
  const passed = new Promise((resolve) =>
    devtools.once('Emulation.virtualTimeBudgetExpired', resolve),
  );
  await devtools.send('Emulation.setVirtualTimePolicy', { policy: 'advance', budget: ms });
  await passed;
}

/** Waits until the server has said something on each of the page's links: it does so every ten seconds. */
async function heardOnAll(devtools: CDPSession): Promise<void> {
  const heard = new Set<string>();
  const onAll = new Promise<void>((resolve) =>
    devtools.on('Network.webSocketFrameReceived', ({ requestId }) => {
      heard.add(requestId);
      if (heard.size === LINKS) resolve();
    }),
  );
  await devtools.send('Network.enable');
  await onAll;
  await devtools.send('Network.disable');
}

test('a page that nobody does anything in draws nothing, and wakes for its links alone', async ({
  learner,
}) => {
  const { page } = learner;
  await learner.goTo('ephemeral-ports/');
  await learner.type('server01', 'clear; echo at-rest-$((1 + 1))');
  await learner.read(/(at-rest-2)\s+learner@server01/);
  const devtools = await page.context().newCDPSession(page);
  await pass(devtools, REST_MS);
  // The page's time stands still meanwhile, so that no link has been silent at all when it goes on.
  await heardOnAll(devtools);
  const events: TraceEvent[] = [];
  devtools.on('Tracing.dataCollected', ({ value }: { value: object[] }) =>
    events.push(...(value as TraceEvent[])),
  );
  await devtools.send('Tracing.start', {
    transferMode: 'ReportEvents',
    traceConfig: { includedCategories: ['devtools.timeline'], excludedCategories: ['*'] },
  });
  await pass(devtools, IDLE_MS);
  const complete = new Promise((resolve) => devtools.once('Tracing.tracingComplete', resolve));
  await devtools.send('Tracing.end');
  await complete;
  const count = (wanted: string) => events.filter(({ name }) => name === wanted).length;
  expect(count(FRAME)).toBe(0);
  expect(count(TIMER)).toBeGreaterThan(0);
  expect(count(TIMER)).toBeLessThanOrEqual(TIMERS);
});
