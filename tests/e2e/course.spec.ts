import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, type Learner, test } from './learner.ts';

const LABS = join(import.meta.dirname, '../../src/content/docs/labs');
/** The page as the second lab hands it out. */
const STARTER = readFileSync(join(LABS, 'build-an-image/starter/index.html'), 'utf8');

/** Where the screen is so narrow that the text and the terminals take turns. */
const PHONE = { width: 390, height: 800 };

test('a learner takes a container through its life, from the first tick to the last', async ({
  learner,
}) => {
  const { page } = learner;
  await learner.goTo('../run-a-container/an-application/');
  await follow(learner, 'http://10.1.10.11');
  await learner.ticked('old-page-opened');
  await run(learner, 'ss -ltnp');
  await learner.answer('port-holder-read', await learner.read(/\(\("(\w+)",pid/));
  await learner.ticked('port-holder-read');
  await run(learner, 'docker images');
  await learner.answer('image-id-read', await learner.read(/webbase\s+5\.6\s+([0-9a-f]{12})/));
  await learner.ticked('image-id-read');
  await choose(learner, 'containers-counted', 'None');

  await next(learner, 'A container in the foreground');
  await run(learner, 'docker run');
  await learner.ticked('myweb-runs');
  await follow(learner, 'http://10.1.10.11:8080');
  await expect(learner.pane.getByRole('heading', { name: '403 Forbidden' })).toBeVisible();
  await learner.ticked('forbidden-opened');
  await run(learner, 'docker ps');
  await expect(learner.tab('server01 (2)')).toHaveAttribute('aria-selected', 'true');
  await learner.answer('container-id-read', await learner.read(/([0-9a-f]{12})\s+webbase/));
  await learner.ticked('container-id-read');
  await run(learner, 'docker inspect');
  await learner.answer('address-inside-read', await learner.read(/"IPAddress": "(172[\d.]+)"/));
  await learner.ticked('address-inside-read');
  await run(learner, 'docker logs');
  await learner.answer('log-read', await learner.read(/(10\.1\.10\.100) - - /));
  await learner.ticked('log-read');

  await next(learner, 'Its life, to the end');
  await page.getByRole('main').getByRole('button', { name: 'Ctrl-C' }).click();
  await expect(learner.tab('server01')).toHaveAttribute('aria-selected', 'true');
  await page.keyboard.press('Control+c');
  await learner.ticked('ended');
  await run(learner, 'docker ps -a');
  await learner.answer('exit-status-read', await learner.read(/Exited \((\d+)\)/));
  await learner.ticked('exit-status-read');
  await run(learner, 'docker start');
  await learner.ticked('started-again');
  await run(learner, 'docker rm');
  await learner.ticked('removed');
  const order = learner.check('life-in-order');
  for (const [option, steps] of [
    ['It is made from an image', 3],
    ['Its program starts', 2],
  ] as const) {
    const up = order.getByRole('button', { name: `Up: ${option}` });
    for (let step = 0; step < steps; step += 1) await up.click();
  }
  await order.getByRole('button', { name: 'Check' }).click();
  await learner.ticked('life-in-order');
  await end(learner, 'run-a-container');
});

test('on a phone a learner builds an image, runs it, and builds it anew', async ({ learner }) => {
  const { page } = learner;
  await page.setViewportSize(PHONE);
  await learner.goTo('../build-an-image/the-folder/');
  await run(learner, 'cat mycontainer/Dockerfile');
  const base = await learner.read(/FROM (\S+)/);
  await read(learner);
  await learner.answer('base-read', base);
  await learner.ticked('base-read');
  await page.getByRole('button', { name: 'mycontainer/index.html', exact: true }).click();
  const path = '/home/learner/mycontainer/index.html';
  const editor = page.getByRole('textbox', { name: `${path} on server01` });
  await expect(editor).toBeFocused();
  await page.keyboard.press('Control+a');
  await page.keyboard.insertText(STARTER.replace('Your Name', 'Ada'));
  await page.keyboard.press('Control+s');
  await learner.ticked('name-written');

  await next(learner, 'Build, name, layers');
  await run(learner, 'docker build');
  await learner.ticked('image-built');
  await run(learner, 'docker history');
  const instruction = await learner.read(/(COPY) file:/);
  await read(learner);
  await learner.answer('top-line-read', instruction);
  await learner.ticked('top-line-read');
  await choose(learner, 'layers-counted', 'About 2 MB');

  await next(learner, 'Run it, and build it anew');
  await run(learner, 'docker run -d --name myapp ');
  await learner.ticked('myapp-runs');
  await follow(learner, 'http://10.1.10.11:8080');
  await expect(learner.pane.getByText('Ada')).toBeVisible();
  await learner.ticked('page-opened');
  const address = (await learner.pane.getByText(/^172\.17\./).textContent()) ?? '';
  await read(learner);
  await learner.answer('server-ip-read', address);
  await learner.ticked('server-ip-read');
  await run(learner, 'sed -i');
  await learner.ticked('rebuilt');
  await follow(learner, 'http://10.1.10.11:8080');
  await learner.ticked('old-page-seen');
  await expect(learner.pane.getByRole('heading')).toHaveText('The old application');
  await choose(learner, 'why-still-old', 'The container is made from the former image');
  await run(learner, 'docker rm -f myapp');
  await learner.ticked('run-anew');
  await follow(learner, 'http://10.1.10.11:8080');
  await learner.ticked('new-page-opened');
  await expect(learner.pane.getByRole('heading')).toHaveText('The new application');
  await read(learner);
  await page.getByRole('button', { name: /^Open in the editor: mycontainer\/Dockerfile/ }).click();
  await expect(
    page.getByRole('textbox', { name: '/home/learner/mycontainer/Dockerfile on server01' }),
  ).toContainText('FROM webbase:7');
  await page.keyboard.press('Control+s');
  await expect(page.locator('.files-status')).toContainText('is saved');
  await run(learner, 'docker build -t mycontainer:7');
  await learner.ticked('newer-built');
  await run(learner, 'docker run -d --name myapp7');
  await learner.ticked('both-run');
  await end(learner, 'build-an-image');
});

/** Turns to the text, where that is out of sight. */
async function read({ page }: Learner): Promise<void> {
  const tab = page.getByRole('tab', { name: 'Read' });
  if (await tab.isVisible()) await tab.click();
}

/** Presses Run at the block with these words. */
async function run(learner: Learner, words: string): Promise<void> {
  await read(learner);
  const block = learner.page.locator('[data-host-block]', { hasText: words });
  await block
    .first()
    .getByRole('button', { name: /^Run on/ })
    .click();
}

/** Opens a link of the text in the browser pane. */
async function follow(learner: Learner, url: string): Promise<void> {
  await read(learner);
  await learner.page.locator(`a.visit[data-visit="${url}"]`).first().click();
}

async function choose(learner: Learner, id: string, option: string): Promise<void> {
  await read(learner);
  const question = learner.check(id);
  await question.getByRole('radio', { name: option }).check();
  await question.getByRole('button', { name: 'Check' }).click();
  await learner.ticked(id);
}

async function next(learner: Learner, title: string): Promise<void> {
  await read(learner);
  await learner.page.getByRole('main').getByRole('link', { name: /^Next/ }).click();
  await expect(learner.page.getByRole('heading', { level: 1 })).toHaveText(title);
  await learner.ready();
}

/** Gives the hosts back. */
async function end({ page }: Learner, lab: string): Promise<void> {
  const url = new URL(`/api/labs/${lab}/session`, page.url());
  const answer = await page.request.delete(url.href, { headers: { origin: url.origin } });
  expect(answer.ok()).toBe(true);
}
