import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { precompress } from '../../../../server/site/precompress.ts';
import { stage } from '../stage.ts';
import { classStage } from './stage.ts';

const PLAIN = `<!doctype html><p>${'Prose. '.repeat(300)}</p>`;
const NOTED = PLAIN.replace('</p>', '</p><p>A note.</p>');
const PAGE = '/labs/docker-networking/ports/';
/** However somebody might hope to come by it. */
const ADDRESSES = [
  PAGE,
  '/.instructor/labs/docker-networking/ports.html',
  '/%2einstructor/labs/docker-networking/ports.html',
  '/labs/../.instructor/labs/docker-networking/ports.html',
  '/labs/%2e%2e/.instructor/labs/docker-networking/ports.html',
  '/.instructor/labs/docker-networking/ports.html.br',
  '/.instructor%2flabs%2fdocker-networking%2fports.html',
  '//.instructor/labs/docker-networking/ports.html',
  '/labs/docker-networking/ports.html',
  '/labs/docker-networking/ports',
];

async function site() {
  const dist = await mkdtemp(join(tmpdir(), 'quayside-noted-'));
  const files = {
    'labs/docker-networking/ports/index.html': PLAIN,
    'labs/docker-networking/links/index.html': PLAIN,
    '.instructor/labs/docker-networking/ports.html': NOTED,
  };
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(dist, name)), { recursive: true });
    await writeFile(join(dist, name), text);
  }
  await precompress(dist);
  return { dist, [Symbol.asyncDispose]: () => rm(dist, { recursive: true }) };
}

test('the instructor gets a page with its notes, which no browser keeps', async () => {
  await using built = await site();
  await using web = await classStage({ dist: built.dist });
  const cookie = await web.instruct();
  const noted = await web.fetch(PAGE, { headers: { cookie } });
  expect([noted.status, await noted.text()]).toEqual([200, NOTED]);
  expect(noted.headers.get('cache-control')).toBe('no-store');
  expect(noted.headers.get('content-type')).toBe('text/html; charset=utf-8');
  const plain = await web.fetch('/labs/docker-networking/links/', { headers: { cookie } });
  expect(await plain.text()).toBe(PLAIN);
});

test.each(ADDRESSES)('a learner and a stranger get no note at %s', async (address) => {
  await using built = await site();
  await using web = await classStage({ dist: built.dist });
  const learner = await web.join('Ada');
  const secret = learner.split('=')[1] ?? '';
  for (const cookie of ['', learner, `quayside_instructor_${web.port}=${secret}`]) {
    const answer = await web.fetch(address, { headers: { cookie } });
    expect(await answer.text()).not.toContain('A note.');
  }
});

test('without a class nobody gets a note, whoever they say they are', async () => {
  await using built = await site();
  await using web = await stage({ dist: built.dist });
  const cookie = `quayside_instructor_${web.port}=secret-of-person`;
  const answer = await web.fetch(PAGE, { headers: { cookie } });
  expect(await answer.text()).toBe(PLAIN);
});
