import { jsonLines } from '../engine/engine.ts';
import type { Host } from '../sandbox/host.ts';
import { publishedPorts } from '../sandbox/host-view.ts';
import type { OnSignal } from './watch.ts';

interface DockerEvent {
  readonly Type?: string;
  readonly Action?: string;
  readonly Actor?: { readonly ID?: string; readonly Attributes?: Readonly<Record<string, string>> };
}

/** The actions that can change an answer. `top`, `attach`, `resize` and their like cannot. */
const CONTAINER_ACTIONS = new Set([
  'create',
  'start',
  'die',
  'stop',
  'restart',
  'kill',
  'pause',
  'unpause',
  'rename',
  'destroy',
  'exec_start',
]);
const NETWORK_ACTIONS = new Set(['create', 'connect', 'disconnect', 'destroy']);

/** Passes on the events of a host's engine until its stream ends. `onOpen` is called once it listens. */
export async function dockerSignals(
  host: Host,
  onSignal: OnSignal,
  signal: AbortSignal,
  onOpen: () => void,
): Promise<void> {
  const stream = await host.docker.getEvents({
    filters: { type: ['container', 'network'] },
    abortSignal: signal,
  });
  onOpen();
  for await (const event of jsonLines<DockerEvent>(stream)) await passOn(host, event, onSignal);
}

async function passOn(host: Host, event: DockerEvent, onSignal: OnSignal): Promise<void> {
  // An exec's action carries its command: "exec_start: ip addr".
  const [action = '', command] = (event.Action ?? '').split(/: (.*)/s, 2);
  const id = event.Actor?.ID ?? '';
  const { name = '', image = '' } = event.Actor?.Attributes ?? {};
  if (event.Type === 'network' && NETWORK_ACTIONS.has(action)) {
    onSignal({ kind: 'network', host: host.name, action, id, name });
  }
  if (event.Type !== 'container' || !CONTAINER_ACTIONS.has(action)) return;
  onSignal({
    kind: 'container',
    host: host.name,
    action,
    id,
    name,
    image,
    ...(command === undefined ? {} : { command: command.trim() }),
    ...(action === 'start' ? await startDetails(host, id) : {}),
  });
}

/** What only the engine knows at this moment and nobody can ask later: the ports of this very start. */
async function startDetails(host: Host, id: string) {
  try {
    const { NetworkSettings, HostConfig, Config } = await host.docker.getContainer(id).inspect();
    return {
      ports: publishedPorts(NetworkSettings.Ports),
      networkMode: (HostConfig.NetworkMode ?? 'bridge').replace(/^default$/, 'bridge'),
      command: [...[Config.Entrypoint ?? []].flat(), ...(Config.Cmd ?? [])].join(' '),
    };
  } catch {
    // Gone again already; the start itself still happened.
    return {};
  }
}
