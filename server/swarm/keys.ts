import type { Engine } from '../engine/engine.ts';
import { readAll } from '../engine/output-limit.ts';

/** The three secrets: who is trusted, what each machine shows, and what the server shows. */
export const SECRETS = ['quayside-ca', 'quayside-node', 'quayside-server'] as const;

/** Removed with the stack, as if its file had made them. */
const OF_STACK = { 'com.docker.stack.namespace': 'quayside' };

/** Three certificates with two keys are some KiB. */
const KEYS_BYTES = 64 * 1024;

/**
 * A certificate authority that is forgotten as soon as it has signed two certificates. What each may be used for stands in
 * it: a machine's opens no other machine. They hold for a century; new ones are made where the secrets are removed.
 */
const MAKE_KEYS = `
set -e
cd "$(mktemp -d)"
openssl req -x509 -newkey ed25519 -nodes -keyout ca.key -out ca.pem -days 36500 -subj /CN=quayside 2>/dev/null
for each in node:serverAuth server:clientAuth; do
  name=quayside-\${each%:*}
  openssl req -newkey ed25519 -nodes -keyout key.pem -out request.pem -subj "/CN=$name" 2>/dev/null
  printf 'extendedKeyUsage=%s\\nsubjectAltName=DNS:%s\\n' "\${each#*:}" "$name" > use
  openssl x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 36500 -extfile use 2>/dev/null | cat - key.pem > "$name.pem"
done
cat ca.pem; echo =; cat quayside-node.pem; echo =; cat quayside-server.pem
`;

/** Makes the keys that machines and server know each other by, unless the Swarm has them. The server keeps none. */
export async function ensureKeys(engine: Engine, hostImage: string): Promise<void> {
  const found = await engine.docker.listSecrets({ filters: { name: ['quayside-'] } });
  const names = new Set(found.map((each) => (each as { Spec?: { Name?: string } }).Spec?.Name));
  if (SECRETS.every((name) => names.has(name))) return;
  // Some of them are of no use without the others.
  for (const secret of found) {
    const { ID, Spec } = secret as unknown as { ID: string; Spec: { Name: string } };
    const isOurs = (SECRETS as readonly string[]).includes(Spec.Name);
    if (isOurs) await engine.docker.getSecret(ID).remove();
  }
  const parts = (await makeKeys(engine, hostImage)).split(/^=$/m);
  for (const [index, name] of SECRETS.entries()) {
    const pem = `${parts[index]?.trim()}\n`;
    const Data = Buffer.from(pem).toString('base64');
    await engine.docker.createSecret({ Name: name, Labels: OF_STACK, Data });
  }
}

/** In a container, for not every machine has the program. */
async function makeKeys(engine: Engine, image: string): Promise<string> {
  await using line = await engine.attend({
    Image: image,
    Entrypoint: ['sh', '-c', MAKE_KEYS],
    User: 'root',
    NetworkDisabled: true,
    HostConfig: { NetworkMode: 'none' },
  });
  return (await readAll(line.stream, KEYS_BYTES)).toString();
}
