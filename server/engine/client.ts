import { createRequire, Module } from 'node:module';
import type Dockerode from 'dockerode';

/**
 * What the client loads and no engine of ours needs: engines over ssh (ssh2), and BuildKit's sessions (gRPC and Protocol
 * Buffers). Together they are 20 MB of memory and a tenth of a second at each start.
 */
const LEFT_OUT = ['docker-modem/lib/ssh', './session'] as const;

const require = createRequire(import.meta.url);
const requireOfClient = createRequire(require.resolve('dockerode'));
for (const part of LEFT_OUT) leaveOut(requireOfClient.resolve(part), part);
const Client = require('dockerode') as typeof Dockerode;

/** A client for an engine: the only place that loads the library. */
export function createClient(options: Dockerode.DockerOptions): Dockerode {
  return new Client(options);
}

/** The library finds a function in the place of this module; calling it fails. */
function leaveOut(path: string, part: string): void {
  const module = new Module(path);
  module.loaded = true;
  module.exports = () => {
    throw new Error(`Quayside does not load dockerode's ${part} (server/engine/client.ts).`);
  };
  require.cache[path] ??= module;
}
