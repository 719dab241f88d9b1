import type { Dockerode } from '../engine/engine.ts';

/**
 * A host's engine as a check gets it, to ask and never to change: only `GET` and `HEAD` get through, and none that
 * would open a way in (an upgraded connection, a container's stdin). What is asked twice is asked of the engine once,
 * so what comes back is frozen.
 *
 * @param signal gives up what is still under way
 * @param explain makes of what went wrong what the check gets to see
 */
export function readOnlyDocker(
  docker: Dockerode,
  signal: AbortSignal,
  explain: (error: unknown) => unknown,
): Dockerode {
  const asked = new Map<string, Promise<Found>>();
  const modem: Dockerode['modem'] = Object.create(docker.modem);
  modem.dial = (options, callback) => {
    const refusal = refusalOf(options);
    if (refusal) return callback?.(new Error(refusal), null);
    const request = { ...options, abortSignal: signal };
    if (options.isStream) {
      return docker.modem.dial(request, (error, found) =>
        callback?.(error ? (explain(error) as Error) : null, found),
      );
    }
    const question = `${options.method} ${options.path} ${JSON.stringify(options.options ?? {})}`;
    const answer = asked.get(question) ?? ask(docker, request);
    asked.set(question, answer);
    answer.then(
      (found) => callback?.(null, found),
      (error: unknown) => callback?.(explain(error) as Error, null),
    );
  };
  const guarded: Dockerode = Object.create(docker);
  guarded.modem = modem;
  return guarded;
}

type DialOptions = Parameters<Dockerode['modem']['dial']>[0];
type Found = Parameters<NonNullable<Parameters<Dockerode['modem']['dial']>[1]>>[1];

/** Ways to write that ask with `GET`: they turn the connection into a container's stdin. */
const WAYS_IN = /\/attach(\/ws)?(\?|$)/;

function refusalOf(options: DialOptions): string | undefined {
  const { method, path, hijack, openStdin, file, headers } = options;
  if (method !== 'GET' && method !== 'HEAD') return `A check may only read; it asked for ${method}`;
  const upgrades = Object.keys(headers ?? {}).some((name) => name.toLowerCase() === 'upgrade');
  if (hijack || openStdin || upgrades || file !== undefined || WAYS_IN.test(path)) {
    return `A check may only read; ${path} is a way in`;
  }
  return undefined;
}

function ask(docker: Dockerode, options: DialOptions): Promise<Found> {
  return new Promise((resolve, reject) => {
    docker.modem.dial(options, (error, found) => {
      if (error) reject(error);
      else resolve(frozen(found));
    });
  });
}

/** Every check of a run sees the same answer, so none may bend it for the others. */
function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  for (const part of Object.values(value)) frozen(part);
  return Object.freeze(value);
}
