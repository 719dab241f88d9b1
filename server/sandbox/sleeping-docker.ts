import { CouldNotCheck } from '#lab';
import { withAbort } from '../base/deadline.ts';
import { createClient } from '../engine/client.ts';
import type { Dockerode } from '../engine/engine.ts';
import type { Host } from './host.ts';

type DialOptions = Parameters<Dockerode['modem']['dial']>[0];
type Answer = Parameters<NonNullable<Parameters<Dockerode['modem']['dial']>[1]>>[1];

/** What an engine gives its bridge at its first start, unless the host has a network there: then it looks for another. */
const BRIDGE = { Subnet: '172.17.0.0/16', Gateway: '172.17.0.1' };
const NEAR_BRIDGE = '172.';

/** What an engine has from its first start on, besides the lab's images. */
function networksOf({ spec: { interfaces } }: Host) {
  const isFree = interfaces.every(({ network }) => !network.startsWith(NEAR_BRIDGE));
  return ['bridge', 'host', 'none'].map((name) => ({
    Id: name,
    Name: name,
    Driver: name === 'none' ? 'null' : name,
    IPAM: { Config: name === 'bridge' && isFree ? [BRIDGE] : [] },
    Containers: {},
  }));
}

/** `/images/json?all=1`, `/containers/web/json`; a name may have slashes. */
const PATH = /^\/(\w+)(?:\/([^?]*?))?(?:\/(json|history))?(?:\?.*)?$/;

/**
 * The engine of a host, as it is while it sleeps: answered here, so that a question does not wake it. It has never run, so
 * there is nothing on it but what every engine has and what the lab gives it.
 */
export function sleepingDocker(host: Host, signal: AbortSignal): Dockerode {
  const docker = createClient({ host: 'localhost', port: 2375, protocol: 'http' });
  docker.modem.dial = (options, callback) => {
    answerTo(options, host, signal).then(
      (answer) => callback?.(null, answer),
      (error: Error) => callback?.(error, null),
    );
  };
  return docker;
}

/** @throws the signal's reason; NotThere; CouldNotCheck for what an engine can say only when it runs */
async function answerTo({ path }: DialOptions, host: Host, signal: AbortSignal): Promise<Answer> {
  // A host that is paused or away is not answered for either.
  signal.throwIfAborted();
  const [, kind = '', name = '', part = ''] = PATH.exec(path) ?? [];
  switch (kind) {
    case '_ping':
      return Buffer.from('OK');
    case 'version':
      return { Version: await host.installedEngine(signal) };
    case 'volumes':
      if (name === '') return { Volumes: [], Warnings: null };
      break;
    case 'containers':
      if (name === 'json' && part === '') return [];
      break;
    case 'networks': {
      const networks = networksOf(host);
      if (name === '') return networks;
      const found = networks.find(({ Name }) => Name === name);
      if (found) return found;
      break;
    }
    case 'images':
      return await answerOfImages(decodeURIComponent(name), part, host, signal);
    default:
      throw new CouldNotCheck(`the Docker Engine of ${host.name} sleeps until somebody uses it.`);
  }
  throw new NotThere(kind, name);
}

/** The lab's images are the same on the engine that the hosts are on, but for their names. */
async function answerOfImages(
  name: string,
  part: string,
  host: Host,
  signal: AbortSignal,
): Promise<Answer> {
  const all = await Promise.all(
    [...host.images].map(async ([tag, builtAs]) => {
      const image = host.builtImage(builtAs);
      const found = await withAbort(signal, () => image.inspect());
      return { image, found: { ...found, RepoTags: [tag], RepoDigests: [] } };
    }),
  );
  if (name === 'json' && part === '') {
    return all.map(({ found }) => ({ ...found, Created: Date.parse(found.Created) / 1_000 }));
  }
  const named = name.includes(':') ? name : `${name}:latest`;
  const one = all.find(({ found }) => found.Id === name || found.RepoTags[0] === named);
  if (!one) throw new NotThere('images', name);
  return part === 'history' ? await withAbort(signal, () => one.image.history()) : one.found;
}

/** As the client has an engine's answer 404. */
class NotThere extends Error {
  readonly statusCode = 404;
  constructor(kind: string, name: string) {
    super(`no such ${kind.replace(/s$/, '')}: ${name}`);
    this.name = 'NotThere';
  }
}
