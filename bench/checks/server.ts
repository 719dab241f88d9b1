/** The server of `npm run bench:checks`: all of Quayside with the bench's lab, in a process of its own. */
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createApp } from '../../server/app.ts';
import { progress } from '../../server/base/progress.ts';
import { readConfig } from '../../server/cli/config.ts';
import { LAB, lab } from './lab.ts';

const PROJECT = resolve(import.meta.dirname, '../..');
const [, , data = '', sandboxes = '10'] = process.argv;

const env = { PORT: '0', QUAYSIDE_DATA: data, QUAYSIDE_SANDBOXES: sandboxes };
const labs = new Map([[LAB, lab]]);
const app = await createApp(readConfig(PROJECT, [], env), { progress, labs });
const stopped = once(process, 'SIGTERM');
const origin = await app.listen();
process.send?.({ origin, token: app.startToken, instance: app.store.instance });
await stopped;
await app.close({ clean: true });
process.exit(0);
