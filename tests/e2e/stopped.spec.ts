import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServer } from '../../client-driver/server-process.ts';
import { expect, signIn, test } from './learner.ts';

/** The least that an operator can say. */
const IDLE = { QUAYSIDE_IDLE_MINUTES: '1' };
/** That minute, and the stop, on a machine that is busy with other walks. */
const STOPPED_MS = 150_000;
const SESSION = '/api/labs/docker-networking/session';

test('a lab that was left goes on on another day, with its files and containers', async ({
  context,
}) => {
  const data = await mkdtemp(join(tmpdir(), 'quayside-stopped-'));
  const first = await startServer({ data, env: IDLE });
  const learner = await signIn(context, first.url);
  const port = Number(new URL(first.url).port);
  await learner.goTo('ephemeral-ports/');
  await learner.type('server01', 'echo on-monday > notes');
  await learner.type('server01', 'docker run -d --name myapp2 -p :80 mycontainer:5.6');
  await learner.ticked('myapp2-on-ephemeral-port');
  const place = learner.page.url();
  await learner.page.goto(new URL('/', place).href);
  const state = async () =>
    (await (await learner.page.request.get(new URL(SESSION, place).href)).json()).status.state;
  await expect.poll(state, { timeout: STOPPED_MS, intervals: [1_000] }).toBe('stopped');
  await first.stop();

  const again = await startServer({ data, port, env: IDLE, args: ['--clean'] });
  try {
    await learner.page.goto(place);
    await expect(
      learner.page.getByRole('heading', { name: 'Your hosts are stopped' }),
    ).toBeVisible();
    await expect(learner.page.getByText('They are kept with their files').first()).toBeVisible();
    await learner.ticked('myapp2-on-ephemeral-port');
    await learner.page.getByRole('button', { name: 'Go on' }).first().click();
    await learner.ready();
    await learner.tab('server01').click();
    await learner.read(/(server01 was stopped on)/);
    await learner.type('server01', 'cat notes; docker ps --format "{{.Names}}-runs"');
    await learner.read(/(on-monday)\s+myapp2-runs/);
    await learner.ticked('myapp2-on-ephemeral-port');
  } finally {
    await again.stop();
    await rm(data, { recursive: true });
  }
});
