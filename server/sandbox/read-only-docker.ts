import type { Dockerode } from '../engine/engine.ts';

/**
 * A host's engine as a check gets it, to ask and never to change: only `GET` and `HEAD` get through, and none that
 * would open a way in (an upgraded connection, a container's stdin).
 *
 * @param signal gives up what is still under way
 * @param explain makes of what went wrong what the check gets to see
 */
export function readOnlyDocker(
  docker: Dockerode,
  signal: AbortSignal,
  explain: (error: unknown) => Promise<unknown>,
): Dockerode {
  const modem: Dockerode['modem'] = Object.create(docker.modem);
  modem.dial = (options, callback) => {
    const why = forbidden(options);
    if (why) return callback?.(new Error(why), null);
    docker.modem.dial({ ...options, abortSignal: signal }, async (error, found) =>
      callback?.(error ? ((await explain(error)) as Error) : null, found),
    );
  };
  const guarded: Dockerode = Object.create(docker);
  guarded.modem = modem;
  return guarded;
}

type DialOptions = Parameters<Dockerode['modem']['dial']>[0];

/** Ways to write that ask with `GET`: they turn the connection into a container's stdin. */
const WAYS_IN = /\/attach(\/ws)?(\?|$)/;

/** Why a request does not get through, if it does not. */
function forbidden(options: DialOptions): string | undefined {
  const { method, path, hijack, openStdin, file, headers } = options;
  if (method !== 'GET' && method !== 'HEAD') return `A check may only read; it asked for ${method}`;
  const upgrades = Object.keys(headers ?? {}).some((name) => name.toLowerCase() === 'upgrade');
  if (hijack || openStdin || upgrades || file !== undefined || WAYS_IN.test(path)) {
    return `A check may only read; ${path} is a way in`;
  }
  return undefined;
}
