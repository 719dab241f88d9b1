import { engineVersion, type SandboxView, type ValueDefinition, value } from '#lab';
import { bridgeAddressOf, NAME, portOf, SERVER, SERVER_ADDRESS } from './checks/myapp2.ts';
import { lostPorts, myapp2Starts } from './checks/starts.ts';

/** Docker prints this much of an ID wherever it shortens one. */
const SHORT_ID = 12;

/** What the prose says in the learner's own numbers. */
export const values: Readonly<Record<string, ValueDefinition>> = {
  'myapp2-port': value('<port>', async (sandbox) => (await port(sandbox))?.toString()),
  'myapp2-url': value(`http://${SERVER_ADDRESS}:<port>`, async (sandbox) => {
    const now = await port(sandbox);
    return now === undefined ? undefined : `http://${SERVER_ADDRESS}:${now}`;
  }),
  'myapp2-old-url': value(`http://${SERVER_ADDRESS}:<old port>`, async (sandbox) => {
    const old = lostPorts(myapp2Starts(sandbox.journal)).at(-1);
    return old === undefined ? undefined : `http://${SERVER_ADDRESS}:${old}`;
  }),
  'myapp2-address': value('<container address>', address),
  'myapp2-direct-url': value('http://<container address>', async (sandbox) => {
    const now = await address(sandbox);
    return now === undefined ? undefined : `http://${now}`;
  }),
  'engine-version': value('<version>', engineVersion().on(SERVER)),
  'docker0-address': value('<docker0’s address>', (sandbox) =>
    sandbox.host(SERVER).addressOf('docker0'),
  ),
  'bridge-id': value('<network ID>', async (sandbox) => {
    const networks = await sandbox.host(SERVER).networks();
    return networks.find((network) => network.name === 'bridge')?.id.slice(0, SHORT_ID);
  }),
};

async function port(sandbox: SandboxView): Promise<number | undefined> {
  return portOf(await sandbox.host(SERVER).container(NAME));
}

async function address(sandbox: SandboxView): Promise<string | undefined> {
  return bridgeAddressOf(await sandbox.host(SERVER).container(NAME));
}
