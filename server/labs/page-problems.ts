import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseFrontmatter } from 'astro/markdown';
import { type MdastNode, type MdxJsxAttributeUnion, mdxToJs, mdxToMdast } from 'satteri';
import { didYouMean, isSlipOf } from '../../lab/did-you-mean.ts';
import { messageOf } from '../base/errors.ts';
import { type NamesInCode, namesIn } from './names-in-code.ts';
import { elementsOf, MDX, wordsIn } from './page-elements.ts';
import { commandsOf } from './shell-commands.ts';
import { locationOf } from './source-location.ts';

/** What `#components` has. */
export const COMPONENTS = [
  'Answer',
  'Browser',
  'Check',
  'Edit',
  'Hint',
  'Instructor',
  'Interrupt',
  'Terminal',
  'Value',
  'Visit',
];
/**
 * What every page has of Astro, and of the function that it becomes (`arguments`). Astro gives `file` and `url` too, but
 * `{url}` on a page is text whose braces were forgotten.
 */
const GIVEN = ['props', 'frontmatter', 'getHeadings', 'Fragment', 'arguments'];
/** Of longer code only the name is repeated. */
const SHOWN_MOST = 40;
/** The words of a block's first line. */
const BLOCK_WORDS = ['host', 'file', 'stays', 'second', 'fails'];
/** A prompt before a command. `#` begins a comment as well. */
const PROMPT = '$ ';
/** Could be a value's id. */
const VALUE = /^[\w-]+$/;
const BYTE_ORDER_MARK = /^\uFEFF/;

/** What is wrong at one place of a page, and what to write instead. */
interface Problem {
  /** From 1, as the column is. */
  readonly line: number;
  readonly column: number;
  readonly says: string;
}

/**
 * Whatever keeps the pages of a lab from being built, each as `page:line:column: sentence`: a title that is missing, text
 * that MDX takes for code, names that nothing has, files that are not there. Of errors of syntax, a page's first one.
 *
 * @param directory the lab's folder
 */
export function pageProblems(directory: string): readonly string[] {
  return globSync(join(directory, '*.mdx'))
    .sort()
    .flatMap((file) => {
      const source = readFileSync(file, 'utf8').replace(BYTE_ORDER_MARK, '');
      // What begins with an underscore is a part that pages import, and no page.
      const title = basename(file).startsWith('_') ? [] : titleProblems(source);
      return [...title, ...codeProblems(source, directory)].map(
        ({ line, column, says }) => `${locationOf(file, line)}:${column}: ${says}`,
      );
    });
}

/** What js-yaml throws. Lines and columns from 0. */
interface YamlError {
  readonly reason?: string;
  readonly mark?: { readonly line: number; readonly column: number };
}

function titleProblems(source: string): readonly Problem[] {
  try {
    const { title } = parseFrontmatter(source).frontmatter;
    if (typeof title === 'string') return [];
    const says =
      title === undefined
        ? 'the page has no title. Begin it with three lines: ---, title: "…", ---.'
        : 'the title is no text. Write it in quotes: title: "…".';
    return [{ line: 1, column: 1, says }];
  } catch (error) {
    const { reason = messageOf(error).split('\n', 1), mark = { line: 0, column: 0 } } =
      error as YamlError;
    const says = `the lines between --- and --- cannot be read: ${reason}. Write a text with a colon in quotes: title: "Step 1: a bridge".`;
    return [{ line: mark.line + 1, column: mark.column + 1, says }];
  }
}

function codeProblems(source: string, directory: string): readonly Problem[] {
  try {
    mdxToJs(source, MDX);
  } catch (error) {
    return [syntaxProblem(source, messageOf(error))];
  }
  const page = mdxToMdast(source, MDX);
  const uses = [...usesIn(page)];
  const known = new Set([...GIVEN, ...uses.flatMap(({ names }) => names.declared)]);
  const inUses = uses.flatMap(({ offset, names, instead }) => {
    const missing = names.used.find((name) => !known.has(name) && !(name in globalThis));
    const gone = names.imported.filter((path) => !isThere(directory, path));
    return [
      ...(missing === undefined
        ? []
        : [{ ...placeOf(source, offset, missing), says: instead(missing) }]),
      ...gone.map((path) => ({
        ...placeOf(source, offset, path.replace(/^\.\//, '')),
        says: `there is no file ${path}. A path begins at the page’s own folder.`,
      })),
    ];
  });
  return [...inUses, ...blockProblems(page, source)];
}

/** Words of a block's first line that are a slip of the finger, and prompts that were copied with a command. */
function blockProblems(page: MdastNode, source: string): readonly Problem[] {
  const slips = [...fencesIn(page)].flatMap(({ meta, line }) =>
    wordsIn(meta).flatMap((word) => {
      const [name = ''] = word.split('=', 1);
      const meant = BLOCK_WORDS.find((known) => isSlipOf(name, known));
      if (meant === undefined || BLOCK_WORDS.includes(name)) return [];
      const says = `"${name}" is no word of a block. Did you mean "${meant}"?`;
      return [{ line, column: 1, says }];
    }),
  );
  const lines = source.split('\n');
  const prompts = [...elementsOf(source)].flatMap((element) => {
    if (
      element.kind !== 'block' ||
      !commandsOf(element.code).some((each) => each.startsWith(PROMPT))
    )
      return [];
    const below = lines.slice(element.line).findIndex((each) => each.trim().startsWith(PROMPT));
    const says = `a command is typed as it stands, and this one begins with a prompt. Leave out the "${PROMPT.trim()}".`;
    return [{ line: element.line + 1 + Math.max(below, 0), column: 1, says }];
  });
  return [...slips, ...prompts];
}

/** The first lines of a page's fenced blocks, behind their language. */
function* fencesIn(
  node: MdastNode,
): Generator<{ readonly meta: string; readonly line: number }, void, undefined> {
  if (node.type === 'code') {
    yield { meta: node.meta ?? '', line: node.position?.start.line ?? 1 };
  }
  if ('children' in node) for (const child of node.children) yield* fencesIn(child);
}

/** Where a text stands first, as a whole word, at an offset or after it. */
function placeOf(source: string, offset: number, text: string): Omit<Problem, 'says'> {
  const word = new RegExp(`(?<![\\w$])${RegExp.escape(text)}(?![\\w$])`, 'g');
  word.lastIndex = offset;
  const before = source.slice(0, word.exec(source)?.index ?? offset).split('\n');
  return { line: before.length, column: (before.at(-1) ?? '').length + 1 };
}

/** Whether a file is there, also where its ending is left out or is that of its JavaScript. A package is none of ours. */
function isThere(directory: string, path: string): boolean {
  if (!path.startsWith('.')) return true;
  const [file = ''] = join(directory, path).split('?');
  return existsSync(file) || globSync(`${file.replace(/\.js$/, '')}{.*,/index.*}`).length > 0;
}

/** A picture's address, as the build decodes it. One that cannot be decoded is looked for as it stands. */
function decoded(address: string): string {
  try {
    return decodeURI(address);
  } catch {
    return address;
  }
}

/** A piece of a page that uses names, or files. */
interface Use {
  readonly offset: number;
  readonly names: NamesInCode;
  /** The sentence for one of its names that nothing has. */
  readonly instead: (name: string) => string;
}

function* usesIn(node: MdastNode): Generator<Use, void, undefined> {
  const offset = node.position?.start.offset ?? 0;
  if (node.type === 'mdxjsEsm') {
    yield { offset, names: namesIn(node.value), instead: unnamed };
  } else if (node.type === 'mdxTextExpression' || node.type === 'mdxFlowExpression') {
    const instead = (name: string) => bracedInstead(node.value, name);
    yield { offset, names: namesIn(`{${node.value}}`), instead };
  } else if (node.type === 'image') {
    const isElsewhere = node.url.startsWith('/') || URL.canParse(node.url);
    const imported = isElsewhere ? [] : [decoded(node.url).replace(/^(?!\.)/, './')];
    yield { offset, names: { used: [], declared: [], imported }, instead: unnamed };
  } else if (node.type === 'mdxJsxFlowElement' || node.type === 'mdxJsxTextElement') {
    if (node.name !== null) {
      yield { offset, names: namesIn(`{<${node.name} />}`), instead: componentInstead };
    }
    for (const attribute of node.attributes) yield* usesInAttribute(attribute, offset);
  }
  if ('children' in node) for (const child of node.children) yield* usesIn(child);
}

function* usesInAttribute(
  attribute: MdxJsxAttributeUnion,
  offset: number,
): Generator<Use, void, undefined> {
  if (attribute.type === 'mdxJsxExpressionAttribute') {
    yield { offset, names: namesIn(`{({${attribute.value}})}`), instead: unnamed };
  } else if (typeof attribute.value === 'object' && attribute.value !== null) {
    const { value } = attribute.value;
    const instead = (name: string) =>
      `${attribute.name}={${value}} is code, and nothing on this page is named ${name}. Write a text in quotes: ${attribute.name}="${value}".`;
    yield { offset, names: namesIn(`{${value}}`), instead };
  }
}

function unnamed(name: string): string {
  return `nothing on this page is named ${name}. Import it, or take it out.`;
}

function bracedInstead(code: string, name: string): string {
  if (COMPONENTS.includes(name)) return componentInstead(name);
  const shown = code.length > SHOWN_MOST ? `{${name}…}` : `{${code}}`;
  const value = VALUE.test(code) ? `, or <Value id="${code}" /> for the lab’s value` : '';
  return `${shown} is code, and nothing on this page is named ${name}. Write \\${shown} where it is text${value}.`;
}

function componentInstead(name: string): string {
  return COMPONENTS.includes(name)
    ? `<${name}> is not imported. Write below the page’s title: import { ${name} } from '#components';`
    : `<${name}> is no component of this page. ${didYouMean(name, COMPONENTS)} Write &lt;${name}> where it is text.`;
}

/** Where the parser stopped, and its reason: `5:21: Expected a closing tag … (mdx-jsx:unexpected-character)`. */
const STOPPED = /^(\d+):(\d+): (.*?)(?: \([\w-]+:[\w-]+\))?$/s;

/** The parser's reasons, and what an author is told: of what the reason names, and of the source from where it stopped. */
const REASONS: readonly (readonly [RegExp, (names: readonly string[], rest: string) => string])[] =
  [
    [
      /^Expected a closing tag for `<(.*?)>` \([\d:]+\)( before the end of)?/,
      ([name, before]) =>
        `<${name}> is not closed. Write &lt;${name}> where it is text, <${name} /> where it holds nothing, or </${name}> behind what it holds${before === undefined ? '' : ': both tags in one line, or each alone in a line'}.`,
    ],
    [
      /^Unexpected closing tag `(<\/.*?>)`, expected an open tag first/,
      ([tag]) => `${tag} closes what nothing has opened. Take it out.`,
    ],
    [
      /^Unexpected closing tag `<\/(.*?)>`, expected corresponding closing tag for `<(.*?)>` \(([\d:]+)\)/,
      ([tag = '', name = '', at]) =>
        slipInTags(tag, name, at) ??
        `</${tag}> stands where <${name}> of ${at} has to be closed. Write </${name}> before it.`,
    ],
    [
      /^Expected the closing tag `(<\/.*?>)`/,
      ([tag]) =>
        `${tag} stands in a paragraph or a list that begins after its opening tag. Put it on a line of its own, with an empty line above.`,
    ],
    [
      /^Unexpected character `!`/,
      () => '<! begins no comment in MDX. Write {/* … */}, or &lt;! where it is text.',
    ],
    [
      /^Unexpected character after `<`/,
      (_, rest) => {
        if (/^<(https?:|\S+@)/.test(rest)) return 'this is no link in MDX. Write [text](address).';
        return /^<\/?[A-Za-z]/.test(rest)
          ? 'this tag cannot be read. Write its values in quotes, as in <Check id="…" />, or &lt; where it is text.'
          : '< begins a tag in MDX, and this is none. Write &lt; or put it in code marks.';
      },
    ],
    [
      /^Unexpected end of file in expression/,
      () => '{ begins code, and no } ends it. Write \\{ where it is text.',
    ],
    [
      /^Could not parse expression/,
      () => 'what stands in braces is code in MDX, and this is none. Write \\{ where it is text.',
    ],
    [
      /^Could not parse esm with oxc: (.*)/,
      ([why]) =>
        `a line that begins with import or export is code, and this cannot be read (${why}). Write import { Check } from '#components'; or begin the line with another word.`,
    ],
  ];

/** What is said where one of two tags that belong together is a component’s name with a slip in it. */
function slipInTags(closing: string, opening: string, at: string | undefined): string | undefined {
  if (!isSlipOf(opening, closing) || opening === closing) return undefined;
  if (COMPONENTS.includes(closing) && !COMPONENTS.includes(opening)) {
    return `<${opening}> of ${at} is no component, and </${closing}> closes it. Did you mean <${closing}>?`;
  }
  return COMPONENTS.includes(opening) && !COMPONENTS.includes(closing)
    ? `</${closing}> is no component, and closes <${opening}> of ${at}. Did you mean </${opening}>?`
    : undefined;
}

function syntaxProblem(source: string, message: string): Problem {
  const [, line = 1, column = 1, reason = message] = STOPPED.exec(message) ?? [];
  const place = { line: Number(line), column: Number(column) };
  const rest = (source.split('\n')[place.line - 1] ?? '').slice(place.column - 1);
  for (const [pattern, says] of REASONS) {
    const [found, ...names] = pattern.exec(reason) ?? [];
    if (found !== undefined) return { ...place, says: says(names, rest) };
  }
  return { ...place, says: `${reason}.` };
}
