import { join } from 'node:path';
import { ExpressiveCode } from '@astrojs/starlight/expressive-code';
import { toHtml } from '@astrojs/starlight/expressive-code/hast';
import { describe, expect, it } from 'vitest';
import { hostBlocks } from '../../../src/site/host-blocks.ts';

const DOCS = join(import.meta.dirname, '../../../src/content/docs');
const PAGE = join(DOCS, 'labs/docker-networking/ephemeral-ports.mdx');

/** The HTML of a fenced block on a page, by default one of the Docker Networking lab. */
async function render(meta: string, code = 'docker ps', page = PAGE): Promise<string> {
  const engine = new ExpressiveCode({
    plugins: [hostBlocks()],
    logger: { error: () => undefined },
  });
  const parentDocument = { sourceFilePath: page };
  const { renderedGroupAst } = await engine.render({ code, language: 'sh', meta, parentDocument });
  return toHtml(renderedGroupAst);
}

describe('a code block that names a host', () => {
  it('bears the name and a Run button with all of its lines', async () => {
    const html = await render('host=agent01', 'docker ps\ndocker images');
    expect(html).toContain('<span class="title">agent01 (server01)</span>');
    expect(html).toMatch(/<button[^>]*data-run-host="agent01"[^>]*>Run<\/button>/);
    expect(html).toContain('data-run-code="docker ps\ndocker images"');
  });

  it('says where it runs in a second terminal, and not where its title speaks of one', async () => {
    expect(await render('host=client second stays')).toContain('data-run-second');
    expect(await render('host=client title="a second one"')).not.toContain('data-run-second');
  });

  it('has a place for each value of the lab, and leaves other braces alone', async () => {
    const html = await render('host=client', 'curl {myapp2-direct-url}/{a,b}/{none}');
    expect(html).toContain(
      '<span data-value-id="myapp2-direct-url" data-value-placeholder="{myapp2-direct-url}">',
    );
    expect(html.match(/data-value-id/g)).toHaveLength(1);
    expect(html.replaceAll(/<[^>]*>/g, '')).toContain('curl {myapp2-direct-url}/{a,b}/{none}');
  });

  it('keeps its Copy button', async () => {
    expect(await render('host=server01')).toContain('class="copy"');
  });

  it('stops the build at a host that the lab does not have, with the nearest right one', async () => {
    await expect(render('host=sever01')).rejects.toThrow(/no host "sever01".*"server01"/s);
  });

  it('stops the build on a page without a lab', async () => {
    await expect(render('host=server01', 'ls', join(DOCS, 'index.mdx'))).rejects.toThrow(
      /no lab\.ts/,
    );
  });
});

describe('a block that is a file', () => {
  it('has Copy and a way into the editor in place of Run', async () => {
    const html = await render('host=agent01 file=web/Dockerfile', 'FROM scratch');
    expect(html).toContain('<span class="title">web/Dockerfile on agent01 (server01)</span>');
    expect(html).toContain('data-edit-host="agent01" data-edit-path="web/Dockerfile"');
    expect(html).toContain('data-edit-text="FROM scratch\n"');
    expect(html).toContain('class="copy"');
    expect(html).not.toContain('data-run-host');
  });
});

describe('any other code block', () => {
  it('has no Run button', async () => {
    expect(await render('')).not.toContain('data-run-host');
  });
});
