import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { type MdastNode, mdxToMdast } from 'satteri';

/** What the words behind a block's host say of it: ```` ```sh host=server01 stays ````. */
export interface BlockWords {
  /** Its last command runs on until Ctrl-C. */
  readonly stays?: true;
  /** It runs in a second terminal of its host. */
  readonly second?: true;
  /** Its last command is to fail. */
  readonly fails?: true;
}

/** What stands on a page and speaks of the lab: a heading, a command block, or one of the components. */
export type PageElement = {
  /** The page, or the part of it that the element stands in. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /**
   * What stands in a hint is another way to the same, and no part of the page's own steps. Learners do not have what
   * stands in a note for the instructor.
   */
  readonly within: 'page' | 'heading' | 'hint' | 'note';
} & (
  | { readonly kind: 'heading'; readonly text: string }
  /**
   * A fenced block that names a host: ```` ```sh host=server01 ````. Of one that is a file (`file=web/Dockerfile`), the
   * command that writes it.
   */
  | ({ readonly kind: 'block'; readonly host: string; readonly code: string } & BlockWords)
  /** A fenced block of shell commands that names no host, and is only shown. */
  | { readonly kind: 'listing' }
  | { readonly kind: 'picture' }
  | {
      readonly kind: 'component';
      readonly name: string;
      /** Attributes that are plain texts. */
      readonly attributes: ReadonlyMap<string, string>;
    }
);

/** What a fence's info string says, quoted or not: `host=server01 file=web/Dockerfile`. */
const OF_FENCE = /(?:^|\s)(host|file)=(?:"([^"]+)"|'([^']+)'|(\S+))/g;
/** What a fence's info string says in quotes, such as its title: no word of ours. */
const QUOTED = /"[^"]*"|'[^']*'/g;
/** What a fence of shell commands begins with. */
const SHELLS = ['sh', 'bash', 'shell', 'console'];
/** The line that ends a file in a command. */
const END_OF_FILE = 'END-OF-FILE';
/** The components that hold another way to the same, and what is for the instructor alone. */
const HINT = 'Hint';
const NOTE = 'Instructor';
/** Tags that show a picture, as Markdown's own does. */
const PICTURES: readonly (string | null)[] = ['img', 'Image', 'Picture'];

/** How pages are read, as Starlight reads them: `:::tip[Title]{icon="heart"}` is an aside with a title and attributes. */
export const MDX = { features: { directive: true } };

/** `import Start from './_start.mdx'`: prose, with its blocks and checks, that stands where the page has `<Start />`. */
const PART = /^import\s+(\w+)\s+from\s+['"](\.{1,2}\/[^'"\n]+\.mdx)['"]/gm;

/**
 * The elements of a page, in its order, those of its parts among them. A part that is not there has none.
 *
 * @param source MDX
 * @param file its path, beside which its parts are; without it, none is read
 */
export function elementsOf(source: string, file = ''): Iterable<PageElement> {
  return elementsInFile(source, file, 'page', []);
}

/** A text of MDX as it is walked through. */
interface Walk {
  readonly file: string;
  /** The paths of its parts, by the names that it gives them. */
  readonly parts: ReadonlyMap<string, string>;
  /** The files that it is a part of: none of them is a part of itself. */
  readonly above: readonly string[];
}

function elementsInFile(
  source: string,
  file: string,
  within: PageElement['within'],
  above: readonly string[],
): Iterable<PageElement> {
  const root = mdxToMdast(source, MDX);
  const code = 'children' in root ? root.children.filter(({ type }) => type === 'mdxjsEsm') : [];
  const imports = (file === '' ? [] : code).flatMap((node) =>
    'value' in node ? [...node.value.matchAll(PART)] : [],
  );
  const parts = new Map(
    imports.map(([, name = '', path = '']) => [name, join(dirname(file), path)]),
  );
  return elementsIn(root, within, { file, parts, above: [...above, file] });
}

function* elementsOfPart(
  path: string | undefined,
  within: PageElement['within'],
  { above }: Walk,
): Generator<PageElement, void, undefined> {
  if (path === undefined || above.includes(path) || !existsSync(path)) return;
  yield* elementsInFile(readFileSync(path, 'utf8'), path, within, above);
}

function* elementsIn(
  node: MdastNode,
  within: PageElement['within'],
  walk: Walk,
): Generator<PageElement, void, undefined> {
  const place = { file: walk.file, line: node.position?.start.line ?? 1, within };
  let inside = within;
  if (node.type === 'heading') {
    yield { ...place, kind: 'heading', text: plain(node) };
    if (within === 'page') inside = 'heading';
  } else if (node.type === 'code') {
    const said = [...(node.meta ?? '').matchAll(OF_FENCE)];
    const { host, file } = Object.fromEntries(
      said.map(([, what, ...given]) => [what, given.find((text) => text !== undefined)]),
    );
    const code = file === undefined ? node.value : writing(file, node.value);
    if (host !== undefined) {
      yield { ...place, kind: 'block', host, code, ...wordsOf(node.meta ?? '') };
    } else if (SHELLS.includes(node.lang ?? '')) {
      yield { ...place, kind: 'listing' };
    }
  } else if (node.type === 'image' || ('name' in node && PICTURES.includes(node.name))) {
    yield { ...place, kind: 'picture' };
  } else if (node.type === 'mdxJsxFlowElement' || node.type === 'mdxJsxTextElement') {
    const attributes = new Map(
      node.attributes.flatMap((each) =>
        each.type === 'mdxJsxAttribute' && typeof each.value === 'string'
          ? [[each.name, each.value] as const]
          : [],
      ),
    );
    yield { ...place, kind: 'component', name: node.name ?? '', attributes };
    if (node.name === HINT && within !== 'note') inside = 'hint';
    if (node.name === NOTE) inside = 'note';
    yield* elementsOfPart(walk.parts.get(node.name ?? ''), within, walk);
  }
  if ('children' in node) for (const child of node.children) yield* elementsIn(child, inside, walk);
}

/** The words of a fence's info string, without what stands in quotes. */
export function wordsIn(meta: string): readonly string[] {
  return meta.replaceAll(QUOTED, '').split(/\s+/);
}

function wordsOf(meta: string): BlockWords {
  const words = wordsIn(meta);
  return {
    ...(words.includes('stays') && { stays: true as const }),
    ...(words.includes('second') && { second: true as const }),
    ...(words.includes('fails') && { fails: true as const }),
  };
}

/** A command that writes a file as an editor would. @param path absolute, or from the learner's home */
function writing(path: string, text: string): string {
  const quoted = (word: string) => `'${word.replaceAll("'", String.raw`'\''`)}'`;
  const fromHome = path.replace(/^~\//, '');
  const place = (word: string) => (word.startsWith('/') ? quoted(word) : `~/${quoted(word)}`);
  const folder = posix.dirname(fromHome);
  const makes = folder === '.' ? '' : `mkdir -p ${place(folder)} && `;
  return `${makes}cat >${place(fromHome)} <<'${END_OF_FILE}'\n${text}\n${END_OF_FILE}`;
}

/** A heading's text without its marks. */
function plain(node: MdastNode): string {
  if ('value' in node) return node.value;
  return 'children' in node ? node.children.map((child) => plain(child)).join('') : '';
}
