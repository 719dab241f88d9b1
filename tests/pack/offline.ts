/**
 * Starts an unpacked archive and does the first steps of two of its labs; tests/pack/pack.test.ts runs it where there is no
 * network. What came of it is printed as JSON.
 *
 *   node tests/pack/offline.ts <the unpacked project> <a folder of labs> <what start is told …>
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { execa } from 'execa';
import { joinClass } from '../../client-driver/http.ts';
import { firstSteps } from '../container/first-steps.ts';

/** An address of the internet's, where nothing is asked for. */
const OUTSIDE = { host: '1.1.1.1', port: 443 };
const READY = /^Quayside is ready: (\S+)$/;

const [project = '', labs = '', ...argv] = process.argv.slice(2);

const [outside] = await once(connect(OUTSIDE), 'error');
const server = execa('./start', argv, {
  ...{ cwd: project, stdin: 'ignore', stderr: 'inherit', buffer: false, reject: false },
});
const said: string[] = [];
for await (const line of server.iterable()) {
  said.push(line);
  const [, url] = READY.exec(line) ?? [];
  if (url === undefined) continue;
  const http = await joinClass(url, 'Ann');
  const ours = await firstSteps(http, 'docker-networking');
  const own = await firstSteps(http, 'linux-basics', [labs]);
  process.stdout.write(JSON.stringify({ outside: outside.code, said, ours, own }));
  server.kill('SIGTERM');
}
await server;
process.exit(said.some((line) => READY.test(line)) ? 0 : 1);
