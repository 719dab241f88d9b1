import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Lab } from '#lab';
import type { Step } from '#steps';
import type { Learner } from '../client-driver/learner.ts';
import { createApp } from '../server/app.ts';
import type { Progress } from '../server/base/progress.ts';
import { readConfig } from '../server/cli/config.ts';
import { LABEL } from '../server/sandbox/labels.ts';
import type { SandboxRuntime } from '../server/sandbox/runtime.ts';
import { Probe } from './probe.ts';

/** More than any test of a lab runs side by side. */
export const SANDBOXES_MOST = 16;

/** A server of the test's own: the real one on a port and a data directory of its own, in this process. */
export interface TestServer extends AsyncDisposable {
  /** As `npm start` prints it, start token included. */
  readonly url: string;
  /** What only this process can see of a learner's sandbox. */
  probe(learner: Learner): Promise<Probe>;
  /** What the engine still has of a sandbox: names of containers and volumes, and directories. */
  remainsOf(sandbox: string): Promise<readonly string[]>;
  /** Takes up a lab that was written again. @returns what has come of it, in words for the author */
  reload(name: string, lab: Lab, steps: readonly Step[]): string;
  /** The command that removes what was kept; none where nothing was. */
  readonly removal: string | undefined;
  /** Lets sandboxes stay when the server is disposed of, which then says how to remove them. @returns the command that leads into each of its hosts, by host */
  keep(sandbox: string): Promise<ReadonlyMap<string, string>>;
}

/** @param progress told of set-up that takes long, and of failures behind the web edge */
export async function openTestServer(
  project: string,
  given: ReadonlyMap<string, Lab>,
  progress: Progress,
): Promise<TestServer> {
  const labs = new Map(given);
  const data = await mkdtemp(join(tmpdir(), 'quayside-lab-test-'));
  const { QUAYSIDE_INTERNET, QUAYSIDE_RESOLVER } = process.env;
  const env = {
    ...{ PORT: '0', QUAYSIDE_DATA: data, QUAYSIDE_SANDBOXES: String(SANDBOXES_MOST) },
    // Whoever runs the proof is its operator.
    ...{ QUAYSIDE_INTERNET, QUAYSIDE_RESOLVER },
  };
  const app = await createApp(readConfig(project, [], env), {
    progress,
    labs,
    // Nobody opens a page.
    site: join(data, 'no-pages'),
    log: (message, error) =>
      progress(`${message}: ${error instanceof Error ? error.message : error}`),
  });
  const address = await app.listen();
  const kept = new Set<string>();
  const removal = () =>
    kept.size > 0 ? `QUAYSIDE_DATA=${data} npm run clean && rm -r ${data}` : undefined;
  return {
    url: `${address}/sign-in?token=${app.startToken}`,
    probe: (learner) => Probe.of(app.runtime, app.store, learner, labs),
    remainsOf: (sandbox) => remainsOf(app.runtime, sandbox),
    reload: (name, lab, steps) => {
      labs.set(name, lab);
      return app.sessions.reload(name, lab, steps);
    },
    keep: async (sandbox) => {
      kept.add(sandbox);
      return await waysInto(app.runtime, sandbox);
    },
    get removal() {
      return removal();
    },
    [Symbol.asyncDispose]: async () => {
      await app.close({ clean: kept.size === 0 });
      if (kept.size === 0) await rm(data, { recursive: true, force: true });
      else console.log(`\nTo remove the hosts: ${removal()}`);
    },
  };
}

async function waysInto(
  { engine }: SandboxRuntime,
  sandbox: string,
): Promise<ReadonlyMap<string, string>> {
  const filters = { label: [`${LABEL.sandbox}=${sandbox}`, LABEL.host] };
  const containers = await engine.docker.listContainers({ filters });
  const ways = containers.map(({ Labels, Names, Id }) => {
    const name = Names[0]?.replace(/^\//, '') ?? Id;
    const command = `DOCKER_HOST=${engine.address} docker exec -it -u learner -w /home/learner ${name} bash`;
    return [Labels[LABEL.host] ?? name, command] as const;
  });
  return new Map(ways.toSorted(([a], [b]) => a.localeCompare(b)));
}

async function remainsOf(
  { engine, sharedDirectories }: SandboxRuntime,
  sandbox: string,
): Promise<readonly string[]> {
  const filters = { label: [`${LABEL.sandbox}=${sandbox}`] };
  const containers = await engine.docker.listContainers({ all: true, filters });
  const { Volumes } = await engine.docker.listVolumes({ filters });
  const directories = (await sharedDirectories.sandboxes()).filter((id) => id === sandbox);
  return [
    ...containers.map(({ Names }) => Names.join(' ')),
    ...(Volumes ?? []).map(({ Name }) => Name),
    ...directories.map((id) => `the shared directory of ${id}`),
  ];
}
