import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootHere } from '../../machines/boot-here.ts';
import type { Definition } from '../../machines/definitions.ts';
import { BASE_IMPORT } from '../../machines/definitions.ts';
import { makeDisk, projectOn } from '../../machines/disk.ts';
import { Machine } from '../../machines/machine.ts';

/** Where `npm run test:machines` keeps what is made once. */
const CACHE = '/var/cache/quayside-machines';
/** An engine's packages come over the network. */
const SET_UP_MS = 10 * 60_000;
/** With pages and images to be made, on a busy processor. */
const COMMAND_MS = 20 * 60_000;
/** Where the documents put Quayside that is to stay. */
export const PROJECT_THERE = '/opt/quayside';

const DEBIAN: Definition = {
  what: 'Debian 13, root, with its engine',
  release: 'trixie',
  user: 'root',
  setUp: [],
  hasBase: true,
};

/** A machine with systemd, Debian's engine, and Quayside below /opt. */
export interface ServiceMachine extends AsyncDisposable {
  /** What a command in the project's folder prints. @throws Error with it, where its status is not 0 */
  type(text: string): Promise<readonly string[]>;
  /** Takes it down as its owner does, and boots it again. */
  reboot(): Promise<void>;
}

/** Boots a Debian of its own on this machine's kernel, and gives it what is there before Quayside is. */
export async function serviceMachine(signal: AbortSignal): Promise<ServiceMachine> {
  await using stack = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'quayside-service-'));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  const place = { name: 'service', directory, token: randomBytes(16).toString('hex') };
  const progress = () => undefined;
  const disk = await makeDisk({
    ...place,
    ...{ definition: DEBIAN, cache: CACHE, packages: 'carried', progress, signal },
  });
  const machine = stack.use(new Machine(bootHere({ ...place, disk }), signal));
  await machine.start();
  const type = async (text: string, ms = COMMAND_MS): Promise<readonly string[]> => {
    const { status, lines } = await machine.run('root', text, ms);
    if (status !== 0) throw new Error(`“${text}” ended with ${status}:\n${lines.join('\n')}`);
    return lines;
  };
  for (const text of [
    'apt-get update',
    'DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends docker.io docker-cli iptables',
    `docker ${BASE_IMPORT}`,
    `mv ${projectOn(DEBIAN)} ${PROJECT_THERE}`,
  ]) {
    await type(text, SET_UP_MS);
  }
  const held = stack.move();
  return {
    type: (text) => type(`cd ${PROJECT_THERE} && ${text}`),
    reboot: () => machine.reboot(),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}
