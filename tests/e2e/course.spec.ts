import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { endSession, expect, type Learner, test } from './learner.ts';

const LABS = join(import.meta.dirname, '../../src/content/docs/labs');
/** The page as the second lab hands it out. */
const STARTER = readFileSync(join(LABS, 'build-an-image/starter/index.html'), 'utf8');

const SCREENS = [
  { where: 'at a desk', viewport: { width: 1440, height: 900 } },
  // So narrow that the text and the hosts take turns.
  { where: 'on a phone', viewport: { width: 390, height: 800 } },
];

for (const { where, viewport } of SCREENS) {
  test.describe(where, () => {
    test.use({ viewport });

    test('a learner takes a container through its life', ({ learner }) => runAContainer(learner));

    test('a learner builds an image, runs it, and builds it anew', ({ learner }) =>
      buildAnImage(learner));

    test('a learner publishes an image, runs it elsewhere, and sees its tag move on', ({
      learner,
    }) => publishAnImage(learner));
  });
}

async function runAContainer(learner: Learner): Promise<void> {
  const { page } = learner;
  await learner.goTo('../run-a-container/an-application/');
  await learner.follow('http://10.1.10.11');
  await learner.ticked('old-page-opened');
  await learner.run('ss -ltnp');
  await learner.answer('port-holder-read', await learner.read(/\(\("(\w+)",pid/));
  await learner.ticked('port-holder-read');
  await learner.run('docker images');
  await learner.answer('image-id-read', await learner.read(/webbase\s+5\.6\s+([0-9a-f]{12})/));
  await learner.ticked('image-id-read');
  await learner.choose('containers-counted', 'None');

  await learner.next('A container in the foreground');
  await learner.run('docker run');
  await learner.ticked('myweb-runs');
  await learner.follow('http://10.1.10.11:8080');
  await expect(learner.pane.getByRole('heading', { name: '403 Forbidden' })).toBeVisible();
  await learner.ticked('forbidden-opened');
  await learner.run('docker ps');
  await expect(learner.tab('server01 (2)')).toHaveAttribute('aria-selected', 'true');
  await learner.answer('container-id-read', await learner.read(/([0-9a-f]{12})\s+webbase/));
  await learner.ticked('container-id-read');
  await learner.run('docker inspect');
  await learner.answer('address-inside-read', await learner.read(/"IPAddress": "(172[\d.]+)"/));
  await learner.ticked('address-inside-read');
  await learner.run('docker logs');
  await learner.answer('log-read', await learner.read(/(10\.1\.10\.100) - - /));
  await learner.ticked('log-read');

  await learner.next('Its life, to the end');
  await page.getByRole('main').getByRole('button', { name: 'Ctrl-C' }).click();
  await expect(learner.tab('server01')).toHaveAttribute('aria-selected', 'true');
  await page.keyboard.press('Control+c');
  await learner.ticked('ended');
  await learner.run('docker ps -a');
  await learner.answer('exit-status-read', await learner.read(/Exited \((\d+)\)/));
  await learner.ticked('exit-status-read');
  await learner.run('docker start');
  await learner.ticked('started-again');
  await learner.run('docker rm');
  await learner.ticked('removed');
  await learner.toText();
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
  await endSession(page, 'run-a-container');
}

async function buildAnImage(learner: Learner): Promise<void> {
  const { page } = learner;
  await learner.goTo('../build-an-image/the-folder/');
  await learner.run('cat mycontainer/Dockerfile');
  const base = await learner.read(/FROM (\S+)/);
  await learner.toText();
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

  await learner.next('Build, name, layers');
  await learner.run('docker build');
  await learner.ticked('image-built');
  await learner.run('docker history');
  const instruction = await learner.read(/(COPY) file:/);
  await learner.toText();
  await learner.answer('top-line-read', instruction);
  await learner.ticked('top-line-read');
  await learner.choose('layers-counted', 'About 2 MB');

  await learner.next('Run it, and build it anew');
  await learner.run('docker run -d --name myapp ');
  await learner.ticked('myapp-runs');
  await learner.follow('http://10.1.10.11:8080');
  await expect(learner.pane.getByText('Ada')).toBeVisible();
  await learner.ticked('page-opened');
  const address = (await learner.pane.getByText(/^172\.17\./).textContent()) ?? '';
  await learner.toText();
  await learner.answer('server-ip-read', address);
  await learner.ticked('server-ip-read');
  await learner.run('sed -i');
  await learner.ticked('rebuilt');
  await learner.follow('http://10.1.10.11:8080');
  await learner.ticked('old-page-seen');
  await expect(learner.pane.getByRole('heading')).toHaveText('The old application');
  await learner.choose('why-still-old', 'The container is made from the former image');
  await learner.run('docker rm -f myapp');
  await learner.ticked('run-anew');
  await learner.follow('http://10.1.10.11:8080');
  await learner.ticked('new-page-opened');
  await expect(learner.pane.getByRole('heading')).toHaveText('The new application');
  await learner.toText();
  await page.getByRole('button', { name: /^Open in the editor: mycontainer\/Dockerfile/ }).click();
  await expect(
    page.getByRole('textbox', { name: '/home/learner/mycontainer/Dockerfile on server01' }),
  ).toContainText('FROM webbase:7');
  await page.keyboard.press('Control+s');
  await expect(page.locator('.files-status')).toContainText('is saved');
  await learner.run('docker build -t mycontainer:7');
  await learner.ticked('newer-built');
  await learner.run('docker run -d --name myapp7');
  await learner.ticked('both-run');
  await endSession(page, 'build-an-image');
}

async function publishAnImage(learner: Learner): Promise<void> {
  const { page } = learner;
  const inText = page.getByRole('main');
  await page.goto(new URL('/labs/publish-an-image/', page.url()).href);
  await learner.ready();

  await inText.getByRole('link', { name: 'Tag and push' }).first().click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Tag and push');
  const run = runBlocks(learner);
  await run();
  await learner.answer('registry-port-read', await learner.read(/:\s?(\d+)->5000/));
  await run();
  await learner.answer('catalog-read', await learner.read(/(\{"repositories":\[\]\})/));
  await run();
  await run();
  await run();
  await learner.ticked('registry-port-read', 'catalog-read', 'image-tagged', 'image-pushed');
  await run();
  await learner.answer('digest-read', await learner.read(/(sha256:[0-9a-f]{12})/));
  await learner.ticked('digest-read');
  await expect(inText.locator('[data-value-id="repositories"]').first()).toHaveText('mycontainer');

  await learner.next('Run it elsewhere');
  const runThere = runBlocks(learner);
  await runThere();
  await learner.read(/(registry-1\.docker\.io)/);
  await learner.ticked('short-name-fails');
  await runThere('stays');
  await learner.ticked('runs-elsewhere');
  await learner.follow('http://10.1.10.12:8080');
  await expect(learner.pane.locator('h1')).toHaveText('Hello from mycontainer');
  await learner.ticked('opened-elsewhere');
  await learner.toText();
  await inText.getByRole('button', { name: 'Ctrl-C' }).click();
  await page.locator('.panel:visible .xterm-screen').click();
  await page.keyboard.press('Control+c');
  // What is done is in the check’s title as well.
  await learner.notYet('gone-by-itself', 'See on server02 what is left of it');
  await runThere();
  await learner.ticked('gone-by-itself');

  await learner.next('A newer version');
  const runAgain = runBlocks(learner);
  await runAgain();
  await learner.ticked('runs-again');
  await learner.toText();
  await inText.getByRole('button', { name: /newer\/Dockerfile/ }).click();
  await expect(page.getByRole('textbox', { name: /newer\/Dockerfile on server01/ })).toContainText(
    'FROM mycontainer:5.6',
  );
  await page.keyboard.press('Control+s');
  await expect(page.locator('.files-status')).toContainText('is saved');
  await runAgain();
  await learner.ticked('newer-built');
  await runAgain();
  await learner.ticked('newer-pushed');
  await learner.follow('http://10.1.10.12:8080');
  await learner.ticked('older-page-opened');
  await runAgain();
  await learner.ticked('newer-pulled');
  await runAgain();
  await learner.toText();
  await inText.locator('a.visit').last().click();
  await expect(learner.pane.locator('h1')).toHaveText('Hello from a newer mycontainer');
  await learner.ticked('newer-page-opened');
  await endSession(page, 'publish-an-image');
}

/** Runs the page’s blocks, one at each call, and waits for its end unless it stays. */
function runBlocks(learner: Learner): (how?: 'stays') => Promise<void> {
  // The text may be out of sight by the time that a command ends.
  const buttons = learner.page.locator('[data-host-block] button[data-run-host]');
  let next = 0;
  return async (how) => {
    await learner.toText();
    const button = buttons.nth(next);
    next += 1;
    await button.click();
    if (how === undefined) await expect(button).not.toHaveAttribute('aria-disabled');
  };
}
