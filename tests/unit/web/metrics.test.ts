import { channel } from 'node:diagnostics_channel';
import { expect, test } from 'vitest';
import { CHECK_RUNS, type CheckRun } from '../../../server/base/check-runs.ts';
import { FakeSessions, stage } from './stage.ts';
import { ask } from './walk.ts';

test('count sessions, sandboxes, terminals, sockets, checks and the event loop’s lag', async () => {
  await using web = await stage();
  const run: CheckRun = { state: 'not-yet', milliseconds: 3 };
  channel(CHECK_RUNS).publish(run);
  const answer = await web.fetch('/metrics');
  expect(answer.headers.get('content-type')).toContain('text/plain');
  const text = await answer.text();
  for (const line of [
    'quayside_sessions{state="ready"} 2',
    'quayside_sessions{state="ended"} 1',
    'quayside_sandboxes 2',
    'quayside_sandboxes_warm 1',
    'quayside_terminals 6',
    'quayside_sockets 0',
    'quayside_check_seconds_count{state="not-yet"} 1',
    'quayside_check_seconds_bucket{le="0.005",state="not-yet"} 1',
  ]) {
    expect(text.split('\n')).toContain(line);
  }
  expect(text).toContain('nodejs_eventloop_lag_p99_seconds');
});

test('count the sandboxes of each node, where there are several', async () => {
  const sessions = new FakeSessions();
  sessions.nodes = { 'node1 (a1b2c3)': 2, 'node2 (d4e5f6)': 0 };
  await using web = await stage({ sessions });
  const lines = (await (await web.fetch('/metrics')).text()).split('\n');
  expect(lines).toContain('quayside_node_sandboxes{node="node1 (a1b2c3)"} 2');
  expect(lines).toContain('quayside_node_sandboxes{node="node2 (d4e5f6)"} 0');
});

test('say nothing of nodes where there is one machine', async () => {
  await using web = await stage();
  expect(await (await web.fetch('/metrics')).text()).not.toContain('node_sandboxes');
});

test('without a token are for this machine alone, and not by way of a proxy', async () => {
  await using web = await stage({ origins: ['https://labs.example.org'] });
  const host = `127.0.0.1:${web.port}`;
  const status = async (headers: Record<string, string>) =>
    (await ask(web.port, 'GET', '/metrics', headers)).status;
  expect(await status({ host })).toBe(200);
  expect(await status({ host: 'labs.example.org' })).toBe(404);
  for (const name of ['x-forwarded-for', 'forwarded', 'via', 'x-real-ip']) {
    expect(await status({ host, [name]: '192.0.2.1' }), name).toBe(404);
  }
});

test('with a token are for whoever says it, from anywhere', async () => {
  const metricsToken = 'a-token-of-this-test';
  await using web = await stage({ metricsToken, origins: ['https://labs.example.org'] });
  const status = async (authorization?: string) =>
    (
      await ask(web.port, 'GET', '/metrics', {
        host: 'labs.example.org',
        ...(authorization !== undefined && { authorization }),
      })
    ).status;
  expect(await status(`Bearer ${metricsToken}`)).toBe(200);
  for (const wrong of [undefined, '', 'Bearer ', `Bearer ${metricsToken}x`, metricsToken]) {
    expect(await status(wrong), wrong).toBe(401);
  }
});
