/** The server of `npm run bench:checks`: all of Quayside with the bench's lab, in a process of its own. */
import { join, resolve } from 'node:path';
import { Background } from '../../server/base/background.ts';
import { progress } from '../../server/base/progress.ts';
import { findEngine } from '../../server/engine/find.ts';
import { createSandboxRuntime } from '../../server/sandbox/runtime.ts';
import { SessionManager } from '../../server/session/manager.ts';
import { ensureSite } from '../../server/site/build.ts';
import { Store } from '../../server/store/store.ts';
import { HostTerminalBackend } from '../../server/terminal/terminal-backend.ts';
import { buildWeb } from '../../server/web/web.ts';
import { LAB, lab } from './lab.ts';

const PROJECT = resolve(import.meta.dirname, '../..');
const START_TOKEN = 'bench';
const [, , data = '', sandboxes = '10'] = process.argv;

const labs = new Map([[LAB, lab]]);
using store = new Store(join(data, 'quayside.sqlite'));
const engine = await findEngine(process.env, progress);
const runtime = await createSandboxRuntime(PROJECT, engine, labs, store.instance, progress);
using site = await ensureSite(PROJECT, progress);
const background = new Background((message, error) => console.error(message, error));
const registry = new SessionManager({
  runtime,
  store,
  labs,
  sandboxesMost: Number(sandboxes),
  background,
  terminals: new HostTerminalBackend({ background }),
});
const web = await buildWeb({
  background: new Background((message, error) => console.error(message, error)),
  sessions: registry,
  learners: {
    create: () => store.createLearner(),
    find: (secret) => store.findLearner(secret),
  },
  dist: site.directory,
  host: '127.0.0.1',
  port: 0,
  origins: [],
  startToken: START_TOKEN,
  health: async () => ({ ok: true }),
});
const origin = await web.listen({ host: '127.0.0.1', port: 0 });
await registry.open();
process.send?.({ origin, token: START_TOKEN, instance: store.instance });
await new Promise((stop) => process.once('SIGTERM', stop));
await web.close();
await registry.close(true);
await runtime[Symbol.asyncDispose]();
process.exit(0);
