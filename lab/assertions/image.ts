import { type Fix, passed, type Verdict } from '../verdict.ts';
import type { HostView, ImageView, JournalView, SandboxView } from '../view.ts';
import { type Messages, otherEngines, verdictWith } from './assertion.ts';
import { plain } from './container-origin.ts';
import { IMAGE_MESSAGES, type ImageMessage } from './image-messages.ts';
import { matches } from './inside.ts';
import { type Moment, moment, sinceWhen } from './moment.ts';

/** Characters of an image's ID that Docker shows. */
const SHORT_ID = 12;

/** An assertion about an image. Each word after it asks for more; the order of the words does not matter. */
export interface ImageAssertion<Host extends string = string> extends Moment<Host> {
  /** It is the same image as another name stands for. @example .sameAs('web:1') */
  sameAs(other: string): ImageAssertion<Host>;
  /** It begins with all layers of another image, and is not just a second name of that. @example .builtOn('mycontainer:5.6') */
  builtOn(base: string): ImageAssertion<Host>;
  /** It has a label, of any value or of one. @example .hasLabel('version', '1') */
  hasLabel(key: string, value?: string): ImageAssertion<Host>;
  /** One of the steps that it and its base were built by fits, as `docker history --no-trunc` shows them. @example .hasLayer(/COPY/) */
  hasLayer(step: RegExp): ImageAssertion<Host>;
  /** It got its name after something else: it was built, pulled or tagged then. @example .after(visited(url)) */
  after<Other extends string>(moment: Moment<Other>): ImageAssertion<Host | Other>;
  /** Any of its messages in your own words. */
  withMessages(messages: Messages<ImageMessage>): ImageAssertion<Host>;
}

/** What is wrong with an image, for its message. */
interface Problem {
  readonly key: ImageMessage;
  readonly found?: string;
  readonly wanted?: string;
  readonly command?: string;
}

/** A look at an image that is there: `undefined` where this is as wanted. */
type Look = (image: ImageView, host: HostView) => Promise<Problem | undefined>;

interface Wanted<Host extends string> {
  readonly name: string;
  readonly host: Host;
  readonly looks: readonly Look[];
  /** Names of other images that it is compared with: they are no slips of its own. */
  readonly others: readonly string[];
  readonly earlier?: Moment<Host>;
  readonly messages: Messages<ImageMessage>;
}

/**
 * An image by its name.
 *
 * @example test: image('web:1').on('server01').builtOn('mycontainer:5.6').hasLabel('version', '1')
 */
export function image(name: string) {
  return {
    on: <const Host extends string>(host: Host): ImageAssertion<Host> =>
      build({ name, host, looks: [], others: [], messages: {} }),
  };
}

function build<Host extends string>(wanted: Wanted<Host>): ImageAssertion<Host> {
  const { name, host, looks, others, earlier, messages } = wanted;
  const more = (look: Look, ...compared: readonly string[]) =>
    build({ ...wanted, looks: [...looks, look], others: [...others, ...compared] });
  const own = {
    sameAs: (other: string) => more(sameAs(name, other), other),
    builtOn: (base: string) => more(builtOn(base), base),
    hasLabel: (key: string, value?: string) => more(hasLabel(key, value)),
    hasLayer: (step: RegExp) => more(hasLayer(name, step)),
    after: <Other extends string>(first: Moment<Other>): ImageAssertion<Host | Other> =>
      build<Host | Other>({ ...wanted, earlier: first }),
    withMessages: (others: Messages<ImageMessage>) =>
      build({ ...wanted, messages: { ...messages, ...others } }),
  };
  return moment(
    [host, ...(earlier?.hosts ?? [])],
    (sandbox) => judge(wanted, sandbox),
    (sandbox) => namings(sandbox.journal, host, name).map(({ seq }) => seq),
    earlier,
    own,
    [host],
  );
}

async function judge<Host extends string>(
  wanted: Wanted<Host>,
  sandbox: SandboxView<Host>,
): Promise<Verdict> {
  const { name, earlier } = wanted;
  const host = sandbox.host(wanted.host);
  const tell = ({ key, found = '', wanted: right = '', command }: Problem) => {
    const fix: Fix | undefined = command === undefined ? undefined : { host: wanted.host, command };
    const facts = { name, host: wanted.host, found, wanted: right };
    return verdictWith(IMAGE_MESSAGES, wanted.messages, key, facts, fix);
  };
  const image = await host.image(name);
  if (!image) return tell(await whereIsIt(wanted, sandbox, host));
  for (const look of wanted.looks) {
    const problem = await look(image, host);
    if (problem) return tell(problem);
  }
  if (!earlier) return passed();
  const since = await sinceWhen(earlier, sandbox);
  if (typeof since !== 'number') return since;
  const named = namings(sandbox.journal, wanted.host, name, image.id);
  return named.some(({ seq }) => seq > since) ? passed() : tell({ key: 'notSince' });
}

/** There is no image of that name: it may have another one, none, or be on another host. */
async function whereIsIt(
  { name, others }: Wanted<string>,
  sandbox: SandboxView,
  host: HostView,
): Promise<Problem> {
  const all = await host.images();
  const names = all.flatMap((each) => each.names).filter((each) => !others.includes(each));
  const [repository, tag] = partsOf(name);
  const untagged = names.find((each) => each === `${repository}:latest`);
  if (untagged !== undefined) {
    return { key: 'noTag', found: untagged, command: `docker tag ${untagged} ${name}` };
  }
  const last = repository.split('/').at(-1);
  const elsewhere = names.find((each) => {
    const [other, otherTag] = partsOf(each);
    return other.split('/').at(-1) === last && otherTag === tag;
  });
  if (elsewhere !== undefined) {
    return { key: 'otherName', found: elsewhere, command: `docker tag ${elsewhere} ${name}` };
  }
  const newest = all.toSorted((a, b) => b.created - a.created)[0];
  if (newest?.names.length === 0) {
    const id = newest.id.replace(/^sha256:/, '').slice(0, SHORT_ID);
    return { key: 'noName', found: id, command: `docker tag ${id} ${name}` };
  }
  for (const other of otherEngines(sandbox, host.name)) {
    if (await other.image(name)) return { key: 'onOtherHost', found: other.name };
  }
  return { key: 'missing' };
}

function sameAs(name: string, other: string): Look {
  return async (image, host) => {
    const right = await host.image(other);
    if (!right) return { key: 'otherMissing', wanted: other };
    if (right.id === image.id) return undefined;
    return { key: 'notSame', wanted: other, command: `docker tag ${other} ${name}` };
  };
}

function builtOn(base: string): Look {
  return async (image, host) => {
    const below = await host.image(base);
    if (!below) return { key: 'otherMissing', wanted: base };
    if (below.id === image.id) return { key: 'baseItself', wanted: base };
    const begins = below.layers.every((layer, at) => image.layers[at] === layer);
    return begins ? undefined : { key: 'notBuiltOn', wanted: base };
  };
}

function hasLabel(key: string, value: string | undefined): Look {
  return async ({ labels }) => {
    const found = Object.hasOwn(labels, key) ? labels[key] : undefined;
    const wanted = value === undefined ? key : `${key}=${value}`;
    if (found === undefined) return { key: 'noLabel', found: key, wanted };
    if (value === undefined || found === value) return undefined;
    return { key: 'otherLabel', found: `${key}=${found}`, wanted };
  };
}

function hasLayer(name: string, step: RegExp): Look {
  return async ({ id }, host) => {
    const steps = await host.imageSteps(id);
    if (steps.some((each) => matches(step, each))) return undefined;
    return { key: 'noLayer', command: `docker history ${name}` };
  };
}

/** When a name was given to an image: to any, or to one by its ID. Loaded images come with their names. */
function namings(journal: JournalView, host: string, name: string, image?: string) {
  return journal.all('image').filter((signal) => {
    if (signal.host !== host) return false;
    switch (signal.action) {
      case 'tag':
        return plain(signal.name) === plain(name);
      case 'pull':
        return plain(signal.id) === plain(name);
      case 'load':
      case 'import':
        return signal.id === image;
      default:
        return false;
    }
  });
}

/** A name's repository and tag. A registry's port comes before the last slash, and is no tag. */
export function partsOf(name: string): readonly [repository: string, tag: string] {
  const colon = name.indexOf(':', name.lastIndexOf('/') + 1);
  return colon === -1 ? [name, 'latest'] : [name.slice(0, colon), name.slice(colon + 1)];
}
