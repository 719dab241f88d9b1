import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join as joined } from 'node:path';
import { joinClass } from './http.ts';
import { Learner } from './learner.ts';
import { removeSandboxes, type ServerProcess, startServer } from './server-process.ts';

/** How a class is made. */
export interface ClassroomOptions {
  readonly learners: number;
  /** The lab's folder name. */
  readonly lab: string;
  /** Sandboxes kept ready ahead, per lab; none, if not given. */
  readonly pool?: number;
  /** Sandboxes that the machine may have; one for each learner, if not given. */
  readonly sandboxes?: number;
  /** The project's folder whose server it is; this one's, if not given. */
  readonly project?: string | undefined;
  /** Added to the server's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Told how many sandboxes were there after the server had removed all of them, where any were. */
  readonly onLeft?: (count: number) => void;
}

/** A class that has joined, on a server process of its own. Disposing it ends the server, which removes everything. */
export interface Classroom extends AsyncDisposable {
  readonly server: ServerProcess;
  /** `Learner 1` and so on, in order. */
  readonly learners: readonly Learner[];
  /** One more joins. */
  join(name: string): Promise<Learner>;
}

/** Starts the real server for a class, and lets learners join as browsers do. */
export async function openClassroom(options: ClassroomOptions): Promise<Classroom> {
  const { lab, project, pool = 0, sandboxes = options.learners, env = {} } = options;
  await using opened = new AsyncDisposableStack();
  const data = await mkdtemp(joined(tmpdir(), 'quayside-class-'));
  opened.defer(() => rm(data, { recursive: true, force: true }));
  const server = await startServer({
    data,
    project,
    args: ['--clean', '--class', 'Class'],
    // It has a line for each request of each learner.
    log: 'ignore',
    env: { QUAYSIDE_SANDBOXES: String(sandboxes), QUAYSIDE_POOL: String(pool), ...env },
  });
  opened.defer(async () => {
    await server.stop();
    const left = await removeSandboxes({ data, project, env });
    if (left > 0) options.onLeft?.(left);
  });
  const join = async (name: string): Promise<Learner> =>
    Learner.open(await joinClass(server.url, name), lab);
  const learners: Learner[] = [];
  for (let index = 1; index <= options.learners; index++) {
    learners.push(opened.use(await join(`Learner ${index}`)));
  }
  const all = opened.move();
  return {
    server,
    learners,
    join: async (name) => all.use(await join(name)),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}
