import { type EstreeProgram, mdxToJs } from 'satteri';

/** The names in a piece of code. One that it declares anywhere counts as declared everywhere in it. */
export interface NamesInCode {
  /** Used, and declared elsewhere, if anywhere. */
  readonly used: readonly string[];
  readonly declared: readonly string[];
  /** What it imports: `#components`, `./drawing.png`. */
  readonly imported: readonly string[];
}

/** A node of the syntax tree (ESTree). */
type Tree = Readonly<Record<string, unknown>> & { readonly type: string };

/** Places in the tree, as `Type.property`, where names are declared. */
const DECLARES =
  /^(VariableDeclarator\.id|(Function|Class)\w+\.id|\w+\.params|CatchClause\.param|Import\w+\.local)$/;
/** Places whose words name nothing of the page: properties, labels, the other side of an import, closing tags. */
const SAYS_NO_NAME =
  /^(\w*MemberExpression\.property|\w*(Property|Definition)\.key|ImportSpecifier\.imported|Export\w+\.(specifiers|exported)|(Import|Export)\w+\.attributes|\w+\.label|MetaProperty\.\w+|JSXAttribute\.name|JSXNamespacedName\.\w+|JSXElement\.closingElement)$/;
/** A tag that begins with a small letter is an element of HTML. */
const HTML = /^[a-z]/;

/**
 * Reads code of an MDX page.
 *
 * @param code an expression in its braces, or lines of imports and exports
 */
export function namesIn(code: string): NamesInCode {
  const used = new Set<string>();
  const declared = new Set<string>();
  const imported: string[] = [];
  const read = (node: Tree, isDeclared: boolean): void => {
    const { type, name, source } = node;
    const isTag = type === 'JSXIdentifier';
    if (typeof name === 'string' && (isTag ? !HTML.test(name) : type === 'Identifier')) {
      (isDeclared ? declared : used).add(name);
    }
    if (type !== 'ImportExpression' && isTree(source)) imported.push(String(source.value));
    for (const [property, value] of Object.entries(node)) {
      const place = `${type}.${property}`;
      if (SAYS_NO_NAME.test(place) && node.computed !== true) continue;
      for (const child of [value].flat()) {
        if (isTree(child)) read(child, isDeclared || DECLARES.test(place));
      }
    }
  };
  for (const program of programsOf(code)) read({ ...program }, false);
  return { used: [...used.difference(declared)], declared: [...declared], imported };
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && 'type' in value;
}

/** What the page's own parser reads in code; nothing in an empty expression or a comment. */
function programsOf(code: string): readonly EstreeProgram[] {
  const found: EstreeProgram[] = [];
  const keep = (node: { parseExpression(): EstreeProgram | null }): void => {
    found.push(...[node.parseExpression() ?? []].flat());
  };
  mdxToJs(code, { hastPlugins: [{ name: 'read', mdxjsEsm: keep, mdxFlowExpression: keep }] });
  return found;
}
