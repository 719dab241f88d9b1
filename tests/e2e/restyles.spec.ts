import type { Page } from '@playwright/test';
import { type Classroom, openClassroom } from '../../client-driver/classroom.ts';
import { expect, type Learner, test } from './learner.ts';
import { StyleCounter } from './style-counter.ts';

/** The spans of the row that the key stands in, the cursor's among them, and its next blink. */
const FOR_A_KEY = 30;
/** A check with its mark, its texts and its button, its counts in the bar and the sidebar, and the mark's fade. */
const FOR_A_TICK = 60;
/** One row of the roster, also where it moves to another place. */
const FOR_A_LEARNER = 60;
const KEYS = 'abcde';
const CLASS_SIZE = 60;
/** Of `CLASS_SIZE`: who works, and who raises a hand, each neither the first nor the last. */
const AT_WORK = 30;
const ASKS = 45;
/** Of the roster: sections, and steps below them. */
const HEAD_ROWS = 2;

const PAGES = [
  {
    what: 'a lab’s page',
    path: '/labs/docker-networking/linux-bridge/',
    lab: 'docker-networking',
    check: 'docker0-address-read',
  },
  {
    what: 'the authors’ demonstration',
    path: '/labs/components/helpers/',
    lab: 'components',
    check: 'docker0-read',
  },
];
/** What both checks ask for: Docker's default bridge has it on every host. */
const ANSWER = '172.17.0.1';

/** Types some keys into the terminal that has the focus, each with its echo and the cursor's next blink. */
async function countOfEachKey(page: Page, rows: string): Promise<readonly number[]> {
  const counter = await StyleCounter.of(page);
  const screen = page.locator(rows);
  const counts: number[] = [];
  let typed = 'k-';
  await page.keyboard.type(typed);
  await expect(screen).toContainText(typed);
  for (const key of KEYS) {
    typed += key;
    counts.push(
      await counter.during(async () => {
        await page.keyboard.press(key);
        await expect(screen).toContainText(typed);
        await nextBlink(page);
      }),
    );
  }
  return counts;
}

/** The cursor goes, and comes again. */
async function nextBlink(page: Page): Promise<void> {
  const cursor = page.locator('.xterm.focus');
  await expect(cursor).toHaveAttribute('data-cursor-off');
  await expect(cursor).not.toHaveAttribute('data-cursor-off');
}

/** Begins to note what is written outside of terminals although it stands there already. */
async function noteRewrites(page: Page): Promise<() => Promise<readonly string[]>> {
  const notes = await page.evaluateHandle(() => {
    const found: string[] = [];
    const textOf = (nodes: NodeList) => [...nodes].map(({ textContent }) => textContent).join('');
    const observer = new MutationObserver((records) => {
      for (const { type, target, attributeName, oldValue, removedNodes, addedNodes } of records) {
        if (!(target instanceof Element) || target.closest('.xterm')) continue;
        const isSame =
          type === 'attributes'
            ? target.getAttribute(attributeName ?? '') === oldValue
            : removedNodes.length > 0 && textOf(removedNodes) === textOf(addedNodes);
        if (isSame) found.push(`${attributeName ?? 'children'} of ${target.outerHTML}`);
      }
    });
    observer.observe(document.body, {
      subtree: true,
      childList: true,
      attributes: true,
      attributeOldValue: true,
    });
    return found;
  });
  return () => notes.jsonValue();
}

async function endLab(learner: Learner, lab: string): Promise<void> {
  const url = new URL(`/api/labs/${lab}/session`, learner.page.url());
  const answer = await learner.page.request.delete(url.href, { headers: { origin: url.origin } });
  expect(answer.ok()).toBe(true);
}

test('the counter counts what is restyled, and nothing else', async ({ page }) => {
  await page.setContent(
    `<style>.on { color: red }</style><p>${'<i>x</i>'.repeat(100)}</p><p>${'<b>y</b>'.repeat(50)}</p>`,
  );
  const counter = await StyleCounter.of(page);
  expect(await counter.during(async () => undefined)).toBe(0);
  const restyled = await counter.during(() =>
    page.evaluate(() => {
      for (const each of document.querySelectorAll('i')) each.classList.add('on');
    }),
  );
  expect(restyled).toBe(100);
});

for (const { what, path, lab, check } of PAGES) {
  test(`on ${what} an echoed key and a tick restyle little`, async ({ learner }) => {
    const { page } = learner;
    await page.goto(new URL(path, page.url()).href);
    await learner.ready();
    await learner.type('server01', 'clear');
    const keys = await countOfEachKey(page, '.panel:visible .xterm-rows');
    const counter = await StyleCounter.of(page);
    const rewrites = await noteRewrites(page);
    const tick = await counter.during(async () => {
      const url = new URL(`/api/labs/${lab}/answers/${check}`, page.url());
      await page.request.post(url.href, {
        headers: { origin: url.origin },
        data: { text: ANSWER },
      });
      await learner.ticked(check);
    });
    expect(Math.max(...keys), `for each of the keys: ${keys}`).toBeLessThanOrEqual(FOR_A_KEY);
    expect(tick).toBeGreaterThan(0);
    expect(tick).toBeLessThanOrEqual(FOR_A_TICK);
    expect(await rewrites()).toEqual([]);
    await endLab(learner, lab);
  });
}

async function openInstructor(page: Page, { server }: Classroom): Promise<void> {
  const secret = /secret, shown this once: (\S+)/.exec(server.said.join('\n'))?.[1] ?? '';
  await page.goto(new URL('/class/', server.url).href);
  await page.getByLabel('The instructor’s secret').fill(secret);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('combobox', { name: /^Lab/ }).selectOption('Docker Networking');
}

test('on the instructor’s page one learner’s change and a key in a watched terminal restyle little', async ({
  page,
}) => {
  const lab = 'docker-networking';
  await using classroom = await openClassroom({ learners: CLASS_SIZE, lab });
  const learner = classroom.learners[AT_WORK];
  const asking = classroom.learners[ASKS];
  if (!learner || !asking) throw new Error('nobody has joined');
  const name = `Learner ${AT_WORK + 1}`;
  const first = page.getByRole('row').nth(HEAD_ROWS);
  await openInstructor(page, classroom);
  const row = page.getByRole('row', { name: new RegExp(`${name}\\b`) });
  await learner.start();
  // The question is about an engine that has been used.
  await (await learner.terminal('server01')).run('docker version');
  await expect(row).toContainText('running');
  const counter = await StyleCounter.of(page);

  const rewrites = await noteRewrites(page);

  const hand = await counter.during(async () => {
    await asking.http.send('PUT', '/api/class/me/hand', { raised: true });
    await expect(first).toContainText(`Learner ${ASKS + 1}Hand up`);
  });
  const tick = await counter.during(async () => {
    await learner.answer('docker0-address-read', ANSWER);
    await expect(row).toContainText('1 of');
  });
  const lowered = await counter.during(async () => {
    await asking.http.send('PUT', '/api/class/me/hand', { raised: false });
    await expect(first).toContainText(name);
  });
  expect(await rewrites()).toEqual([]);

  await learner.http.send('PUT', '/api/class/me/typing', { allowed: true });
  await page.getByRole('button', { name, exact: true }).click();
  await page.getByRole('button', { name: 'Watch server01', exact: true }).click();
  await expect(page.getByText(`${name} lets you type`)).toBeVisible();
  await expect(page.locator('.room-watch .xterm-rows')).toContainText('$');
  await page.locator('.room-watch .xterm-screen').click();
  const keys = await countOfEachKey(page, '.room-watch .xterm-rows');
  expect(hand, 'for a raised hand').toBeLessThanOrEqual(FOR_A_LEARNER);
  expect(tick, 'for a tick').toBeLessThanOrEqual(FOR_A_LEARNER);
  expect(lowered, 'for a lowered hand').toBeLessThanOrEqual(FOR_A_LEARNER);
  expect(tick).toBeGreaterThan(0);
  expect(Math.max(...keys), `for each of the keys: ${keys}`).toBeLessThanOrEqual(FOR_A_KEY);
});
