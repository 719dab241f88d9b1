import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as kit from '#lab';

const DOCS = join(import.meta.dirname, '../../../src/content/docs');
const read = (pattern: string) =>
  globSync(join(DOCS, pattern)).map((file) => readFileSync(file, 'utf8'));

const FENCE = /^ *(`{3,})(\w*)[^\n]*\n([\s\S]*?)^ *\1$/gm;
/** The code on pages, in a language or in any. */
const code = (pages: readonly string[], language?: string) =>
  pages
    .flatMap((page) => [...page.matchAll(FENCE)])
    .filter(([, , lang]) => language === undefined || lang === language)
    .map(([, , , text = '']) => text);

const guide = code(read('authors/*.mdx')).join('\n');
const livePages = read('labs/components/*.mdx');
const components = [
  ...readFileSync(join(DOCS, '../../components/index.ts'), 'utf8').matchAll(/default as (\w+)/g),
].map(([, name = '']) => name);

describe('the guide for authors', () => {
  it.each(Object.keys(kit))('has an example of %s', (name) => {
    expect(guide).toMatch(new RegExp(`\\b${name}\\b`));
  });

  it.each(components)('has an example of <%s>', (name) => {
    expect(guide).toMatch(new RegExp(`<${name}\\b`));
  });
});

describe('the live examples', () => {
  it.each(components)('show <%s> at work', (name) => {
    const shown = livePages.map((page) => page.replaceAll(FENCE, '')).join('\n');
    expect(shown).toMatch(new RegExp(`<${name}\\b`));
  });

  it('show only code that the lab is made of', () => {
    const plain = (text: string) => text.replaceAll(/\s+/g, ' ').trim();
    const source = plain(read('labs/components/*.ts').join('\n'));
    const invented = code(livePages, 'ts').filter((text) => !source.includes(plain(text)));
    expect(invented).toEqual([]);
  });
});
