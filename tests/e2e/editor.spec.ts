import { isAccessible } from './axe.ts';
import { expect, type Learner, test } from './learner.ts';

/** Opens the tab with the files of server01. */
async function openFiles(learner: Learner): Promise<void> {
  const { page } = learner;
  await learner.goTo('ephemeral-ports/');
  await page.getByRole('button', { name: 'New terminal, restart or close' }).click();
  await page.getByRole('menuitem', { name: 'Files of server01' }).click();
}

test('a file is made, saved, found changed on the host, and saved all the same', async ({
  learner,
}) => {
  const { page } = learner;
  await openFiles(learner);
  const files = learner.tab('Files of server01');
  await expect(files).toHaveAttribute('aria-selected', 'true');
  const tree = page.getByRole('tree', { name: 'Files of server01' });
  await expect(tree.getByRole('treeitem', { name: 'Home (~)' })).toHaveAttribute(
    'aria-expanded',
    'true',
  );

  await page.getByLabel('Path of a file to open or to make').fill('web/Dockerfile');
  await page.keyboard.press('Enter');
  const path = '/home/learner/web/Dockerfile';
  const editor = page.getByRole('textbox', { name: `${path} on server01` });
  await expect(editor).toBeFocused();
  await page.keyboard.type('FROM scratch');
  await expect(page.getByLabel('Open files')).toContainText('not saved');
  await page.keyboard.press('Control+s');
  const status = page.locator('.files-status');
  await expect(status).toHaveText(`${path} is saved.`);
  await expect(page.getByLabel('Open files')).not.toContainText('not saved');
  await isAccessible(page, 'the editor');

  // Tab indents; after Esc it leaves.
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  await expect(editor).toBeFocused();
  await page.keyboard.press('Escape');
  await page.keyboard.press('Tab');
  await expect(editor).not.toBeFocused();

  await learner.type(
    'server01',
    'clear; cat web/Dockerfile; echo changed >web/Dockerfile; echo one-$((1 + 1))',
  );
  expect(await learner.read(/(FROM scratch)\s*one-2/)).toBe('FROM scratch');
  await files.click();
  const ways = page.locator('.file-ways');
  await expect(ways).toContainText('has changed on server01 since you opened it');
  await expect(page.getByRole('textbox', { name: 'On server01 now' })).toContainText('changed');
  await expect(page.getByRole('textbox', { name: 'Yours' })).toContainText('FROM scratch');
  await isAccessible(page, 'the editor');
  await ways.getByRole('button', { name: 'Save mine' }).click();
  await expect(status).toHaveText(`${path} is saved.`);

  // What nobody has edited follows the host.
  await learner.type(
    'server01',
    'clear; cat web/Dockerfile; echo other >web/Dockerfile; echo two-$((1 + 1))',
  );
  expect(await learner.read(/(FROM scratch)\s*two-2/)).toBe('FROM scratch');
  await files.click();
  await expect(editor).toContainText('other');

  await editor.click();
  await page.keyboard.type('more');
  await files.press('Delete');
  const question = page.getByRole('dialog', { name: 'Close the files?' });
  await question.getByRole('button', { name: 'Keep editing' }).click();
  await expect(files).toBeVisible();
  await files.press('Delete');
  await question.getByRole('button', { name: 'Close without saving' }).click();
  await expect(files).toHaveCount(0);
});

test('a file that is dropped is uploaded, and one that is too large is refused by name', async ({
  learner,
}) => {
  const { page } = learner;
  await openFiles(learner);
  const input = page.locator('.files-buttons input[type="file"]');
  await input.setInputFiles([
    { name: 'small.txt', mimeType: 'text/plain', buffer: Buffer.from('up') },
    { name: 'large.bin', mimeType: 'text/plain', buffer: Buffer.alloc(2 * 1024 ** 2 + 1) },
  ]);
  await expect(page.locator('.files-status')).toHaveText(
    '/home/learner/small.txt is uploaded. large.bin has more than 2 MiB and is not uploaded.',
  );
  await page.getByRole('treeitem', { name: 'small.txt' }).click();
  await expect(page.getByRole('textbox', { name: /small\.txt on server01/ })).toHaveText('up');
  const download = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Download' }).click();
  expect((await download).suggestedFilename()).toBe('small.txt');
});

test('a link in the text opens a file, and the page’s own text of a block is put into it', async ({
  learner,
}) => {
  const { page } = learner;
  await page.goto(new URL('/labs/components/components/', page.url()).href);
  await learner.ready();
  await page.getByRole('button', { name: 'the Dockerfile', exact: true }).click();
  const editor = page.getByRole('textbox', { name: '/home/learner/web/Dockerfile on server01' });
  await expect(editor).toBeFocused();
  await page
    .getByRole('button', { name: 'Open in the editor: web/Dockerfile on server01' })
    .click();
  await expect(editor).toHaveText('FROM mycontainer:5.6');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await learner.type('server01', 'clear; cat web/Dockerfile');
  await learner.read(/(FROM mycontainer:5\.6)/);
});

test('a block that is a file goes into the editor with the hosts’ own number', async ({
  learner,
}) => {
  const { page } = learner;
  await page.goto(new URL('/labs/components/components/', page.url()).href);
  await learner.ready();
  await page
    .getByRole('button', { name: /^Run on/ })
    .first()
    .click();
  await learner.ticked('hello-runs');
  const block = page.locator('figure[data-file-block="web/look.sh"]');
  await expect(block.locator('pre')).toHaveText(/^curl http:\/\/10\.1\.10\.11:\d+$/);
  const command = (await block.locator('pre').textContent()) ?? '';
  await page.getByRole('button', { name: 'Open in the editor: web/look.sh on server01' }).click();
  await expect(page.getByRole('textbox', { name: /look\.sh on server01/ })).toHaveText(command);
});

test('a file and a folder are renamed and deleted by keys and by buttons, and what is open is told', async ({
  learner,
}) => {
  const { page } = learner;
  await openFiles(learner);
  await page.getByLabel('Path of a file to open or to make').fill('site/one.txt');
  await page.keyboard.press('Enter');
  const editor = page.getByRole('textbox', { name: /on server01$/ });
  await expect(editor).toBeFocused();
  await page.keyboard.type('one');
  await page.keyboard.press('Control+s');
  const status = page.locator('.files-status');
  await expect(status).toHaveText('/home/learner/site/one.txt is saved.');
  await page.keyboard.type(' and more');

  // A folder: the file in it that is open goes along, with what is not saved of it.
  const folder = page.getByRole('treeitem', { name: 'site' });
  await folder.click();
  await page.getByRole('treeitem', { name: 'one.txt' }).focus();
  await page.keyboard.press('F2');
  const name = page.getByLabel('New name');
  await expect(name).toHaveValue('one.txt');
  await isAccessible(page, 'the question for a name');
  await page.keyboard.type('two');
  await page.keyboard.press('Enter');
  await expect(status).toHaveText('/home/learner/site/one.txt is /home/learner/site/two.txt now.');
  await expect(page.getByRole('treeitem', { name: 'two.txt' })).toBeFocused();
  await expect(editor).toHaveText('one and more');
  await expect(page.getByLabel('Open files')).toContainText('site/two.txt (not saved)');
  await folder.focus();
  await page.getByRole('button', { name: 'Rename', exact: true }).click();
  await name.fill('web');
  await page.getByRole('dialog').getByRole('button', { name: 'Rename' }).click();
  await expect(page.getByLabel('Open files')).toContainText('web/two.txt (not saved)');

  // A name that is taken, and a question that is put away.
  await learner.type('server01', 'clear; touch web/taken; cat web/two.txt; echo is-$((1 + 1))');
  expect(await learner.read(/(one)\s*is-2/)).toBe('one');
  await learner.tab('Files of server01').click();
  await page.getByRole('treeitem', { name: 'two.txt' }).focus();
  await page.keyboard.press('F2');
  await name.fill('taken');
  await page.keyboard.press('Enter');
  await expect(status).toHaveText('/home/learner/web/taken is there already. Choose another name.');
  await page.getByRole('treeitem', { name: 'web' }).focus();
  await page.keyboard.press('Delete');
  const question = page.getByRole('dialog', { name: 'Delete web?' });
  await expect(question).toContainText('all that is in it');
  await expect(question).toContainText('what you have not saved in the editor');
  await question.getByRole('button', { name: 'Keep it' }).click();
  await expect(editor).toHaveText('one and more');
  await page.keyboard.press('Delete');
  await question.getByRole('button', { name: 'Delete' }).click();
  await expect(status).toHaveText('/home/learner/web is deleted.');
  await expect(editor).toHaveCount(0);
  await expect(page.getByRole('treeitem', { name: 'Home (~)' })).toBeFocused();
  await learner.type('server01', 'clear; ls -d web; echo three-$((1 + 1))');
  expect(await learner.read(/(No such file).*\s+three-2/)).toBe('No such file');
});

test('where the host does not answer, the file that is looked at again says so', async ({
  learner,
}) => {
  const { page } = learner;
  await openFiles(learner);
  await page.getByLabel('Path of a file to open or to make').fill('kept.txt');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('textbox', { name: /kept\.txt on server01/ })).toBeFocused();
  await page.keyboard.type('kept');
  await page.keyboard.press('Control+s');
  const status = page.locator('.files-status');
  await expect(status).toHaveText('/home/learner/kept.txt is saved.');
  const refusal = {
    code: 'SESSION_NOT_READY',
    message: 'server01 is not running; it is being started again.',
    remedy: 'Try again when the host is ready.',
  };
  await page.route(/hosts\/server01\/file\?/, (route) =>
    route.fulfill({ status: 409, json: refusal }),
  );
  await page.evaluate(() => window.dispatchEvent(new Event('focus')));
  await expect(status).toHaveText(`${refusal.message} ${refusal.remedy}`);
  await expect(page.getByRole('textbox', { name: /kept\.txt on server01/ })).toHaveText('kept');
});
