import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type MdastNode, mdxToMdast } from 'satteri';
import { hostNamed, type Lab } from '../../lab/parse.ts';

/** Something that a page asks its reader to do, and the line that asks. */
export type Deed =
  | {
      /** A fenced block that names a host. `host` is the host's own name, whichever name the page uses. */
      readonly kind: 'run';
      readonly host: string;
      readonly command: string;
      readonly line: number;
    }
  | {
      /** An address to open in the browser pane; `{value-id}` in it stands for that value's live text. */
      readonly kind: 'open';
      readonly url: string;
      readonly line: number;
    }
  | {
      /** A question to answer off the screen. */
      readonly kind: 'answer';
      readonly check: string;
      readonly line: number;
    };

/** What is to be done since the last check of a page, and the check, or checks, that then tick. */
export interface Step {
  /** Its first check's id, or `<page>-rest` for what is asked after a page's last check. */
  readonly id: string;
  /** The section's page: the file's name without its ending. */
  readonly page: string;
  /** The heading above its first check, or above its last deed; the section's title where there is none. */
  readonly heading: string;
  /** Path of the page. */
  readonly file: string;
  /** The line of its first deed or, where it has none, of its first check. */
  readonly line: number;
  readonly actions: readonly Deed[];
  /** Ids, in the page's order; empty for the rest. */
  readonly checks: readonly string[];
}

/**
 * The steps of a lab, in order, read from its pages: what a learner is asked to do is written there and nowhere else.
 * What stands in a hint is another way to the same, and no deed. A page that is missing, and a name in it that the lab
 * does not have, are for the site's build to report; they make no step.
 *
 * @param labDirectory the folder that holds the lab's `lab.ts` and its pages
 */
export async function loadSteps(labDirectory: string, lab: Lab): Promise<readonly Step[]> {
  const pages = await Promise.all(
    lab.sections.map(async (section) => {
      const file = join(labDirectory, `${section.page}.mdx`);
      const source = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return '';
        throw error;
      });
      return stepsOf(source, { page: section.page, title: section.title, file }, lab);
    }),
  );
  return pages.flat();
}

/** The steps of one page. */
export function stepsOf(
  source: string,
  place: { readonly page: string; readonly title: string; readonly file: string },
  lab: Pick<Lab, 'hosts' | 'checks' | 'values'>,
): readonly Step[] {
  const steps: Step[] = [];
  let draft = draftUnder(place.title);
  const finish = (id: string): void => {
    const { heading, line, deeds, checks } = draft;
    steps.push({ id, page: place.page, heading, file: place.file, line, actions: deeds, checks });
    draft = draftUnder(heading);
  };
  for (const found of marksIn(mdxToMdast(source), lab)) {
    const [done] = draft.checks;
    // Whatever comes after checks begins the next step, unless it is one more check.
    if (done !== undefined && found.kind !== 'check') finish(done);
    if (found.kind === 'heading') {
      draft.heading = found.text;
      continue;
    }
    if (draft.deeds.length === 0 && draft.checks.length === 0) draft.line = found.line;
    if (found.kind === 'deed') {
      draft.deeds.push(found.deed);
    } else if (!draft.checks.includes(found.id)) {
      if (found.isQuestion) {
        draft.deeds.push({ kind: 'answer', check: found.id, line: found.line });
      }
      draft.checks.push(found.id);
    }
  }
  const [last] = draft.checks;
  if (last !== undefined) finish(last);
  else if (draft.deeds.length > 0) finish(`${place.page}-rest`);
  return steps;
}

/** A step that is still being read. */
interface Draft {
  heading: string;
  line: number;
  readonly deeds: Deed[];
  readonly checks: string[];
}

function draftUnder(heading: string): Draft {
  return { heading, line: 0, deeds: [], checks: [] };
}

/** What a page has that steps are made of. */
type Mark =
  | { readonly kind: 'heading'; readonly text: string }
  | { readonly kind: 'deed'; readonly deed: Deed; readonly line: number }
  | {
      readonly kind: 'check';
      readonly id: string;
      readonly isQuestion: boolean;
      readonly line: number;
    };

/** The host that a fence's info string names, quoted or not. */
const HOST_OF_FENCE = /(?:^|\s)host=(?:"([^"]+)"|'([^']+)'|(\S+))/;
const IS_URL = /^https?:\/\//;

function* marksIn(
  node: MdastNode,
  lab: Pick<Lab, 'hosts' | 'checks' | 'values'>,
): Generator<Mark, void, undefined> {
  const line = node.position?.start.line ?? 0;
  if (node.type === 'heading') {
    yield { kind: 'heading', text: plain(node) };
    return;
  }
  if (node.type === 'code') {
    const [, ...names] = HOST_OF_FENCE.exec(node.meta ?? '') ?? [];
    const host = hostNamed(lab, names.find((name) => name !== undefined) ?? '');
    if (host) {
      yield {
        kind: 'deed',
        deed: { kind: 'run', host: host.name, command: node.value, line },
        line,
      };
    }
    return;
  }
  if (node.type === 'mdxJsxFlowElement' || node.type === 'mdxJsxTextElement') {
    if (node.name === 'Hint') return;
    const attribute = (name: string): string => {
      const found = node.attributes.find(
        (each) => each.type === 'mdxJsxAttribute' && each.name === name,
      );
      return typeof found?.value === 'string' ? found.value : '';
    };
    const id = attribute('id');
    if (node.name === 'Check' || node.name === 'Answer') {
      const known = lab.checks.some((check) => check.id === id);
      if (known) yield { kind: 'check', id, isQuestion: node.name === 'Answer', line };
    } else if (node.name === 'Visit') {
      const url = attribute('url');
      if (url !== '') yield { kind: 'deed', deed: { kind: 'open', url, line }, line };
    } else if (node.name === 'Value' && IS_URL.test(lab.values[id]?.placeholder ?? '')) {
      yield { kind: 'deed', deed: { kind: 'open', url: `{${id}}`, line }, line };
    }
  }
  if ('children' in node) for (const child of node.children) yield* marksIn(child, lab);
}

/** A heading's text without its marks. */
function plain(node: MdastNode): string {
  if ('value' in node) return node.value;
  return 'children' in node ? node.children.map((child) => plain(child)).join('') : '';
}
