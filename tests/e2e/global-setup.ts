import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServer } from '../../client-driver/server-process.ts';
import { runningEngine } from '../../server/engine/find.ts';
import { LABEL } from '../../server/sandbox/labels.ts';
import { Store } from '../../server/store/store.ts';
import { freePort } from '../fixtures/nginx.ts';

/** One server for all walks; after the last one, nothing of any sandbox may be left. */
export default async function setUp(): Promise<() => Promise<void>> {
  const data = await mkdtemp(join(tmpdir(), 'quayside-e2e-'));
  const proxyPort = await freePort();
  process.env.QUAYSIDE_E2E_PROXY_PORT = String(proxyPort);
  const env = { QUAYSIDE_ORIGINS: `http://127.0.0.1:${proxyPort}` };
  const server = await startServer({ data, args: ['--clean'], env });
  process.env.QUAYSIDE_E2E_URL = server.url;
  return async () => {
    await server.stop();
    const left = await objectsOf(data);
    await rm(data, { recursive: true });
    if (left.length > 0) throw new Error(`left behind after --clean: ${left.join(', ')}`);
  };
}

async function objectsOf(data: string): Promise<readonly string[]> {
  const engine = await runningEngine(process.env);
  if (!engine) throw new Error('the engine is gone');
  using store = new Store(join(data, 'quayside.sqlite'));
  const filters = { label: [`${LABEL.instance}=${store.instance}`] };
  const containers = await engine.docker.listContainers({ all: true, filters });
  const { Volumes } = await engine.docker.listVolumes({ filters });
  return [...containers.flatMap(({ Names }) => Names), ...(Volumes ?? []).map(({ Name }) => Name)];
}
