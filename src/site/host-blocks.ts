import { existsSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import {
  type AnnotationRenderOptions,
  definePlugin,
  ExpressiveCodeAnnotation,
  type ExpressiveCodeInlineRange,
  type ExpressiveCodePlugin,
} from '@astrojs/starlight/expressive-code';
import { h, type Parents, select } from '@astrojs/starlight/expressive-code/hast';
import { hostNamed } from '#lab';
import { didYouMean } from '../../lab/did-you-mean.ts';
import { VALUE_PLACE } from '../../lab/value-place.ts';
import { lineOf } from './line-of.ts';
import { writtenLab } from './written-lab.ts';

/** A place in a block where the page puts a value's live text, once there is any. */
class ValuePlace extends ExpressiveCodeAnnotation {
  readonly #id: string;

  constructor(id: string, inlineRange: ExpressiveCodeInlineRange) {
    super({ inlineRange });
    this.#id = id;
  }

  render({ nodesToTransform }: AnnotationRenderOptions): Parents[] {
    // Where another mark ends within it, its braces stay.
    const [only, ...others] = nodesToTransform;
    if (!only || others.length > 0) return nodesToTransform;
    const place = { 'data-value-id': this.#id, 'data-value-placeholder': `{${this.#id}}` };
    return [h('span', place, [only])];
  }
}

/**
 * Gives a fenced block that names a host (```` ```sh host=server01 ````) that host's name as its title and a Run button, and
 * each `{value-id}` in it a place for the value's text. One that is a file (`file=web/Dockerfile`) has a way into the editor
 * in place of Run. A name that the lab does not have stops the build, with the nearest right one.
 */
export function hostBlocks(): ExpressiveCodePlugin {
  return definePlugin({
    name: 'host-blocks',
    hooks: {
      preprocessMetadata: async ({ codeBlock }) => {
        const name = codeBlock.metaOptions.getString('host');
        if (name === undefined) return;
        const path = codeBlock.parentDocument?.sourceFilePath;
        const host = path ? await requireHost(path, name) : name;
        // Its terminals bear the host's own name.
        const title = host === name ? name : `${name} (${host})`;
        const file = codeBlock.metaOptions.getString('file');
        codeBlock.props.title ??= file === undefined ? title : `${file} on ${title}`;
        codeBlock.props.frame = 'terminal';
        // A command that has to be scrolled is not read.
        codeBlock.props.wrap = true;
      },
      annotateCode: async ({ codeBlock }) => {
        const path = codeBlock.parentDocument?.sourceFilePath;
        if (path === undefined || codeBlock.metaOptions.getString('host') === undefined) return;
        const { values } = await writtenLab(dirname(path));
        for (const line of codeBlock.getLines()) {
          for (const { 0: whole, 1: id = '', index } of line.text.matchAll(VALUE_PLACE)) {
            if (!Object.hasOwn(values, id)) continue;
            const range = { columnStart: index, columnEnd: index + whole.length };
            line.addAnnotation(new ValuePlace(id, range));
          }
        }
      },
      postprocessRenderedBlock: ({ codeBlock, renderData }) => {
        const name = codeBlock.metaOptions.getString('host');
        if (name === undefined) return;
        const figure = select('figure', renderData.blockAst);
        const header = select('figcaption', renderData.blockAst);
        if (!figure || !header) throw new Error('host-blocks: the code block has no frame');
        figure.properties['data-host-block'] = name;
        const file = codeBlock.metaOptions.getString('file');
        if (file !== undefined) {
          figure.properties['data-file-block'] = file;
          header.children.push(editButton(name, file, codeBlock.code));
          return;
        }
        header.children.push(
          h(
            'button',
            {
              type: 'button',
              class: 'run',
              'data-pagefind-ignore': true,
              'data-run-host': name,
              'data-run-code': codeBlock.code,
              'data-run-second': codeBlock.metaOptions.getBoolean('second') ? '' : undefined,
              'aria-label': `Run on ${name}`,
              title: `Run on ${name}`,
            },
            ['Run'],
          ),
        );
      },
    },
  });
}

/** A block that is a file is not run: it goes into the editor. */
function editButton(host: string, file: string, text: string) {
  const properties = {
    type: 'button',
    class: 'run',
    'data-pagefind-ignore': true,
    'data-edit-host': host,
    'data-edit-path': file,
    'data-edit-text': `${text}\n`,
    'aria-label': `Open in the editor: ${file} on ${host}`,
  };
  return h('button', properties, ['Open in the editor']);
}

/** The own name of the host that a page calls so. */
async function requireHost(mdxPath: string, name: string): Promise<string> {
  const labFile = labBeside(mdxPath);
  const where = `${relative('.', mdxPath)}${lineOf(mdxPath, `host=${name}`)}`;
  if (!existsSync(labFile)) {
    throw new Error(`${where}: host=${name} stands on a page that has no lab.ts beside it.`);
  }
  const lab = await writtenLab(dirname(mdxPath));
  const found = hostNamed(lab, name);
  if (found) return found.name;
  const names = lab.hosts.flatMap((host) => [host.name, ...host.aliases]);
  throw new Error(
    `${where}: the lab ${basename(dirname(mdxPath))} has no host "${name}". ${didYouMean(name, names)}`,
  );
}

function labBeside(mdxPath: string): string {
  return join(dirname(mdxPath), 'lab.ts');
}
