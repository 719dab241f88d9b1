/**
 * Runs on the machine that has the service, and does what a learner of its class does:
 *
 *   node tests/service/learner.ts <join or again> <the ready line's URL> <a file for the cookie>
 *
 * What came of it is printed as JSON, in one line.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { HttpClient, joinClass } from '../../client-driver/http.ts';
import { Learner } from '../../client-driver/learner.ts';
import { firstSteps } from '../container/first-steps.ts';

const LAB = 'docker-networking';
/** A machine that has just been booted makes its hosts anew, on a busy processor. */
const SLOW = { ms: 240_000 } as const;

const [part = '', url = '', memory = ''] = process.argv.slice(2);

async function join(): Promise<object> {
  const http = await joinClass(url, 'Ann');
  await writeFile(memory, http.cookie);
  return await firstSteps(http, LAB);
}

/** The same learner, in the first terminal. */
async function again(): Promise<object> {
  const http = new HttpClient(new URL(url).origin, await readFile(memory, 'utf8'));
  using learner = await Learner.open(http, LAB);
  await learner.start();
  const terminal = await learner.terminal('server01');
  // What is shown again has no marks; the next prompt has.
  terminal.type('\r');
  await terminal.run('echo "kept: $kept"', SLOW);
  return { said: terminal.screen, ticked: learner.events.passed };
}

console.log(JSON.stringify(part === 'join' ? await join() : await again()));
