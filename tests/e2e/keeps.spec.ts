import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServer } from '../../client-driver/server-process.ts';
import { endSession, expect, Learner, signIn, test } from './learner.ts';

test('a reload and a second tab show the same progress and the same screen', async ({
  learner,
  context,
}) => {
  await learner.goTo('ephemeral-ports/');
  await learner.type('server01', 'docker run -d --name myapp2 -p :80 mycontainer:5.6');
  await learner.ticked('myapp2-on-ephemeral-port');
  await learner.type('server01', 'clear; echo still-$((40 + 2))');
  await learner.read(/(still-42)/);

  await learner.page.reload();
  await learner.ready();
  await learner.ticked('myapp2-on-ephemeral-port');
  await learner.tab('server01').click();
  await learner.read(/(still-42)/);

  const second = await signIn(context, learner.page.url());
  await second.ready();
  await second.ticked('myapp2-on-ephemeral-port');
  await second.tab('server01').click();
  await second.read(/(still-42)/);
});

test('a server that was killed comes back with the progress, the hosts and what runs in the shells', async ({
  context,
}) => {
  const data = await mkdtemp(join(tmpdir(), 'quayside-keeps-'));
  const first = await startServer({ data });
  const learner = await signIn(context, first.url);
  const port = Number(new URL(first.url).port);
  await learner.goTo('ephemeral-ports/');
  await learner.type('server01', 'docker run -d --name myapp2 -p :80 mycontainer:5.6');
  await learner.ticked('myapp2-on-ephemeral-port');
  await learner.type('server01', 'kept=in-the-shell');
  await first.stop('SIGKILL');

  const again = await startServer({ data, port, args: ['--clean'] });
  try {
    // The page finds the server again by itself.
    await expect(learner.page.getByText('Connection lost').first()).toBeHidden();
    await learner.ready();
    await learner.ticked('myapp2-on-ephemeral-port');
    await learner.type('server01', 'clear; echo "[$kept]"');
    await learner.read(/\[(in-the-shell)\]/);
  } finally {
    await again.stop();
    await rm(data, { recursive: true });
  }
});

test('a second browser, and a link followed from another site, come to the same hosts', async ({
  browser,
}) => {
  await using open = new AsyncDisposableStack();
  const data = await mkdtemp(join(tmpdir(), 'quayside-keeps-'));
  open.defer(() => rm(data, { recursive: true }));
  const server = await startServer({ data, args: ['--clean'], log: 'ignore' });
  open.defer(() => server.stop());
  const newPage = async () => {
    const context = await browser.newContext();
    open.defer(() => context.close());
    return context.newPage();
  };
  const page = await newPage();
  await page.goto(server.url);
  const learner = new Learner(page);
  await learner.goTo('ephemeral-ports/');
  await learner.type('server01', 'clear; echo mine-$((40 + 2))');
  await learner.read(/(mine-42)/);

  // As from a mail or a course page: localhost is another site than 127.0.0.1, and no cookie comes along.
  await page.route('http://localhost/', (route) =>
    route.fulfill({ contentType: 'text/html', body: `<a href="${server.url}">the lab</a>` }),
  );
  await page.goto('http://localhost/');
  await page.getByRole('link', { name: 'the lab' }).click();
  await page.waitForURL(new URL('/', server.url).href);
  await learner.goTo('ephemeral-ports/');
  await learner.tab('server01').click();
  await learner.read(/(mine-42)/);
  await expect(page.getByText('open in another window')).toBeHidden();

  const other = new Learner(await newPage());
  await other.page.goto(server.url);
  await other.goTo('ephemeral-ports/');
  await other.tab('server01').click();
  await other.read(/(mine-42)/);
  const shared = 'These hosts are open in another window too.';
  await expect(other.page.getByText(shared)).toBeVisible();
  await expect(page.getByText(shared)).toBeVisible();
});

test('two learners side by side have a sandbox each, with the same addresses', async ({
  learner,
  browser,
}) => {
  const other = await signIn(await browser.newContext());
  await Promise.all([learner.goTo('ephemeral-ports/'), other.goTo('ephemeral-ports/')]);
  await learner.type('server01', 'docker run -d --name myapp2 -p :80 mycontainer:5.6');
  await learner.ticked('myapp2-on-ephemeral-port');
  await other.type('server01', 'clear; docker ps -aq | wc -l; ip -4 -br addr show eth1');
  await other.read(/eth1\S*\s+UP\s+(10\.1\.10\.11)/);
  await other.read(/(?:^|\n)(0)\s/);
  await other.notYet('myapp2-on-ephemeral-port', 'No container named myapp2');
  await endSession(other.page);
  await other.page.context().close();
});

test('reset puts the lab back to its start', async ({ learner }) => {
  await learner.goTo('ephemeral-ports/');
  await learner.type('server01', 'docker run -d --name myapp2 -p :80 mycontainer:5.6');
  await learner.ticked('myapp2-on-ephemeral-port');
  await learner.page.getByRole('button', { name: 'Reset', exact: true }).first().click();
  await learner.page
    .getByRole('dialog')
    .getByRole('button', { name: /^Reset/ })
    .click();
  await learner.ready();
  await learner.notYet('myapp2-on-ephemeral-port', 'No container named myapp2');
  await learner.type('server01', 'docker ps -aq | wc -l');
  await learner.read(/\n(0)\s/);
});

test('several terminals on one host, by any of its names; closing one ends its shell', async ({
  learner,
}) => {
  await learner.goTo('ephemeral-ports/');
  await learner.page.getByRole('button', { name: 'New terminal, restart or close' }).click();
  await learner.page.getByRole('menuitem', { name: /New terminal on server01/ }).click();
  await expect(learner.tab('server01 (2)')).toBeVisible();
  await learner.type('server01 (2)', 'exec -a left-behind sleep 1000');
  await learner.type('server01', 'clear; pgrep -cf left-behin[d]');
  await learner.read(/(?:^|\n)(1)\s/);
  await learner.tab('server01 (2)').click();
  await learner.page.getByRole('button', { name: 'New terminal, restart or close' }).click();
  await learner.page.getByRole('menuitem', { name: 'Close server01 (2)' }).click();
  await expect(learner.tab('server01 (2)')).toBeHidden();
  // It can be had back for a while, as with the mouse on its tab.
  await expect(learner.page.getByRole('button', { name: 'Undo' })).toBeVisible();
  await expect(async () => {
    await learner.type('server01', 'clear; pgrep -cf left-behin[d]');
    expect(await learner.read(/(?:^|\n)(\d)\s/)).toBe('0');
  }).toPass();
});

test('a host that is restarted keeps its tab and its files, and says so where its shell was', async ({
  learner,
}) => {
  await learner.goTo('ephemeral-ports/');
  await learner.type('server01', 'echo kept-$((40 + 2)) > note; less note');
  await learner.read(/(kept-42)/);
  await learner.page.getByRole('button', { name: 'New terminal, restart or close' }).click();
  await learner.page.getByRole('menuitem', { name: 'Restart server01' }).click();
  await learner.page.getByRole('dialog').getByRole('button', { name: 'Restart it' }).click();
  await learner.read(/(server01 was restarted)/);
  await learner.type('server01', 'clear; cat note');
  await learner.read(/(kept-42)/);
});
