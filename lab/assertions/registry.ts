import { type Fix, passed, type Verdict } from '../verdict.ts';
import type { HostView, SandboxView } from '../view.ts';
import {
  type Assertion,
  assertion,
  type Messages,
  type Reading,
  reading,
  verdictWith,
} from './assertion.ts';
import { partsOf } from './image.ts';
import { REGISTRY_MESSAGES, type RegistryMessage } from './registry-messages.ts';

/** An assertion about a registry: it answers. */
export interface RegistryAssertion<Host extends string = string> extends Assertion<Host> {
  /** It has an image by a repository and tag of its own. @example .has('mycontainer:5.6') */
  has(image: string): StoredImageAssertion<Host>;
  /** The names of its repositories, with spaces between; `undefined` while it does not answer. */
  readonly repositories: Reading<Host>;
  /** Any of its messages in your own words. */
  withMessages(messages: Messages<RegistryMessage>): RegistryAssertion<Host>;
}

/** An assertion about an image in a registry: it is there. */
export interface StoredImageAssertion<Host extends string = string> extends Assertion<Host> {
  /** It is the image that its host has by a name. @example .sameAs('mycontainer:5.6') */
  sameAs(image: string): StoredImageAssertion<Host>;
  /** The digest that the registry gives it, as `docker push` and `docker pull` print it, for a value or an answer. */
  readonly digest: Reading<Host>;
  /** Any of its messages in your own words. */
  withMessages(messages: Messages<RegistryMessage>): StoredImageAssertion<Host>;
}

/** A registry as the host that it runs on reaches it. */
interface Place<Host extends string> {
  /** As names of images have it: `registry:5000`. */
  readonly registry: string;
  readonly host: Host;
  readonly messages: Messages<RegistryMessage>;
}

interface Stored<Host extends string> extends Place<Host> {
  readonly repository: string;
  readonly tag: string;
  /** The name of the host’s image that it is compared with. */
  readonly other?: string;
}

/**
 * A registry by what names of images begin with, on the host that it runs on: that host is asked.
 *
 * @example test: registry('registry:5000').on('server01').has('mycontainer:5.6').sameAs('mycontainer:5.6')
 */
export function registry(name: string) {
  return {
    on: <const Host extends string>(host: Host): RegistryAssertion<Host> =>
      build({ registry: name, host, messages: {} }),
  };
}

function build<Host extends string>(place: Place<Host>): RegistryAssertion<Host> {
  const { host, messages } = place;
  const test = async (sandbox: SandboxView<Host>) => {
    const answer = await get(sandbox.host(host), place.registry, '');
    if (answer?.code === OK) return passed();
    return await notAnswering(place, sandbox.host(host), place.registry, answer);
  };
  return assertion([host], test, {
    has: (image: string) => {
      const [repository, tag] = partsOf(image);
      return buildStored({ ...place, repository, tag });
    },
    repositories: reading(
      [host],
      async (sandbox) => {
        const answer = await get(sandbox.host(host), place.registry, '_catalog');
        return answer && namesIn(answer, 'repositories').join(' ');
      },
      {},
    ),
    withMessages: (more: Messages<RegistryMessage>) =>
      build({ ...place, messages: { ...messages, ...more } }),
  });
}

function buildStored<Host extends string>(stored: Stored<Host>): StoredImageAssertion<Host> {
  const { host, messages } = stored;
  return assertion([host], (sandbox: SandboxView<Host>) => judge(stored, sandbox), {
    sameAs: (other: string) => buildStored({ ...stored, other }),
    digest: reading(
      [host],
      async (sandbox) => (await manifest(sandbox.host(host), stored))?.digest,
      {},
    ),
    withMessages: (more: Messages<RegistryMessage>) =>
      buildStored({ ...stored, messages: { ...messages, ...more } }),
  });
}

async function judge<Host extends string>(
  stored: Stored<Host>,
  sandbox: SandboxView<Host>,
): Promise<Verdict> {
  const { registry, repository, tag, other } = stored;
  const host = sandbox.host(stored.host);
  const name = `${registry}/${repository}:${tag}`;
  const found = await manifest(host, stored);
  if (found?.code === NOT_FOUND && isRegistrys(found)) {
    return await whereDidItGo(stored, sandbox, host, name);
  }
  if (found?.code !== OK) return await notAnswering(stored, host, name, found);
  if (other === undefined) return passed();
  const tell = (key: RegistryMessage, command?: string) =>
    told(stored, key, { name, found: other }, command === undefined ? undefined : host, command);
  const image = await host.image(other);
  if (!image) return tell('imageMissing');
  // An engine tells its images apart by their settings' digest, and one with containerd's store by the manifest's.
  if (image.id === found.digest || image.id === settingsOf(found)) return passed();
  return tell(
    'otherImage',
    other === name ? `docker push ${name}` : `docker tag ${other} ${name} && docker push ${name}`,
  );
}

/** The registry has no such image: it may have another tag of it, or the last push went elsewhere. */
async function whereDidItGo<Host extends string>(
  stored: Stored<Host>,
  sandbox: SandboxView<Host>,
  host: HostView,
  name: string,
): Promise<Verdict> {
  const { registry, repository } = stored;
  const last = lastPush(sandbox);
  const pushes = last && sandbox.host(last.host as Host);
  if (last && !last.worked) {
    const key = wrongPlace(last.name, registry);
    if (key) return told(stored, key, { name, found: last.name }, pushes, `docker push ${name}`);
  }
  const tags = namesIn(await get(host, registry, `${repository}/tags/list`), 'tags');
  const anew = (found: string) => `docker tag ${found} ${name} && docker push ${name}`;
  if (tags[0] !== undefined) {
    const found = `${registry}/${repository}:${tags[0]}`;
    return told(stored, 'otherTag', { name, found }, pushes, anew(found));
  }
  if (
    last?.worked &&
    last.name.startsWith(`${registry}/`) &&
    partsOf(last.name)[0] !== partsOf(name)[0]
  ) {
    return told(stored, 'otherName', { name, found: last.name }, pushes, anew(last.name));
  }
  return told(stored, 'missing', { name: name.slice(registry.length + 1) });
}

async function notAnswering(
  place: Place<string>,
  host: HostView,
  name: string,
  answer: Answer | undefined,
): Promise<Verdict> {
  if (answer) return told(place, 'noRegistry', { name });
  const port = place.registry.split(':')[1] ?? HTTP;
  const stopped = (await host.containers()).find(
    ({ running, requestedPorts }) =>
      !running && Object.values(requestedPorts).flat().includes(port),
  );
  if (!stopped) return told(place, 'unanswered', { name });
  return told(
    place,
    'stopped',
    { name, found: stopped.name },
    host,
    `docker start ${stopped.name}`,
  );
}

function told(
  { registry, host, messages }: Place<string>,
  key: RegistryMessage,
  { name, found = '' }: { readonly name: string; readonly found?: string },
  at?: HostView,
  command?: string,
): Verdict {
  const fix: Fix | undefined =
    at === undefined || command === undefined ? undefined : { host: at.name, command };
  return verdictWith(
    REGISTRY_MESSAGES,
    messages,
    key,
    { name, host, found, wanted: registry },
    fix,
  );
}

/** What was pushed last from any host, and whether that worked: an engine tells of what did, a terminal of what failed. */
function lastPush({ journal }: SandboxView) {
  const worked = journal.last('image', ({ action }) => action === 'push');
  const failed = journal.last('command', ({ line, status }) => status !== 0 && pushed(line) !== '');
  if (failed && failed.seq > (worked?.seq ?? 0)) {
    return { host: failed.host, name: pushed(failed.line), worked: false };
  }
  return worked && { host: worked.host, name: worked.id, worked: true };
}

/** The name that a command line pushes; empty where it pushes nothing. */
function pushed(line: string): string {
  const words = line.trim().split(/\s+/);
  const at = words.indexOf('push');
  if (at < 1 || !words.slice(0, at).includes('docker')) return '';
  return words.slice(at + 1).find((word) => !word.startsWith('-')) ?? '';
}

/** Where a name leads to that does not lead to the registry. */
function wrongPlace(name: string, registry: string): RegistryMessage | undefined {
  if (name.startsWith(`${registry}/`)) return undefined;
  const [first = '', ...rest] = name.split('/');
  // As Docker has it: the first part is a registry where it could be no name on Docker Hub.
  if (rest.length > 0 && (/[.:]/.test(first) || first === 'localhost')) return 'otherRegistry';
  return rest.length > 0 && first === registry.split(':')[0] ? 'noPort' : 'dockerHub';
}

const OK = 200;
const NOT_FOUND = 404;
/** The port of a registry that names none. */
const HTTP = '80';
/** A repository or a tag, as Docker takes them. What listens there may be no registry, and its names stand in commands. */
const NAME = /^\w[\w./-]{0,254}$/;
/** The manifests of one image, Docker's own and the standard one: of a list of several, an engine takes one. */
const MANIFESTS = [
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
].join(', ');

/** What a registry has answered. */
interface Answer {
  readonly code: number;
  readonly digest: string | undefined;
  readonly body: unknown;
}

async function manifest(
  host: HostView,
  { registry, repository, tag }: Stored<string>,
): Promise<Answer | undefined> {
  return await get(host, registry, `${repository}/manifests/${tag}`);
}

/** Asks a registry (https://distribution.github.io/distribution/spec/api/). `undefined` where nothing answers in time. */
async function get(host: HostView, registry: string, path: string): Promise<Answer | undefined> {
  const { status, output } = await host.ask([
    ...(['curl', '-q', '-s', '-m', '2', '--noproxy', '*', '--max-filesize', '65536'] as const),
    ...(['-H', `Accept: ${MANIFESTS}`] as const),
    ...(['-w', '\\n%{http_code} %header{docker-content-digest}'] as const),
    `http://${registry}/v2/${path}`,
  ]);
  if (status !== 0) return undefined;
  const end = output.lastIndexOf('\n');
  const [code, digest] = output.slice(end + 1).split(' ');
  return { code: Number(code), digest, body: parsed(output.slice(0, Math.max(end, 0))) };
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** A member of what a registry has answered; `undefined` where that is none. */
function member(body: unknown, name: string): unknown {
  return typeof body === 'object' && body !== null
    ? (Object.entries(body).find(([key]) => key === name)?.[1] as unknown)
    : undefined;
}

function namesIn(answer: Answer | undefined, list: 'repositories' | 'tags'): readonly string[] {
  const names = member(answer?.body, list);
  return Array.isArray(names)
    ? names.filter((name) => typeof name === 'string' && NAME.test(name))
    : [];
}

/** A registry says in JSON what is not there; another web server has a page for that. */
function isRegistrys({ body }: Answer): boolean {
  return Array.isArray(member(body, 'errors'));
}

/** The digest of an image's settings, which an engine takes for its ID. */
function settingsOf({ body }: Answer): unknown {
  return member(member(body, 'config'), 'digest');
}
